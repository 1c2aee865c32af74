"""Fits against lme4 1.1-31 at its tightened optimum (lmm.json; README.md says how it was made)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from golden_cases import close_matrix, matching_group, matching_level, matching_names, not_above, parameters
from golden_fits import LME4, fit_lme4

# No child is of both sexes, so the likelihood is the same for every correlation.
FREE_CORRELATION = {"orthodont_colon"}


@pytest.fixture(scope="module", params=parameters(LME4))
def case(request) -> dict[str, Any]:
    return request.param


@pytest.fixture(scope="module")
def model(case: dict[str, Any]) -> Any:
    return fit_lme4(case)


@pytest.fixture(scope="module")
def expected(case: dict[str, Any]) -> dict[str, Any]:
    return case["expected"]


def test_objective(model, expected):
    assert not_above(model.objective, expected["objective"])
    assert model.objective == pytest.approx(expected["objective"], rel=1e-8, abs=1e-8)


def test_information_criteria(model, expected):
    assert model.nobs == expected["nobs"]
    assert model.df == expected["df"]
    assert model.df_residual == expected["df_residual"]
    assert float(model.logLik()) == pytest.approx(expected["logLik"], rel=1e-8, abs=1e-8)
    assert model.AIC() == pytest.approx(expected["AIC"], rel=1e-8, abs=1e-8)
    assert model.BIC() == pytest.approx(expected["BIC"], rel=1e-8, abs=1e-8)


def test_fixed_effects(model, expected):
    estimates, covariance = model.fixef(), model.vcov()
    names = matching_names(list(expected["fixef"]), list(estimates.index[estimates.notna()]))
    se = np.array(list(expected["se"].values()))
    wanted = np.array(list(expected["fixef"].values()))
    assert np.all(np.abs(estimates[names].to_numpy() - wanted) <= 1e-4 * se)
    got = covariance.loc[names, names].to_numpy()
    np.testing.assert_allclose(np.sqrt(np.diag(got)), se, rtol=1e-4)
    close_matrix(got, expected["vcov"], 2e-4, se)


def test_dropped_columns(model, expected):
    estimates = model.fixef()
    assert list(estimates.index[estimates.isna()]) == expected["dropped_columns"]
    assert estimates.notna().sum() == expected["rank_X"]


def test_covariance_parameters(model, case, expected):
    theta, sigma = np.array(expected["theta"]), expected["sigma"]
    largest = max(1.0, np.abs(theta).max())
    if case["id"] not in FREE_CORRELATION:
        np.testing.assert_allclose(model.theta, theta, rtol=0, atol=1e-4 * largest)
    assert model.sigma == pytest.approx(sigma, rel=1e-4)
    ours = list(model.VarCorr())
    # lme4 writes (a || g) as one term for each column; here it is one term.
    wanted_sd = [sd for term in expected["varcorr"] for sd in term["sd"]]
    got_sd = [sd for term in ours for sd in term["sd"]]
    np.testing.assert_allclose(got_sd, wanted_sd, rtol=0, atol=1e-4 * sigma * largest)
    wanted_groups = [
        matching_group(term["group"], {t["group"] for t in ours}) for term in expected["varcorr"]
    ]
    assert list(dict.fromkeys(wanted_groups)) == list(dict.fromkeys(term["group"] for term in ours))
    if case["id"] in FREE_CORRELATION or len(ours) != len(expected["varcorr"]):
        return
    for wanted, got in zip(expected["varcorr"], ours, strict=True):
        assert len(matching_names(wanted["names"], list(got["names"]))) == len(wanted["names"])
        # An error of theta weighs as much more as the standard deviation is smaller.
        sd = np.maximum(wanted["sd"], 1e-12)
        atol = 4e-4 * sigma * largest / min(sd) if len(sd) > 1 else 0
        known = np.array([[value is not None for value in row] for row in wanted["corr"]])
        reference = np.array(wanted["corr"], dtype=float)
        np.fill_diagonal(known, False)
        np.testing.assert_allclose(np.asarray(got["corr"], float)[known], reference[known], rtol=0, atol=atol)


def test_random_effects(model, case, expected):
    modes = model.ranef()
    sigma = expected["sigma"]
    sds: dict[str, list[float]] = {}
    for term in expected["varcorr"]:
        sds.setdefault(term["group"], []).extend(term["sd"])
    assert len(modes) == len(expected["ranef"])
    for reference, wanted in expected["ranef"].items():
        group = matching_group(reference, modes)
        table = modes[group]
        assert len(table) == wanted["n_levels"]
        if case["id"] in FREE_CORRELATION:
            continue
        columns = matching_names(wanted["columns"], list(table.columns))
        scale = np.array(sds[reference])
        rows = [matching_level(level, reference, group) for level in wanted["levels"]]
        error = np.abs(table.loc[rows, columns].to_numpy() - np.array(wanted["values"]))
        assert np.all(error <= 5e-4 * scale + 1e-6 * sigma)
        squares = np.square(table[columns].to_numpy()).sum(axis=0)
        np.testing.assert_allclose(squares, wanted["sumsq"], rtol=1e-3, atol=1e-10 * sigma**2)


def test_fitted(model, expected):
    fitted = np.asarray(model.fitted())
    sigma, first = expected["sigma"], expected["fitted_first"]
    assert fitted.shape == (expected["nobs"],)
    np.testing.assert_allclose(fitted[: len(first)], first, rtol=0, atol=1e-4 * sigma)
    assert abs(fitted.sum() - expected["fitted_sum"]) <= 1e-5 * sigma * len(fitted)


def test_singular(model, expected):
    assert model.is_singular() == expected["singular"]
