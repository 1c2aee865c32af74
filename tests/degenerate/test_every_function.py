"""
Every public function on every degenerate model: a result that prints, or an error of the package.

No error of NumPy, pandas or the engine comes through, no warning of NumPy, and nothing takes long. A test
that has no degrees of freedom says so: NaN stays with a note.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

import mixedmodels as mm
from degenerate.cases import CASES, fitted_case
from degenerate.operations import OPERATIONS, printed
from mixedmodels.errors import MixedModelError, MixedModelsWarning

KINDS = ("lmer", "glmer")
# Numbers cannot be fitted to these at all; the error says why.
REFUSED = {("constant_response", "lmer"), ("constant_response", "glmer"), ("one_row_a_level", "lmer")}
ELSEWHERE = {"families", "fit_many", "glmer", "lmer"}
PAIRS = [(name, kind) for name in CASES for kind in KINDS if (name, kind) not in REFUSED]


@pytest.mark.parametrize(("name", "kind"), sorted(REFUSED))
def test_the_fit_is_refused(name, kind):
    with pytest.raises(MixedModelError):
        fitted_case(name, kind)


@pytest.mark.parametrize(("name", "kind"), PAIRS)
def test_the_fit_says_what_it_is(name, kind):
    model = fitted_case(name, kind)
    assert np.isfinite(model.objective)
    assert np.isfinite(model.theta).all()


@pytest.mark.timeout(30)
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(("name", "kind"), PAIRS)
def test_a_result_or_an_error_of_the_package(name, kind, operation):
    model = fitted_case(name, kind)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("error")
        warnings.simplefilter("always", MixedModelsWarning)
        try:
            result = OPERATIONS[operation](model)
            printed(result)
        except MixedModelError:
            return
        except AttributeError:
            assert not hasattr(type(model), operation), "an attribute that the class has"
            return
    assert tells_of_nan(result) or caught, f"NaN without a word:\n{result}"


def tells_of_nan(result: Any) -> bool:
    """Whether a table of tests without degrees of freedom or p-values has a note."""
    if not hasattr(result, "notes"):
        return True
    frame = getattr(result, "coefficients", result)
    frame = frame.to_frame() if hasattr(frame, "to_frame") else frame
    if not isinstance(frame, pd.DataFrame):
        return True
    unknown = frame.filter(regex=r"^(df|df2|DenDF)$").isna().any(axis=1)
    untested = frame.filter(regex=r"^(p\.value|Pr\(.*)$").isna().any(axis=1)
    aliased = frame.filter(regex=r"^(estimate|Estimate|statistic)$").isna().any(axis=1)
    return bool(result.notes) or not (unknown & untested & ~aliased).any()


def test_all_is_covered():
    """A new function or method wants a line among the operations."""
    functions = {n for n in mm.__all__ if callable(getattr(mm, n)) and not isinstance(getattr(mm, n), type)}
    functions -= {n for n in functions if n.startswith("load_")} | {"dataset_names"}
    classes = (mm.LinearMixedModel, mm.GeneralizedLinearMixedModel)
    methods = {n for c in classes for n in dir(c) if not n.startswith("_")}
    covered = {name.split(" ")[0] for name in OPERATIONS}
    assert (functions | methods) - covered - ELSEWHERE == set()
