"""Leverages and Cook's distances against lme4 (diagnostics.json)."""

from __future__ import annotations

import generalized_fits
import golden_fits
import numpy as np
import pytest
from golden_cases import case_named, read_cases

from mixedmodels import augment

CASES = read_cases("diagnostics.json")
LINEAR = [case["id"] for case in CASES if case["kind"] == "lmer"]
GENERALIZED = [case["id"] for case in CASES if case["kind"] == "glmer"]


def agree(values, expected, rtol):
    np.testing.assert_allclose(values[:10], np.array(expected["first"], dtype=float), rtol=rtol)
    assert len(values) == expected["n"]
    assert values.sum() == pytest.approx(expected["sum"], rel=rtol)
    assert np.square(values).sum() == pytest.approx(expected["sumsq"], rel=rtol)


@pytest.mark.parametrize("name", LINEAR)
def test_linear_models(name):
    case = case_named(CASES, name)
    table = augment(golden_fits.fit_lme4(case), influence=True)
    agree(table[".hat"].to_numpy(), case["expected"]["hatvalues"], 1e-8)
    agree(table[".cooksd"].to_numpy(), case["expected"]["cooks_distance"], 1e-7)


@pytest.mark.parametrize("name", GENERALIZED)
def test_generalized_models_have_the_leverages_of_their_working_regression(name):
    # lme4 puts prior weights where the working weights belong, and warns that its values may not make sense:
    # those here are those of the dense weighted regression, whose trace is a number of parameters.
    model = generalized_fits.fit_lme4(case_named(CASES, name))
    fit = model._fitted
    random, x = (model.getME("Zt").T @ model.getME("Lambda")).toarray(), model.getME("X")
    a = np.sqrt(fit.working_weights())[:, None] * np.hstack([random, x])
    penalty = np.diag([1.0] * random.shape[1] + [0.0] * x.shape[1])
    dense = np.diag(a @ np.linalg.solve(a.T @ a + penalty, a.T))
    hat = fit.leverages()
    np.testing.assert_allclose(hat, dense, rtol=1e-9)
    assert fit.rank < hat.sum() < fit.rank + random.shape[1]
