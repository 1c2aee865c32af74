"""Responses, random-effects terms, grouping factors, and the recipe for new data."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, strategies as st

from design.building import build_design
from mixedmodels.design import Design
from mixedmodels.errors import DataError, FormulaWarning, MissingColumnError, MixedModelError
from search_depth import examples

N = 24


def make_data() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "y": rng.normal(size=N),
            "x": rng.uniform(1, 3, size=N),
            "yes": rng.random(N) > 0.5,
            "day": np.tile([0, 3, 10], 8),
            "f": pd.Categorical(["lo", "hi"] * 12, categories=["unused", "lo", "hi"]),
            "s": ["one", "two", "three"] * 8,
            "a": np.repeat(["A", "B", "C"], 8),
            "b": np.tile(np.repeat([1, 2, 3, 4], 2), 3),
            "total.fruits": rng.poisson(5, N),
            "a b": rng.normal(size=N),
        }
    )


DATA = make_data()


def build(formula: str, **options: Any) -> Design:
    return build_design(formula, DATA, **options)


def test_the_common_case() -> None:
    design = build("y ~ x + f + (x | a)")
    assert design.response_name == "y"
    assert design.x_names == ("(Intercept)", "x", "f[T.hi]")
    assert design.x_terms == (("(Intercept)", slice(0, 1)), ("x", slice(1, 2)), ("f", slice(2, 3)))
    (term,) = design.terms
    assert (term.names, term.covariance, term.text) == (("(Intercept)", "x"), "us", "(x | a)")
    assert (term.group.label, term.group.columns, term.group.levels) == ("a", ("a",), ("A", "B", "C"))
    assert term.group.codes.dtype == np.uint32
    np.testing.assert_array_equal(term.group.codes, np.repeat([0, 1, 2], 8))
    np.testing.assert_array_equal(design.y, DATA["y"])


@pytest.mark.parametrize(
    ("response", "values"),
    [
        ("y", DATA["y"]),
        ("yes", DATA["yes"].astype(float)),
        ("log(x)", np.log(DATA["x"])),
        ("log1p(total.fruits)", np.log1p(DATA["total.fruits"])),
        ("`a b`", DATA["a b"]),
        ("y / x - 1", DATA["y"] / DATA["x"] - 1),
        ("as.numeric(f)", np.tile([2.0, 3.0], 12)),
        ("I(x > 2)", (DATA["x"] > 2).astype(float)),
        ("scale(x)", (DATA["x"] - DATA["x"].mean()) / DATA["x"].std()),
        ("np.log10(x)", np.log10(DATA["x"])),
    ],
)
def test_responses(response: str, values: Any) -> None:
    design = build(f"{response} ~ 1 + (1 | a)")
    np.testing.assert_allclose(design.y, values)
    assert design.y.dtype == np.float64


@pytest.mark.parametrize(
    ("response", "message"),
    [
        ("f", "not numeric but a factor"),
        ("s", "not numeric but a factor"),
        ("factor(day)", "not numeric but a factor"),
        ("cbind(y, x)", "matrix"),
        ("poly(x, 2)", "2 columns"),
        ("I(3)", "computed from columns"),
    ],
)
def test_responses_of_other_kinds(response: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        build(f"{response} ~ 1 + (1 | a)")


def test_terms_are_ordered_by_the_number_of_levels() -> None:
    expected = [("a:b", 12), ("b", 4), ("a", 3), ("a", 3)]
    for formula in (
        "y ~ (1 | a) + (0 + x | a) + (1 | b) + (1 | a:b)",
        "y ~ (1 | a:b) + (1 | b) + (1 | a) + (0 + x | a)",
    ):
        terms = build(formula).terms
        assert [(t.group.label, len(t.group.levels)) for t in terms] == expected
        assert [t.names for t in terms[2:]] == [("(Intercept)",), ("x",)]
        assert terms[2].group is terms[3].group


def test_nesting_is_the_sum_of_its_parts() -> None:
    nested, crossed = build("y ~ (x | a/b)"), build("y ~ (x | a:b) + (x | a)")
    for s, t in zip(nested.terms, crossed.terms, strict=True):
        assert s.group.label == t.group.label
        np.testing.assert_array_equal(s.group.codes, t.group.codes)
    assert nested.terms[0].group.levels[:5] == ("A:1", "A:2", "A:3", "A:4", "B:1")


def test_integer_and_text_groups_are_the_same() -> None:
    for other in (DATA["b"].astype(str), DATA["b"].astype("category"), DATA["b"].astype(float)):
        design = build_design("y ~ (1 | b) + (1 | a/b)", DATA.assign(b=other))
        for s, t in zip(design.terms, build("y ~ (1 | b) + (1 | a/b)").terms, strict=True):
            assert s.group.levels == t.group.levels
            np.testing.assert_array_equal(s.group.codes, t.group.codes)
    assert build("y ~ (1 | factor(b))").terms[0].group.levels == ("1", "2", "3", "4")
    assert (
        build("y ~ (1 | interaction(a, b))").terms[0].group.levels
        == build("y ~ (1 | a:b)").terms[0].group.levels
    )


def test_interactions_keep_observed_cells_only() -> None:
    n = 20_000
    data = {"y": np.zeros(n), "i": np.arange(n) // 2, "j": (np.arange(n) // 2)[::-1]}
    assert len(build_design("y ~ (1 | i:j)", data).terms[0].group.levels) == n // 2


def test_double_bar_is_one_diagonal_term() -> None:
    (term,) = build("y ~ x + (x + day || a)").terms
    assert (term.covariance, term.names) == ("diag", ("(Intercept)", "x", "day"))
    with pytest.warns(FormulaWarning, match=r"all 3 columns independent.*'s'.*3 variance parameters"):
        (term,) = build("y ~ x + (s || a)").terms
    assert term.names == ("(Intercept)", "s[T.three]", "s[T.two]")


def test_unused_levels_are_dropped() -> None:
    assert build("y ~ 0 + f + (1 | f)").x_names == ("f[lo]", "f[hi]")
    assert build("y ~ (1 | f)").terms[0].group.levels == ("lo", "hi")


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("y ~ (1 | one)", r"'one' has only one level \('same'\).*drop \(1 \| one\)"),
        ("y ~ diag(0 + x + yes | one)", "only one level"),
        ("y ~ homcs(0 + f | one)", "only one level"),
        ("y ~ (1 | row)", r"'row' has as many levels \(24\) as there are rows \(24\)"),
        ("y ~ (x | row:a)", "'row:a' has as many levels"),
        ("y ~ (1 | I(x > 2))", r"write factor\(I"),
        ("y ~ (one | a)", "factor 'one' has one level"),
        ("y ~ log(s) + (1 | a)", "is a factor"),
        ("y ~ I(poly(x, 2) + 1) + (1 | a)", "several columns"),
        ("y ~ I(2) + (1 | a)", "computed from columns"),
        ("y ~ when + (1 | a)", "dates"),
        ("y ~ I(x | yes) + (1 | a)", "conditions"),
        ("y ~ offset(s) + (1 | a)", "not a column of numbers"),
        ("y ~ factor(s, levels=c('one', 'two')) + (1 | a)", "three"),
    ],
)
def test_data_that_do_not_fit(formula: str, message: str) -> None:
    data = DATA.assign(one="same", row=np.arange(N), when=pd.Timestamp("2020-01-01"))
    with pytest.raises(DataError, match=message):
        build_design(formula, data)


def test_as_many_effects_as_rows_are_allowed() -> None:
    rows = [(d, s) for d in range(3) for s in "uvw"]
    data = {"y": np.arange(9.0), "d": [d for d, _ in rows], "s": [s for _, s in rows]}
    assert build_design("y ~ factor(d) + (factor(d) | s)", data).terms[0].z.shape == (9, 3)


def test_factors_made_in_the_formula() -> None:
    assert build("y ~ factor(day) + (1 | a)").x_names[1:] == ("factor(day)[T.3]", "factor(day)[T.10]")
    releveled = build('y ~ factor(s, levels=c("two", "one", "three")) + (1 | a)').x_names
    assert releveled[1].endswith("[T.one]")
    np.testing.assert_array_equal(build("y ~ as.numeric(factor(day)) + (1 | a)").x[:3, 1], [1, 2, 3])
    assert build("y ~ factor(x > 2) + (1 | a)").x_names[1] == "factor(x > 2)[T.True]"
    assert build("y ~ factor(yes) + (1 | a)").x_names[1] == "factor(yes)[T.True]"


def test_own_functions() -> None:
    functions = {
        "twice": lambda x, k=2: k * x,
        "first": lambda s: [label[0] for label in s],
        "powers": lambda x: np.column_stack([x, x**2]),
    }
    design = build("y ~ twice(x) + twice(x, k=3) + first(s) + powers(x) + (1 | a)", functions=functions)
    assert design.x_names[1:] == (
        "twice(x)",
        "twice(x, k=3)",
        "first(s)[T.t]",
        "powers(x)[1]",
        "powers(x)[2]",
    )
    np.testing.assert_allclose(design.x[:, 2], 3 * DATA["x"])
    np.testing.assert_allclose(design.recipe.new_x(DATA[:5]), design.x[:5])
    for bad, message in (
        (lambda x: 1 / 0, "ZeroDivisionError"),
        (lambda x: x[:3], "3 rows"),
        (lambda x: None, "None"),
    ):
        with pytest.raises(DataError, match=message):
            build("y ~ bad(x) + (1 | a)", functions={"bad": bad})


def test_any_data_frame() -> None:
    formula = "y ~ poly(x, 2) + s*day + (x | a/b)"
    expected = build(formula)
    for data in (pl.from_pandas(DATA), pl.from_pandas(DATA).lazy(), DATA.to_dict("list")):
        design = build_design(formula, data, weights="I(x)", subset="x > 0")
        np.testing.assert_allclose(design.x, expected.x)
        assert design.x_names == expected.x_names
        assert design.row_labels is None


RECIPE = "log(x) ~ ns(x, 3) + s*day + C(f, sum) + factor(day) + offset(x) + (scale(x) + f | a/b) + (1 | b)"


def test_the_recipe_rebuilds_the_design() -> None:
    design = build(RECIPE)
    recipe = pickle.loads(pickle.dumps(design.recipe))
    assert len(pickle.dumps(design.recipe)) < 10_000
    rows = [5, 1, 20]
    new = DATA.iloc[rows].drop(columns="y").reset_index(drop=True)
    np.testing.assert_allclose(recipe.new_x(new), design.x[rows])
    assert design.offset is not None
    np.testing.assert_allclose(recipe.new_offset(new), design.offset[rows])
    for made, term in zip(recipe.new_random(new, False), design.terms, strict=True):
        np.testing.assert_array_equal(made.codes, term.group.codes[rows])
        np.testing.assert_allclose(made.z, term.z[rows])


def test_new_data_in_other_types() -> None:
    design = build(RECIPE)
    new = {
        "x": [1.5, 2.5],
        "s": pd.Categorical(["two", "one"]),
        "day": np.array([3.0, 10.0]),
        "f": ["hi", "lo"],
        "a": np.array(["C", "A"], dtype=object),
        "b": ["4", "1"],
    }
    x = design.recipe.new_x(new)
    assert np.isfinite(x).all()
    again = design.recipe.new_x({**new, "day": [3, 10], "s": ["two", "one"]})
    np.testing.assert_array_equal(x, again)
    terms = design.recipe.new_random(new, False)
    assert [t.codes.tolist() for t in terms] == [[11, 0], [3, 0], [2, 0]]
    assert all(t.codes.dtype == np.int64 for t in terms)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("s", "four", "column 's' has levels that were not in the fit: 'four'; known levels"),
        ("f", "unused", "'unused'"),
        ("day", 4, "'4'"),
        ("x", "text", "numeric in the fit"),
        ("x", -np.inf, "not finite|infinite"),
    ],
)
def test_new_data_that_do_not_fit(column: str, value: Any, message: str) -> None:
    new = DATA.head(3).copy().assign(**{column: value})
    with pytest.raises(DataError, match=message):
        build("y ~ x + s + f + factor(day) + (1 | a)").recipe.new_x(new)


def test_missing_columns_of_new_data() -> None:
    recipe = build("y ~ x + (s | a)").recipe
    assert recipe.new_x({"x": [1.0]}).shape == (1, 2)
    with pytest.raises(MissingColumnError, match="newdata has no column 'x'"):
        recipe.new_x({"s": ["one"]})
    with pytest.raises(MissingColumnError, match="newdata has no column 's'"):
        recipe.new_random({"a": ["A"], "x": [1.0]}, True)
    assert recipe.new_offset({"x": [1.0]}) is None


def test_missing_values_of_new_data_give_missing_rows() -> None:
    design = build("y ~ x*s + ns(x, 3) + offset(day) + (x | a)")
    new = DATA.head(4).copy().astype({"day": float})
    new.loc[0, "x"] = np.nan
    new.loc[1, "s"] = None
    new.loc[2, "day"] = np.nan
    x = design.recipe.new_x(new)
    assert np.isnan(x).all(axis=1).tolist() == [True, True, False, False]
    assert np.isfinite(x[2:]).all()
    offset = design.recipe.new_offset(new)
    assert offset is not None
    assert np.isnan(offset).tolist() == [False, False, True, False]
    assert np.isnan(design.recipe.new_random(new, False)[0].z).all(axis=1).tolist() == [
        True,
        False,
        False,
        False,
    ]


def test_new_levels_of_groups() -> None:
    recipe = build("y ~ (1 | a/b)").recipe
    new = {"a": ["A", "Z", "A", None], "b": [1, 1, 9, 1]}
    with pytest.raises(DataError, match="grouping factor 'a' has levels that were not in the fit: 'Z'"):
        recipe.new_random(new, False)
    cells, batches = recipe.new_random(new, True)
    assert cells.codes.tolist() == [0, -1, -1, -1]
    assert batches.codes.tolist() == [0, -1, 0, -1]
    (only,) = recipe.new_random({"a": ["B"]}, False, {1: [0]})
    assert only.codes.tolist() == [1]
    partly = build_design("y ~ (1 | a:b)", DATA[(DATA["a"] != "A") | (DATA["b"] != 4)]).recipe
    with pytest.raises(DataError, match="cells that were not in the fit"):
        partly.new_random({"a": ["A"], "b": [4]}, False)
    assert partly.new_random({"a": ["A", "B"], "b": [4, 1]}, True)[0].codes.tolist() == [-1, 3]


def test_labels_with_colons_do_not_merge_cells() -> None:
    data = {"y": [1.0, 2, 3, 4, 5], "i": ["a:b", "a", "a", "a", "a:b"], "j": ["c", "b:c", "b:c", "c", "c"]}
    design = build_design("y ~ (1 | i:j)", data)
    assert len(design.terms[0].group.levels) == 3
    made = design.recipe.new_random(data, False)[0]
    np.testing.assert_array_equal(made.codes, design.terms[0].group.codes)


_atoms = st.sampled_from(
    ["x", "y", "s", "f", "day", "yes", "a", "b", "`a b`", "total.fruits", "1", "0", ".", "2"]
)
_calls = st.sampled_from(
    [
        *("log({})", "I({}^2)", "factor({})", "poly({}, 2)", "ns({}, 3)", "scale({})", "C({}, sum)"),
        *("({} | a)", "({} || b)", "(1 | {})", "as.numeric({})", "bs({}, df=4)", "I({} > 1)", "ordered({})"),
        *("offset({})", "({})", "exp({})"),
    ]
)
_joins = st.sampled_from(["{} + {}", "{} - {}", "{}:{}", "{}*{}", "{}/{}", "{} %in% {}", "({})^2 + {}"])
_formulas = st.recursive(
    _atoms,
    lambda inner: (
        st.builds(lambda t, a: t.format(a), _calls, inner)
        | st.builds(lambda t, a, b: t.format(a, b), _joins, inner, inner)
    ),
    max_leaves=8,
)


@examples(300)
@given(_formulas, _formulas)
@pytest.mark.filterwarnings("ignore::mixedmodels.errors.FormulaWarning")
@pytest.mark.filterwarnings("ignore::mixedmodels.errors.DataWarning")
def test_random_formulas_give_a_design_or_our_own_error(left: str, right: str) -> None:
    for formula in (f"y ~ {left} + (1 | a)", f"{left} ~ {right} + ({left} | b)"):
        try:
            design = build(formula)
        except MixedModelError:
            continue
        assert np.isfinite(design.x).all()
        assert design.x.shape == (N, len(design.x_names))
        np.testing.assert_allclose(design.recipe.new_x(DATA), design.x, atol=1e-9)
        for made, term in zip(design.recipe.new_random(DATA, False), design.terms, strict=True):
            np.testing.assert_allclose(made.z, term.z, atol=1e-9)
            np.testing.assert_array_equal(made.codes, term.group.codes)


@examples(30)
@given(st.permutations(range(N)))
def test_the_order_of_rows_does_not_matter(order: list[int]) -> None:
    formula = "y ~ ns(x, 3) + s*f + (s | a/b)"
    design, shuffled = build(formula), build_design(formula, DATA.iloc[list(order)])
    assert shuffled.x_names == design.x_names
    np.testing.assert_allclose(shuffled.x, design.x[order], atol=1e-9)
    for s, t in zip(shuffled.terms, design.terms, strict=True):
        assert s.group.levels == t.group.levels
        np.testing.assert_array_equal(s.group.codes, t.group.codes[order])


def test_rows_without_a_level_are_named() -> None:
    functions = {"patchy": lambda s: [None if label == "two" else label for label in s]}
    for formula in ("y ~ patchy(s) + (1 | a)", "y ~ 1 + (1 | patchy(s))", "y ~ factor(log(x - 2)) + (1 | a)"):
        with pytest.raises(DataError, match="has no level in"):
            build(formula, functions=functions)


def test_products_that_overflow_are_named() -> None:
    data = DATA.assign(big=1e200 * DATA["x"], huge=1e200)
    with pytest.raises(DataError, match="big:huge overflows"):
        build_design("y ~ big:huge + (1 | a)", data)


def test_a_column_and_an_interaction_may_have_the_same_label() -> None:
    data = DATA.assign(**{"a:b": DATA["s"]})
    terms = build_design("y ~ (1 | a:b) + (1 | `a:b`)", data).terms
    assert [(t.group.label, len(t.group.levels)) for t in terms] == [("a:b", 12), ("a:b", 3)]
