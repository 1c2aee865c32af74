"""The lasso on the fixed effects."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from statsmodels.base._penalties import L2, PSD
from statsmodels.regression.mixed_linear_model import MixedLM as Theirs
from statsmodels.tools.numdiff import approx_hess

from mixedmodels import load_dietox
from mixedmodels.statsmodels import MixedLM, MixedLMParams, mixedlm

RNG = np.random.default_rng(2)
GROUPS = np.repeat(np.arange(60), 5)
X = np.column_stack([np.ones(300), RNG.normal(size=(300, 5)) + RNG.normal(size=(300, 1))])
Y = X @ [1.0, 1.0, 0.0, -1.0, 0.0, 0.1] + RNG.normal(size=60)[GROUPS] + RNG.normal(size=300)
WEIGHTS = np.array([0.0, 30.0, 30.0, 30.0, 30.0, 30.0])


def whitened(result):
    """X'V⁻¹X and X'V⁻¹y by dense matrices, at the covariances of the fit without a penalty."""
    same = GROUPS[:, None] == GROUPS
    v = float(result.scale) * (np.eye(300) + np.asarray(result.cov_re_unscaled)[0, 0] * same)
    return X.T @ np.linalg.solve(v, X), X.T @ np.linalg.solve(v, Y)


@pytest.mark.parametrize("alpha", [WEIGHTS, 5.0, 400.0])
def test_the_optimum_has_the_subgradient_of_the_lasso(alpha):
    plain = MixedLM(Y, X, GROUPS).fit()
    result = MixedLM(Y, X, GROUPS).fit_regularized(alpha=alpha, ptol=1e-10)
    a, b = whitened(plain)
    beta, weights = result.fe_params, np.broadcast_to(alpha, 6)
    slope = 2.0 * (b - a @ beta)
    used = beta != 0
    assert_allclose(slope[used], (weights * np.sign(beta))[used], atol=1e-5)
    assert np.all(np.abs(slope[~used]) <= weights[~used])
    assert result.converged
    assert_allclose(result.cov_re_unscaled, plain.cov_re_unscaled)


def test_the_minimum_is_never_above_that_of_statsmodels():
    # statsmodels never looks again at a coefficient that was zero once.
    a, b = whitened(MixedLM(Y, X, GROUPS).fit())

    def loss(beta):
        return beta @ a @ beta - 2.0 * b @ beta + WEIGHTS @ np.abs(beta)

    theirs = Theirs(Y, X, GROUPS).fit_regularized(alpha=WEIGHTS, ptol=1e-9).fe_params
    ours = MixedLM(Y, X, GROUPS).fit_regularized(alpha=WEIGHTS).fe_params
    assert loss(ours) < loss(theirs)
    assert_allclose(ours, theirs, atol=0.01)


def test_small_coefficients_are_zero_without_a_standard_error():
    result = MixedLM(Y, X, GROUPS).fit_regularized(alpha=60.0)
    gone = result.fe_params == 0
    assert 0 < gone.sum() < 6
    assert_allclose(result.fittedvalues + result.resid, Y)
    modes = np.array([result.random_effects[g].iloc[0] for g in range(60)])
    assert_allclose(result.fittedvalues, X @ result.fe_params + modes[GROUPS])


def test_no_penalty_changes_nothing():
    assert_allclose(
        MixedLM(Y, X, GROUPS).fit_regularized().params, MixedLM(Y, X, GROUPS).fit().params, rtol=1e-8
    )


def test_formulas_and_smooth_penalties():
    frame = pd.DataFrame(X[:, 1:], columns=list("abcde")).assign(y=Y, g=GROUPS)
    model = mixedlm("y ~ a + b + c + d + e", frame, groups="g")
    expected = MixedLM(Y, X, GROUPS)
    assert_allclose(
        model.fit_regularized(alpha=WEIGHTS).fe_params, expected.fit_regularized(alpha=WEIGHTS).fe_params
    )
    ridge = model.fit_regularized(method=L2(), alpha=5.0)
    assert np.linalg.norm(ridge.fe_params) < np.linalg.norm(model.fit().fe_params)


def test_arguments_that_do_not_fit():
    model = MixedLM(Y, X, GROUPS)
    with pytest.raises(ValueError, match="'l1' or a Penalty"):
        model.fit_regularized(method="l3")
    with pytest.raises(ValueError, match="not negative"):
        model.fit_regularized(alpha=-1.0)


@pytest.mark.parametrize("alpha", [10.0, 200.0])
def test_standard_errors_are_those_of_the_active_set(alpha):
    result = mixedlm("Weight ~ Time + C(Cu)", load_dietox(), groups="Pig").fit_regularized(alpha=alpha)
    zero = np.asarray(result.fe_params) == 0.0
    assert_allclose(np.isnan(result.bse_fe), zero)
    information = result.model.information(result.params_object)
    places = np.append(np.flatnonzero(~zero), [len(zero)])
    covariance = np.linalg.inv(information[np.ix_(places, places)])
    assert_allclose(result.bse.iloc[places], np.sqrt(np.diag(covariance)), rtol=1e-6)
    assert "Time" in str(result.summary())


@pytest.mark.parametrize("slope", ["1", "~Time"])
def test_penalties_count_in_standard_errors(slope):
    model = mixedlm("Weight ~ Time", load_dietox(), groups="Pig", re_formula=slope)
    for options in ({"fe_pen": L2(1.0)}, {"cov_pen": PSD(2.0)}):
        result = model.fit(**options)

        def value(packed):
            params = MixedLMParams.from_packed(packed, model.k_fe, model.k_re, False, True)
            return model.loglike(params, profile_fe=False)

        at = np.asarray(result.params)
        hessian = approx_hess(at, value, epsilon=1e-3 * np.maximum(np.abs(at), 0.05))
        assert_allclose(result.bse, np.sqrt(np.diag(np.linalg.inv(-hessian))), rtol=1e-3)
