"""Parameters at which there is no distribution, and fixed effects that are known."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from mixedmodels import load_dietox
from mixedmodels.statsmodels import MixedLMParams, mixedlm

DATA = load_dietox()


def test_no_likelihood_where_the_responses_have_no_covariance_matrix():
    model = mixedlm("Weight ~ Time", DATA, groups="Pig", re_formula="~Time")

    def value(cov_re, **options):
        return model.loglike(MixedLMParams.from_components(np.ones(2), cov_re=np.array(cov_re)), **options)

    assert value([[1.0, 2.0], [2.0, 1.0]]) == -np.inf
    assert value([[1.0, 2.0], [2.0, 1.0]], profile_fe=False) == -np.inf
    # An even number of negative eigenvalues has a positive determinant.
    assert value([[-1.0, 0.0], [0.0, -1.0]]) == -np.inf
    assert value([[np.nan, 0.0], [0.0, 1.0]]) == -np.inf
    # V may be positive definite without the covariance matrix of the effects being so.
    assert np.isfinite(value([[-1e-4, 0.0], [0.0, 1.0]]))
    crossed = mixedlm("Weight ~ Time", DATA, groups="Pig", re_formula="1", vc_formula={"t": "0 + Time"})
    assert crossed.loglike(MixedLMParams.from_components(np.ones(2), np.eye(1), vcomp=[-1.0])) == -np.inf


@pytest.mark.parametrize("reml", [True, False])
def test_fixed_effects_that_are_held_are_known(reml):
    model = mixedlm("Weight ~ Time", DATA, groups="Pig")
    free = MixedLMParams.from_components([1.0, 0.0], cov_re=np.eye(1))
    start = MixedLMParams.from_components([0.0, 7.0], cov_re=np.eye(1))
    held = model.fit(free=free, start_params=start, reml=reml)
    rest = DATA.assign(Weight=DATA["Weight"] - 7 * DATA["Time"])
    known = mixedlm("Weight ~ 1", rest, groups="Pig").fit(reml=reml)
    assert_allclose(held.llf, known.llf, rtol=1e-10)
    assert_allclose(-2 * held.llf, held.to_mixedmodels(arrays=True).objective, rtol=1e-10)
    assert_allclose([held.scale, held.fe_params.iloc[0]], [known.scale, known.fe_params.iloc[0]], rtol=1e-7)
    assert_allclose(held.bse_fe.iloc[0], known.bse_fe.iloc[0], rtol=1e-6)
    assert_allclose(held.bse_re, known.bse_re, rtol=1e-6)
    assert held.bse_fe.iloc[1] == 0.0
