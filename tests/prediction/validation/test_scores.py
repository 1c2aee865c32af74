"""Log predictive densities, against integrals by other means."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from mixedmodels.families.lookup import as_family
from mixedmodels.prediction.validation.scores import (
    Responses,
    joint_log_score,
    log_scores,
    normal_joint_log_score,
    normal_log_scores,
    predicted_centers,
)

CASES = {
    "binomial": ("logit", [0.0, 1.0, 0.25, 0.99], [1.0, 1.0, 8.0, 500.0], 1.0),
    "poisson": ("log", [0.0, 3.0, 40.0, 5000.0], [1.0] * 4, 1.0),
    "nbinom2": ("log", [0.0, 3.0, 40.0, 5000.0], [1.0] * 4, 1.7),
    "nbinom1": ("log", [0.0, 3.0, 40.0, 5000.0], [1.0] * 4, 1.7),
    "gamma": ("log", [0.01, 1.0, 3.0, 100.0], [1.0, 1.0, 30.0, 1.0], 0.6),
    "inverse_gaussian": ("log", [0.1, 1.0, 3.0, 10.0], [1.0] * 4, 0.6),
    "beta": ("logit", [0.01, 0.5, 0.9, 0.99], [1.0] * 4, 5.0),
    "lognormal": ("log", [0.01, 1.0, 3.0, 100.0], [1.0] * 4, 0.2),
}
ETA, VARIANCE = np.array([-0.5, 0.3, 1.0, 6.0]), np.array([0.8, 0.0, 2.5, 1.0])


def responses(name: str) -> Responses:
    link, y, weights, dispersion = CASES[name]
    return Responses(as_family(name, link), np.array(y), np.array(weights), dispersion)


@pytest.mark.parametrize("name", CASES)
def test_one_row(name):
    given = responses(name)
    got = log_scores(given, ETA, VARIANCE)
    for i in range(4):
        one, sd = given.some(np.array([i])), np.sqrt(VARIANCE[i])
        if sd == 0:
            assert got[i] == pytest.approx(one.log_density(ETA[[i]])[0], rel=1e-12)
            continue
        grid = ETA[i] + sd * np.linspace(-12, 12, 400_001)
        log_value = one.log_density(grid[None, :])[0] + stats.norm.logpdf(grid, ETA[i], sd)
        top = log_value.max()
        wanted = top + np.log(integrate.trapezoid(np.exp(log_value - top), grid))
        assert got[i] == pytest.approx(wanted, rel=1e-5, abs=1e-5)


def test_a_group_with_one_effect():
    """The integral over one normal effect, and the product of densities without any."""
    rng = np.random.default_rng(1)
    y = rng.poisson(4.0, 12).astype(float)
    given = Responses(as_family("poisson"), y, np.ones(12), 1.0)
    eta, z = np.full(12, 1.0), rng.normal(1.0, 0.5, 12)
    covariance = 0.7 * np.outer(z, z)
    grid = np.linspace(-8, 8, 20_001)
    log_value = given.log_density(eta[:, None] + np.sqrt(0.7) * z[:, None] * grid).sum(axis=0)
    top = log_value.max()
    wanted = top + np.log(integrate.trapezoid(np.exp(log_value - top) * stats.norm.pdf(grid), grid))
    score, error = joint_log_score(given, eta, covariance, np.random.default_rng(2))
    assert score == pytest.approx(wanted, abs=4 * error)
    fixed, error = joint_log_score(given, eta, np.zeros((12, 12)), rng)
    assert fixed == pytest.approx(given.log_density(eta).sum())
    assert error == pytest.approx(0.0, abs=1e-12)


def test_a_group_with_several_effects():
    """By crude simulation of two effects."""
    rng = np.random.default_rng(3)
    given = Responses(as_family("binomial"), np.array([0.0, 1, 1, 0, 1, 1]), np.ones(6), 1.0)
    z = np.column_stack([np.ones(6), np.arange(6) - 2.5])
    g = np.array([[1.5, -0.2], [-0.2, 0.4]])
    got, _ = joint_log_score(given, np.full(6, 0.2), z @ g @ z.T, rng)
    draws = rng.multivariate_normal([0, 0], g, 400_000)
    density = np.exp(given.log_density(0.2 + z @ draws.T).sum(axis=0))
    assert got == pytest.approx(np.log(density.mean()), abs=0.02)


def test_normal_responses():
    rng = np.random.default_rng(4)
    root = rng.normal(size=(5, 5))
    v, r = root @ root.T + np.eye(5), rng.normal(size=5)
    assert normal_joint_log_score(r, v) == pytest.approx(stats.multivariate_normal.logpdf(r, np.zeros(5), v))
    got = normal_log_scores(r, np.diag(v))
    np.testing.assert_allclose(got, stats.norm.logpdf(r, 0, np.sqrt(np.diag(v))))


def test_centers_are_those_of_the_predictive_distribution():
    """Means by their closed form and by simulation; the lognormal distribution has its median."""
    got = predicted_centers(as_family("poisson"), ETA, VARIANCE)
    np.testing.assert_allclose(got, np.exp(ETA + VARIANCE / 2), rtol=1e-8)
    rng = np.random.default_rng(5)
    draws = ETA + np.sqrt(VARIANCE) * rng.standard_normal((400_000, 4))
    got = predicted_centers(as_family("binomial"), ETA, VARIANCE)
    np.testing.assert_allclose(got, stats.logistic.cdf(draws).mean(axis=0), atol=0.003)
    lognormal = as_family("lognormal")
    y = lognormal.draw(rng, np.exp(draws), np.ones(4), 0.3)
    np.testing.assert_allclose(predicted_centers(lognormal, ETA, VARIANCE), np.median(y, axis=0), rtol=0.02)


def test_the_error_of_a_simulated_score_is_small_and_says_how_far_seeds_differ():
    """With an effect of each row beside that of the group: an integral over 31 dimensions."""
    rng = np.random.default_rng(6)
    y = rng.poisson(np.exp(1.0 + 0.5 * rng.standard_normal(30))).astype(float)
    given = Responses(as_family("poisson"), y, np.ones(30), 1.0)
    covariance = 0.3 + 0.25 * np.eye(30)
    found = np.array(
        [joint_log_score(given, np.full(30, 1.0), covariance, np.random.default_rng(i)) for i in range(12)]
    )
    spread, error = found[:, 0].std(ddof=1), found[:, 1].mean()
    assert error <= 0.0051
    assert 0.4 * error < spread < 2.0 * error
