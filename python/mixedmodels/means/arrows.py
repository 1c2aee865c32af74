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
    # Unknown are the arms (left, right), the distance of each sum from the critical difference, and faults.
    sums = np.zeros((n, 2 * m))
    sums[rows, above] = 1.0
    sums[rows, m + below] += 1.0
    none, one = np.zeros((n, n)), np.eye(n)
    sign = np.where(significant, 1.0, -1.0)
    limits = sign * difference - _CLEAR * half
    rows_of_limits = [
        np.hstack([sums, -one, none]),
        np.hstack([-sums, -one, none]),
        np.hstack([sign[:, None] * sums, none, -one]),
    ]
    found = linprog(
        np.concatenate([np.full(2 * m, 1e-6), np.ones(n), np.full(n, _PENALTY)]),
        np.vstack(rows_of_limits),
        np.concatenate([half, -half, limits]),
        method="highs",
    )
    if found.x is None:
        return np.zeros((m, 2)), n
    lengths = found.x[: 2 * m].reshape(2, m).T
    reached = sums @ found.x[: 2 * m]
    return lengths, int(((reached < difference) != significant).sum())
