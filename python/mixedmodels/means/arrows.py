"""Comparison arrows: two means differ significantly where their arrows do not overlap."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import ArgumentError

# The programme has a row for each pair.
MOST_MEANS = 60
# How clearly arrows overlap or do not, as a share of the difference that is just significant.
_CLEAR = 0.03
# What an arrow that misleads costs, in units of length.
_PENALTY = 1000.0
# What arms of different lengths cost.
_EVEN = 0.3


def arrow_lengths(
    estimates: NDArray[np.float64], critical: NDArray[np.float64]
) -> tuple[NDArray[np.float64], int]:
    """
    Lengths of arrows to both sides of each mean.

    The arrows of two means that face each other together are as long as the difference that is just
    significant, as nearly as possible, and overlap if and only if the difference is not significant. The idea
    is that of Goldstein & Healy (1995), The graphical presentation of a collection of means, JRSS A 158; the
    lengths solve a linear programme with this condition for every pair.

    Parameters
    ----------
    estimates : ndarray, shape (m,)
    critical : ndarray, shape (m, m)
        Of the differences; NaN for pairs that are not compared.

    Returns
    -------
    lengths : ndarray, shape (m, 2)
        To the left and to the right; zero where no mean is on that side.
    misleading : int
        The number of pairs for which no lengths show the result of the test.

    Raises
    ------
    ArgumentError
        For more than 60 means.
    """
    from scipy.optimize import linprog

    m = len(estimates)
    if m > MOST_MEANS:
        raise ArgumentError(
            f"comparisons=True is for at most {MOST_MEANS} means in a group, not {m}; cld() compares more"
        )
    order = np.argsort(estimates, kind="stable")
    pairs = [(i, j) for b, j in enumerate(order) for i in order[:b] if np.isfinite(critical[i, j])]
    if not pairs:
        return np.zeros((m, 2)), 0
    below, above = np.array(pairs).T
    half = critical[below, above]
    difference = estimates[above] - estimates[below]
    significant = difference > half
    n, rows = len(pairs), np.arange(len(pairs))
    # Unknown are the arms (left, right), the distance of each sum of two arms from the critical difference,
    # that of each arm from half of it, and faults.
    sums = np.zeros((n, 2 * m))
    sums[rows, above] = 1.0
    sums[rows, m + below] += 1.0
    arms = np.eye(2 * m)
    usual = np.tile(_half_of_each(critical), 2)
    facing = sums.any(axis=0)
    sign = np.where(significant, 1.0, -1.0)
    found = linprog(
        np.concatenate(
            [np.where(facing, 0.0, 1.0), np.ones(n), np.where(facing, _EVEN, 0.0), np.full(n, _PENALTY)]
        ),
        np.vstack(
            [
                np.hstack([sums, -np.eye(n), np.zeros((n, 2 * m + n))]),
                np.hstack([-sums, -np.eye(n), np.zeros((n, 2 * m + n))]),
                np.hstack([arms, np.zeros((2 * m, n)), -arms, np.zeros((2 * m, n))]),
                np.hstack([-arms, np.zeros((2 * m, n)), -arms, np.zeros((2 * m, n))]),
                np.hstack([sign[:, None] * sums, np.zeros((n, n + 2 * m)), -np.eye(n)]),
            ]
        ),
        np.concatenate([half, -half, usual, -usual, sign * difference - _CLEAR * half]),
        method="highs",
    )
    if found.x is None:
        return np.zeros((m, 2)), n
    lengths = found.x[: 2 * m].reshape(2, m).T
    reached = sums @ found.x[: 2 * m]
    return lengths, int(((reached < difference) != significant).sum())


def _half_of_each(critical: NDArray[np.float64]) -> NDArray[np.float64]:
    """Half the median critical difference of each mean; zero for one that is not compared."""
    result = np.zeros(len(critical))
    for i, row in enumerate(critical):
        known = row[np.isfinite(row)]
        result[i] = 0.5 * float(np.median(known)) if len(known) else 0.0
    return result
