"""Profile likelihoods of variances, and bootstrap replicates in statsmodels' parameters."""

import numpy as np
import pytest
from dietox import fit
from numpy.testing import assert_allclose
from scipy.optimize import minimize_scalar

from mixedmodels import RankDeficiencyWarning, load_dietox, load_pastes
from mixedmodels.errors import ArgumentError
from mixedmodels.statsmodels import MixedLMParams, mixedlm


@pytest.mark.parametrize("reml", [True, False], ids=["REML", "ML"])
def test_the_profile_holds_the_variance_itself(reml):
    """At each value the best of the likelihoods over residual variances, with the ratio that they imply."""
    result = fit(False, reml)
    model = result.model
    model.reml = reml
    n = model.nobs - (2 if reml else 0)
    found = result.profile_re(0, "re", num_low=2, dist_low=10.0, num_high=2, dist_high=20.0)
    assert found.shape == (5, 2)
    assert_allclose(found[2], [result.cov_re.iloc[0, 0], result.llf], rtol=1e-9)
    for variance, likelihood in found:

        def at(scale, v=variance):
            params = MixedLMParams.from_components(
                result.fe_params.to_numpy(), cov_re=np.array([[v / scale]])
            )
            params.fe_params = model.get_fe_params(params.cov_re, params.vcomp)[0]
            best = model.get_scale(params.fe_params, params.cov_re, params.vcomp)
            ratio = best / scale
            # The likelihood at the best scale for this ratio, moved to the scale asked for.
            return -(model.loglike(params, profile_fe=False) - 0.5 * n * (ratio - 1 - np.log(ratio)))

        best = minimize_scalar(at, bounds=(5.0, 25.0), method="bounded", options={"xatol": 1e-8})
        assert_allclose(likelihood, -best.fun, rtol=1e-8)


def test_profiles_of_slopes_and_components():
    slope = fit(True, True).profile_re(1, vtype="re", num_low=2, dist_low=0.1, num_high=3, dist_high=0.1)
    assert slope[:, 1].argmax() == 2
    assert (np.diff(slope[:, 0]) > 0).all()
    pastes = mixedlm(
        "strength ~ 1", load_pastes(), groups="batch", re_formula="1", vc_formula={"cask": "0 + cask"}
    ).fit()
    cask = pastes.profile_re("cask", vtype="vc", num_low=2, dist_low=2.0, num_high=2, dist_high=2.0)
    assert_allclose(cask[2], [pastes.vcomp[0], pastes.llf], rtol=1e-7)
    assert cask[:, 1].argmax() == 2


def test_profiles_refuse_nonsense():
    result = fit(True, True)
    with pytest.raises(ValueError, match="vtype"):
        result.profile_re(0, vtype="fe")
    with pytest.raises(ValueError, match="re_ix must be one of the 2"):
        result.profile_re(2, vtype="re")
    with pytest.raises(ValueError, match="re_ix must name a variance component"):
        result.profile_re("b", vtype="vc")
    with pytest.raises(ValueError, match="dist_low is too large"):
        result.profile_re(1, vtype="re", dist_low=1.0)


def test_bootstrap_replicates_are_params():
    result = fit(True, True)
    mean, deviation, replicates = result.bootstrap(300, rng=1)
    assert replicates.shape == (300, 5)
    assert_allclose(mean, replicates.mean(axis=0))
    assert_allclose(deviation / result.bse, 1.0, atol=0.2)
    assert (np.abs(mean - result.params) < 4 * result.bse / np.sqrt(300) + 0.1 * result.bse).all()
    assert result.bootstrap_results is not None
    assert_allclose(result.bootstrap(300, rng=1)[2], replicates)


def test_penalised_fits_have_neither():
    lasso = mixedlm("Weight ~ Time", load_dietox(), groups="Pig").fit_regularized(alpha=1.0)
    for call in (lambda: lasso.profile_re(0, vtype="re"), lasso.bootstrap, lasso.to_mixedmodels):
        with pytest.raises(ArgumentError, match="penalised"):
            call()


def test_results_without_data_have_neither():
    result = mixedlm("Weight ~ Time", load_dietox(), groups="Pig").fit()
    result.remove_data()
    for call in (lambda: result.profile_re(0, vtype="re"), result.bootstrap, result.to_mixedmodels):
        with pytest.raises(ArgumentError, match="remove_data"):
            call()


def test_variances_that_are_held_have_no_profile():
    model = mixedlm("Weight ~ Time", load_dietox(), groups="Pig", re_formula="~Time")
    free = MixedLMParams.from_components(np.ones(2), cov_re=np.diag([0.0, 1.0]))
    start = MixedLMParams.from_components(np.zeros(2), cov_re=np.diag([2.0, 1.0]))
    result = model.fit(free=free, start_params=start)
    with pytest.raises(ValueError, match="holds this variance"):
        result.profile_re(0, vtype="re")
    free_one = result.profile_re(1, vtype="re", num_low=1, dist_low=0.01, num_high=1, dist_high=0.01)
    assert_allclose(free_one[1], [result.cov_re.iloc[1, 1], result.llf], rtol=1e-7)


@pytest.mark.filterwarnings("error")
def test_dropped_columns_are_nan_in_replicates():
    with pytest.warns(RankDeficiencyWarning):
        result = mixedlm("Weight ~ Time + I(2 * Time)", load_dietox(), groups="Pig").fit()
    mean, _, replicates = result.bootstrap(5, rng=1)
    assert np.isnan(replicates[:, 2]).all()
    assert np.isfinite(np.delete(mean, 2)).all()
