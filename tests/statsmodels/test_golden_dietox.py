"""Estimates and standard errors against lme4 and the numerical Hessian of its criterion, in R."""

import numpy as np
import pytest
from dietox import CASES, IDS, fit_of
from numpy.testing import assert_allclose

cases = pytest.mark.parametrize("case", CASES, ids=IDS)


def lower(matrix):
    matrix = np.asarray(matrix)
    return matrix[np.tril_indices(len(matrix))]


@cases
def test_estimates(case):
    result = fit_of(case)
    assert_allclose(result.fe_params, case["fe"], rtol=1e-6)
    assert_allclose([*lower(result.cov_re), result.scale], case["variances"], rtol=2e-5)
    assert_allclose(result.llf, case["llf"], rtol=1e-9)


@cases
def test_standard_errors_of_the_fixed_effects(case):
    """Ours are from the joint information, lme4's given the variances; here they are the same to 1e-5."""
    assert_allclose(fit_of(case).bse_fe, case["se_fe"], rtol=1e-5)


@cases
def test_standard_errors_of_variances(case):
    assert_allclose(fit_of(case).bse_re, case["se_variances"][:-1], rtol=1e-4)


@cases
def test_random_effects_and_fitted_values(case):
    result = fit_of(case)
    label = next(label for label in result.random_effects if str(label) == str(case["pig"]))
    assert_allclose(result.random_effects[label], np.ravel(case["ranef"]), rtol=1e-4)
    assert_allclose(result.random_effects_cov[label], np.atleast_2d(case["condvar"]), rtol=1e-4)
    assert_allclose(result.fittedvalues.iloc[:3], case["fitted"], rtol=1e-5)
    assert_allclose(result.resid + result.fittedvalues, result.model.endog)
