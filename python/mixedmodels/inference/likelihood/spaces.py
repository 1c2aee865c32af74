"""
Whether the columns of one model span those of another, and its random effects the covariance matrices.

Both by projection: of columns on columns, and of the matrices by which covariance parameters enter the
covariance matrix of the response, on some rows, on those of the larger model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ...design import RandomTerm
from ...fit.state import FittedModel
from ..basis.column_space import columns_within
from .structures_within import is_coarser, structure_contains
from .telling_rows import telling_rows


def spaces_not_nested(smaller: FittedModel, larger: FittedModel) -> tuple[list[str], bool]:
    """
    Which parts of the smaller model the larger one does not contain.

    Returns
    -------
    reasons : list of str
        Some of "fixed effects", "random effects".
    decided : bool
        False where structures of the random effects do not allow to tell.
    """
    reasons = [] if _columns_within(smaller, larger) else ["fixed effects"]
    random = _random_within(smaller, larger)
    if random is False:
        reasons.append("random effects")
    return reasons, random is not None


def _columns_within(smaller: FittedModel, larger: FittedModel) -> bool:
    """Whether the fixed part of the larger model spans the columns of the smaller one."""
    known = {smaller.design.x_names[j] for j in smaller.estimates.held}
    known &= {larger.design.x_names[j] for j in larger.estimates.held}
    x = larger.design.x[:, larger.estimates.free]
    own = [j for j in smaller.estimates.kept if smaller.design.x_names[j] not in known]
    there = {np.ascontiguousarray(column).tobytes() for column in x.T}
    rest = [j for j in own if np.ascontiguousarray(smaller.design.x[:, j]).tobytes() not in there]
    return not rest or columns_within(smaller.design.x[:, rest], x)


def _random_within(smaller: FittedModel, larger: FittedModel) -> bool | None:
    """Whether the larger model has the covariance matrices of the smaller one; None where that is open."""
    mine, theirs = list(smaller.design.terms), list(larger.design.terms)
    for term in list(mine):
        twin = next((other for other in theirs if _same(term, other)), None)
        if twin is not None:
            mine.remove(term)
            theirs.remove(twin)
    if not mine:
        return True
    # What the smaller model holds makes it a special case of its own.
    mine_held, theirs_held = (bool(m.held.terms(m.design)) for m in (smaller, larger))
    # Terms whose covariance matrices are a linear space count with their twins: sums of both are possible.
    linear = [term for term in larger.design.terms if _is_linear(term)]
    rows = telling_rows(mine, larger.design.terms, smaller.n_obs)
    wanted = np.column_stack([part for term in mine for part in _matrices(term, rows)])
    space = [part for term in linear for part in _matrices(term, rows)]
    if smaller.exact_likelihood:
        space.append(_pairs(np.diag(1.0 / smaller.prior_weights[rows])))
    if columns_within(wanted, np.column_stack(space) if space else np.zeros((len(wanted), 0))):
        return None if theirs_held else True
    every_linear = len(linear) == len(larger.design.terms) and all(map(_is_linear, mine))
    if theirs_held:
        return None
    found = False if every_linear else _by_structures(mine, theirs, rows, len(larger.design.terms) == 1)
    return None if mine_held and not found else found


def _by_structures(
    mine: Sequence[RandomTerm], theirs: Sequence[RandomTerm], rows: NDArray[np.intp], alone: bool
) -> bool | None:
    """
    True where one term of the larger model gives the covariance matrices of the smaller one.

    False where a grouping factor of the smaller model is in no term of the larger one, and where the only
    term of that (`alone`) does not give them.
    """
    groups = [term.group.codes for term in theirs]
    for term in mine:
        if not any(is_coarser(codes, term.group.codes) for codes in groups):
            return False
    found = [structure_contains(term, mine, rows) for term in theirs]
    if any(found):
        return True
    return False if alone and False in found else None


def _same(one: RandomTerm, other: RandomTerm) -> bool:
    alike = one.covariance == other.covariance or len(one.names) == 1 == len(other.names)
    return (
        alike
        and one.times == other.times
        and one.z.shape == other.z.shape
        and np.array_equal(one.z, other.z)
        and np.array_equal(one.group.codes, other.group.codes)
    )


def _is_linear(term: RandomTerm) -> bool:
    """Whether every symmetric combination of its elements is a change of its covariance matrix."""
    return bool(len(term.structure.element_matrices()))


def _matrices(term: RandomTerm, rows: NDArray[np.intp]) -> Iterator[NDArray[np.float64]]:
    """ZEZ' of these rows for each element E of the covariance matrix of a level; the pairs of rows."""
    same = term.group.codes[rows][:, None] == term.group.codes[rows]
    z = term.z[rows]
    elements = term.structure.element_matrices()
    if not len(elements):
        k = len(term.names)
        elements = np.array([np.eye(k)])
    for element in elements:
        yield _pairs(np.where(same, z @ element @ z.T, 0.0))


def _pairs(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(matrix, dtype=np.float64)[np.triu_indices(len(matrix))]
