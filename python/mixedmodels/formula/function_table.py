"""
The functions that a formula may call, by name.

A function is *elementwise* (the same on any data), *stateful* (it keeps constants or knots of the fitting
data and reuses them for new data), *factor* (it makes or reads a factor), or *special* (it has a meaning in
the formula itself).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from . import bases

Kind = Literal["elementwise", "stateful", "factor", "special"]


@dataclass(frozen=True)
class FormulaFunction:
    """
    A function as the parser and the evaluator see it.

    Attributes
    ----------
    kind : {"elementwise", "stateful", "factor", "special"}
    summary : str
        One line for the documentation.
    required : int
        Number of arguments it needs.
    parameters : tuple of str
        Names of its arguments in order; those beyond the first may be given by name.
    call : callable or None
        Elementwise: arrays to array. Stateful: (x, text, **options) to a fitted transform.
        None: the evaluator implements it.
    """

    kind: Kind
    summary: str
    required: int = 1
    parameters: tuple[str, ...] = ("x",)
    call: Callable[..., Any] | None = None
    # Any number of arguments (c, interaction, cbind).
    many: bool = False


def _log(x: Any, base: Any = None) -> Any:
    return np.log(x) if base is None else np.log(x) / np.log(base)


def _round(x: Any, digits: Any = 0.0) -> Any:
    return np.round(x, int(np.clip(digits, -300, 300)))


def _elementwise(call: Callable[..., Any], summary: str, *more: str) -> FormulaFunction:
    return FormulaFunction("elementwise", summary, 1, ("x", *more), call)


_ELEMENTWISE = {
    "log": _elementwise(_log, "natural logarithm, or to a base: log(x, 2)", "base"),
    "log2": _elementwise(np.log2, "logarithm to base 2"),
    "log10": _elementwise(np.log10, "logarithm to base 10"),
    "log1p": _elementwise(np.log1p, "log(1 + x), exact for small x"),
    "exp": _elementwise(np.exp, "exponential"),
    "expm1": _elementwise(np.expm1, "exp(x) - 1, exact for small x"),
    "sqrt": _elementwise(np.sqrt, "square root"),
    "abs": _elementwise(np.abs, "absolute value"),
    "sign": _elementwise(np.sign, "sign: -1, 0 or 1"),
    "sin": _elementwise(np.sin, "sine"),
    "cos": _elementwise(np.cos, "cosine"),
    "tan": _elementwise(np.tan, "tangent"),
    "asin": _elementwise(np.arcsin, "inverse sine"),
    "acos": _elementwise(np.arccos, "inverse cosine"),
    "atan": _elementwise(np.arctan, "inverse tangent"),
    "sinh": _elementwise(np.sinh, "hyperbolic sine"),
    "cosh": _elementwise(np.cosh, "hyperbolic cosine"),
    "tanh": _elementwise(np.tanh, "hyperbolic tangent"),
    "floor": _elementwise(np.floor, "largest whole number not above x"),
    "ceiling": _elementwise(np.ceil, "smallest whole number not below x"),
    "trunc": _elementwise(np.trunc, "whole part"),
    "round": _elementwise(_round, "rounded to a number of digits", "digits"),
}

_SAME_IN_NUMPY = (
    *("log2", "log10", "log1p", "exp", "expm1", "sqrt", "abs", "sign"),
    *("sin", "cos", "tan", "sinh", "cosh", "tanh", "floor", "trunc"),
)

_NUMPY = {
    **{f"np.{name}": _ELEMENTWISE[name] for name in _SAME_IN_NUMPY},
    # numpy's log takes no base.
    "np.log": _elementwise(np.log, "natural logarithm"),
    "np.arcsin": _ELEMENTWISE["asin"],
    "np.arccos": _ELEMENTWISE["acos"],
    "np.arctan": _ELEMENTWISE["atan"],
    "np.absolute": _ELEMENTWISE["abs"],
    "np.square": _elementwise(np.square, "square"),
    "np.cbrt": _elementwise(np.cbrt, "cube root"),
    "np.ceil": _ELEMENTWISE["ceiling"],
}

_SPLINE = ("x", "df", "knots")

_STATEFUL = {
    "scale": FormulaFunction(
        "stateful",
        "centred and divided by its standard deviation",
        1,
        ("x", "center", "scale"),
        bases.fit_shift,
    ),
    "center": FormulaFunction(
        "stateful",
        "centred at its mean; center(x, 5) at a value",
        1,
        ("x", "at"),
        lambda x, text, at=True: bases.fit_shift(x, text, at, scale=False),
    ),
    **dict.fromkeys(
        ("standardize", "zscore"),
        FormulaFunction("stateful", "the same as scale(x)", 1, ("x",), bases.fit_shift),
    ),
    "poly": FormulaFunction(
        "stateful",
        "orthonormal polynomials; plain powers with raw=TRUE",
        1,
        ("x", "degree", "raw"),
        bases.fit_polynomial,
    ),
    "bs": FormulaFunction(
        "stateful",
        "B-splines",
        1,
        (*_SPLINE, "degree", "intercept", "Boundary.knots"),
        bases.fit_b_spline,
    ),
    "ns": FormulaFunction(
        "stateful",
        "natural cubic splines",
        1,
        (*_SPLINE, "intercept", "Boundary.knots"),
        bases.fit_natural_spline,
    ),
}

# The function that codes a factor of a random-effects term by all its levels.
FULL = "fulldummy"
_FACTOR_ARGUMENTS = ("x", "levels")
_CHOICE = FormulaFunction(
    "factor", "one of two values, by a condition: ifelse(x > 2, 'high', 'low')", 3, ("test", "yes", "no")
)

_FACTOR = {
    "factor": FormulaFunction(
        "factor", "a column as a factor; levels=c(...) sets their order", 1, _FACTOR_ARGUMENTS
    ),
    "as.factor": FormulaFunction("factor", "a column as a factor"),
    "ordered": FormulaFunction(
        "factor", "a column as an ordered factor; levels=c(...) sets their order", 1, _FACTOR_ARGUMENTS
    ),
    "as.ordered": FormulaFunction("factor", "a column as an ordered factor"),
    "relevel": FormulaFunction(
        "factor", "a factor with another reference level: relevel(f, ref='b')", 2, ("x", "ref")
    ),
    "numFactor": FormulaFunction(
        "factor", "a column of numbers as a factor, whose levels are the times of ou()"
    ),
    "ifelse": _CHOICE,
    "np.where": _CHOICE,
    "C": FormulaFunction("factor", "a factor with its contrasts: C(f, contr.sum)", 1, ("x", "contr", "base")),
    FULL: FormulaFunction(
        "factor", "all levels of a factor, also beside an intercept; in random effects only"
    ),
    "interaction": FormulaFunction("factor", "the observed cells of crossed factors", 1, (), many=True),
    "as.numeric": FormulaFunction("factor", "a factor's codes 1, 2, ...; a number unchanged"),
    "as.integer": FormulaFunction("factor", "a factor's codes 1, 2, ...; a number truncated"),
}

_SPECIAL = {
    "I": FormulaFunction("special", "arithmetic instead of formula operators: I(x^2)"),
    "c": FormulaFunction("special", "several constants, as an argument: c(2, 5)", 1, (), many=True),
    "offset": FormulaFunction("special", "a term of the linear predictor with coefficient 1"),
    "cbind": FormulaFunction("special", "a response with several columns", 1, (), many=True),
}

FUNCTIONS: Mapping[str, FormulaFunction] = {**_ELEMENTWISE, **_NUMPY, **_STATEFUL, **_FACTOR, **_SPECIAL}

# Codings in which one level has no column, by choice.
BASED = ("treatment", "sum")

# Words and calls that name a coding in C(x, ...).
CODINGS: Mapping[str, str] = {
    **dict.fromkeys(("treatment", "Treatment", "contr.treatment", "dummy"), "treatment"),
    **dict.fromkeys(("sum", "Sum", "contr.sum", "effects"), "sum"),
    **dict.fromkeys(("helmert", "Helmert", "contr.helmert"), "helmert"),
    **dict.fromkeys(("poly", "Poly", "contr.poly"), "poly"),
    **dict.fromkeys(("diff", "Diff", "contr.diff", "contr.sdif", "seqdiff"), "diff"),
    **dict.fromkeys(("SAS", "contr.SAS"), "SAS"),
}
