"""
Every argument of every public function with values that make no sense there.

What comes is a result, or an error of the package (or a TypeError of Python's own for a call that does not
fit the signature), never an error from inside the package, NumPy or pandas.
"""

from __future__ import annotations

import inspect
import traceback
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mixedmodels as mm
from mixedmodels.errors import ArgumentError, MixedModelError, MixedModelsWarning
from mixedmodels.means.emmeans import Emmeans
from shared_fits import fits

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
    "sigma": 1.0,
    "edf": 10.0,
}
# They take what they are given, or many fits, or simulate.
LEFT_OUT = {
    "save_optimum",
    "glmer",
    "lmer",
    "fit_many",
    "families",
    "dataset_names",
    "cross_validate",
    "quantile_residuals",
    "pb_compare",
    "permutation_test",
    "exact_lrt",
    "exact_rlrt",
    "allFit",
    "crossed_design",
    "extend",
    "parameter_names",
    "power",
    "power_curve",
    "bootstrap",
    "simulate",
    "simulate_formula",
}


PACKAGE = Path(mm.__file__).parent


@cache
def model(kind: str) -> Any:
    if kind == "lmer":
        return fits("sleepstudy", "Reaction ~ Days + (1 | Subject)")
    return mm.glmer("Reaction ~ Days + (1 | Subject)", SLEEP, "gaussian", "log")


@cache
def means(kind: str) -> Emmeans:
    return mm.emmeans(model(kind), "~ Days", at={"Days": [0, 4, 8]})


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
        for name in [n for n in vars(Emmeans) if n[0] != "_" and inspect.isfunction(getattr(Emmeans, n))]:
            found += [(kind, "means", name, p) for p in parameters(getattr(Emmeans, name))[1:]]
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
    if parameter == "progress" and value == "function":
        pytest.skip("the function is called, and its own errors are the caller's")
    fitted = model(kind)
    owner = {"function": mm, "method": fitted, "means": means(kind)}[form]
    function = getattr(owner, name)
    needed = required(function)
    first = [needed.pop(0)] if needed and form == "function" else []
    arguments = {p: NEEDED.get(p, fitted) for p in needed}
    if first and name in ("contrast", "pairs", "eff_size"):
        arguments[first[0]] = means(kind)
    elif first:
        arguments[first[0]] = fitted
    arguments[parameter] = WRONG[value]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", MixedModelsWarning)
        try:
            str(function(**arguments))
        except MixedModelError:
            return
        except TypeError as error:
            places = {Path(frame.filename) for frame in traceback.extract_tb(error.__traceback__)}
            assert not any(PACKAGE in place.parents for place in places), "a TypeError from the package"


@pytest.mark.parametrize("value", ["no", 0, 1, np.array([True, False]), [False]], ids=repr)
@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("conf_int", lambda m, v: mm.tidy(m, conf_int=v)),
        ("exponentiate", lambda m, v: mm.tidy(m, exponentiate=v)),
        ("exponentiate", lambda m, v: mm.model_table(m, exponentiate=v)),
        ("random", lambda m, v: mm.model_table(m, random=v)),
        ("correlation", lambda m, v: m.summary(correlation=v)),
        ("influence", lambda m, v: mm.augment(m, influence=v)),
        ("add_dropped", lambda m, v: mm.fixef(m, add_dropped=v)),
        ("reverse", lambda m, v: mm.pairs(mm.emmeans(m, "~ Days"), reverse=v)),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
@pytest.mark.parametrize("kind", ["lmer", "glmer"])
def test_flags_are_true_or_false(kind, name, call, value):
    with pytest.raises(ArgumentError, match=f"{name} must be True"):
        call(model(kind), value)


@pytest.mark.parametrize("value", [5, 1.5, object(), [5]], ids=["5", "1.5", "object", "list"])
@pytest.mark.parametrize("argument", ["show", "facts", "coefficients", "names"])
def test_lists_of_names_of_a_table_of_models(argument, value):
    if argument == "names" and value == [5]:
        value = [5, 5]
    with pytest.raises(ArgumentError, match=argument):
        mm.model_table(model("lmer"), **{argument: value})
    with pytest.raises(ArgumentError, match="effects"):
        mm.tidy(model("lmer"), effects=value)
