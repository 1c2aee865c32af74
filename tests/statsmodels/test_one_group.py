"""A single group: effects of many columns with one variance are random effects like those of many groups."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.regression.mixed_linear_model as theirs
from numpy.testing import assert_allclose

from mixedmodels import DataError
from mixedmodels.statsmodels import MixedLM, VCSpec, mixedlm

RNG = np.random.default_rng(1)
N, K = 150, 30
Z = RNG.normal(size=(N, K))
Y = Z @ (0.6 * RNG.normal(size=K)) + RNG.normal(size=N)
ONES = np.ones((N, 1))


def test_columns_of_one_variance_in_one_group_agree_with_statsmodels():
    spec = ["snp"], [[[f"s{j}" for j in range(K)]]], [[Z]]
    ours = MixedLM(Y, ONES, np.ones(N), exog_vc=VCSpec(*spec)).fit()
    reference = theirs.MixedLM(Y, ONES, np.ones(N), exog_vc=theirs.VCSpec(*spec)).fit()
    assert_allclose(ours.llf, reference.llf, rtol=1e-8)
    assert_allclose(ours.vcomp, reference.vcomp, rtol=1e-3)
    assert_allclose(ours.random_effects[1.0], reference.random_effects[1.0], rtol=1e-3)
    assert_allclose(ours.random_effects_cov[1.0], reference.random_effects_cov[1.0], atol=1e-5)
    assert np.isfinite(ours.bse_re).all()


def test_a_ridge_from_a_formula():
    data = pd.DataFrame(Z[:, :8], columns=[f"x{j}" for j in range(8)]).assign(y=Y, one="a")
    terms = "0 + " + " + ".join(data.columns[:8])
    found = mixedlm("y ~ 1", data, groups="one", vc_formula={"r": terms}).fit()
    reference = theirs.MixedLM(
        Y, ONES, np.ones(N), exog_vc=theirs.VCSpec(["r"], [[list("abcdefgh")]], [[Z[:, :8]]])
    )
    reference.fe_pen = reference.cov_pen = None
    value = reference.loglike(theirs.MixedLMParams.from_components(vcomp=np.array(found.vcomp / found.scale)))
    assert_allclose(found.llf, value, rtol=1e-8)
    model = found.to_mixedmodels()
    assert_allclose(model.predict(data), found.fittedvalues, rtol=1e-6)


def test_what_one_group_does_not_determine_is_refused():
    with pytest.raises(DataError, match="two groups"):
        MixedLM(Y, ONES, np.ones(N)).fit()
    with pytest.raises(DataError, match="single effect"):
        MixedLM(Y, ONES, np.ones(N), exog_vc=VCSpec(["x"], [[["x"]]], [[Z[:, :1]]])).fit()
