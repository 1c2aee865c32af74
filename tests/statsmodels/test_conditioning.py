"""Standard errors do not depend on the origins and units of the columns, nor on that of the response."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from mixedmodels import load_dietox, load_sleepstudy
from mixedmodels.errors import MixedModelsWarning, UndeterminedWarning
from mixedmodels.statsmodels import MixedLMParams, mixedlm

SLEEP = load_sleepstudy()


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("origin", [2e3, 1e5, 1e6, 1e7])
def test_a_random_slope_of_a_covariate_far_from_zero(origin, reml):
    near = mixedlm("Reaction ~ Days", SLEEP, groups="Subject", re_formula="~Days").fit(reml=reml)
    data = SLEEP.assign(x=SLEEP["Days"] + origin)
    far = mixedlm("Reaction ~ x", data, groups="Subject", re_formula="~x").fit(reml=reml)
    # The covariate itself has fewer digits the farther it is from zero.
    assert_allclose(far.bse_fe["x"], near.bse_fe["Days"], rtol=1e-11 * origin + 1e-6)
    assert_allclose(far.bse_re.iloc[2], near.bse_re.iloc[2], rtol=1e-11 * origin + 1e-6)
    # The variance of the intercept is that of the slope far away.
    assert_allclose(far.bse_re.iloc[0], origin**2 * near.bse_re.iloc[2], rtol=0.01)
    assert_allclose(far.bse_fe["Intercept"], origin * near.bse_fe["Days"], rtol=0.01)


def test_a_mask_with_a_covariate_far_from_zero():
    def fit(formula, data):
        parts = {"re_formula": "1", "vc_formula": {"z": "0 + z"}}
        model = mixedlm(f"Reaction ~ {formula}", data, groups="Subject", **parts)
        free = model.fit().params_object.copy()
        free.fe_params[:], free.cov_re[:], free.vcomp[:] = [1.0, 1.0], 1.0, 0.0
        return model.fit(free=free, start_params=[0.0, 0.0, 1.0, 0.1])

    data = SLEEP.assign(z=SLEEP["Days"] - 4.5, x=SLEEP["Days"] + 1e8)
    assert_allclose(fit("x", data).bse.iloc[1:3], fit("Days", data).bse.iloc[1:3], rtol=1e-5)


def test_a_fixed_slope_far_from_zero():
    data = SLEEP.assign(x=SLEEP["Days"] + 1e8)
    far, near = (mixedlm(f"Reaction ~ {x}", data, groups="Subject").fit() for x in ("x", "Days"))
    assert_allclose(far.bse_fe.iloc[1], near.bse_fe.iloc[1], rtol=1e-7)
    assert_allclose(far.bse_re, near.bse_re, rtol=1e-7)


@pytest.mark.parametrize("unit", [1e-150, 1e-120, 1e120, 1e150])
@pytest.mark.parametrize("re_formula", ["1", "~Time"])
def test_responses_of_extreme_sizes(unit, re_formula):
    data = load_dietox()
    plain = mixedlm("Weight ~ Time", data, groups="Pig", re_formula=re_formula).fit()
    data["Weight"] *= unit
    found = mixedlm("Weight ~ Time", data, groups="Pig", re_formula=re_formula).fit()
    assert_allclose(found.bse_fe / unit, plain.bse_fe, rtol=1e-6)
    assert_allclose(found.bse_re / unit / unit, plain.bse_re, rtol=1e-5)
    assert "Var" in str(found.summary())


def test_linearly_dependent_random_coefficients():
    data = load_dietox()
    data["twice"], data["three"] = 2 * data["Time"], 3.0
    plain = mixedlm("Weight ~ Time", data, groups="Pig", re_formula="~Time").fit()
    with pytest.warns(UndeterminedWarning, match="effects Time and twice are linearly dependent"):
        found = mixedlm("Weight ~ Time", data, groups="Pig", re_formula="~Time + twice").fit()
    # The variance of the intercept is determined, those of the slopes are not.
    assert_allclose(found.bse_re.iloc[0], plain.bse_re.iloc[0], rtol=1e-4)
    assert np.isnan(found.bse_re.iloc[1:]).all()
    assert_allclose(found.bse_fe, plain.bse_fe, rtol=1e-4)
    with pytest.warns(UndeterminedWarning, match="effects Pig and three are"):
        constant = mixedlm("Weight ~ Time", data, groups="Pig", re_formula="~three").fit()
    assert np.isnan(constant.bse_re).all()
    assert np.isfinite(constant.bse_fe).all()


def test_as_many_effects_as_rows():
    data = load_dietox().groupby("Pig").head(2)
    with pytest.warns(
        MixedModelsWarning, match="re_formula has 144 random effects .*hold covariances at zero by free="
    ):
        result = mixedlm("Weight ~ Time", data, groups="Pig", re_formula="~Time").fit()
    assert np.isnan(result.bse_re).all()
    assert np.isfinite(result.bse_fe).all()


@pytest.mark.parametrize("unit", [1e-120, 1e120])
def test_masks_and_hessians_of_extreme_responses(unit):
    data = load_dietox()
    free = MixedLMParams.from_components(np.ones(2), cov_re=np.eye(2))
    plain, found = (
        mixedlm(
            "Weight ~ Time", data.assign(Weight=size * data["Weight"]), groups="Pig", re_formula="~Time"
        ).fit(free=free)
        for size in (1.0, unit)
    )
    assert_allclose(found.bse_fe / unit, plain.bse_fe, rtol=1e-5)
    assert_allclose(found.bse_re.iloc[[0, 2]] / unit / unit, plain.bse_re.iloc[[0, 2]], rtol=1e-5)
    assert np.isfinite(found.model.hessian(found.params_object)[0]).all()
