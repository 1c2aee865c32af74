"""
Every argument of every public function with values that make no sense there.

What comes is a result, or an error of the package (or a TypeError of Python's own for a call that does not
fit the signature), never an error from inside NumPy or pandas.
"""

from __future__ import annotations

import inspect
import warnings
from functools import cache
from typing import Any

import numpy as np
import pytest

import mixedmodels as mm
from mixedmodels.errors import MixedModelError, MixedModelsWarning

SLEEP = mm.load_sleepstudy()
WRONG: dict[str, Any] = {
    "None": None,
    "text": "nonsense",
    "formula": "~ nowhere",
    "empty text": "",
    "frame": SLEEP,
    "array": np.array([[0.0, np.nan]]),
    "empty list": [],
    "dict": {"nowhere": 1},
    "negative": -1,
    "too large": 10**9,
    "NaN": float("nan"),
    "number": 0.5,
    "function": len,
    "object": object(),
}
# What the calls cannot do without.
NEEDED: dict[str, Any] = {
    "specs": "~ Days",
    "var": "Days",
    "hypotheses": "Days = 0",
    "name": "theta",
    "means": None,
    "estimates": None,
}
# They take what they are given, or many fits.
LEFT_OUT = {
    "glmer",
    "lmer",
    "fit_many",
    "families",
    "dataset_names",
    "pb_compare",
    "exact_rlrt",
    "allFit",
    "simulate",
}


@cache
def model(kind: str) -> Any:
    if kind == "lmer":
        return mm.lmer("Reaction ~ Days + (1 | Subject)", SLEEP)
    return mm.glmer("Reaction ~ Days + (1 | Subject)", SLEEP, "gaussian", "log")


def functions() -> list[str]:
    names = [n for n in mm.__all__ if callable(getattr(mm, n)) and not isinstance(getattr(mm, n), type)]
    return [n for n in names if n not in LEFT_OUT and not n.startswith("load_")]


def methods(kind: str) -> list[str]:
    cls = type(model(kind))
    names = [n for n in dir(cls) if not n.startswith("_") and inspect.isfunction(getattr(cls, n))]
    return [n for n in names if n not in LEFT_OUT]


def calls() -> list[tuple[str, str, str, str]]:
    found = []
    for kind in ("lmer", "glmer"):
        for name in functions():
            found += [(kind, "function", name, p) for p in parameters(getattr(mm, name))[1:]]
        for name in methods(kind):
            found += [(kind, "method", name, p) for p in parameters(getattr(type(model(kind)), name))[1:]]
    return found


def parameters(function: Any) -> list[str]:
    kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return [p.name for p in inspect.signature(function).parameters.values() if p.kind not in kinds]


def required(function: Any) -> list[str]:
    given = inspect.signature(function).parameters.values()
    return [p.name for p in given if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]


@pytest.mark.timeout(30)
@pytest.mark.parametrize("value", WRONG)
@pytest.mark.parametrize(("kind", "form", "name", "parameter"), calls())
def test_a_wrong_value_has_a_clear_error(kind, form, name, parameter, value):
    fitted = model(kind)
    function = getattr(mm, name) if form == "function" else getattr(fitted, name)
    needed = required(function)
    first = [] if form == "method" else [needed.pop(0)] if needed else []
    arguments = {p: NEEDED.get(p, fitted) for p in needed}
    if first and name in ("contrast", "pairs"):
        arguments[first[0]] = mm.emmeans(fitted, "~ Days")
    elif first:
        arguments[first[0]] = fitted
    arguments[parameter] = WRONG[value]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", MixedModelsWarning)
        try:
            str(function(**arguments))
        except (MixedModelError, TypeError):
            return
