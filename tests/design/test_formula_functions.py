"""relevel, ifelse, pi and base levels: columns as R's model.matrix has them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from design.building import build_design
from mixedmodels.design import Design
from mixedmodels.errors import ArgumentError, DataError, FormulaError, MixedModelError

DATA = pd.DataFrame(
    {
        "y": [1.0, 3.0, 2.0, 5.0, 4.0, 7.0, 6.0, 9.0],
        "x": np.arange(8) + 1.5,
        "f": pd.Categorical(list("abcdabcd")),
        "k": pd.Categorical(["2", "4", "6", "2", "4", "6", "2", "4"]),
        "n": [2, 4, 6, 2, 4, 6, 2, 4],
        "o": pd.Categorical(list("lmhlmhlm"), list("lmh"), ordered=True),
        "g": [1, 1, 1, 1, 2, 2, 2, 2],
    }
)


def build(terms: str, data: pd.DataFrame = DATA, **options: Any) -> Design:
    return build_design(f"y ~ {terms} + (1 | g)", data, **options)


def levels_of(columns: str, codes: str) -> np.ndarray:
    """Indicators of some levels."""
    return np.column_stack([[float(code == level) for code in codes] for level in columns])


@pytest.mark.parametrize(
    ("terms", "names", "columns"),
    [
        # R: relevel(f, ref = "c"), relevel(f, ref = 2)
        ("relevel(f, ref='c')", "abd", levels_of("abd", "abcdabcd")),
        ('relevel(f, "c")', "abd", levels_of("abd", "abcdabcd")),
        ("relevel(f, ref=2)", "acd", levels_of("acd", "abcdabcd")),
        ("relevel(factor(n), ref='6')", "24", levels_of("24", "24624624")),
        # R: ifelse(x > 4, "hi", "lo"), ifelse(x > 4, x, 0)
        ("ifelse(x > 4, 'hi', 'lo')", ("lo",), np.repeat([[1.0], [0.0]], [3, 5], axis=0)),
        ("ifelse(x > 4, x, 0)", None, np.array([[0, 0, 0, 4.5, 5.5, 6.5, 7.5, 8.5]]).T),
        ("np.where(x > 4, x, 0)", None, np.array([[0, 0, 0, 4.5, 5.5, 6.5, 7.5, 8.5]]).T),
        ("ifelse(f == 'a', 'first', f)", ("c", "d", "first"), None),
        ("ifelse(f in c('a', 'b'), yes=1, no=-1)", None, np.array([[1, 1, -1, -1, 1, 1, -1, -1.0]]).T),
        # R: C(f, contr.treatment, base = 2), contr.treatment(3, base = 2)
        ("C(f, contr.treatment, base=2)", "acd", levels_of("acd", "abcdabcd")),
        ("C(f, contr.treatment(base=2))", "acd", levels_of("acd", "abcdabcd")),
        ("C(f, base=2)", "acd", levels_of("acd", "abcdabcd")),
        ("C(k, contr.treatment(base=2))", "26", levels_of("26", "24624624")),
        ("C(k, contr.treatment(base='2'))", "46", levels_of("46", "24624624")),
        # Python's spelling names the level.
        ("C(k, Treatment(reference=2))", "46", levels_of("46", "24624624")),
        ("C(k, Treatment(reference='6'))", "24", levels_of("24", "24624624")),
    ],
)
def test_columns(terms: str, names: Sequence[str] | None, columns: np.ndarray | None) -> None:
    design = build(terms)
    if names is not None:
        assert [name.split("[T.")[-1].rstrip("]") for name in design.x_names[1:]] == list(names)
    if columns is not None:
        np.testing.assert_array_equal(design.x[:, 1:], columns)
    # New data in another order, with some of the levels only.
    part = DATA.iloc[[5, 2]].astype({"f": str, "k": str})
    np.testing.assert_array_equal(design.recipe.new_x(part), design.x[[5, 2]])


def test_pi() -> None:
    for name in ("pi", "np.pi"):
        design = build(f"sin(2 * {name} * x / 10)")
        np.testing.assert_allclose(design.x[:, 1], np.sin(2 * math.pi * DATA["x"] / 10))
    assert build("I(x / pi)").x_names[1] == "I(x / pi)"
    # A column of that name is that column.
    design = build("I(x / pi)", DATA.assign(pi=2.0))
    np.testing.assert_allclose(design.x[:, 1], DATA["x"] / 2)
    with pytest.raises(MixedModelError, match="no column 'pi'"):
        build("pi")


def test_missing_conditions_leave_a_row_out() -> None:
    data = DATA.assign(x=DATA["x"].mask(DATA["x"] == 3.5))
    design = build("ifelse(x > 4, 'hi', 'lo')", data)
    assert len(design.y) == 7
    assert np.isnan(design.recipe.new_x(data)[2]).all()


@pytest.mark.parametrize(
    ("terms", "error", "message"),
    [
        ("relevel(f, ref='z')", DataError, "'z' is not one of the levels 'a', 'b', 'c', 'd'"),
        ("relevel(f, ref=5)", DataError, "5 is not one of"),
        ("relevel(f, ref=x)", FormulaError, "must be a constant"),
        ("relevel(f)", FormulaError, "needs its arguments x, ref"),
        ("relevel(o, ref='m')", DataError, "ordered"),
        ("ifelse(x > 4, 'hi')", FormulaError, "needs its arguments test, yes, no"),
        ("ifelse(test=x > 4, yes=1, no=0)", FormulaError, "no option 'test'"),
        ("ifelse(x > 4, 'hi', 0)", DataError, "mixes numbers and labels"),
        ("ifelse(x, 1, 0)", DataError, "true or false"),
        ("C(f, contr.treatment(base=9))", ArgumentError, r"base=9 is the position of a level, from 1 to 4"),
        ("C(f, base=1.5)", DataError, r"base=1.5 must be the position of a level"),
        ("C(f, contr.treatment(base=2.9))", DataError, r"base=2.9 must be the position of a level"),
        ("C(f, base=1e999)", DataError, r"base=inf must be the position of a level"),
        ("C(f, contr.treatment, base=x)", FormulaError, "a quoted label or a number"),
        ("C(f, contr.helmert, base=2)", ArgumentError, "only treatment and sum contrasts have a base"),
    ],
)
def test_what_does_not_fit(terms: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build(terms)


def test_one_coding_for_all_factors() -> None:
    # R: options(contrasts = c("contr.sum", "contr.sum"))
    every = build_design("y ~ f + o + (0 + f | g)", DATA, contrasts="sum")
    assert every.x_names == ("(Intercept)", "f[S.a]", "f[S.b]", "f[S.c]", "o[S.l]", "o[S.m]")
    np.testing.assert_array_equal(every.x[3], [1, -1, -1, -1, 1, 0])
    named = build_design("y ~ f + o + (0 + f | g)", DATA, contrasts={"f": "sum", "o": "sum"})
    np.testing.assert_array_equal(every.x, named.x)
    own = build_design("y ~ C(f, contr.helmert) + o + (1 | g)", DATA, contrasts="contr.sum")
    assert own.x_names[1] == "C(f, contr.helmert)[H.b]"
    # Without a factor there is nothing to code.
    assert build("x", contrasts="sum").x_names == ("(Intercept)", "x")
    with pytest.raises(ArgumentError, match="contrasts: 'som' is unknown; a single name, for all factors"):
        build("x", contrasts="som")
