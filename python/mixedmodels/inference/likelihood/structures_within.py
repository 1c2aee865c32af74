"""
Whether a covariance structure gives the covariance matrices of other terms.

It is tried on covariance matrices of these terms: each is written in the columns of the structure, and its
parameters are read off.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...covariance import Structure
from ...design import RandomTerm

_ROUNDING = 1e-7
# Columns of the structure, and levels whose rows are looked at.
_MOST_COLUMNS, _LEVELS = 12, 5
# Correlations that are tried, as shares of their upper and lower limits.
_SHARES = (0.3, 0.6, -0.4)


def structure_contains(term: RandomTerm, others: Sequence[RandomTerm], also: NDArray[np.intp]) -> bool | None:
    """
    Whether the structure of a term gives every sum of covariance matrices of the other terms.

    Parameters
    ----------
    term : RandomTerm
    others : sequence of RandomTerm
    also : ndarray of int
        Rows to be looked at beside some with all columns of the term.

    Returns
    -------
    bool or None
        None where it is open.
    """
    k = len(term.names)
    if k > _MOST_COLUMNS or not all(is_coarser(term.group.codes, own.group.codes) for own in others):
        return None
    rows = np.union1d(_rows(term, others), also)
    same = _same_level(term, rows)
    lower = np.tril_indices(k)
    z = term.z[rows]
    parts = []
    for i, j in zip(*lower, strict=True):
        element = np.zeros((k, k))
        element[i, j] = element[j, i] = 1.0
        parts.append((z @ element @ z.T)[same])
    space = np.column_stack(parts)
    if np.linalg.matrix_rank(space) < space.shape[1]:
        return None
    for share in _SHARES:
        covariance = np.zeros((len(rows), len(rows)))
        for other in others:
            own = _example(other.structure, share)
            if own is None:
                return None
            covariance += np.where(_same_level(other, rows), other.z[rows] @ own @ other.z[rows].T, 0.0)
        wanted = covariance[same]
        found = np.linalg.lstsq(space, wanted, rcond=None)[0]
        if np.abs(space @ found - wanted).max() > _ROUNDING * np.abs(wanted).max():
            return False
        matrix = np.zeros((k, k))
        matrix[lower] = found
        matrix = np.where(np.eye(k, dtype=bool), matrix, matrix + matrix.T)
        read = _read(term.structure, matrix)
        if read is None or np.abs(read - matrix).max() > _ROUNDING * np.abs(matrix).max():
            # Correlations of effects without a variance, and those of a time that is no unit, are not known.
            known = read is not None and term.times is None and (np.diag(matrix) > 0).all()
            return False if known else None
    return True


def is_coarser(codes: NDArray[np.uint32], finer: NDArray[np.uint32]) -> bool:
    """Whether rows that agree in the finer factor agree in the other."""
    first = np.zeros(int(finer.max()) + 1, dtype=np.int64)
    first[finer] = codes
    return bool((first[finer] == codes).all())


def _rows(term: RandomTerm, others: Sequence[RandomTerm]) -> NDArray[np.intp]:
    """Rows of some levels: those that differ in the columns of the term, and others that differ at all."""
    codes, chosen = term.group.codes, []
    for level in np.argsort(-np.bincount(codes), kind="stable")[:_LEVELS]:
        inside = np.flatnonzero(codes == level)
        every = [term.z, *(part for own in others for part in (own.z, own.group.codes[:, None]))]
        for columns in (term.z[inside], np.column_stack([part[inside] for part in every])):
            _, first = np.unique(columns, axis=0, return_index=True)
            chosen.append(inside[np.sort(first)[: 2 * _MOST_COLUMNS]])
    return np.unique(np.concatenate(chosen))


def _same_level(term: RandomTerm, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
    codes = term.group.codes[rows]
    return codes[:, None] == codes


def _example(structure: Structure, share: float) -> NDArray[np.float64] | None:
    """A covariance matrix of the structure, without symmetries that not all of its matrices have."""
    parts, correlations = structure.parameters, 0
    natural = np.empty(len(parts))
    for i, part in enumerate(parts):
        if part.kind == "sd":
            natural[i] = 1.0 + i / (i + 1.5)
        else:
            limit = part.upper if share > 0 else min(-part.lower, 1.0)
            natural[i] = np.sign(share) * limit * abs(share) ** (correlations + 1)
            correlations += 1
    try:
        factor = structure.factor(structure.theta(natural))
    except ValueError:
        return None
    return factor @ factor.T


def _read(structure: Structure, matrix: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """The covariance matrix of the structure with the parameters that a covariance matrix seems to have."""
    sds = np.sqrt(np.maximum(np.diag(matrix), 0.0))
    with np.errstate(invalid="ignore", divide="ignore"):
        correlations = matrix / np.outer(sds, sds)
    natural, shared = np.empty(structure.n_parameters), 0
    for i, part in enumerate(structure.parameters):
        if part.kind == "sd":
            natural[i] = sds[part.columns[0]]
            continue
        if part.columns:
            values = correlations[part.columns[0], part.columns[1]].reshape(1)
        else:
            # Of columns next to each other, then of those further apart.
            shared += 1
            values = np.diag(correlations, shared)
        known = values[np.isfinite(values)]
        natural[i] = min(max(known[0], part.lower), part.upper) if len(known) else 0.0
    try:
        factor = structure.factor(structure.theta(natural))
    except ValueError:
        return None
    return factor @ factor.T
