"""The fitted generalized model: its accessors against known numbers and against each other."""

from __future__ import annotations

import copy
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest

import mixedmodels as mm
from mixedmodels import (
    GeneralizedLinearMixedModel,
    families,
    glmer,
    load_bacteria,
    load_cbpp,
    load_contraception,
    load_dietox,
    load_epil,
    load_sleepstudy,
)
from mixedmodels.errors import ArgumentError, DataError, MixedModelsWarning
from shared_fits import fits

CBPP = load_cbpp()
FORMULA = "cbind(incidence, size - incidence) ~ period + (1 | herd)"


@pytest.fixture(scope="module")
def cbpp():
    return fits("cbpp")


@pytest.fixture(scope="module")
def gamma():
    return fits("dietox", "Weight ~ Time + (1 | Pig)", "gamma")


def test_numbers(cbpp):
    assert isinstance(cbpp, GeneralizedLinearMixedModel)
    # glmmTMB 1.1.5: the objective and standard errors of the Laplace approximation
    assert cbpp.objective == pytest.approx(184.05256373, abs=1e-6)
    np.testing.assert_allclose(cbpp.se, [0.23247205, 0.30664249, 0.32663781, 0.42743660], rtol=1e-4)
    assert (cbpp.nobs, cbpp.df, cbpp.df_residual, cbpp.rank) == (56, 5, 51, 4)
    assert cbpp.ngrps == {"herd": 15}
    assert cbpp.family == families.Binomial("logit")
    assert (cbpp.link, cbpp.nAGQ, cbpp.information) == ("logit", 1, "observed")
    assert cbpp.sigma == cbpp.dispersion == 1.0
    assert cbpp.deviance() == cbpp.objective
    log_lik = cbpp.logLik()
    assert (float(log_lik), log_lik.df, log_lik.nobs) == (-cbpp.objective / 2, 5, 56)
    assert cbpp.AIC() == pytest.approx(cbpp.objective + 10)
    assert cbpp.BIC() == pytest.approx(cbpp.objective + 5 * np.log(56))
    assert mm.AICc(cbpp) > cbpp.AIC()


def test_summary(cbpp):
    text = str(cbpp.summary())
    for part in (
        "Generalized linear mixed model fit by maximum likelihood (Laplace approximation)",
        " Family: binomial (logit)",
        " Formula: cbind(incidence, size - incidence) ~ period + (1 | herd)",
        "AIC",
        "df.resid",
        "z value",
        "Pr(>|z|)",
        "Standard errors from the Hessian in all parameters",
        "Number of obs: 56; groups: herd 15",
        "Correlation of fixed effects",
        "converged",
    ):
        assert part in text
    assert "Residual" not in text
    assert "weights" not in text
    summary = cbpp.summary()
    assert list(summary.coefficients.columns) == ["Estimate", "Std. Error", "z value", "Pr(>|z|)"]
    # lme4's documentation of cbpp: p-values of the same order, residuals as printed there
    quantiles = summary.residual_quantiles.to_numpy()
    np.testing.assert_allclose(quantiles, [-2.3816, -0.7889, -0.2026, 0.5142, 2.8791], atol=2e-3)
    assert "binomial (logit)" in summary._repr_html_()
    assert repr(cbpp).startswith("Generalized linear mixed model")


def test_summary_of_a_family_with_a_scale(gamma):
    text = str(gamma.summary())
    assert "Residual" in text
    assert "Dispersion d:" in text
    assert "gamma: variance d·mu²" in text
    assert gamma.sigma == pytest.approx(gamma.dispersion**0.5)
    assert gamma.VarCorr().sigma == gamma.sigma
    assert gamma.df == 4
    assert list(gamma.VarCorr().to_frame()["grp"]) == ["Pig", "Residual"]


def test_titles():
    quadrature = glmer(FORMULA, CBPP, "binomial", nAGQ=9)
    assert "adaptive Gauss-Hermite quadrature, nAGQ = 9" in str(quadrature.summary())
    # lme4 1.1-31 (glmm.json, cbpp_agq9), the saturated model's part put back
    assert quadrature.objective == pytest.approx(183.966743592669, rel=1e-8)
    fast = glmer(FORMULA, CBPP, "binomial", nAGQ=0)
    assert "nAGQ = 0" in str(fast.summary())
    assert "ignoring its uncertainty (nAGQ = 0)" in str(fast.summary())
    with pytest.warns(MixedModelsWarning, match="given theta"):
        se = fast.se
    np.testing.assert_allclose(se, np.sqrt(np.diag(fast.vcov(conditional=True))))
    assert list(fast.hessian().index) == ["herd.(Intercept)"]


def test_covariances(cbpp):
    joint, conditional = cbpp.vcov(), cbpp.vcov(conditional=True)
    np.testing.assert_allclose(np.sqrt(np.diag(joint)), cbpp.se)
    assert np.all(np.diag(joint)[:3] > np.diag(conditional)[:3])
    names = ["herd.(Intercept)", *cbpp.fixef().index]
    hessian = cbpp.hessian()
    assert list(hessian.index) == list(hessian.columns) == names
    whole = cbpp.vcov_parameters()
    np.testing.assert_allclose(whole, 2 * np.linalg.inv(hessian), rtol=1e-6)
    np.testing.assert_allclose(whole.iloc[1:, 1:], joint, rtol=1e-10)
    np.testing.assert_allclose(cbpp.vcov_theta(), whole.iloc[:1, :1])
    correlation = cbpp.corr_fixef()
    assert correlation.iloc[0, 1] == pytest.approx(joint.iloc[0, 1] / cbpp.se.iloc[:2].prod())


def test_the_hessian_is_computed_once(cbpp):
    assert cbpp._fitted.hessian() is cbpp._fitted.hessian()
    assert not cbpp._fitted.hessian().flags.writeable


def test_the_dispersion_has_an_entry_in_the_hessian(gamma):
    names = ["Pig.(Intercept)", "(Intercept)", "Time", "log(dispersion)"]
    assert list(gamma.hessian().index) == names
    assert list(gamma.vcov_theta().index) == ["Pig.(Intercept)", "log(dispersion)"]


def test_singular_fits_leave_the_boundary_out():
    """Groups with the same counts in each have no variance between them."""
    data = pd.DataFrame({"x": np.tile(np.arange(6.0), 5), "g": np.repeat(list("abcde"), 6)})
    data["hits"], data["misses"] = np.tile([1, 2, 2, 4, 5, 5], 5), np.tile([5, 5, 3, 3, 2, 1], 5)
    with pytest.warns(mm.SingularFitWarning):
        model = glmer("cbind(hits, misses) ~ x + (1 | g)", data, "binomial")
    assert model.is_singular()
    assert mm.isSingular(model)
    # As of the ordinary logistic regression: (X'WX)^-1.
    x, p = model.getME("X"), model.fitted()
    w = model.getME("weights") * p * (1 - p)
    np.testing.assert_allclose(model.vcov(), np.linalg.inv(x.T @ (w[:, None] * x)), rtol=1e-4)
    assert model.theta[0] == 0
    assert model.vcov_parameters().iloc[0].isna().all()


def test_confidence_intervals(cbpp):
    table = cbpp.confint()
    assert list(table.columns) == ["2.5 %", "97.5 %"]
    assert list(table.index) == ["sd_(Intercept)|herd", *cbpp.fixef().index]
    assert table.iloc[0].isna().all()
    half = 1.959963984540054 * cbpp.se
    np.testing.assert_allclose(table.iloc[1:, 1] - cbpp.beta, half)
    narrow = mm.confint(cbpp, level=0.5)
    assert list(narrow.columns) == ["25 %", "75 %"]
    for options in ({"level": 1.0}, {"level": "0.9"}, {"method": "sandwich"}):
        with pytest.raises(ArgumentError):
            cbpp.confint(**options)


def test_confidence_intervals_of_a_linear_model():
    model = fits("sleepstudy")
    table = model.confint()
    assert list(table.index)[:4] == [
        "sd_(Intercept)|Subject",
        "sd_Days|Subject",
        "cor_Days.(Intercept)|Subject",
        "sigma",
    ]
    # lme4 1.1-31: confint(method = "Wald"), with normal quantiles
    np.testing.assert_allclose(model.confint(ddf="inf").loc["Days"], [7.437594, 13.496978], atol=1e-4)


def test_random_effects(cbpp):
    modes = cbpp.ranef(condVar=True)
    # lme4 1.1-31 (glmm.json, cbpp_agq1)
    assert modes["herd"].loc["1"].iloc[0] == pytest.approx(0.590020011, abs=1e-5)
    assert modes.condvar is not None
    assert modes.condvar["herd"][0].shape == (15, 1, 1)
    np.testing.assert_allclose(cbpp.coef()["herd"]["(Intercept)"], cbpp.beta[0] + modes["herd"].iloc[:, 0])


def test_fitted_and_residuals(cbpp):
    mu, y = cbpp.fitted(), CBPP["incidence"] / CBPP["size"]
    np.testing.assert_allclose(cbpp.residuals("response"), y - mu)
    n = CBPP["size"].to_numpy()
    np.testing.assert_allclose(cbpp.residuals("pearson"), (y - mu) / np.sqrt(mu * (1 - mu) / n))
    np.testing.assert_allclose(cbpp.residuals("working"), (y - mu) / (mu * (1 - mu)))
    np.testing.assert_allclose(cbpp.residuals(), cbpp.residuals("deviance"))
    # lme4 1.1-31: sum of squared deviance residuals (glmm.json, cbpp_agq1)
    assert np.square(cbpp.residuals()).sum() == pytest.approx(73.4717235745961, rel=1e-5)
    with pytest.raises(ArgumentError, match="pearson"):
        cbpp.residuals("perason")


def test_residuals_with_a_scale(gamma):
    data, mu = load_dietox(), gamma.fitted()
    raw = (data["Weight"] - mu) / mu
    np.testing.assert_allclose(gamma.residuals("pearson"), raw)
    np.testing.assert_allclose(gamma.residuals("pearson", scaled=True), raw / gamma.sigma)
    np.testing.assert_allclose(gamma.residuals(scaled=True), gamma.residuals() / gamma.sigma)


def test_na_exclude_pads():
    data = CBPP.assign(size=CBPP["size"].astype(float).where(np.arange(56) != 3))
    model = glmer(FORMULA, data, "binomial", na_action="exclude")
    for values in (model.fitted(), model.residuals(), model.predict()):
        assert len(values) == 56
        assert np.flatnonzero(np.isnan(values)).tolist() == [3]
    assert len(model.simulate(1, rng=1)) == 56


def test_predict(cbpp):
    np.testing.assert_allclose(cbpp.predict(type="response"), cbpp.fitted())
    np.testing.assert_allclose(cbpp.predict(CBPP), cbpp.predict())
    np.testing.assert_allclose(cbpp.predict(CBPP, re_form="~0"), cbpp.getME("X") @ cbpp.beta)
    np.testing.assert_allclose(mm.predict(cbpp), cbpp.predict(type="link"))
    new = pd.DataFrame({"period": ["1"], "herd": ["new"]})
    with pytest.raises(DataError, match="new"):
        cbpp.predict(new)
    assert cbpp.predict(new, allow_new_levels=True)[0] == pytest.approx(cbpp.beta[0])
    with pytest.raises(ArgumentError, match="type must be one of"):
        cbpp.predict(type="terms")


def test_offsets():
    data = load_epil().assign(time=lambda d: np.where(d["V4"] == 1, 2.0, 1.0))
    model = glmer("y ~ lbase + (1 | subject)", data, "poisson", offset="log(time)")
    inside = glmer("y ~ lbase + offset(log(time)) + (1 | subject)", data, "poisson")
    np.testing.assert_allclose(model.beta, inside.beta, atol=1e-8)
    doubled = data.assign(time=2 * data["time"])
    np.testing.assert_allclose(model.predict(doubled, type="response"), 2 * model.fitted(), rtol=1e-10)
    np.testing.assert_allclose(inside.predict(doubled), model.predict() + np.log(2))


def test_refit(cbpp):
    same = cbpp.refit()
    assert same.objective == pytest.approx(cbpp.objective, abs=1e-8)
    counts = CBPP[["incidence", "size"]].assign(size=CBPP["size"] - CBPP["incidence"])
    assert cbpp.refit(counts).objective == pytest.approx(cbpp.objective, abs=1e-8)
    shares = CBPP["incidence"] / CBPP["size"]
    assert cbpp.refit(shares).objective == pytest.approx(cbpp.objective, abs=1e-8)
    doubled = cbpp.refit(2 * counts.to_numpy())
    assert doubled.nobs == 56
    np.testing.assert_array_equal(doubled.getME("weights"), 2 * CBPP["size"])
    np.testing.assert_array_equal(cbpp.getME("weights"), CBPP["size"])
    for y, message in (
        (counts.assign(more=1), "shape"),
        (shares[:-1], "55 values"),
        (shares + 0.01, "not a whole number|between 0 and 1"),
        (shares.where(np.arange(56) != 2), "not finite in 1"),
        (["a"] * 56, "numbers"),
        ("share", "not a name"),
    ):
        with pytest.raises((ArgumentError, DataError), match=message):
            cbpp.refit(y)
    with pytest.raises(ArgumentError, match="REML"):
        cbpp.refit(REML=True)


def test_refit_labels():
    data = load_bacteria()
    model = glmer("y ~ trt + (1 | ID)", data, "binomial")
    assert model.refit(data["y"]).objective == pytest.approx(model.objective, abs=1e-8)
    simulated = model.simulate(3, rng=7)
    assert set(simulated["sim_2"]) == {"n", "y"}
    other = model.refit(simulated["sim_2"])
    assert other.refit(data["y"].astype(str)).objective == pytest.approx(model.objective, abs=1e-7)
    with pytest.raises(DataError, match="levels of the fit"):
        model.refit(np.where(data["y"] == "y", "yes", "no"))


def test_update(cbpp):
    smaller = cbpp.update(". ~ . - period")
    assert smaller.formula == "cbind(incidence, size - incidence) ~ 1 + (1 | herd)"
    probit = cbpp.update(link="probit")
    assert probit.family == families.Binomial("probit")
    assert cbpp.update(nAGQ=3).nAGQ == 3
    assert probit.update(information="expected").information == "expected"
    # lme4 1.1-31 (glmm.json, cbpp_probit)
    assert probit.update(information="expected").objective == pytest.approx(185.24244666508, rel=1e-7)
    with pytest.raises(ArgumentError, match="nAGQ"):
        cbpp.update(nAGQ=101)
    size = families.NegativeBinomial(size=2.0)
    counts = glmer("y ~ lbase + (1 | subject)", load_epil(), size)
    assert counts.update(link="sqrt").dispersion == 2.0


def test_anova(cbpp):
    smaller = cbpp.update(". ~ . - period")
    table = mm.anova(cbpp, smaller)
    assert list(table.index) == ["model 2", "model 1"]
    # lme4 1.1-31 (glmm.json, cbpp_null and cbpp_agq1)
    assert table["Chisq"].iloc[1] == pytest.approx(209.662627187714 - 184.052563742994, abs=1e-5)
    assert table["Df"].iloc[1] == 3
    assert "cbind(incidence" in str(table)
    np.testing.assert_allclose(smaller.anova(cbpp).to_numpy(), table.to_numpy())
    with pytest.raises(ArgumentError, match=r"nAGQ = 1 and model 2 nAGQ = 5.*cannot be compared"):
        mm.anova(cbpp, cbpp.update(nAGQ=5))
    with pytest.raises(ArgumentError, match="information"):
        mm.anova(cbpp, cbpp.update(information="expected"))
    other = cbpp.refit(np.column_stack([CBPP["incidence"], CBPP["size"]]))
    with pytest.raises(DataError, match="different responses"):
        mm.anova(cbpp, other)
    with pytest.raises(DataError, match="fitted to 55 rows"):
        mm.anova(cbpp.update(subset="herd != '1' | period != '1'"), cbpp)
    gaussian = glmer("Reaction ~ Days + (1 | Subject)", load_sleepstudy(), "gaussian", "log")
    linear = fits("sleepstudy", "Reaction ~ Days + (1 | Subject)")
    with pytest.raises(ArgumentError, match="generalized ones with each other"):
        mm.anova(gaussian, linear)


def test_what_only_linear_models_have(cbpp):
    for call in (
        lambda: cbpp.logLik(REML=True),
        lambda: cbpp.deviance(REML=True),
        cbpp.REMLcrit,
        lambda: mm.REMLcrit(cbpp),
    ):
        with pytest.raises(ArgumentError):
            call()
    assert mm.refitML(cbpp) is cbpp


def test_convergence_is_judged_by_all_parameters(cbpp, gamma):
    for model in (cbpp, gamma):
        check = mm.checkConv(model)
        assert check.ok
        assert list(check.gradient.index) == list(model.hessian().index)
    with pytest.warns(mm.ConvergenceWarning, match=r"largest for period\[T.2\]"):
        rough = glmer(FORMULA, CBPP, "binomial", control={"max_evaluations": 1})
    assert not rough.convergence.converged
    assert not mm.checkConv(rough).ok


def test_all_fit(cbpp):
    result = cbpp.allFit(optimizers=["trust_region", "bobyqa"])
    assert list(result.fits) == ["trust_region", "bobyqa"]
    assert result.table["excess"].max() < 1e-5
    assert result.summary().fixef.shape == (2, 4)


@pytest.mark.parametrize("through", [lambda m: pickle.loads(pickle.dumps(m)), copy.copy, copy.deepcopy])
def test_pickles_and_copies(cbpp, through):
    other = through(cbpp)
    assert str(other.summary()) == str(cbpp.summary())
    for array in (other.theta, other.beta, other._fitted.design.y, other._fitted.estimates.eta):
        assert not array.flags.writeable
    assert mm.checkConv(other).ok
    assert other.refit().objective == pytest.approx(cbpp.objective, abs=1e-8)
    assert other.update(". ~ . - period").rank == 1


def test_what_is_returned_cannot_change_the_model(cbpp):
    before = cbpp.fitted()
    cbpp.fitted()[:] = 0
    cbpp.residuals()[:] = 0
    cbpp.predict()[:] = 0
    cbpp.getME("weights")[:] = 0
    np.testing.assert_array_equal(cbpp.fitted(), before)
    with pytest.raises(AttributeError, match="immutable"):
        cbpp.family = "poisson"


def test_components(cbpp, gamma):
    pieces = cbpp.getME("ALL")
    np.testing.assert_allclose(pieces["eta"], cbpp.predict())
    np.testing.assert_allclose(pieces["y"], CBPP["incidence"] / CBPP["size"])
    np.testing.assert_allclose(pieces["X"] @ pieces["beta"] + pieces["Z"] @ pieces["b"], pieces["eta"])
    np.testing.assert_allclose(pieces["Lambda"] @ pieces["u"], pieces["b"], atol=1e-10)
    np.testing.assert_allclose(
        np.linalg.inv(pieces["RX"].T @ pieces["RX"]), cbpp.vcov(conditional=True), rtol=1e-8
    )
    value = pieces["devfun"]({"theta": cbpp.theta, "beta": cbpp.beta})
    assert value == pytest.approx(cbpp.objective, abs=1e-8)
    start = {"theta": gamma.theta, "beta": gamma.beta, "dispersion": gamma.dispersion}
    assert gamma.getME("devfun")(start) == pytest.approx(gamma.objective, abs=1e-7)
    with pytest.raises(ArgumentError, match="unknown name 'REML'"):
        cbpp.getME("REML")


def test_blocks(cbpp):
    assert "herd" in str(cbpp.describe_blocks())


def test_functions_mirror_the_methods(cbpp):
    pd.testing.assert_series_equal(mm.fixef(cbpp), cbpp.fixef())
    pd.testing.assert_frame_equal(mm.vcov(cbpp, conditional=True), cbpp.vcov(conditional=True))
    np.testing.assert_array_equal(mm.residuals(cbpp), cbpp.residuals("deviance"))
    pd.testing.assert_frame_equal(mm.simulate(cbpp, 2, 5), cbpp.simulate(2, 5))
    assert mm.sigma(cbpp) == 1.0
    assert mm.summary(cbpp).title == cbpp.summary().title


def test_expected_and_observed_information_differ_for_other_links_only():
    data = load_contraception().head(400)
    formula = "use ~ age + (1 | district)"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedModelsWarning)
        by = {
            (link, kind): glmer(formula, data, "binomial", link, information=kind).objective
            for link in ("logit", "probit")
            for kind in ("observed", "expected")
        }
    assert by["logit", "observed"] == pytest.approx(by["logit", "expected"], abs=1e-9)
    assert abs(by["probit", "observed"] - by["probit", "expected"]) > 1e-3


def test_a_family_of_ones_own():
    data = load_epil()
    own = families.user(_log_density, _score, _mean, _mean, link="log", variance=_identity)
    model = glmer("y ~ lbase + (1 | subject)", data, own)
    poisson = glmer("y ~ lbase + (1 | subject)", data, "poisson")
    np.testing.assert_allclose(model.beta, poisson.beta, atol=1e-6)
    np.testing.assert_allclose(model.theta, poisson.theta, atol=1e-6)
    np.testing.assert_allclose(model.residuals("pearson"), poisson.residuals("pearson"), atol=1e-5)
    assert "user (log)" in str(model.summary())
    with pytest.raises(ArgumentError, match="user has no formula"):
        model.update(information="expected")
    assert pickle.loads(pickle.dumps(model)).objective == model.objective


def _log_density(y, eta, weights):
    return weights * (y * eta - np.exp(eta))


def _score(y, eta, weights):
    return weights * (y - np.exp(eta))


def _mean(y, eta, weights):
    return weights * np.exp(eta)


def _identity(mu):
    return mu
