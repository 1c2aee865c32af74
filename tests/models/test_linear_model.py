"""The fitted model: its accessors against published numbers and against each other."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

import mixedmodels
from mixedmodels import lmer, load_dyestuff, load_pastes, load_penicillin, load_sleepstudy
from mixedmodels.errors import ArgumentError, DataError
from shared_fits import fits

DATA = load_sleepstudy()
SLOPE = "Reaction ~ Days + (Days | Subject)"


@pytest.fixture(scope="module")
def slope():
    return fits("sleepstudy")


@pytest.fixture(scope="module")
def two_terms():
    return lmer("Reaction ~ 1 + (1 | Subject) + (0 + Days | Subject)", DATA)


def test_numbers(slope):
    # lme4 1.1-31 (lmm.json, sleep_slope_reml)
    assert slope.nobs == 180
    assert slope.ngrps == {"Subject": 18}
    assert slope.df == 6
    assert slope.df_residual == 174
    assert slope.sigma == pytest.approx(25.5918, abs=1e-4)
    assert slope.REML is True
    assert slope.formula == SLOPE
    np.testing.assert_allclose(slope.beta, [251.405105, 10.467286], atol=1e-6)
    np.testing.assert_allclose(slope.se, [6.824557, 1.545789], atol=1e-5)


def test_criteria(slope):
    objective = 1743.62827195849
    log_lik = slope.logLik()
    assert float(log_lik) == pytest.approx(-objective / 2)
    assert (log_lik.df, log_lik.nobs) == (6, 180)
    assert "df = 6" in str(log_lik)
    assert pickle.loads(pickle.dumps(log_lik)).df == 6
    assert slope.AIC() == pytest.approx(objective + 12)
    assert slope.BIC() == pytest.approx(objective + 6 * np.log(180))
    assert slope.AICc() == pytest.approx(objective + 12 + 2 * 6 * 7 / 173)
    assert slope.deviance() == slope.REMLcrit() == slope.objective
    ml = slope.refit(REML=False)
    assert ml.deviance() == pytest.approx(1751.93934, abs=1e-5)
    # The ML deviance is least at the ML estimate, and near it at the REML estimate.
    assert 0 < slope.deviance(REML=False) - ml.deviance() < 0.1
    assert ml.deviance(REML=True) > slope.objective
    with pytest.raises(ArgumentError, match="fitted by maximum likelihood"):
        ml.REMLcrit()


def test_covariance_of_fixed_effects():
    # lme4's test-suite: variance of the Dyestuff intercept by REML and ML.
    model = fits("dyestuff")
    assert model.vcov().iloc[0, 0] == pytest.approx(375.7167, abs=1e-3)
    assert model.refit(REML=False).vcov().iloc[0, 0] == pytest.approx(313.0972, abs=1e-3)


def test_correlation_of_fixed_effects(slope):
    covariance, correlation = slope.vcov(), slope.corr_fixef()
    assert correlation.iloc[0, 1] == pytest.approx(covariance.iloc[0, 1] / np.prod(slope.se))
    assert list(covariance.index) == list(covariance.columns) == ["(Intercept)", "Days"]


def test_fitted_and_residuals(slope):
    np.testing.assert_allclose(slope.fitted() + slope.residuals(), DATA["Reaction"])
    np.testing.assert_allclose(slope.residuals(scaled=True) * slope.sigma, slope.residuals())
    np.testing.assert_array_equal(slope.fitted(), mixedmodels.fitted(slope))
    with pytest.raises(ArgumentError, match="pearson"):
        slope.residuals("perason")


def test_weighted_residuals():
    weights = np.linspace(0.5, 2.0, 180)
    model = lmer(SLOPE, DATA, weights=weights)
    np.testing.assert_allclose(model.residuals("pearson"), model.residuals() * np.sqrt(weights))
    np.testing.assert_allclose(model.residuals("deviance"), model.residuals("pearson"))
    np.testing.assert_allclose(model.residuals("working"), model.residuals())


def test_what_is_returned_cannot_change_the_model(slope):
    before = slope.fitted().copy()
    slope.fitted()[:] = 0
    slope.residuals()[:] = 0
    coefficients, effects, matrix, data = slope.fixef(), slope.ranef(), slope.model_matrix, slope.data
    coefficients.iloc[0] = 0
    matrix.iloc[0, 0] = 99
    slope.getME("X")[:] = 0
    effects["Subject"].iloc[0, 0] = 99
    data["Reaction"] = 0
    for array in (slope.theta, slope.beta, slope.VarCorr()["Subject"].sd):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    np.testing.assert_array_equal(slope.fitted(), before)
    assert slope.fixef().iloc[0] != 0
    assert slope.ranef()["Subject"].iloc[0, 0] != 99
    assert slope.model_matrix.iloc[0, 0] == 1
    np.testing.assert_allclose(slope.predict(DATA), before)
    assert slope.data["Reaction"].iloc[0] == DATA["Reaction"].iloc[0]


def test_attributes_cannot_be_set(slope):
    for name in ("theta", "anything", "_fitted"):
        with pytest.raises(AttributeError, match="immutable"):
            setattr(slope, name, 1)
        with pytest.raises(AttributeError):
            delattr(slope, name)


@pytest.mark.parametrize("through", [lambda m: pickle.loads(pickle.dumps(m)), copy.copy, copy.deepcopy])
def test_pickles_and_copies(slope, through):
    other = through(slope)
    assert str(other.summary()) == str(slope.summary())
    for array in (other.theta, other.beta, other._fitted.design.y, other._fitted.design.terms[0].z):
        assert not array.flags.writeable
    np.testing.assert_array_equal(other.predict(DATA.head(3)), slope.predict(DATA.head(3)))
    # These need the engine again.
    assert mixedmodels.checkConv(other).ok
    np.testing.assert_allclose(
        other.ranef(condVar=True).condvar["Subject"][0], slope.ranef(condVar=True).condvar["Subject"][0]
    )
    assert other.update(". ~ . - Days").formula == "Reaction ~ 1 + (Days | Subject)"


def test_threads_share_a_model(slope):
    fresh = pickle.loads(pickle.dumps(slope))
    with ThreadPoolExecutor(4) as pool:
        objectives = list(pool.map(lambda _: fresh.refit(REML=False).objective, range(8)))
    assert len(set(objectives)) == 1


def test_model_matrix():
    data = DATA.set_index(pd.Index([f"row{i}" for i in range(180)]))
    matrix = lmer(SLOPE, data).model_matrix
    assert list(matrix.columns) == ["(Intercept)", "Days"]
    assert matrix.index[3] == "row3"


def test_coef(slope, two_terms):
    wanted = slope.ranef()["Subject"] + slope.fixef()
    pd.testing.assert_frame_equal(slope.coef()["Subject"], wanted, check_column_type=False)
    # Days is random only.
    table = two_terms.coef()["Subject"]
    assert list(table.columns) == ["(Intercept)", "Days"]
    np.testing.assert_array_equal(table["Days"], two_terms.ranef()["Subject"]["Days"])


def test_refit_to_another_response(slope):
    y = DATA["Reaction"] * 2 + 5
    other = slope.refit(y)
    direct = lmer(SLOPE, DATA.assign(Reaction=y))
    assert other.objective == pytest.approx(direct.objective, abs=1e-8)
    np.testing.assert_allclose(other.theta, slope.theta, atol=1e-6)
    np.testing.assert_allclose(other.fitted() + other.residuals(), y)
    assert slope.refit(DATA["Reaction"]).objective == pytest.approx(slope.objective)
    assert slope.refit().objective == slope.objective


def test_refit_to_a_singular_response():
    # lme4's test-suite: Dyestuff refitted with the response of Dyestuff2.
    model = fits("dyestuff")
    with pytest.warns(mixedmodels.SingularFitWarning):
        other = model.refit(mixedmodels.load_dyestuff2()["Yield"])
    assert other.theta[0] == 0.0
    assert other.fixef().iloc[0] == pytest.approx(5.6656)
    # Back from the boundary.
    assert other.refit(load_dyestuff()["Yield"]).objective == pytest.approx(model.objective)


def test_refit_takes_rows_used_or_all_rows():
    data = DATA.assign(Days=DATA["Days"].where(DATA.index != 5, np.nan))
    model = lmer(SLOPE, data)
    full = model.refit(data["Reaction"].to_numpy())
    used = model.refit(np.delete(data["Reaction"].to_numpy(), 5))
    assert full.objective == used.objective == pytest.approx(model.objective)


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        (np.ones(3), ArgumentError, "3 values, but the model has 180 rows"),
        (np.full(180, np.nan), DataError, "not finite"),
        (np.ones((180, 2)), ArgumentError, "one dimension"),
        ("Days", ArgumentError, r"data\['Days'\]"),
        (["a"] * 180, DataError, "numbers"),
        (DATA["Subject"], DataError, "category"),
        (np.ones(180) * 1j, DataError, "complex"),
        (np.ones(180), DataError, "constant"),
    ],
)
def test_refit_refuses(slope, y, error, message):
    with pytest.raises(error, match=message):
        slope.refit(y)


def test_update_other_arguments(slope):
    assert slope.update(REML=False).REML is False
    assert slope.update(subset="Days >= 2").nobs == 144
    assert slope.update(data=DATA.iloc[:90]).nobs == 90
    assert slope.update(weights=np.full(180, 2.0)).sigma == pytest.approx(slope.sigma * np.sqrt(2), rel=1e-5)
    assert slope.update(weights=np.full(180, 2.0)).update(weights=None).sigma == pytest.approx(slope.sigma)
    with pytest.raises(TypeError, match="foo"):
        slope.update(foo=1)


def test_update_forgets_a_start_that_no_longer_fits():
    model = lmer(SLOPE, DATA, start=[1.0, 0.0, 1.0])
    assert len(model.update(". ~ . - (Days | Subject) + (1 | Subject)").theta) == 1
    assert model.update(REML=False).REML is False


def test_all_optimizers(slope):
    fits = slope.allFit(DATA)
    assert set(fits.fits) == {"trust_region", "bobyqa", "newuoa", "nelder_mead", "cobyla", "sbplx"}
    assert fits.table["excess"].max() < 1e-6
    assert fits.table["converged"].all()
    assert fits.summary().fixef.shape == (6, 2)
    assert fits.summary().theta.shape == (6, 3)
    assert "nelder_mead" in str(fits.summary())
    assert fits.fits["bobyqa"].fixef()["Days"] == pytest.approx(10.467, abs=1e-3)
    assert list(slope.allFit(optimizers=["bobyqa"]).fits) == ["bobyqa"]
    with pytest.raises(ArgumentError, match="unknown optimizer"):
        slope.allFit(optimizers=["bobyq"])


def test_functions_mirror_the_methods(slope):
    mm = mixedmodels
    assert mm.AIC(slope) == slope.AIC()
    assert mm.AICc(slope) == slope.AICc()
    assert mm.BIC(slope) == slope.BIC()
    assert mm.logLik(slope) == slope.logLik()
    assert mm.deviance(slope) == slope.deviance()
    assert mm.REMLcrit(slope) == slope.REMLcrit()
    assert mm.sigma(slope) == slope.sigma
    assert mm.nobs(slope) == slope.nobs
    assert mm.ngrps(slope) == slope.ngrps
    assert mm.isSingular(slope) is mm.is_singular(slope) is False
    assert mm.fixef(slope).equals(slope.fixef())
    assert mm.vcov(slope).equals(slope.vcov())
    assert mm.coef(slope)["Subject"].equals(slope.coef()["Subject"])
    assert mm.ranef(slope)["Subject"].equals(slope.ranef()["Subject"])
    assert str(mm.VarCorr(slope)) == str(slope.VarCorr())
    assert str(mm.summary(slope)) == str(slope.summary())
    assert mm.getME(slope, "n") == 180
    np.testing.assert_array_equal(mm.residuals(slope, "pearson"), slope.residuals("pearson"))
    np.testing.assert_array_equal(mm.predict(slope, re_form="~0"), slope.predict(re_form="~0"))
    assert mm.refitML(slope).REML is False
    assert mm.refitML(mm.refitML(slope)) is not None
    assert mm.refit(slope, DATA["Reaction"]).objective == pytest.approx(slope.objective)
    assert mm.update(slope, ". ~ . - Days").rank == 1
    for function in (mm.fixef, mm.fitted, mm.anova, mm.checkConv, mm.allFit):
        with pytest.raises(ArgumentError, match="lmer"):
            function(3)


@pytest.mark.parametrize(
    ("first", "second", "data"),
    [
        ("strength ~ 1 + (1 | batch/cask)", "strength ~ 1 + (1 | batch) + (1 | batch:cask)", load_pastes()),
        (
            "diameter ~ 1 + (1 | plate) + (1 | sample)",
            "diameter ~ 1 + (1 | sample) + (1 | plate)",
            load_penicillin(),
        ),
    ],
)
def test_ways_of_writing_one_model(first, second, data):
    one, two = lmer(first, data), lmer(second, data)
    assert one.objective == pytest.approx(two.objective, abs=1e-9)
    assert list(one.ngrps) == list(two.ngrps)
    np.testing.assert_allclose(one.theta, two.theta, atol=1e-7)


def test_singularity_does_not_depend_on_units(slope):
    scaled = lmer(SLOPE, DATA.assign(Days=DATA["Days"] * 1e6))
    shifted = lmer(SLOPE, DATA.assign(Days=DATA["Days"] + 1e5))
    assert scaled.theta[-1] < 1e-5
    assert not scaled.is_singular()
    assert not shifted.is_singular()
    assert slope.is_singular(tol=2.0)


def test_singularity_of_other_parameters(slope):
    assert not slope.is_singular(theta=slope.theta)
    assert slope.is_singular(theta=[1.0, 0.5, 0.0])
    assert not slope.is_singular(theta=[1.0, 0.0, 1e-3])
    assert slope.is_singular(1.0, theta=[1.0, 0.0, 1e-3])
    with pytest.raises(ArgumentError, match="theta has shape"):
        slope.is_singular(theta=[1.0])
    with pytest.raises(ArgumentError, match=r"theta: .*must be finite and not negative"):
        slope.is_singular(theta=[-1.0, 0.0, 1.0])


def test_perfect_correlation_is_singular():
    data = DATA.assign(Reaction=np.arange(180) % 7 + 3.0 * (DATA["Days"] + 1) * (DATA.index // 10 % 5))
    with pytest.warns(mixedmodels.SingularFitWarning, match="correlation of"):
        model = lmer(SLOPE, data)
    assert model.is_singular()
    assert abs(model.VarCorr()["Subject"].corr[0, 1]) == pytest.approx(1.0)
