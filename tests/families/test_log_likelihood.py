"""The log-densities of the families, against scipy and against the engine."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mixedmodels import families, glmer
from mixedmodels.families.lookup import as_family
from mixedmodels.families.user import user

ETA = np.array([-1.3, -0.2, 0.4, 1.1])
ONES = np.ones(4)
D = 0.7


def shape(mu):
    return ONES / D


REFERENCES = {
    "gaussian": ("log", [0.1, 2.0, -1.0, 0.3], lambda y, mu: stats.norm.logpdf(y, mu, np.sqrt(D))),
    "lognormal": ("log", [0.1, 2.0, 1.0, 0.3], lambda y, mu: stats.lognorm.logpdf(y, np.sqrt(D), scale=mu)),
    "poisson": ("log", [0, 1, 2, 7], stats.poisson.logpmf),
    "gamma": ("log", [0.1, 2.0, 1.0, 0.3], lambda y, mu: stats.gamma.logpdf(y, 1 / D, scale=mu * D)),
    "inverse_gaussian": (
        "log",
        [0.1, 2.0, 1.0, 0.3],
        lambda y, mu: stats.invgauss.logpdf(y, mu * D, scale=1 / D),
    ),
    "beta": ("logit", [0.1, 0.5, 0.9, 0.3], lambda y, mu: stats.beta.logpdf(y, mu * D, (1 - mu) * D)),
    "nbinom2": ("log", [0, 1, 2, 7], lambda y, mu: stats.nbinom.logpmf(y, D, D / (D + mu))),
    "nbinom1": ("log", [0, 1, 2, 7], lambda y, mu: stats.nbinom.logpmf(y, mu / D, 1 / (1 + D))),
    "binomial": ("logit", [0, 1, 1, 0], lambda y, mu: stats.binom.logpmf(y, 1, mu)),
}


@pytest.mark.parametrize("name", REFERENCES)
def test_densities(name):
    link, y, reference = REFERENCES[name]
    family = as_family(name, link)
    got = family.log_likelihood(np.array(y, dtype=float), ETA, ONES, D)
    np.testing.assert_allclose(got, reference(np.array(y), family.mean(ETA)), rtol=1e-10)


def test_trials():
    family = as_family("binomial", "probit")
    trials, k = np.array([3.0, 5.0, 1.0, 8.0]), np.array([0.0, 4.0, 1.0, 3.0])
    got = family.log_likelihood(k / trials, ETA, trials, 1.0)
    np.testing.assert_allclose(got, stats.binom.logpmf(k, trials, stats.norm.cdf(ETA)), rtol=1e-10)


@pytest.mark.parametrize("name", [n for n in REFERENCES if n != "binomial"])
def test_weights_mean_what_they_mean_in_the_engine(name):
    """The likelihood of a model whose random effects are held at zero is that of its rows."""
    rng = np.random.default_rng(1)
    link, y, _ = REFERENCES[name]
    data = pd.DataFrame({"y": np.tile(np.abs(y), 10), "x": rng.normal(size=40), "g": np.arange(40) % 5})
    data["w"] = rng.uniform(0.5, 2.0, 40)
    model = glmer("y ~ x + (1 | g)", data, name, link, weights="w", fixed={"sd__(Intercept)": 0.0})
    fitted = model._fitted
    got = fitted.family.log_likelihood(
        fitted.observed, fitted.linear_predictor, fitted.prior_weights, fitted.dispersion
    )
    assert -2 * got.sum() == pytest.approx(model.objective, rel=1e-9)


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog", "cauchit", "log"])
def test_probabilities_that_round_to_one(link):
    """The logarithms of both probabilities where they are moderate, and a finite one in the tails."""
    family = as_family("binomial", link)
    eta = ETA - 1.2
    for y, p in ((1.0, family.mean(eta)), (0.0, 1 - family.mean(eta))):
        got = family.log_likelihood(np.full(4, y), eta, ONES, 1.0)
        np.testing.assert_allclose(got, np.log(p), rtol=1e-9)
    if link != "log":
        far = np.array([40.0, 40.0]) if link != "cloglog" else np.array([5.0, 5.0])
        assert np.isfinite(family.log_likelihood(np.array([0.0, 1.0]), far, np.ones(2), 1.0)).all()
        assert np.isfinite(family.log_likelihood(np.array([0.0, 1.0]), -far, np.ones(2), 1.0)).all()


def test_what_is_impossible():
    for name, link, y, eta in (
        ("poisson", "identity", 2.0, -1.0),
        ("poisson", "log", 2.0, -800.0),
        ("binomial", "log", 1.0, 0.5),
        ("gamma", "identity", 2.0, -1.0),
    ):
        value = as_family(name, link).log_likelihood(np.array([y]), np.array([eta]), np.ones(1), 1.0)
        assert value[0] == -np.inf


def test_a_family_of_ones_own():
    own = user(
        lambda y, eta, w: w * (y * eta - np.exp(eta)),
        lambda y, eta, w: w * (y - np.exp(eta)),
        lambda y, eta, w: w * np.exp(eta),
        lambda y, eta, w: w * np.exp(eta),
        link="log",
    )
    got = own.log_likelihood(np.array([[1.0], [2.0]]), np.zeros((1, 3)), np.ones(1), 1.0)
    np.testing.assert_allclose(got, [[-1.0] * 3] * 2)
    assert families.user is user
