"""
Logarithms of predictive densities: of a response, or of several jointly, whose linear predictors are normal.

A normal response adds its variance. Otherwise the linear predictor is integrated out: for one row by adaptive
Gauss-Hermite quadrature, for a group of rows by importance sampling around the mode.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ...families import Family

Values = NDArray[np.float64]

_NODES = 61
# Draws are added in such portions, half of them from a normal and half from a t distribution, whose tails are
# heavier than those of the integrand, until the Monte Carlo error is small enough.
_DRAWS = 1000
_MOST_DRAWS = 100_000
_ERROR = 0.005
_DF = 7.0
_STEP = 1e-4
_ITERATIONS = 100
_HALVINGS = 30


@dataclass(frozen=True, eq=False)
class Responses:
    """
    Responses of a family given their linear predictors.

    Attributes
    ----------
    family : Family
    y : ndarray, shape (n,)
        On the scale of the mean.
    weights : ndarray, shape (n,)
    dispersion : float
    """

    family: Family
    y: Values
    weights: Values
    dispersion: float

    def log_density(self, eta: Values) -> Values:
        """At linear predictors of shape (n,) or (n, m)."""
        y, weights = (self.y, self.weights) if eta.ndim == 1 else (self.y[:, None], self.weights[:, None])
        with np.errstate(all="ignore"):
            value = self.family.log_likelihood(y, eta, weights, self.dispersion)
        return np.where(np.isnan(value), -np.inf, value)

    def derivatives(self, eta: Values) -> tuple[Values, Values]:
        """The score and the information, by differences; shape (n,) each, the latter not negative."""
        h = _STEP * (1.0 + np.abs(eta))
        below, here, above = (self.log_density(eta + k * h) for k in (-1, 0, 1))
        with np.errstate(invalid="ignore"):
            score, bend = (above - below) / (2.0 * h), (2.0 * here - above - below) / h**2
        return np.nan_to_num(score, posinf=0.0, neginf=0.0), np.maximum(
            np.nan_to_num(bend, posinf=0.0, neginf=0.0), 0.0
        )

    def some(self, rows: NDArray[np.intp]) -> Responses:
        return Responses(self.family, self.y[rows], self.weights[rows], self.dispersion)


def normal_log_scores(residual: Values, variance: Values) -> Values:
    """Log-densities of normal responses, row by row."""
    return -0.5 * (np.log(2.0 * np.pi * variance) + np.square(residual) / variance)


def normal_joint_log_score(residual: Values, covariance: Values) -> float:
    """The log-density of normal responses, jointly."""
    from scipy.linalg import solve_triangular

    factor = np.linalg.cholesky(covariance)
    scaled = solve_triangular(factor, residual, lower=True)
    return float(
        -0.5 * (len(residual) * np.log(2.0 * np.pi) + scaled @ scaled) - np.log(np.diag(factor)).sum()
    )


def log_scores(responses: Responses, eta: Values, variance: Values) -> Values:
    """
    Log-densities row by row with the linear predictors integrated out.

    Parameters
    ----------
    responses : Responses
    eta, variance : ndarray, shape (n,)
        Of the linear predictors.
    """
    sd = np.sqrt(variance)
    # In units of the standard deviation, where it is not zero.
    centre = _modes(responses, eta, sd)
    _, information = responses.derivatives(eta + sd * centre)
    spread = 1.0 / np.sqrt(1.0 + variance * information)
    nodes, log_weights = _hermite()
    v = centre[:, None] + spread[:, None] * nodes
    log_value = responses.log_density(eta[:, None] + sd[:, None] * v) - 0.5 * v**2
    total = _log_sum(log_value + log_weights + 0.5 * nodes**2)
    return total + np.log(spread)


def _modes(responses: Responses, eta: Values, sd: Values) -> Values:
    """Where l(eta + sd v) - v²/2 is largest in each row."""

    def value(v: Values) -> Values:
        return responses.log_density(eta + sd * v) - 0.5 * v**2

    v = np.zeros_like(eta)
    current = value(v)
    for _ in range(_ITERATIONS):
        score, information = responses.derivatives(eta + sd * v)
        step = (sd * score - v) / (1.0 + sd**2 * information)
        for _ in range(_HALVINGS):
            tried = value(v + step)
            worse = tried < current - 1e-12 * (1.0 + np.abs(current))
            if not worse.any():
                break
            step = np.where(worse, 0.5 * step, step)
        else:
            step = np.where(worse, 0.0, step)
        v = v + step
        current = value(v)
        if np.max(np.abs(step), initial=0.0) < 1e-6:
            break
    return v


@cache
def _hermite() -> tuple[Values, Values]:
    """Nodes, and logarithms of weights, for expectations under the standard normal distribution."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    return nodes, np.log(weights) - 0.5 * np.log(2.0 * np.pi)


def joint_log_score(
    responses: Responses, eta: Values, covariance: Values, rng: np.random.Generator
) -> tuple[float, float]:
    """
    The log-density of responses jointly with their linear predictors integrated out.

    Parameters
    ----------
    responses : Responses
    eta : ndarray, shape (n,)
    covariance : ndarray, shape (n, n)
        Of the linear predictors.
    rng : Generator
        Of the draws around the mode.

    Returns
    -------
    score, error : float
        The standard error is that of the simulation.
    """
    d, vectors = np.linalg.eigh(covariance)
    large = d > 1e-12 * max(d[-1], 1e-300)
    root = vectors[:, large] * np.sqrt(d[large])
    r = root.shape[1]
    mode, precision = _joint_mode(responses, eta, root)
    factor = np.linalg.cholesky(precision)
    ratios: list[Values] = []
    while True:
        z = rng.standard_normal((r, _DRAWS))
        z[:, ::2] /= np.sqrt(rng.chisquare(_DF, _DRAWS // 2) / _DF)
        v = mode[:, None] + np.linalg.solve(factor.T, z)
        target = responses.log_density(eta[:, None] + root @ v).sum(axis=0)
        target = target - 0.5 * (np.square(v).sum(axis=0) + r * np.log(2.0 * np.pi))
        ratios.append(target - _log_proposal(np.square(z).sum(axis=0), r))
        score, error = _log_mean(np.concatenate(ratios))
        if not error > _ERROR or len(ratios) * _DRAWS >= _MOST_DRAWS:
            return score - float(np.log(np.diag(factor)).sum()), error


def _log_mean(values: Values) -> tuple[float, float]:
    """The logarithm of the mean of the exponentials, and its standard error."""
    log_sum = float(_log_sum(values[None, :])[0])
    n = len(values)
    if not np.isfinite(log_sum):
        return log_sum, 0.0
    relative = np.exp(values - log_sum + np.log(n))
    return log_sum - float(np.log(n)), float(relative.std() / np.sqrt(n))


def _log_proposal(squares: Values, r: int) -> Values:
    """The log-density of the mixture of a standard normal and a multivariate t distribution."""
    normal = -0.5 * (squares + r * np.log(2.0 * np.pi))
    return np.logaddexp(normal, _log_t(squares, r)) - np.log(2.0)


def _log_t(squares: Values, r: int) -> Values:
    """The log-density of a standard multivariate t distribution."""
    from scipy.special import gammaln

    constant = gammaln(0.5 * (_DF + r)) - gammaln(0.5 * _DF) - 0.5 * r * np.log(_DF * np.pi)
    return constant - 0.5 * (_DF + r) * np.log1p(squares / _DF)


def _joint_mode(responses: Responses, eta: Values, root: Values) -> tuple[Values, Values]:
    """The largest value of l(eta + root v) - v'v/2, and minus its second derivative."""

    def value(v: Values) -> float:
        return float(responses.log_density(eta + root @ v).sum() - 0.5 * v @ v)

    v = np.zeros(root.shape[1])
    current = value(v)
    precision = np.eye(len(v))
    for _ in range(_ITERATIONS):
        score, information = responses.derivatives(eta + root @ v)
        precision = np.eye(len(v)) + (root * information[:, None]).T @ root
        step = np.linalg.solve(precision, root.T @ score - v)
        for _ in range(_HALVINGS):
            tried = value(v + step)
            if tried >= current - 1e-12 * (1.0 + abs(current)):
                break
            step = 0.5 * step
        else:
            break
        v, current = v + step, tried
        if np.max(np.abs(step), initial=0.0) < 1e-6:
            break
    return v, precision


def predicted_centers(family: Family, eta: Values, variance: Values) -> Values:
    """The centre of the predictive distributions with normal linear predictors, shape (n,)."""
    if family.center == "median":
        # The median of a lognormal response: its logarithm is symmetric around the linear predictor.
        return family.mean(eta)
    nodes, log_weights = _hermite()
    means = family.mean(eta[:, None] + np.sqrt(variance)[:, None] * nodes)
    return means @ np.exp(log_weights)


def _log_sum(values: Values) -> Values:
    """The logarithm of the sum of the exponentials of each row."""
    top = values.max(axis=1)
    safe = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        return safe + np.log(np.exp(values - safe[:, None]).sum(axis=1))
