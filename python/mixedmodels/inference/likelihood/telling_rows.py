"""Rows on which covariance matrices of the random effects of two models are compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ...design import RandomTerm

Rows = NDArray[np.intp]
# Rows of a level, levels of a factor, and rows in which factors or columns differ.
_PER_LEVEL, _LEVELS, _DIFFERENT = 6, 5, 3
# Rows at large, and the most without those in which something differs.
_ANY, _MOST = 40, 150


def telling_rows(mine: Sequence[RandomTerm], theirs: Sequence[RandomTerm], n: int) -> Rows:
    """
    Rows that share levels of each factor, and those in which factors or columns of the models differ.

    Parameters
    ----------
    mine, theirs : sequence of RandomTerm
        Of the smaller and of the larger model.
    n : int
        Of rows.
    """
    factors: list[NDArray[np.uint32]] = []
    for term in (*mine, *theirs):
        if not any(term.group.codes is other for other in factors):
            factors.append(term.group.codes)
    found = [part for codes in factors for part in _of_levels(codes)]
    if sum(map(len, found)) > _MOST:
        found = [np.concatenate(found)[-_MOST:]]
    found.append(np.linspace(0, n - 1, min(n, _ANY)).astype(np.intp))
    found += [_splits(one, other) for one in factors for other in factors if one is not other]
    found += [rows for term in mine for rows in _apart(term, theirs)]
    return np.unique(np.concatenate(found))


def _of_levels(codes: NDArray[np.uint32]) -> Iterator[Rows]:
    """Some rows of the largest levels."""
    for level in np.argsort(-np.bincount(codes), kind="stable")[:_LEVELS]:
        yield _some_of(codes, int(level))


def _some_of(codes: NDArray[np.uint32], level: int) -> Rows:
    inside = np.flatnonzero(codes == level)
    return inside[np.linspace(0, len(inside) - 1, min(len(inside), _PER_LEVEL)).astype(np.intp)]


def _splits(codes: NDArray[np.uint32], other: NDArray[np.uint32]) -> Rows:
    """Rows of one level of a factor that are in two levels of another."""
    _, first = np.unique(codes, return_index=True)
    rows = np.flatnonzero(other[first[codes]] != other)[:_DIFFERENT]
    return np.concatenate([rows, first[codes[rows]]])


def _apart(term: RandomTerm, theirs: Sequence[RandomTerm]) -> Iterator[Rows]:
    """Rows in which the columns of a term are no combinations of the others, with rows of their level."""
    rest = np.abs(term.z).max(axis=1)
    if theirs:
        z = np.column_stack([own.z for own in theirs])
        size = np.linalg.norm(z, axis=0)
        z /= np.where(size > 0, size, 1.0)
        coefficients = np.linalg.lstsq(z.T @ z, z.T @ term.z, rcond=None)[0]
        rest = np.abs(term.z - z @ coefficients).max(axis=1)
    for row in np.argsort(-rest, kind="stable")[:_DIFFERENT]:
        if rest[row] > 0.0:
            yield np.append(_some_of(term.group.codes, int(term.group.codes[row])), row)
