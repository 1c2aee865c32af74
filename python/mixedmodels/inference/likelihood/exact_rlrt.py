"""
The restricted likelihood-ratio test of a single variance component by its exact distribution.

Crainiceanu & Ruppert (2004), "Likelihood ratio tests in linear mixed models with one variance component".
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...checks import random_generator, whole_number
from ...errors import ArgumentError
from ...fit.changes import by_reml
from ...fit.state import FittedModel
from ...render.anova_table import AnovaTable, anova_table
from ...wording import one_line
from ..basis.testable import have_optimum, no_optimum_note
from .reduced_fits import objective_without_random_effects

# Ratios of variances at which the simulated criterion is looked at, relative to the scale of the design.
_GRID = np.concatenate([[0.0], np.geomspace(1e-4, 1e6, 401)])
_CHUNK = 2_000_000
_MOST_LEVELS = 20_000


def exact_restricted_test(fitted: FittedModel, nsim: Any = 10_000, rng: Any = None) -> AnovaTable:
    """Test that the only variance component is zero, see :func:`mixedmodels.exact_rlrt`."""
    if not fitted.exact_likelihood:
        raise ArgumentError("exact_rlrt: the exact distribution is known for linear mixed models only")
    terms = fitted.design.terms
    if len(terms) != 1 or len(terms[0].names) != 1:
        raise ArgumentError(
            "exact_rlrt: the model must have one random effect, as in (1 | g); this one has "
            f"{', '.join(term.text for term in terms)} (ranova() and pb_compare() test any)"
        )
    nsim = whole_number("nsim", nsim, 1)
    if fitted.arguments.fixed:
        raise ArgumentError(
            f"exact_rlrt: the distribution is known where all parameters are estimated, and some are fixed "
            f"({', '.join(fitted.held.texts)}); use ranova(m) or pb_compare(m1, m0) instead"
        )
    heading = []
    if not fitted.restricted:
        fitted = by_reml(fitted)
        heading.append("Refitted by REML (instead of ML) for this test")
    statistic = max(0.0, objective_without_random_effects(fitted) - fitted.estimates.objective)
    if statistic < 1e-8:
        # The criterion is flat at zero; what is left is rounding.
        statistic = 0.0
    title = f"Exact restricted likelihood-ratio test of {terms[0].text}"
    p, notes = np.nan, [no_optimum_note()]
    if have_optimum(fitted):
        p, notes = _p_value(fitted, statistic, nsim, rng), []
        title += f", {nsim} simulations"
    heading += [title, f"Model: {one_line(fitted.design.formula.text)}"]
    return anova_table({"RLRT": [statistic], "Pr(>RLRT)": [p]}, [terms[0].text], heading, notes)


def _p_value(fitted: FittedModel, statistic: float, nsim: int, rng: Any) -> float:
    """The share of simulated ratios that are no smaller."""
    simulated = simulate_null(eigenvalues(fitted), fitted.n_obs - fitted.rank, nsim, random_generator(rng))
    return (np.count_nonzero(simulated >= statistic) + 1) / (len(simulated) + 1)


def eigenvalues(fitted: FittedModel) -> NDArray[np.float64]:
    """The eigenvalues of Z'(I - X(X'X)⁻¹X')Z, rows scaled by the roots of their weights."""
    design = fitted.design
    (term,) = design.terms
    weights = np.ones(fitted.n_obs) if design.weights is None else design.weights
    n_levels, codes, z = len(term.group.levels), term.group.codes, term.z[:, 0]
    if n_levels > _MOST_LEVELS:
        raise ArgumentError(
            f"exact_rlrt: {term.text} has {n_levels} levels, and the test needs the eigenvalues of a matrix "
            f"of that size (at most {_MOST_LEVELS}); use Pr(mixture) of ranova() instead"
        )
    q, _ = np.linalg.qr(np.sqrt(weights)[:, None] * design.x[:, fitted.estimates.kept])
    projected = np.zeros((n_levels, q.shape[1]))
    np.add.at(projected, codes, (np.sqrt(weights) * z)[:, None] * q)
    gram = np.diag(np.bincount(codes, weights * z**2, minlength=n_levels)) - projected @ projected.T
    found = np.asarray(np.linalg.eigvalsh(gram), dtype=np.float64)
    return found[found > 1e-10 * found[-1]]


def simulate_null(
    mu: NDArray[np.float64], df: int, nsim: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """
    Draws of the restricted likelihood ratio under a variance of zero.

    Parameters
    ----------
    mu : ndarray, shape (k,)
        The positive eigenvalues.
    df : int
        Observations minus coefficients.
    nsim : int
    rng : Generator

    Returns
    -------
    ndarray, shape (nsim,)
    """
    ratios = _GRID / mu.mean()
    shrunk = 1.0 / (1.0 + np.outer(mu, ratios))
    penalty = np.log1p(np.outer(mu, ratios)).sum(axis=0)
    result = np.empty(nsim)
    step = max(1, _CHUNK // (len(mu) + len(ratios)))
    for start in range(0, nsim, step):
        m = min(step, nsim - start)
        squares = rng.chisquare(1.0, (m, len(mu)))
        rest = rng.chisquare(df - len(mu), m) if df > len(mu) else np.zeros(m)
        total = squares.sum(axis=1) + rest
        # log(1 + N/D) with N + D the total sum of squares.
        criterion = df * (np.log(total)[:, None] - np.log(squares @ shrunk + rest[:, None])) - penalty
        result[start : start + m] = _largest(criterion)
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
