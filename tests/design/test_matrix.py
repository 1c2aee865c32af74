"""Model matrices: equal to formulaic's on many formulas, and to their definition."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from formulaic import model_matrix
from hypothesis import given
from hypothesis import strategies as st

from design.building import build_design
from mixedmodels.design.full_rank import full_rank_blocks
from mixedmodels.errors import ArgumentError, DataError, FormulaError, FormulaWarning, MemoryLimitError
from search_depth import examples

N = 120


def make_data() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    return pd.DataFrame(
        {
            "y": rng.normal(size=N),
            "x": rng.normal(size=N),
            "z": rng.uniform(1, 2, size=N),
            "k": rng.integers(0, 200, size=N).astype("uint8"),
            "a": pd.Categorical(rng.choice(list("pqrs"), N)),
            "b": pd.Categorical(rng.choice(list("uvw"), N)),
            "c": rng.choice(["l", "m"], N),
            "t": rng.random(N) > 0.5,
            "a b": rng.normal(size=N),
            "g": rng.choice(list("ABCDEF"), N),
        }
    )


DATA = make_data()

FORMULAS = [
    "1", "x", "a", "a:b", "a*x", "x:a", "0 + a:x", "0 + a", "a/b", "a/x", "a/b/c", "x:a + b:a",
    "t:a", "0 + t", "0 + a + b + a:b", "x + a:x", "(x + a + b)**2", "b:x + a:x", "a + x:a:b",
    "a:b:c", "a*b*c", "a*b*c - a:b", "a*b*c - a", "a + a:b:c", "a:b + a:c", "x:z:a", "0 + x",
    "0 + a:b", "poly(x, 3)", "poly(x, 2):a", "scale(x)", "center(x)", "log(z)", "np.log(z)*a",
    "I(x**2)", "I(x * z - 1)", "bs(x, df=5)", "bs(x, df=4, degree=2)", "bs(x, df=4):b",
    "0 + poly(x, 2):a", "C(a, contr.sum)", "C(a, contr.helmert):b", "C(a, contr.poly)*x",
    "C(a, contr.sum)*C(b, contr.helmert)", "`a b`*a", "np.exp(x) + np.sqrt(z)", "a:b:x + c",
    "a:c + b*x", "(a + b + c)**3 - a:b:c", "C(b, contr.sum):x:a", "log(z):c + a",
]  # fmt: skip


@pytest.mark.parametrize("formula", FORMULAS)
def test_columns_are_those_of_formulaic(formula: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = model_matrix(formula, DATA)
    design = build_design(f"y ~ {formula} + (1 | g)", DATA)
    assert list(design.x_names) == ["(Intercept)" if c == "Intercept" else c for c in expected.columns]
    np.testing.assert_allclose(design.x, expected.to_numpy(dtype=float), atol=1e-10)
    np.testing.assert_allclose(design.recipe.new_x(DATA), design.x, atol=1e-12)
    assert design.x.flags.f_contiguous or min(design.x.shape) < 2
    slices = [s for _, s in design.x_terms]
    assert [s.start for s in slices] == [0, *(s.stop for s in slices[:-1])]
    assert slices[-1].stop == design.x.shape[1]


_factors = st.sampled_from(["x", "z", "a", "b", "c", "t", "log(z)", "C(a, contr.sum)", "poly(x, 2)"])
_products = st.lists(_factors, min_size=1, max_size=3, unique=True).map(":".join)


@examples(60)
@given(st.lists(_products, min_size=1, max_size=4, unique=True), st.booleans())
def test_random_sums_agree_with_formulaic(products: list[str], intercept: bool) -> None:
    formula = f"{int(intercept)} + " + " + ".join(products)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = model_matrix(formula, DATA)
    design = build_design(f"y ~ {formula} + (1 | g)", DATA)
    assert list(design.x_names) == ["(Intercept)" if c == "Intercept" else c for c in expected.columns]
    np.testing.assert_allclose(design.x, expected.to_numpy(dtype=float), atol=1e-9)


@examples(40)
@given(st.lists(_products, min_size=1, max_size=3, unique=True), st.booleans())
def test_left_sides_of_bars_are_coded_like_the_fixed_part(products: list[str], intercept: bool) -> None:
    formula = f"{int(intercept)} + " + " + ".join(products)
    design = build_design(f"y ~ {formula} + ({formula} | g)", DATA, check_effects="ignore")
    assert design.terms[0].names == design.x_names
    assert design.terms[0].z.flags.c_contiguous
    np.testing.assert_array_equal(design.terms[0].z, design.x)


@examples(60)
@given(
    st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True), min_size=1, max_size=4)
)
def test_coding_has_full_rank_and_spans_every_cell(terms: list[list[str]]) -> None:
    cells = pd.DataFrame(
        [(a, b, c, "gh"[i % 2]) for i in range(3) for a in "pqrs" for b in "uvw" for c in "lm"],
        columns=list("abcg"),
    ).assign(y=1.0)
    formula = " + ".join(":".join(t) for t in terms)
    x = build_design(f"y ~ {formula} + (1 | g)", cells).x
    assert np.linalg.matrix_rank(x) == x.shape[1]
    dummies = [np.ones((len(cells), 1))]
    for term in terms:
        keys = np.array(["".join(row) for row in cells[term].to_numpy()])
        dummies.append((keys[:, None] == np.unique(keys)[None, :]).astype(float))
    assert np.linalg.matrix_rank(np.hstack([*dummies, x])) == x.shape[1]


def test_terms_that_earlier_ones_span_have_no_columns() -> None:
    design = build_design("y ~ 0 + a:b + a + (1 | g)", DATA)
    assert dict(design.x_terms)["a:b"].stop == design.x.shape[1] == 12
    assert full_rank_blocks([(0, 1), (0,)], {0, 1})[1] == []


def test_an_empty_fixed_part() -> None:
    design = build_design("y ~ 0 + (1 | g)", DATA)
    assert design.x.shape == (N, 0)
    assert design.x_names == design.x_terms == ()
    assert design.recipe.new_x(DATA).shape == (N, 0)


def test_small_integers_do_not_overflow() -> None:
    with pytest.warns(FormulaWarning, match="k:k does not add a power of k"):
        design = build_design("y ~ k:k + I(k * k) + k:t + (1 | g)", DATA)
    k = DATA["k"].to_numpy(dtype=float)
    np.testing.assert_array_equal(design.x[:, design.x_names.index("I(k * k)")], k * k)


def test_ordered_factors_have_polynomial_contrasts() -> None:
    data = DATA.assign(a=DATA["a"].cat.as_ordered())
    assert build_design("y ~ a + (1 | g)", data).x_names[1:] == ("a[.L]", "a[.Q]", "a[.C]")
    assert build_design("y ~ ordered(c) + (1 | g)", data).x_names[1:] == ("ordered(c)[.L]",)
    plain = build_design("y ~ a + (1 | g)", data, contrasts={"a": "treatment"})
    assert plain.x_names[1:] == ("a[T.q]", "a[T.r]", "a[T.s]")


def test_contrasts_of_ones_own() -> None:
    matrix = np.array([[1.0, 0], [0, 1], [-1, -1]])
    design = build_design("y ~ b + (b | g)", DATA, contrasts={"b": matrix})
    codes = DATA["b"].cat.codes.to_numpy()
    np.testing.assert_array_equal(design.x[:, 1:], matrix[codes])
    np.testing.assert_array_equal(design.terms[0].z[:, 1:], matrix[codes])
    helmert = build_design("y ~ factor(b) + (1 | g)", DATA, contrasts={"factor(b)": "contr.helmert"})
    assert helmert.x_names[1] == "factor(b)[H.v]"
    based = build_design(
        "y ~ C(b, Treatment(reference='w')) + a + (1 | g)", DATA, contrasts={"a": ("treatment", "s")}
    )
    assert based.x_names[2:4] == ('C(b, Treatment("w"))[T.v]', "a[T.p]")


@pytest.mark.parametrize(
    ("contrasts", "message"),
    [
        ({"nothere": "sum"}, "not a factor in the terms"),
        ({"x": "sum"}, "is numeric"),
        ({"b": np.eye(3)}, "shape"),
        ({"b": "fancy"}, "is unknown"),
        ("fancy", "'fancy' is unknown"),
        (3, "must map"),
    ],
)
def test_contrasts_that_do_not_fit(contrasts: object, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        build_design("y ~ x + b + (1 | g)", DATA, contrasts=contrasts)


def test_a_factor_with_one_level_is_an_error_where_it_needs_two() -> None:
    data = DATA.assign(one="same")
    with pytest.raises(DataError, match=r"factor 'one' has one level \('same'\)"):
        build_design("y ~ one + (1 | g)", data)
    assert build_design("y ~ 0 + one + (1 | g)", data).x_names == ("one[same]",)


def test_monstrous_matrices_are_refused_before_they_are_made() -> None:
    n = 4000
    data = {
        "y": np.zeros(n),
        "i": np.arange(n).astype(str),
        "j": np.arange(n)[::-1].astype(str),
        "g": np.arange(n) % 2,
    }
    with pytest.raises(MemoryLimitError, match="GiB"):
        build_design("y ~ i:j + (1 | g)", data)


def test_too_many_crossed_factors_are_refused() -> None:
    names = [f"f{i}" for i in range(11)]
    data = {name: ["u", "v"] * 2 for name in names} | {"y": [1.0, 2, 3, 4], "g": ["a", "a", "b", "b"]}
    with pytest.raises(FormulaError, match="crosses more than"):
        build_design(f"y ~ {':'.join(names)} + (1 | g)", data)
