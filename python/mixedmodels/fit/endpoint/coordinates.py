"""
Coordinates of the parameters that depend neither on the origin nor on the unit of a covariate.

A covariate far from zero, such as a calendar year, makes the columns of a term nearly alike: its effects are
then almost perfectly correlated, and the curvature in theta says little of what the data determine. With
R'R = Z'WZ/n the columns ZR⁻¹ are uncorrelated, and the covariance matrix of their effects has the factor L
with LL' = Rλλ'R'. A constant added to a covariate leaves L as it is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...covariance import Structure
from ...design import Predictors, theta as theta_layout

# Columns with a smaller share of their own beside the others are linearly dependent.
DEPENDENT = 1e-10


def of_theta(
    design: Predictors, roots: Sequence[NDArray[np.float64]], theta: NDArray[np.float64]
) -> NDArray[np.float64]:
    """
    Derivatives of the coordinates in theta, shape (n_theta, n_theta), regular.

    A step of one in a coordinate changes an effect by as much as the residual standard deviation, or by the
    standard deviation that it has already where that is larger: the curvature of the objective falls
    with the square of a large standard deviation, however well the data determine it.

    Parameters
    ----------
    design : Predictors
    roots : sequence of ndarray
        See :func:`~mixedmodels.fit.endpoint.singularity.term_roots`.
    theta : ndarray, shape (n_theta,)
    """
    result = np.zeros((len(theta), len(theta)))
    for (term, part), root in zip(theta_layout.slices(design), roots, strict=True):
        result[part, part] = _of_term(term.structure, root, theta[part])
    return result


def joined(*blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    """A block diagonal matrix."""
    result = np.zeros((sum([len(block) for block in blocks]),) * 2)
    start = 0
    for block in blocks:
        stop = start + len(block)
        result[start:stop, start:stop] = block
        start = stop
    return result


def independent(root: NDArray[np.float64]) -> bool:
    """Whether the columns with this triangular root are linearly independent."""
    if root.shape[0] != root.shape[1]:
        return False
    return bool((np.abs(root.diagonal()) > DEPENDENT * np.linalg.norm(root, axis=0)).all())


def sizes_of(root: NDArray[np.float64]) -> NDArray[np.float64]:
    """The root mean squares of the columns; one for columns of zeros."""
    sizes = np.linalg.norm(root, axis=0)
    return np.where(sizes > 0, sizes, 1.0)


def _of_term(
    structure: Structure, root: NDArray[np.float64], theta: NDArray[np.float64]
) -> NDArray[np.float64]:
    factor, entries = structure.factor(theta), structure.entries
    if entries is None:
        moved = np.linalg.norm(root @ structure.factor_slopes(theta), axis=(1, 2))
        return np.diag(np.where(moved > 0, moved, 1.0) / max(1.0, float(np.linalg.norm(root @ factor))))
    if structure.blocks == (tuple(range(structure.k)),) and np.triu(root, 1).any() and independent(root):
        turned = _turned(entries, root, factor)
        if turned is not None:
            return turned
    sizes = sizes_of(root)
    sizes = sizes / np.maximum(1.0, sizes * np.linalg.norm(factor, axis=1))
    return np.diag([sizes[i] for i, _ in entries])


def _turned(
    positions: list[tuple[int, int]], root: NDArray[np.float64], factor: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """
    Derivatives of the entries of L; None where the factor does not tell which of its columns vanish in L.

    Rλ = LQ with orthogonal Q gives d(Rλ) Q' = dL + L S with a skew-symmetric S, which the upper triangle of
    L⁻¹ d(Rλ) Q' determines. Columns of λ that are zero count beside the span of the others.
    """
    rank = int(np.count_nonzero(factor.any(axis=0)))
    if not factor[:, :rank].any(axis=0).all():
        return None
    right, lower = np.linalg.qr((root @ factor[:, :rank]).T)
    sign = np.where(lower.diagonal() < 0, -1.0, 1.0)
    right, lower = right * sign, (lower * sign[:, None]).T
    top = lower[:rank]
    if not (top.diagonal() > DEPENDENT * np.abs(lower).max(initial=0.0)).all():
        return None
    inverse = np.asarray(np.linalg.inv(top), dtype=np.float64)
    size = np.maximum(1.0, np.linalg.norm(lower, axis=1))
    result = np.zeros((len(positions), len(positions)))
    inner = [n for n, (_, j) in enumerate(positions) if j < rank]
    rows, columns = (np.array([positions[n][side] for n in inner], dtype=int) for side in (0, 1))
    for n in inner:
        i, j = positions[n]
        moved = np.outer(root[:, i], right[j])
        upper = np.triu(inverse @ moved[:rank], 1)
        change = (moved - lower @ (upper - upper.T)) / size[:, None]
        result[inner, n] = change[rows, columns]
    beside = (root[rank:] - lower[rank:] @ inverse @ root[:rank]) / size[rank:, None]
    for j in range(rank, len(root)):
        own = [n for n, (_, column) in enumerate(positions) if column == j]
        result[np.ix_(own, own)] = np.linalg.qr(beside[:, j:], mode="r")
    return result
