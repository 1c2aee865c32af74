"""Nonsensical arguments of functions that simulate: an error of the package, or a result."""

from __future__ import annotations

import inspect
import traceback
import warnings
from pathlib import Path
from typing import Any

import pytest
from test_wrong_arguments import PACKAGE, WRONG, model

import mixedmodels as mm
from mixedmodels.errors import MixedModelError, MixedModelsWarning

DATA = mm.crossed_design(4, 3, within={"x": [0.0, 1.0]})
FORMULA = "y ~ x + (1 | subject)"
PARAMS = {"(Intercept)": 1.0, "x": 1.0, "sd__(Intercept)": 1.0, "sigma": 1.0}
CALLS: dict[str, dict[str, Any]] = {
    "simulate": {"nsim": 2},
    "power": {"test": "Days", "nsim": 2},
    "power_curve": {"test": "Days", "nsim": 2, "along": "Subject", "values": [4]},
    "power of a formula": {"model": FORMULA, "data": DATA, "params": PARAMS, "nsim": 2},
    "simulate_formula": {"formula": FORMULA, "data": DATA, "params": PARAMS},
    "parameter_names": {"formula": FORMULA, "data": DATA},
    "extend": {"data": DATA, "n": 9, "along": "subject"},
    "crossed_design": {"subjects": 3, "items": 2},
}


def parameters(name: str) -> list[str]:
    return list(inspect.signature(getattr(mm, name.partition(" ")[0])).parameters)


@pytest.mark.timeout(30)
@pytest.mark.parametrize("value", WRONG)
@pytest.mark.parametrize(("name", "parameter"), [(name, p) for name in CALLS for p in parameters(name)])
@pytest.mark.parametrize("kind", ["lmer", "glmer"])
def test_a_wrong_value_has_a_clear_error(kind, name, parameter, value):
    if parameter == "nsim" and value == "too large" and name.startswith("power"):
        pytest.skip("takes long, and can be interrupted")
    if parameter in ("test", "progress") and value == "function":
        pytest.skip("the function is called, and its own errors are the caller's")
    first = {} if "model" not in parameters(name) or "model" in CALLS[name] else {"model": model(kind)}
    arguments = {**first, **CALLS[name], parameter: WRONG[value]}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", MixedModelsWarning)
        try:
            str(getattr(mm, name.partition(" ")[0])(**arguments))
        except MixedModelError:
            return
        except TypeError as error:
            places = {Path(frame.filename) for frame in traceback.extract_tb(error.__traceback__)}
            assert not any(PACKAGE in place.parents for place in places), "a TypeError from the package"
