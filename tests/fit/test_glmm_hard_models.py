"""Generalized models with hard parameters: ranks, boundaries, edges of links, starts that are far off."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hard_fit import N, fit, sample

from mixedmodels import families, glmer
from mixedmodels.errors import (
    ArgumentError,
    ConvergenceWarning,
    ModesError,
    RankDeficiencyWarning,
    SeparationWarning,
    SingularFitWarning,
)

pytestmark = pytest.mark.timeout(60)


def response(s, family):
    """A plausible response of any family with mean about exp(b) (of probabilities, its logit)."""
    mean = np.exp(s.b)
    draws = {
        "binomial": lambda: s.bernoulli(s.b),
        "poisson": lambda: s.rng.poisson(mean),
        "nbinom2": lambda: s.rng.poisson(mean * s.rng.gamma(2, 0.5, size=N)),
        "nbinom1": lambda: s.rng.poisson(s.rng.gamma(mean / 0.7, 0.7)),
        "gamma": lambda: s.rng.gamma(3, mean / 3),
        "inverse_gaussian": lambda: s.rng.wald(mean, 3),
        "lognormal": lambda: s.rng.lognormal(s.b, 0.4),
        "gaussian": lambda: mean + 0.2 * s.rng.normal(size=N),
        "beta": lambda: s.rng.beta(6 * mean / (1 + mean), 6 / (1 + mean)),
    }
    return draws[family]()


# Coefficients


def test_collinear_columns():
    s = sample(20)
    data = s.frame(s.rng.poisson(np.exp(0.3 * s.x + s.b)), z=2 * s.x + 1)
    result = fit("y ~ x + z + (1 | g)", data, "poisson")
    assert RankDeficiencyWarning in result.warned
    assert np.isnan(result.model.beta[2])
    assert result.model.objective == fit("y ~ x + (1 | g)", data, "poisson").model.objective


def test_nearly_collinear_columns():
    s = sample(20)
    y = s.rng.poisson(np.exp(0.3 * s.x + s.b))
    d = s.rng.normal(size=N)
    near = fit("y ~ x + z + (1 | g)", s.frame(y, z=s.x + 1e-5 * d), "poisson").model
    apart = fit("y ~ x + d + (1 | g)", s.frame(y, d=d), "poisson").model
    assert near.objective == pytest.approx(apart.objective, rel=1e-9)
    assert near.beta[2] * 1e-5 == pytest.approx(apart.beta[2], rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("family", families.FAMILIES)
@pytest.mark.parametrize("n_agq", [0, 1, 5])
def test_no_fixed_effects(family, n_agq):
    s = sample(21)
    chosen = families.Gaussian("log") if family == "gaussian" else family
    model = fit("y ~ 0 + (1 | g)", s.frame(response(s, family)), chosen, nAGQ=n_agq).model
    assert model.convergence.converged
    assert len(model.beta) == len(model.fixef()) == 0
    assert model.theta[0] > 0.1


SIX = {
    "x": [1.0, 2, 3, 4, 5, 7],
    "z": [1.0, 0, 1, 0, 0, 1],
    "w": [2.0, 1, 1, 3, 0, 0],
    "v": [0.0, 0, 1, 2, 0, 9],
    "q": [1.0, 1, 0, 5, 2, 4],
    "g": list("aabbcc"),
}


@pytest.mark.parametrize("family", ["gamma", "inverse_gaussian", "beta", "gaussian"])
def test_as_many_coefficients_as_observations_of_a_continuous_response(family):
    """The likelihood has no bound, and no end point is an optimum."""
    data = pd.DataFrame({**SIX, "y": [0.1, 0.2, 0.3, 0.4, 0.5, 0.7]})
    chosen = family if family == "beta" else getattr(families, FAMILY_CLASS[family])("log")
    result = fit("y ~ x + z + w + v + q + (1 | g)", data, chosen)
    assert ConvergenceWarning in result.warned
    assert "likelihood is unbounded" in result.messages
    assert not result.model.convergence.converged


FAMILY_CLASS = {"gamma": "Gamma", "inverse_gaussian": "InverseGaussian", "gaussian": "Gaussian"}


@pytest.mark.parametrize(
    ("family", "y"),
    [
        ("poisson", [1, 0, 3, 2, 5, 4]),
        ("nbinom2", [1, 0, 3, 2, 5, 4]),
        ("nbinom1", [1, 0, 3, 2, 5, 4]),
        ("binomial", [1, 0, 1, 0, 0, 1]),
    ],
)
def test_as_many_coefficients_as_observations_of_a_discrete_response(family, y):
    result = fit("y ~ x + z + w + v + q + (1 | g)", pd.DataFrame({**SIX, "y": y}), family)
    assert SeparationWarning in result.warned
    np.testing.assert_allclose(result.model.fitted(), y, atol=1e-3)


@pytest.mark.parametrize("family", ["gamma", "gaussian"])
def test_a_response_that_the_model_reproduces(family):
    s = sample(22)
    data = s.frame(np.exp(1 + 0.3 * s.x))
    result = fit("y ~ x + (1 | g)", data, family, link="log")
    assert ConvergenceWarning in result.warned
    np.testing.assert_allclose(result.model.beta, [1.0, 0.3], atol=1e-5)


# Variances


@pytest.mark.parametrize("family", ["poisson", "nbinom2", "gamma"])
def test_a_variance_of_zero_is_exactly_zero(family):
    s = sample(23)
    y = np.tile([1, 4, 2, 1, 3, 1, 2, 3, 9, 1], N // 10)
    result = fit("y ~ x + (1 | g)", s.frame(y), family)
    assert SingularFitWarning in result.warned
    assert result.model.theta[0] == 0.0


def test_a_huge_variance():
    s = sample(24, sd=10.0)
    result = fit("y ~ x + (1 | g)", s.frame(s.rng.poisson(np.exp(np.minimum(s.b, 15)))), "poisson")
    assert result.model.convergence.converged
    assert 5 < result.model.theta[0] < 25


def test_a_huge_variance_of_a_probability():
    s = sample(24, sd=30.0)
    result = fit("y ~ x + (1 | g)", s.frame(s.bernoulli(s.b)), "binomial")
    assert SeparationWarning in result.warned


@pytest.mark.parametrize("sign", [1, -1])
def test_slopes_that_are_perfectly_correlated(sign):
    s = sample(25, sd=0.8)
    data = s.frame(s.rng.poisson(np.exp(0.5 + s.b * (1 + 0.5 * sign * s.x))))
    result = fit("y ~ x + (x | g)", data, "poisson")
    assert SingularFitWarning in result.warned
    correlation = result.model.VarCorr().to_frame().set_index("var2")["sdcor"]["x"]
    assert correlation == pytest.approx(sign, abs=1e-6)
    double = fit("y ~ x + (x || g)", data, "poisson").model
    assert double.objective > result.model.objective


# The edges of links


@pytest.mark.parametrize(
    ("family", "link"),
    [
        ("poisson", "sqrt"),
        ("poisson", "identity"),
        ("nbinom2", "identity"),
        ("nbinom2", "sqrt"),
        ("gamma", "identity"),
        ("gamma", "inverse"),
        ("inverse_gaussian", "inverse"),
        ("inverse_gaussian", "1/mu^2"),
        ("gaussian", "inverse"),
        ("gaussian", "sqrt"),
    ],
)
def test_linear_predictors_near_zero(family, link):
    s = sample(26)
    x = np.abs(s.x)
    eta = np.maximum(0.03 + 0.3 * x + 0.1 * s.b, 1e-3)
    mean = families.as_family(family, link).mean(eta)
    draws = {
        "poisson": lambda: s.rng.poisson(mean),
        "nbinom2": lambda: s.rng.poisson(mean),
        "gamma": lambda: s.rng.gamma(2, mean / 2),
        "inverse_gaussian": lambda: s.rng.wald(mean, 5),
        "lognormal": lambda: s.rng.lognormal(s.b, 0.4),
        "gaussian": lambda: mean + 0.1 * s.rng.normal(size=N),
    }
    result = fit("y ~ x + (1 | g)", s.frame(draws[family](), x=x), family, link=link)
    assert (result.model.fitted() >= 0).all()
    assert result.model.convergence.converged or ConvergenceWarning in result.warned


def test_probabilities_near_one_with_a_log_link():
    s = sample(27)
    x = np.abs(s.x)
    y = (s.rng.uniform(size=N) < np.minimum(np.exp(-0.05 - 0.3 * x + 0.1 * s.b), 1)).astype(int)
    model = fit("y ~ x + (1 | g)", s.frame(y, x=x), "binomial", link="log").model
    assert (model.fitted() <= 1).all()


def test_an_inverse_link_without_a_mean_of_one_sign():
    s = sample(28)
    result = fit("y ~ x + (1 | g)", s.frame(s.rng.normal(size=N)), "gaussian", link="inverse")
    assert result.model.convergence.converged or ConvergenceWarning in result.warned


# Starts


@pytest.mark.parametrize(
    "start",
    [
        {"theta": [1e4]},
        {"theta": [0.0]},
        {"beta": [-50.0, 0.0]},
        {"beta": [50.0, 0.0]},
        {"beta": [0.0, 10.0]},
        {"theta": [50.0], "beta": [20.0, 20.0]},
    ],
    ids=str,
)
@pytest.mark.parametrize("family", ["poisson", "nbinom2", "binomial"])
def test_starts_that_are_far_off(family, start):
    s = sample(29)
    y = s.bernoulli(s.x + s.b) if family == "binomial" else response(s, family)
    data = s.frame(y)
    model = fit("y ~ x + (1 | g)", data, family, start=start).model
    usual = fit("y ~ x + (1 | g)", data, family).model
    assert model.objective == pytest.approx(usual.objective, rel=1e-8)
    np.testing.assert_allclose(model.beta, usual.beta, atol=1e-3)


@pytest.mark.parametrize("family", ["nbinom2", "nbinom1", "gamma", "inverse_gaussian", "beta"])
@pytest.mark.parametrize("dispersion", [1e-8, 1e8])
def test_starts_with_a_dispersion_that_is_far_off(family, dispersion):
    s = sample(30)
    data = s.frame(response(s, family))
    formula = "y ~ x + (1 | g)"
    link = "log" if family == "gamma" else None
    model = fit(formula, data, family, link=link, start={"dispersion": dispersion}).model
    usual = fit(formula, data, family, link=link).model
    assert model.objective == pytest.approx(usual.objective, rel=1e-7)


def test_starts_outside_of_all_numbers():
    s = sample(29)
    data = s.frame(response(s, "poisson"))
    with pytest.raises(ModesError, match=r"conditional modes .* could not be found"):
        glmer("y ~ x + (1 | g)", data, "poisson", start={"beta": [1e3, -1e3]})
    with pytest.raises(ArgumentError, match="finite and not negative"):
        glmer("y ~ x + (1 | g)", data, "poisson", start={"theta": [-1.0]})


def test_a_start_that_counts_no_longer_resolve_ends():
    """The objective there is 1e40 and more; what the search cannot mend is called not converged."""
    s = sample(31)
    data = s.frame(s.bernoulli(s.x + s.b))
    start = {"theta": [100.0, 100.0, 26.0], "beta": [50.0, 6.0]}
    result = fit("y ~ x + (x | g)", data, "binomial", link="cloglog", start=start)
    usual = fit("y ~ x + (x | g)", data, "binomial", link="cloglog").model
    assert ConvergenceWarning in result.warned or result.model.objective == pytest.approx(usual.objective)
