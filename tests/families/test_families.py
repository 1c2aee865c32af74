"""Families: names, variances and deviances against scipy's distributions, draws against both."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mixedmodels import families, glmer
from mixedmodels.errors import ArgumentError, MixedModelsWarning
from mixedmodels.families import FAMILIES, as_family

MU = np.array([0.2, 0.5, 0.9])
DISPERSION = 0.7


def distribution(name: str, mu, d):
    """scipy's distribution with this mean; for the binomial family of 12 trials."""
    return {
        "binomial": lambda: stats.binom(12, mu),
        "poisson": lambda: stats.poisson(mu),
        "gaussian": lambda: stats.norm(mu, np.sqrt(d)),
        "gamma": lambda: stats.gamma(1 / d, scale=mu * d),
        "inverse_gaussian": lambda: stats.invgauss(mu * d, scale=1 / d),
        "lognormal": lambda: stats.lognorm(np.sqrt(d), scale=mu),
        "nbinom2": lambda: stats.nbinom(d, d / (d + mu)),
        "nbinom1": lambda: stats.nbinom(mu / d, 1 / (1 + d)),
        "beta": lambda: stats.beta(mu * d, (1 - mu) * d),
    }[name]()


@pytest.mark.parametrize("name", FAMILIES)
def test_variance(name):
    trials = 12 if name == "binomial" else 1
    wanted = distribution(name, MU, DISPERSION).var() / trials
    np.testing.assert_allclose(FAMILIES[name]().variance(MU, DISPERSION), wanted, rtol=1e-12)


@pytest.mark.parametrize("name", FAMILIES)
def test_unit_deviance(name):
    """Twice the difference of log-densities at the means y and mu."""
    family = FAMILIES[name]()
    values = {"binomial": [3 / 12, 7 / 12, 11 / 12], "beta": [0.1, 0.55, 0.97]}.get(name, [1.0, 2.0, 5.0])
    y, trials = np.array(values), 12 if name == "binomial" else 1

    def log_density(mu):
        dist = distribution(name, mu, DISPERSION)
        discrete = name in ("binomial", "poisson", "nbinom2", "nbinom1")
        return dist.logpmf(np.round(y * trials)) if discrete else dist.logpdf(y)

    wanted = 2 * (log_density(y) - log_density(MU)) / trials
    if name in ("gaussian", "gamma", "inverse_gaussian", "lognormal"):
        # Deviances leave the dispersion out.
        wanted = wanted * DISPERSION
    if name in ("nbinom1", "beta"):
        wanted = np.abs(wanted)
    np.testing.assert_allclose(family.unit_deviance(y, MU, DISPERSION), wanted, rtol=1e-9)


@pytest.mark.parametrize("name", ["binomial", "poisson", "nbinom2", "nbinom1"])
def test_deviance_of_zero(name):
    """y log y is 0 at 0, and a mean of 0 or 1 that fits has no deviance."""
    family, eta = FAMILIES[name](), np.array([-0.3, -800.0])
    deviance = family.deviance(np.zeros(2), eta, np.ones(2), DISPERSION)
    assert np.isfinite(deviance).all()
    assert deviance[0] < 0
    assert deviance[1] == 0


@pytest.mark.parametrize("name", FAMILIES)
def test_draws_have_the_mean_and_variance(name):
    family = FAMILIES[name]()
    mu, n = np.repeat(MU, 40_000), 40_000
    weights = np.full(mu.shape, 3.0)
    drawn = family.draw(np.random.default_rng(1), mu, weights, DISPERSION).reshape(3, n)
    variance, center = family.variance(MU, DISPERSION), MU
    if name in ("binomial", "gaussian", "gamma", "inverse_gaussian"):
        variance = variance / 3
    if family.center == "median":
        # Weights divide the variance of the logarithm.
        assert name == "lognormal"
        variance = family.variance(MU, DISPERSION / 3)
        center = MU * np.exp(DISPERSION / 6)
        np.testing.assert_allclose(np.median(drawn, axis=1), MU, rtol=0.02)
    assert family.check(drawn.ravel()) is None
    np.testing.assert_allclose(drawn.mean(axis=1), center, atol=5 * np.sqrt(variance.max() / n))
    np.testing.assert_allclose(drawn.var(axis=1), variance, rtol=0.08)


def test_sigma():
    """As glmmTMB reports it."""
    wanted = {"gaussian": 0.7**0.5, "gamma": 0.7**0.5, "inverse_gaussian": 0.7**0.5, "nbinom2": 0.7}
    wanted |= {"lognormal": 0.7**0.5, "nbinom1": 0.7, "beta": 0.7, "binomial": 1.0, "poisson": 1.0}
    assert {name: family().sigma(0.7) for name, family in FAMILIES.items()} == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("binomial", "binomial"),
        ("Bernoulli", "binomial"),
        ("Gamma", "gamma"),
        ("inverse.gaussian", "inverse_gaussian"),
        ("inverse gaussian", "inverse_gaussian"),
        ("negative_binomial", "nbinom2"),
        ("nb", "nbinom2"),
        ("NB1", "nbinom1"),
        ("beta_family", "beta"),
        ("normal", "gaussian"),
        (families.Poisson, "poisson"),
        (families.Beta(), "beta"),
    ],
)
def test_lookup(given, name):
    family = as_family(given)
    assert family.name == name
    assert family.link == FAMILIES[name].links[0]
    assert pickle.loads(pickle.dumps(family)) == family


@pytest.mark.parametrize(
    ("family", "link", "message"),
    [
        (None, None, r"needs a family; .*poisson \(log, identity, sqrt\)"),
        ("binomail", None, "did you mean 'binomial'"),
        ("weibull", None, r"unknown family 'weibull'.*nbinom1 \(log\)"),
        ("quasipoisson", None, "no likelihood.*nbinom2"),
        (3, None, "not int"),
        ("poisson", "logit", "no link 'logit'; its links: log, identity, sqrt"),
        (families.Poisson("sqrt"), "log", "already sets a link"),
        (families.Binomial, "log-log", "no link 'log-log'"),
    ],
)
def test_errors(family, link, message):
    with pytest.raises(ArgumentError, match=message):
        as_family(family, link)


def test_fixed_dispersion():
    fixed = families.NegativeBinomial("sqrt", size=2)
    assert fixed.for_engine() == {"name": "nbinom2", "link": "sqrt", "dispersion": 2.0}
    assert not fixed.estimates_dispersion
    assert families.Gamma(dispersion=0.5).dispersion == 0.5
    assert families.Gamma().estimates_dispersion
    assert not families.Poisson().estimates_dispersion
    for size in (0, -1, np.inf, "1", True):
        with pytest.raises(ArgumentError, match="positive"):
            families.NegativeBinomial(size=size)
    with pytest.raises(ArgumentError, match="no dispersion"):
        families.Poisson(dispersion=2.0)


@pytest.mark.parametrize("family", ["gamma", "inverse_gaussian", "lognormal"])
@pytest.mark.parametrize("power", [-170, -110, 110, 170])
def test_the_unit_of_a_positive_response_does_not_matter(family, power):
    if family == "inverse_gaussian":
        # The dispersion has the unit of 1/y.
        power = power // 2
    rng = np.random.default_rng(5)
    data = pd.DataFrame({"g": np.repeat(np.arange(12), 8), "x": np.tile(np.arange(8.0), 12)})
    data["y"] = np.exp(0.1 * data["x"] + 0.4 * rng.normal(size=12)[data["g"]]) * rng.gamma(9.0, 1 / 9, 96)
    fits = [
        glmer("y ~ x + (1 | g)", data.assign(y=data["y"] * scale), family) for scale in (1.0, 10.0**power)
    ]
    assert all(fit.converged for fit in fits)
    np.testing.assert_allclose(fits[1].theta, fits[0].theta, rtol=1e-4)
    np.testing.assert_allclose(fits[1].beta[1], fits[0].beta[1], rtol=1e-4)


@pytest.mark.parametrize("family", ["binomial", "poisson", "nbinom2", "beta"])
def test_residuals_without_a_scale_are_not_scaled(family):
    data = pd.DataFrame({"g": np.repeat(list("abcdef"), 4), "y": np.tile([0.0, 1.0, 1.0, 0.0], 6)})
    data.loc[::5, "y"] = 1.0
    if family == "beta":
        data["y"] = 0.2 + 0.5 * data["y"] + 0.01 * np.arange(24)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedModelsWarning)
        model = glmer("y ~ 1 + (1 | g)", data, family)
    with pytest.raises(ArgumentError, match=f"family {family} has no scale"):
        model.residuals(scaled=True)
