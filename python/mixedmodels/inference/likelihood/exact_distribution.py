"""
The null distributions of (restricted) likelihood ratios of one variance component, by simulation.

Crainiceanu & Ruppert (2004), "Likelihood ratio tests in linear mixed models with one variance component".
They depend on the design alone, through the eigenvalues of Z'(I - X(X'X)⁻¹X')Z and of Z'Z.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...errors import ArgumentError
from ...fit.state import FittedModel
from .variance_component import Component

# Ratios of variances at which the simulated criterion is looked at, relative to the scale of the design.
_GRID = np.concatenate([[0.0], np.geomspace(1e-4, 1e6, 401)])
_CHUNK = 2_000_000
_MOST_EFFECTS = 20_000
_POSITIVE = 1e-10


@dataclass(frozen=True, eq=False)
class ComponentDesign:
    """
    The design of a fit with one variance component, rows scaled by the roots of their weights.

    Attributes
    ----------
    n : int
        Observations.
    rank : int
        Coefficients.
    gram : ndarray, shape (q, q)
        Z'Z.
    projected : ndarray, shape (q, q)
        Z'(I - X(X'X)⁻¹X')Z.
    """

    n: int
    rank: int
    gram: NDArray[np.float64]
    projected: NDArray[np.float64]

    @cached_property
    def mu(self) -> NDArray[np.float64]:
        """The positive eigenvalues of `projected`."""
        found = np.asarray(np.linalg.eigvalsh(self.projected), dtype=np.float64)
        return found[found > _POSITIVE * self.xi[-1]]

    @cached_property
    def xi(self) -> NDArray[np.float64]:
        """The eigenvalues of `gram`, increasing."""
        return np.asarray(np.linalg.eigvalsh(self.gram), dtype=np.float64)


def component_design(fitted: FittedModel, component: Component, function: str) -> ComponentDesign:
    """
    The design with this component as the only one.

    Raises
    ------
    ArgumentError
        When there are too many random effects for an eigenvalue decomposition, or X spans them.
    """
    q = component.n_effects
    if q > _MOST_EFFECTS:
        raise ArgumentError(
            f"{function}: {component.text} has {q} random effects, and the test needs the eigenvalues of a "
            f"matrix of that size (at most {_MOST_EFFECTS}); use Pr(mixture) of ranova() instead"
        )
    design, term = fitted.design, component.term
    root = np.sqrt(fitted.prior_weights)
    n_levels, codes = len(term.group.levels), term.group.codes
    z = root[:, None] * term.z[:, component.columns]
    basis, _ = np.linalg.qr(root[:, None] * design.x[:, fitted.estimates.kept])
    k = z.shape[1]
    gram = np.zeros((k, n_levels, k, n_levels))
    inner = np.zeros((k, n_levels, basis.shape[1]))
    every = np.arange(n_levels)
    for i in range(k):
        for j in range(k):
            gram[i, every, j, every] = np.bincount(codes, z[:, i] * z[:, j], minlength=n_levels)
        np.add.at(inner[i], codes, z[:, i, None] * basis)
    gram = gram.reshape(q, q)
    inner = inner.reshape(q, -1)
    result = ComponentDesign(fitted.n_obs, fitted.rank, gram, gram - inner @ inner.T)
    if not len(result.mu):
        raise ArgumentError(
            f"{function}: the fixed part already contains the effects of {component.text}, so their variance "
            "cannot be tested"
        )
    return result


def restricted_ratios(design: ComponentDesign, nsim: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draws of the restricted likelihood ratio under a variance of zero, shape (nsim,)."""
    return _simulate(design.mu, design.mu, design.n - design.rank, design.n - design.rank, 0, nsim, rng)


def likelihood_ratios(
    design: ComponentDesign, dropped: int, nsim: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draws of the likelihood ratio where the variance and `dropped` coefficients are zero, shape (nsim,)."""
    xi = design.xi[design.xi > _POSITIVE * design.xi[-1]]
    return _simulate(design.mu, xi, design.n, design.n - design.rank, dropped, nsim, rng)


def _simulate(
    mu: NDArray[np.float64],
    xi: NDArray[np.float64],
    scale: int,
    df: int,
    dropped: int,
    nsim: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """
    The largest value over λ of scale log(1 + N(λ)/D(λ)) - Σ log(1 + λξ), plus that of the coefficients.

    Parameters
    ----------
    mu, xi : ndarray
        The eigenvalues in N and D, and in the penalty.
    scale : int
        Observations; for the restricted ratio less the coefficients.
    df : int
        Observations less coefficients.
    dropped : int
        Coefficients that are zero under the hypothesis.
    nsim : int
    rng : Generator
    """
    ratios = _GRID / mu.mean()
    shrunk = 1.0 / (1.0 + np.outer(mu, ratios))
    penalty = np.log1p(np.outer(xi, ratios)).sum(axis=0)
    result = np.empty(nsim)
    step = max(1, _CHUNK // (len(mu) + len(ratios)))
    for start in range(0, nsim, step):
        m = min(step, nsim - start)
        squares = rng.chisquare(1.0, (m, len(mu)))
        rest = rng.chisquare(df - len(mu), m) if df > len(mu) else np.zeros(m)
        total = squares.sum(axis=1) + rest
        # log(1 + N/D) with N + D the total sum of squares.
        criterion = scale * (np.log(total)[:, None] - np.log(squares @ shrunk + rest[:, None])) - penalty
        largest = _largest(criterion)
        if dropped:
            largest += scale * np.log1p(rng.chisquare(dropped, m) / total)
        result[start : start + m] = largest
    return result


def _largest(criterion: NDArray[np.float64]) -> NDArray[np.float64]:
    """The maximum of each row between the points of the grid: by parabolas in the logarithm of the ratio."""
    best = np.argmax(criterion, axis=1)
    rows = np.arange(len(criterion))
    value = criterion[rows, best]
    inner = (best >= 2) & (best < criterion.shape[1] - 1)
    left, right = criterion[rows[inner], best[inner] - 1], criterion[rows[inner], best[inner] + 1]
    middle = value[inner]
    bend = left - 2 * middle + right
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = np.where(bend < 0, -((right - left) ** 2) / (8 * bend), 0.0)
    value[inner] = middle + gain
    return np.maximum(value, 0.0)
