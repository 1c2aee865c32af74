"""What users of lme4 rely on in generalized models; the numbers are those of a list of its behaviours."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.stats import nbinom

from mixedmodels import (
    LinearMixedModel,
    families,
    glmer,
    lmer,
    load_cbpp,
    load_dietox,
    load_epil,
    load_grouseticks,
    load_sleepstudy,
)
from mixedmodels.errors import (
    ArgumentError,
    DataError,
    MixedModelsWarning,
    SeparationWarning,
    SingularFitWarning,
)

CBPP = load_cbpp()
FORMULA = "cbind(incidence, size - incidence) ~ period + (1 | herd)"
# lme4 stops its search earlier than we do.
LME4 = 1e-3


@pytest.fixture(scope="module")
def cbpp():
    return glmer(FORMULA, CBPP, "binomial")


def test_46_residuals(cbpp):
    """46. Ranges of the four types of residuals of the cbpp model."""
    ranges = {
        "deviance": (-3.19750, 2.35669),
        "response": (-0.194675, 0.318459),
        "pearson": (-2.381636, 2.879088),
        "working": (-1.241734, 5.410645),
    }
    for kind, (low, high) in ranges.items():
        values = cbpp.residuals(kind)
        np.testing.assert_allclose([values.min(), values.max()], [low, high], rtol=LME4)


def test_47_deviance_residuals_are_zero_where_the_mean_is_the_response():
    """47. No NaN from rounding."""
    family = families.Binomial()
    y = np.array([0.0, 0.2, 0.5, 1.0])
    eta = np.array([-np.inf, np.log(0.25), 0.0, np.inf])
    np.testing.assert_allclose(family.deviance(y, eta, np.full(4, 7.0), 1.0), 0.0, atol=1e-7)


def test_49_laplace_numbers(cbpp):
    """49. cbpp: theta, -2 log-likelihood, AIC, sum of the squared deviance residuals."""
    assert cbpp.theta[0] == pytest.approx(0.642227, rel=LME4)
    assert cbpp.objective == pytest.approx(184.05267, abs=2e-4)
    assert cbpp.AIC() == pytest.approx(194.052674, abs=2e-4)
    assert np.square(cbpp.residuals("deviance")).sum() == pytest.approx(73.47428, rel=LME4)


def test_50_forms_of_a_binomial_response(cbpp):
    """50. Counts, proportions with weights, 0/1, True/False and labels."""
    shares = CBPP.assign(share=CBPP["incidence"] / CBPP["size"])
    by_share = glmer("share ~ period + (1 | herd)", shares, "binomial", weights="size")
    assert by_share.objective == pytest.approx(cbpp.objective, rel=1e-10)
    rows = CBPP.loc[CBPP.index.repeat(CBPP["size"])].reset_index(drop=True)
    ill = np.concatenate([np.arange(size) for size in CBPP["size"]]) < rows["incidence"]
    forms = [ill.astype(int), ill, pd.Categorical(np.where(ill, "yes", "no"), categories=["no", "yes"])]
    single = [glmer("ill ~ period + (1 | herd)", rows.assign(ill=form), "binomial") for form in forms]
    for model in single:
        np.testing.assert_allclose(model.beta, cbpp.beta, atol=1e-5)
        assert model.objective == single[0].objective


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
def test_51_links_of_the_binomial_family(link, cbpp):
    """51. Probabilities hardly depend on the link."""
    model = glmer(FORMULA, CBPP, "binomial", link=link)
    assert model.convergence.converged
    np.testing.assert_allclose(model.fitted(), cbpp.fitted(), atol=0.03)


def test_51_the_cauchit_link():
    """51. As in lme4 1.1-31, which weighs by the expected information."""
    model = glmer(FORMULA, CBPP, "binomial", link="cauchit", information="expected")
    np.testing.assert_allclose(model.beta, [-1.66110003, -2.29687046, -2.37536176, -5.10128219], rtol=LME4)
    assert model.objective == pytest.approx(181.60281047, abs=2e-3)
    assert model.objective <= 181.60281047


def test_51_a_log_link_with_zeros_in_a_gaussian_response():
    """51. No start has to be given."""
    data = load_sleepstudy()
    data = data.assign(Reaction=np.where(np.arange(len(data)) == 3, 0.0, data["Reaction"]))
    model = glmer("Reaction ~ Days + (1 | Subject)", data, "gaussian", link="log")
    assert model.convergence.converged
    assert model.beta[0] == pytest.approx(np.log(250), abs=0.2)


def test_52_numbers_of_quadrature_points():
    """52. 1 to 100; 0 is the fast approximation; more is an error."""
    nine, hundred = (glmer(FORMULA, CBPP, "binomial", nAGQ=k) for k in (9, 100))
    assert hundred.objective == pytest.approx(nine.objective, abs=1e-3)
    with pytest.raises(ArgumentError, match="from 0 to 100"):
        glmer(FORMULA, CBPP, "binomial", nAGQ=101)


def test_52_quadrature_and_new_responses():
    """52. Simulation and refits keep the number of points."""
    model = glmer(FORMULA, CBPP, "binomial", nAGQ=9)
    drawn = model.simulate(1, rng=1)["sim_1"]
    again = model.refit(drawn)
    assert again.nAGQ == 9
    assert again.objective != model.objective


def test_53_complete_separation():
    """53. A diagnosis, and the other coefficients right."""
    rng = np.random.default_rng(53)
    g, x = np.repeat(np.arange(25), 8), rng.normal(size=200)
    apart = np.tile([0, 0, 0, 0, 0, 0, 1, 1], 25)
    y = rng.uniform(size=200) < 1 / (1 + np.exp(-0.5 * x - rng.normal(size=25)[g]))
    data = pd.DataFrame({"y": (y | (apart == 1)).astype(int), "x": x, "apart": apart, "g": g})
    with pytest.warns(SeparationWarning, match="coefficient of apart"):
        model = glmer("y ~ x + apart + (1 | g)", data, "binomial")
    alone = glmer("y ~ x + (1 | g)", data[apart == 0], "binomial")
    assert np.isfinite(model.beta).all()
    np.testing.assert_allclose(model.beta[:2], alone.beta, atol=1e-4)
    np.testing.assert_allclose(model.se[:2], alone.se, rtol=1e-3)


def test_54_standard_errors_allow_for_the_variance_of_the_random_effects(cbpp):
    """54. Jointly as glmmTMB 1.1.5 has them (differences in lme4 leave 1 %), given theta as lme4 1.1-31."""
    np.testing.assert_allclose(cbpp.se, [0.23247205, 0.30664249, 0.32663781, 0.42743660], rtol=1e-4)
    given = np.sqrt(np.diag(cbpp.vcov(conditional=True)))
    np.testing.assert_allclose(given, [0.227851147, 0.305346926, 0.326000477, 0.428701887], rtol=LME4)


def test_55_a_hessian_that_is_not_positive_definite():
    """55. A warning, and the errors given theta: never NaN in silence."""
    start = {"theta": [0.0], "beta": [-1.4, -1.0, -1.1, -1.6]}
    model = glmer(FORMULA, CBPP, "binomial", optimizer=None, start={**start, "theta": [3.0]})
    with pytest.warns(MixedModelsWarning, match="not positive definite"):
        errors = model.se
    assert np.isfinite(errors).all()


def test_56_responses_that_say_nothing():
    """56. Constant: an error. Text: an error."""
    with pytest.raises(DataError, match="constant"):
        glmer("one ~ period + (1 | herd)", CBPP.assign(one=1), "binomial")
    with pytest.raises(DataError, match="text or categories"):
        glmer("text ~ period + (1 | herd)", CBPP.assign(text="a"), "poisson")


def test_57_a_gaussian_with_identity_link():
    """57. Handed over to lmer, with the same fit."""
    data, formula = load_sleepstudy(), "Reaction ~ Days + (Days | Subject)"
    with pytest.warns(MixedModelsWarning, match="lmer"):
        model = glmer(formula, data, "gaussian")
    assert isinstance(model, LinearMixedModel)
    assert model.objective == lmer(formula, data, REML=False).objective


def test_58_a_year_that_is_not_centred():
    """58. With an offset log(area): no warning, and the slope of the centred model."""
    rng = np.random.default_rng(58)
    site, year = np.repeat(np.arange(10), 3), np.tile([2004, 2005, 2006], 10)
    area = rng.uniform(2, 40, size=30)
    rate = np.exp(-1.5 + 0.1 * (year - 2005) + 0.4 * rng.normal(size=10)[site])
    data = pd.DataFrame({"shells": rng.poisson(area * rate), "year": year, "area": area, "site": site})
    formula = "shells ~ year + offset(log(area)) + (1 | site)"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        raw = glmer(formula, data, "poisson")
        centred = glmer(formula, data.assign(year=year - 2005), "poisson")
    assert raw.objective == pytest.approx(centred.objective, rel=1e-10)
    assert raw.beta[1] == pytest.approx(centred.beta[1], abs=1e-6)


def test_59_a_cloglog_link_with_offset_from_a_bad_start():
    """59. The chain-binomial model of an epidemic: log R0 from any start."""
    rng = np.random.default_rng(59)
    g = np.repeat(np.arange(15), 12)
    contacts = rng.uniform(0.02, 0.4, size=180)
    eta = np.log(1.5) + 0.4 * rng.normal(size=15)[g] + np.log(contacts)
    size = rng.integers(5, 40, size=180)
    data = pd.DataFrame(
        {"ill": rng.binomial(size, -np.expm1(-np.exp(eta))), "size": size, "c": contacts, "g": g}
    )
    formula = "cbind(ill, size - ill) ~ 1 + offset(log(c)) + (1 | g)"
    good = glmer(formula, data, "binomial", link="cloglog")
    bad = glmer(formula, data, "binomial", link="cloglog", start={"beta": [7.0], "theta": [5.0]})
    assert bad.beta[0] == pytest.approx(good.beta[0], abs=1e-5)
    assert good.beta[0] == pytest.approx(np.log(1.5), abs=3 * good.se.iloc[0])


@pytest.mark.parametrize("family", [name for name in families.FAMILIES if name != "gaussian"])
def test_60_family_functions_at_extreme_linear_predictors(family):
    """60. Means inside their range, variances not negative, no NaN, at linear predictors up to 1e30."""
    eta = np.array([-1e30, -750.0, -40.0, 0.5, 40.0, 750.0, 1e30])
    for link in families.FAMILIES[family].links:
        chosen = families.as_family(family, link)
        inside = eta if link in ("logit", "probit", "cloglog", "cauchit", "log", "sqrt") else eta[eta > 0]
        if family == "binomial" and link == "log":
            inside = eta[eta < 0]
        mean = chosen.mean(inside)
        assert not np.isnan(mean).any()
        assert (mean >= 0).all()
        if family in ("binomial", "beta"):
            assert (mean <= 1).all()
        moderate = np.isfinite(mean) & (mean < 1e100)
        assert (chosen.variance(mean[moderate], 1.0) >= 0).all()


def test_62_negative_binomial_without_random_variance():
    """62. The fit is that of the model without random effects."""
    rng = np.random.default_rng(62)
    x, g = rng.normal(size=400), np.tile(np.arange(20), 20)
    y = rng.poisson(np.exp(1 + 0.3 * x) * rng.gamma(2.0, 0.5, size=400))
    data = pd.DataFrame({"y": y, "x": x, "g": g}).sort_values("y")
    # Dealt out in order, the counts have nothing left that levels could explain.
    data["g"] = np.tile(np.arange(20), 20)
    with pytest.warns(SingularFitWarning):
        model = glmer("y ~ x + (1 | g)", data, "nbinom2", start={"dispersion": 7.0})
    assert model.theta[0] == 0.0

    def minus_two_log_likelihood(p):
        mean, size = np.exp(p[0] + p[1] * data["x"]), np.exp(p[2])
        return -2 * nbinom.logpmf(data["y"], size, size / (size + mean)).sum()

    alone = minimize(
        minus_two_log_likelihood,
        [1.0, 0.3, 0.7],
        method="Nelder-Mead",
        options={"xatol": 1e-8, "fatol": 1e-10, "maxiter": 4000},
    )
    assert model.objective == pytest.approx(alone.fun, rel=1e-8)
    np.testing.assert_allclose(model.beta, alone.x[:2], atol=1e-4)
    assert model.dispersion == pytest.approx(np.exp(alone.x[2]), rel=1e-3)


def test_62_negative_binomial_arguments():
    """62. Offset, subset, contrasts and missing values work as elsewhere."""
    data = load_epil()
    half = data["subject"].astype(int) <= 30
    formula = "y ~ trt + V4 + (1 | subject)"
    part = glmer(formula, data, "nbinom2", subset=half.to_numpy())
    assert part.objective == glmer(formula, data[half], "nbinom2").objective
    moved = glmer(formula, data, "nbinom2", offset=np.full(len(data), 2.0))
    whole = glmer(formula, data, "nbinom2")
    assert moved.beta[0] == pytest.approx(whole.beta[0] - 2.0, abs=1e-4)
    summed = glmer(formula, data, "nbinom2", contrasts={"trt": "sum"})
    assert summed.objective == pytest.approx(whole.objective, rel=1e-9)
    holes = data.assign(V4=np.where(np.arange(len(data)) == 5, np.nan, data["V4"]))
    padded = glmer(formula, holes, "nbinom2", na_action="exclude")
    assert np.isnan(padded.fitted()[5])
    assert len(padded.fitted()) == len(data)


def test_63_an_effect_for_each_observation():
    """63. Allowed for counts."""
    data = load_grouseticks()
    model = glmer("TICKS ~ YEAR + (1 | INDEX)", data, "poisson")
    assert model.convergence.converged
    assert model.ngrps["INDEX"] == len(data)


def test_64_no_fixed_effects():
    """64. y ~ 0 + (1 | g)."""
    model = glmer("cbind(incidence, size - incidence) ~ 0 + (1 | herd)", CBPP, "binomial")
    assert model.convergence.converged
    assert len(model.fixef()) == 0


def test_72_singular_fits_of_every_family():
    """72. Zero variances are found in the same way for Poisson and Gamma models."""
    g, x = np.repeat(np.arange(10), 10), np.tile(np.linspace(-1, 1, 10), 10)
    y = np.tile([1.0, 2, 1, 3, 2, 4, 3, 5, 4, 6], 10)
    data = pd.DataFrame({"y": y, "x": x, "g": g})
    for family, link in (("poisson", "log"), ("gamma", "log")):
        with pytest.warns(MixedModelsWarning, match="singular"):
            model = glmer("y ~ x + (1 | g)", data, family, link=link)
        assert model.is_singular()


def test_73_variances_as_a_frame(cbpp):
    """73. No residual line for a family without a scale, one with it."""
    table = cbpp.VarCorr().to_frame()
    assert list(table["grp"]) == ["herd"]
    assert table["sdcor"][0] == pytest.approx(cbpp.theta[0])
    gamma = glmer("Weight ~ Time + (1 | Pig)", load_dietox(), "gamma", link="log")
    assert list(gamma.VarCorr().to_frame()["grp"]) == ["Pig", "Residual"]


def test_74_likelihood_ratios(cbpp):
    """74. Columns and test; different data and different approximations are refused."""
    null = glmer("cbind(incidence, size - incidence) ~ 1 + (1 | herd)", CBPP, "binomial")
    table = null.anova(cbpp)
    values = table.to_frame() if hasattr(table, "to_frame") else pd.DataFrame(table)
    assert values["npar"].tolist() == [2, 5]
    assert values["Chisq"].iloc[1] == pytest.approx(null.objective - cbpp.objective, rel=1e-10)
    with pytest.raises(ArgumentError):
        cbpp.anova(glmer(FORMULA, CBPP, "binomial", nAGQ=9))
    with pytest.raises(DataError, match="56 rows and model 2 to 55"):
        cbpp.anova(glmer(FORMULA, CBPP.iloc[1:], "binomial"))


def test_96_predictions_on_the_scale_of_the_response(cbpp):
    """96. The inverse link of those on the scale of the link; 90 and 91 with it."""
    for new, form in ((None, None), (CBPP, None), (CBPP, "~0")):
        link = cbpp.predict(new, form)
        np.testing.assert_allclose(
            cbpp.predict(new, form, type="response"), 1 / (1 + np.exp(-link)), rtol=1e-14
        )
    np.testing.assert_allclose(cbpp.predict(CBPP, type="response"), cbpp.fitted(), rtol=1e-13)


def test_98_simulation(cbpp):
    """98. Reproducible by seed, in the shape of the response, refitted with ease."""
    one, two = cbpp.simulate(2, rng=98), cbpp.simulate(2, rng=98)
    pd.testing.assert_frame_equal(one, two)
    assert not one["sim_1"].equals(cbpp.simulate(2, rng=99)["sim_1"])
    assert one["sim_1"].shape == (len(CBPP), 2)
    np.testing.assert_array_equal(one["sim_1"].sum(axis=1), CBPP["size"])
    assert cbpp.refit(one["sim_1"]).convergence.converged
    kept = cbpp.simulate(400, rng=1, use_u=True)
    first = np.mean([kept[f"sim_{i + 1}"].to_numpy()[:, 0] for i in range(400)], axis=0)
    spread = np.sqrt(CBPP["size"] * cbpp.fitted() * (1 - cbpp.fitted()) / 400)
    assert (np.abs(first - CBPP["size"] * cbpp.fitted()) < 4.5 * spread).all()


@pytest.mark.parametrize(
    ("family", "dispersion"),
    [
        (families.Gamma("log"), 0.5),
        (families.InverseGaussian("log"), 0.3),
        (families.NegativeBinomial(), 2.0),
    ],
    ids=str,
)
def test_98_draws_have_the_mean_and_variance_of_the_family(family, dispersion):
    """61 and 98. Gamma, inverse Gaussian and negative binomial draws."""
    n = 200_000
    drawn = family.draw(np.random.default_rng(98), np.full(n, 3.0), np.ones(n), dispersion)
    variance = family.variance(np.full(1, 3.0), dispersion)[0]
    assert drawn.mean() == pytest.approx(3.0, abs=5 * np.sqrt(variance / n))
    assert drawn.var() == pytest.approx(variance, rel=0.05)
