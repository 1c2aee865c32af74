"""Which rows are used: missing values, subset, weights, offset."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

from design.building import build_design
from mixedmodels.design import Design
from mixedmodels.errors import ArgumentError, DataError, FormulaError, MissingColumnError

N = 12


def make_data() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "y": np.arange(N) + 0.5,
            "x": np.linspace(1, 2, N),
            "w": np.tile([1.0, 2.0, 3.0], 4),
            "o": np.arange(N) / 10,
            "f": pd.Categorical(list("uvw") * 4, categories=list("wvuz")),
            "g": pd.Categorical(list("aabbccaabbcc")),
        },
        index=[f"row{i}" for i in range(N)],
    )


def same(a: Design, b: Design) -> None:
    """Two designs are the same in every array."""
    np.testing.assert_array_equal(a.y, b.y)
    np.testing.assert_array_equal(a.x, b.x)
    assert a.x_names == b.x_names
    for s, t in zip(a.terms, b.terms, strict=True):
        np.testing.assert_array_equal(s.z, t.z)
        np.testing.assert_array_equal(s.group.codes, t.group.codes)
        assert s.group.levels == t.group.levels
    for p, q in ((a.weights, b.weights), (a.offset, b.offset)):
        assert (p is None) == (q is None)
        if p is not None and q is not None:
            np.testing.assert_array_equal(p, q)


FORMULA = "y ~ scale(x) + f + offset(o) + (x | g)"


def test_no_row_is_lost_without_reason() -> None:
    design = build_design(FORMULA, make_data())
    assert design.missing.kept is None
    assert design.missing.n_dropped == 0
    assert design.missing.columns == {}
    assert design.weights is None
    assert list(design.row_labels) == [f"row{i}" for i in range(N)]


def test_rows_drop_jointly_over_every_column_used() -> None:
    data = make_data()
    for i, column in enumerate(["y", "x", "w", "o", "f", "g"]):
        data.loc[f"row{i}", column] = np.nan
    design = build_design(FORMULA, data, weights="w")
    assert design.missing.columns == dict.fromkeys(["y", "x", "w", "o", "f", "g"], 1)
    assert design.missing.n_dropped == 6
    assert list(design.row_labels) == [f"row{i}" for i in range(6, N)]
    same(design, build_design(FORMULA, data.dropna(), weights="w"))


def test_other_columns_do_not_matter() -> None:
    data = make_data().assign(other=np.nan, when=pd.Timestamp("2020-01-01"))
    assert build_design(FORMULA, data).missing.n_dropped == 0


def test_padding() -> None:
    data = make_data()
    data.loc["row3", "x"] = np.nan
    for action, length in (("omit", N - 1), ("exclude", N), ("na.exclude", N)):
        missing = build_design(FORMULA, data, na_action=action).missing
        padded = missing.pad(np.ones(N - 1))
        assert len(padded) == length
        assert np.isnan(padded).sum() == length - (N - 1)
    assert missing.pad(np.ones((N - 1, 2))).shape == (N, 2)
    assert np.isnan(missing.pad(np.ones(N - 1))[3])


def test_missing_values_can_be_an_error() -> None:
    data = make_data()
    data.loc["row3", "x"] = np.nan
    with pytest.raises(DataError, match=r"missing values in 'x' \(1\)"):
        build_design(FORMULA, data, na_action="fail")
    with pytest.raises(ArgumentError, match="na_action"):
        build_design(FORMULA, data, na_action="drop")


def test_nothing_left() -> None:
    with pytest.raises(DataError, match=r"0 \(non-NA\) cases.*'x' in 12"):
        build_design(FORMULA, make_data().assign(x=np.nan))
    with pytest.raises(DataError, match="no rows"):
        build_design(FORMULA, make_data().iloc[:0])


@pytest.mark.parametrize("column", ["y", "x", "w", "o"])
@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_values_are_named(column: str, value: float) -> None:
    data = make_data()
    data.loc["row4", column] = value
    with pytest.raises(DataError, match=rf"'{column}' is (infinite in 1 row \(row 4|negative)"):
        build_design(FORMULA, data, weights="w")


def test_infinite_values_in_rows_left_out_do_not_matter() -> None:
    data = make_data()
    data.loc["row4", "x"] = np.inf
    data.loc["row4", "y"] = np.nan
    assert build_design(FORMULA, data).missing.n_dropped == 1


@pytest.mark.parametrize("term", ["log(x - 1.5)", "sqrt(x - 1.5)", "I(1 / (x - 1))", "poly(log(x - 2), 2)"])
def test_transforms_that_are_not_finite_are_named(term: str) -> None:
    with pytest.raises(DataError, match=r"is not finite in \d+ row"):
        build_design(f"y ~ {term} + (1 | g)", make_data())
    with pytest.raises(DataError, match=r"log\(y - 2\) is not finite in 2 rows"):
        build_design("log(y - 2) ~ 1 + (1 | g)", make_data())


def test_subset() -> None:
    data = make_data()
    mask = (data["x"] > 1.2).to_numpy() & (data["f"] != "u").to_numpy()
    expected = build_design(FORMULA, data[mask], weights="w", offset="o")
    assert "f[T.v]" in expected.x_names
    for subset in (
        mask,
        list(mask),
        pd.Series(mask, index=data.index),
        pl.Series(mask),
        "x > 1.2 & f != 'u'",
        "x > 1.2 and not f == 'u'",
        "(x > 1.2) & (f in c('v', 'w'))",
        "x > 1.2 and f not in ['u']",
        'x > 1.2 & f %in% c("v", "w")',
        "1.2 < x < 99 & !(f == 'u')",
    ):
        design = build_design(FORMULA, data, weights="w", offset="o", subset=subset)
        same(design, expected)
        assert design.missing.n_total == mask.sum()
        assert list(design.row_labels) == list(data.index[mask])


def test_missing_conditions_leave_rows_out() -> None:
    data = make_data()
    data.loc["row11", "x"] = np.nan
    for subset in ("x != 1", "not (x == 1)", "x != 1 | x > 5"):
        assert len(build_design("y ~ 1 + (1 | g)", data, subset=subset).y) == N - 2
    assert len(build_design("y ~ 1 + (1 | g)", data, subset="x != 1 | y > 11").y) == N - 1


@pytest.mark.parametrize(
    ("subset", "error", "message"),
    [
        ([True] * 5, ArgumentError, "5 values for 12 rows"),
        (np.arange(N), ArgumentError, "true or false"),
        ("x + 1", ArgumentError, "true or false"),
        ("f", ArgumentError, "labels"),
        ("x > 99", DataError, "selects no rows"),
        ("x >", FormulaError, "ends unexpectedly"),
        ("x = 1", FormulaError, "=="),
        ("nothere > 1", MissingColumnError, "nothere"),
        ("x.values", MissingColumnError, "x.values"),
        ("__import__('os').getpid() > 0", FormulaError, "no function"),
        ("f > 'u'", DataError, "compared"),
        (3, ArgumentError, "one value for each row"),
    ],
)
def test_bad_subsets(subset: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build_design("y ~ 1 + (1 | g)", make_data(), subset=subset)


def test_weights_and_offset_by_name_or_value() -> None:
    data = make_data()
    by_name = build_design("y ~ x + (1 | g)", data, weights="w", offset="o")
    same(by_name, build_design("y ~ x + (1 | g)", data, weights=data["w"], offset=list(data["o"])))
    same(by_name, build_design("y ~ x + offset(o) + (1 | g)", data, weights=pl.Series(data["w"].to_numpy())))
    same(by_name, build_design("y ~ x + (1 | g)", data, weights="2 * w / 2", offset="I(o)"))
    both = build_design("y ~ x + offset(o) + offset(log(w)) + (1 | g)", data, offset="o")
    np.testing.assert_allclose(both.offset, 2 * data["o"] + np.log(data["w"]))


def test_rows_of_weight_zero_count_as_left_out() -> None:
    data = make_data()
    data.loc[["row0", "row5"], "w"] = 0.0
    design = build_design(FORMULA, data, weights="w")
    same(design, build_design(FORMULA, data[data["w"] > 0], weights="w"))
    assert design.missing.columns == {"(zero weight)": 2}
    assert build_design(FORMULA, data, weights="w", na_action="fail").missing.n_dropped == 2


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        ([1.0] * 5, ArgumentError, "weights has 5 values for 12 rows"),
        ([-1.0] * N, DataError, "negative in 12 rows"),
        ([np.inf] * N, DataError, "infinite"),
        ([0.0] * N, DataError, "non-NA"),
        (["a"] * N, ArgumentError, "numbers"),
        ("f", DataError, "text or categories"),
        ("nothere", MissingColumnError, "nothere"),
        (2.0, ArgumentError, "one value for each row"),
        (np.ones((N, 2)), ArgumentError, "one value for each row"),
    ],
)
def test_bad_weights(weights: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build_design("y ~ x + (1 | g)", make_data(), weights=weights)


def test_arrays_are_read_only_and_do_not_share_the_data() -> None:
    data = {"y": np.arange(4.0), "g": np.array([1, 1, 2, 2]), "w": np.ones(4), "o": np.ones(4)}
    design = build_design("y ~ 1 + (1 | g)", data, weights="w", offset=data["o"])
    for array in (
        design.y,
        design.x,
        design.weights,
        design.offset,
        design.terms[0].z,
        design.terms[0].group.codes,
    ):
        assert array is not None
        assert not array.flags.writeable
    for column in data.values():
        column[:] = 9
    assert design.y[0] == 0
    assert design.weights is not None
    assert design.offset is not None
    assert design.weights[0] == design.offset[0] == 1


def test_subset_by_a_column() -> None:
    data = make_data().assign(**{"use me": [True, False] * 6})
    assert len(build_design("y ~ 1 + (1 | g)", data, subset="use me").y) == 6
    with pytest.raises(ArgumentError, match="labels"):
        build_design("y ~ 1 + (1 | g)", data, subset="g")


def test_weights_that_cannot_be_computed_are_named() -> None:
    with pytest.raises(DataError, match="is not finite in 3 rows"):
        build_design("y ~ 1 + (1 | g)", make_data(), weights="log(y - 3)")
