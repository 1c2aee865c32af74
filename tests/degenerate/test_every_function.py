"""
Every public function on every degenerate model: a result that prints, or an error of the package.

No error of NumPy, pandas or the engine comes through, no warning of NumPy, and nothing takes long. A test
that has no degrees of freedom says so: NaN stays with a note.
"""

from __future__ import annotations

import re
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
# Why there may be no test: a note or a warning has to name one of these.
REASON = re.compile(
    r"degrees of freedom|covariance matrix|no finite optimum|Hessian|not nested|do not determine|"
    r"is the same without"
)
ELSEWHERE = {
    "from_arrays",
    "from_formula",
    "crossed_design",
    "parameter_names",
    "simulate_formula",
    "families",
    "fit_many",
    "glmer",
    "lmer",
}
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
    told = [*getattr(result, "notes", ()), *(str(w.message) for w in caught)]
    if has_untested(result):
        assert any(REASON.search(text) for text in told), f"NaN without a reason:\n{result}"


def has_untested(result: Any) -> bool:
    """Whether a table has an estimate or a hypothesis without a p-value."""
    if not hasattr(result, "notes"):
        return False
    frame = getattr(result, "coefficients", result)
    frame = frame.to_frame() if hasattr(frame, "to_frame") else frame
    if not isinstance(frame, pd.DataFrame):
        return False
    frame = frame[frame["effect"] == "fixed"] if "effect" in frame else frame
    # Pr(mixture) is for single random effects only.
    tests = frame.filter(regex=r"^(p\.value|Pr\((?!mixture).*)$")
    found = frame.filter(regex=r"^(estimate|Estimate|emmean|.*\.trend|LRT|Chisq|RLRT|NumDF|df1)$")
    nothing = frame.filter(regex=r"^(NumDF|df1|Df)$").eq(0).any(axis=1)
    return bool((tests.isna().any(axis=1) & found.notna().any(axis=1) & ~nothing).any())


def test_all_is_covered():
    """A new function or method wants a line among the operations."""
    functions = {n for n in mm.__all__ if callable(getattr(mm, n)) and not isinstance(getattr(mm, n), type)}
    functions -= {n for n in functions if n.startswith("load_")} | {"dataset_names"}
    classes = (mm.LinearMixedModel, mm.GeneralizedLinearMixedModel)
    methods = {n for c in classes for n in dir(c) if not n.startswith("_")}
    covered = {name.split(" ")[0] for name in OPERATIONS}
    assert (functions | methods) - covered - ELSEWHERE == set()
