"""Estimates at one theta without sets of rows that touch many levels, from a factorisation for each."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..design import Design
from .row_sets import RowSets

# The closed form takes the cube of the number of rows or of the random effects that they touch.
_LARGEST = 600


def wide_sets(design: Design, sets: RowSets) -> NDArray[np.intp]:
    """The sets with many rows that touch many random effects."""
    wide = []
    for j in np.flatnonzero(sets.sizes > _LARGEST).tolist():
        rows = sets[j]
        touched = sum(term.structure.k * len(np.unique(term.group.codes[rows])) for term in design.terms)
        if touched > _LARGEST:
            wide.append(j)
    return np.array(wide, dtype=np.intp)


def joined(
    n_sets: int,
    narrow: NDArray[np.intp],
    found: dict[str, Any],
    wide: NDArray[np.intp],
    others: dict[str, Any],
    beta: NDArray[np.float64],
) -> dict[str, Any]:
    """
    The estimates of narrow sets and those of wide ones, by refits that stopped at their start.

    Parameters
    ----------
    n_sets : int
    narrow, wide : ndarray of int
        The places of the sets.
    found, others : dict
        Of the engine's ``delete_given_theta`` and ``delete_rows``.
    beta : ndarray, shape (p,)
        The coefficients with all rows; NaN for dropped columns, of which `found` has none.
    """
    kept = np.flatnonzero(np.isfinite(beta))
    change = np.asarray(others["beta"])[:, kept] - beta[kept]
    lost = ~(np.isfinite(change).all(axis=1) & np.isfinite(others["sigma"]))
    values = {
        "beta": change,
        "covariance": np.asarray(others["covariance"])[:, kept[:, None], kept],
        "sigma": np.array(others["sigma"]),
        "objective": np.array(others["objective"]),
    }
    result = {}
    for name, own in values.items():
        own[lost] = np.nan
        result[name] = np.empty((n_sets, *own.shape[1:]))
        result[name][narrow], result[name][wide] = found[name], own
    return result
