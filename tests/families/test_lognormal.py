"""Log-normal models: the linear mixed model of the logarithm, with the likelihood of the response itself."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from mixedmodels import emmeans, glance, glmer, icc, lmer, r2
from mixedmodels.errors import ArgumentError, DataError

N = 120


def _data() -> pd.DataFrame:
    rng = np.random.default_rng(20)
    g, x = np.arange(N) % 12, rng.standard_normal(N)
    levels = rng.multivariate_normal([0.0, 0.0], [[0.25, 0.05], [0.05, 0.09]], 12)
    data = pd.DataFrame(
        {
            "x": x,
            "g": g.astype(str),
            "f": np.array(["a", "b", "c"])[np.arange(N) % 3],
            "w": rng.uniform(0.5, 4.0, N),
            "o": 0.1 * rng.standard_normal(N),
        }
    )
    noise = 0.4 * rng.standard_normal(N) / np.sqrt(data["w"])
    data["y"] = np.exp(2.0 + 0.3 * x + levels[g, 0] + levels[g, 1] * x + noise)
    data.loc[5, "x"] = np.nan
    return data


DATA = _data()
OPTIONS = {
    "plain": {},
    "weights": {"weights": "w"},
    "offset": {"offset": "o"},
    "both": {"weights": "w", "offset": "o"},
    "slope": {"random": "(x | g)"},
    "diagonal": {"random": "(x || g)", "weights": "w"},
    "quadrature": {"nAGQ": 5},
    "expected": {"information": "expected"},
    "padded": {"na_action": "exclude"},
    "held": {"fixed": {"sigma": 0.5}},
}


def both(name: str):
    options = dict(OPTIONS[name])
    right = f"x + f + {options.pop('random', '(1 | g)')}"
    log_normal = glmer(f"y ~ {right}", DATA, "lognormal", **options)
    for other in ("nAGQ", "information"):
        options.pop(other, None)
    return log_normal, lmer(f"log(y) ~ {right}", DATA, REML=False, **options)


@pytest.mark.parametrize("name", OPTIONS)
def test_the_fit_is_that_of_the_logarithm(name):
    model, linear = both(name)
    jacobian = np.log(DATA["y"][DATA["x"].notna()]).sum()
    assert model.objective == pytest.approx(linear.objective + 2 * jacobian, abs=1e-7)
    np.testing.assert_allclose(model.fixef(), linear.fixef(), atol=1e-6)
    assert model.sigma == pytest.approx(linear.sigma, abs=1e-6)
    for own, other in zip(model.VarCorr().values(), linear.VarCorr().values(), strict=True):
        np.testing.assert_allclose(own.sd, other.sd, atol=1e-6)
    np.testing.assert_allclose(model.ranef()["g"], linear.ranef()["g"], atol=1e-6)
    np.testing.assert_allclose(model.vcov(conditional=True), linear.vcov(), rtol=1e-5)
    assert model.AIC() == pytest.approx(linear.AIC() + 2 * jacobian, abs=1e-7)


@pytest.mark.parametrize("name", OPTIONS)
def test_residuals_and_leverages_are_those_of_the_logarithm(name):
    model, linear = both(name)
    for kind in ("pearson", "deviance", "working"):
        np.testing.assert_allclose(model.residuals(kind), linear.residuals(kind), atol=1e-6)
    observed = DATA["y"].to_numpy()
    if name != "padded":
        observed = observed[DATA["x"].notna()]
    np.testing.assert_allclose(model.fitted(), np.exp(linear.fitted()), rtol=1e-6)
    np.testing.assert_allclose(model.residuals("response"), observed - model.fitted(), rtol=1e-9)
    np.testing.assert_allclose(model._fitted.leverages(), linear._fitted.leverages(), atol=1e-5)


def test_predictions_are_medians():
    model, linear = both("slope")
    new = {"x": [0.0, 1.0], "f": ["a", "c"], "g": ["3", "3"]}
    for re_form in (None, "~0"):
        eta = linear.predict(new, re_form)
        np.testing.assert_allclose(model.predict(new, re_form), eta, atol=1e-6)
        np.testing.assert_allclose(model.predict(new, re_form, type="response"), np.exp(eta), rtol=1e-6)


def test_marginal_means_are_medians_and_means_on_request():
    model, linear = both("slope")
    for adjust in (False, True):
        own = emmeans(model, "~ f", type="response", bias_adjust=adjust).to_frame()
        other = emmeans(linear, "~ f", type="response", bias_adjust=adjust).to_frame()
        name = "response" if adjust else "median"
        assert ("median" in own) != adjust
        np.testing.assert_allclose(own[name], other["response"], rtol=1e-5)


@pytest.mark.parametrize("which", [0, 1])
def test_means_are_averaged_over_residuals_too(which):
    """The note states the standard deviation of all that is averaged over."""
    model = both("slope")[which]
    text = " ".join(str(emmeans(model, "~ f", type="response", bias_adjust=True)).split())
    assert re.search(r"Averaged over random effects and residuals with a standard deviation of [\d.]+", text)
    assert "residuals" not in str(emmeans(model, "~ f", type="response"))


def test_shares_of_variance_are_those_of_the_logarithm():
    model, linear = both("slope")
    for kind in ("lognormal", "delta", "trigamma"):
        assert r2(model, approximation=kind).conditional == pytest.approx(r2(linear).conditional, abs=1e-6)
        assert icc(model, approximation=kind).adjusted == pytest.approx(icc(linear).adjusted, abs=1e-6)


@pytest.mark.parametrize("name", ["weights", "slope"])
def test_simulations_have_the_moments_of_the_model(name):
    model, linear = both(name)
    drawn = np.log(model.simulate(4000, 1).to_numpy())
    mean = linear.predict(re_form="~0")
    z, factor = linear.getME("Z").toarray(), linear.getME("Lambda").toarray()
    weights = linear.getME("weights")
    covariance = linear.sigma**2 * (z @ factor @ factor.T @ z.T + np.diag(1 / weights))
    sd = np.sqrt(np.diag(covariance))
    np.testing.assert_array_less(np.abs(drawn.mean(axis=1) - mean) / sd, 5 / np.sqrt(4000))
    found = np.cov(drawn) / np.outer(sd, sd)
    np.testing.assert_allclose(found, covariance / np.outer(sd, sd), atol=6 / np.sqrt(4000))
    assert model.refit(np.exp(drawn[:, 0]))._fitted.convergence.converged


def test_the_dispersion_is_found_and_held_by_its_names():
    model, _ = both("plain")
    assert model.dispersion == pytest.approx(model.sigma**2)
    assert glance(model)["sigma"].iloc[0] == model.sigma
    held = glmer("y ~ x + (1 | g)", DATA, "lognormal", fixed={"dispersion": 0.25})
    assert held.sigma == 0.5
    assert held.family.dispersion == 0.25


def test_responses_must_be_positive():
    with pytest.raises(DataError, match=r"family lognormal requires every value to be positive"):
        glmer("y ~ x + (1 | g)", DATA.assign(y=DATA["y"].where(DATA.index != 3, 0.0)), "lognormal")
    with pytest.raises(ArgumentError, match="no link 'identity'"):
        glmer("y ~ x + (1 | g)", DATA, "lognormal", link="identity")


@pytest.mark.filterwarnings("ignore::mixedmodels.errors.MixedModelsWarning")
def test_a_response_that_the_means_reproduce_has_no_optimum():
    data = {"y": np.exp(np.arange(12) % 4.0), "f": list("abcd") * 3, "g": np.repeat(list("xyz"), 4)}
    model = glmer("y ~ f + (1 | g)", data, "lognormal")
    assert "the means reproduce the response" in model._fitted.convergence.problem
