"""
Grouping factors eliminated one by one from a sparse positive definite matrix A.

The factor with the most levels comes first and has a block diagonal D. With the border B, the rest C,
G = BD⁻¹ and S = C - GB', the inverse of A is [D⁻¹ + G'S⁻¹G, -G'S⁻¹; -S⁻¹G, S⁻¹]. Its entries where A has
some need those of S⁻¹ only where S has some (Takahashi, Fagan & Chin 1973). S is treated alike while its
first block is block diagonal, as with nested factors, and is inverted in the end.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Above this order nothing is inverted as a dense matrix.
_LARGEST_DENSE = 6_000
# Numbers in a dense block of columns.
_BLOCK = 4_000_000


@dataclass(frozen=True, eq=False)
class Inverted:
    """A matrix with its inverse, dense or of sparse blocks."""

    entries: Any

    def solve(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The inverse times a vector or the columns of a matrix."""
        return self.entries @ values


@dataclass(frozen=True, eq=False)
class Eliminated:
    """
    A matrix with its first grouping factor eliminated.

    Attributes
    ----------
    inverses : ndarray, shape (levels, k, k)
        D⁻¹.
    shares : sparse array
        G.
    rest : Eliminated or Inverted
        S.
    """

    inverses: NDArray[np.float64]
    shares: Any
    rest: Eliminated | Inverted

    def solve(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The inverse times a vector or the columns of a matrix."""
        first = self.shares.shape[1]
        below = self.rest.solve(values[first:] - self.shares @ values[:first])
        above = _block_diagonal(self.inverses) @ values[:first] - self.shares.T @ below
        return np.concatenate([above, below])

    @cached_property
    def entries(self) -> Any:
        """The inverse where the matrix has entries."""
        from scipy import sparse

        rest, k = self.rest.entries, self.inverses.shape[1]
        below = _product_where(rest, self.shares)
        added = np.empty_like(self.inverses)
        for i in range(k):
            for j in range(k):
                products = self.shares[:, i::k].multiply(below[:, j::k])
                added[:, i, j] = np.asarray(products.sum(axis=0)).ravel()
        first = _block_diagonal(self.inverses + added)
        return sparse.bmat([[first, -below.T], [-below, rest]], format="csr")


def eliminate(matrix: Any, sizes: Sequence[tuple[int, int]]) -> Eliminated | Inverted | None:
    """
    Prepare a matrix for solves and for entries of its inverse.

    Parameters
    ----------
    matrix : sparse array, shape (q, q)
    sizes : sequence of (int, int)
        Levels and effects of a level of each grouping factor, in the order of the rows, level by level.

    Returns
    -------
    Eliminated, Inverted or None
        None where a part of the matrix that does not decompose is too large to be inverted.
    """
    levels, k = sizes[0]
    first = levels * k
    blocks = _diagonal_blocks(matrix[:first, :first], levels, k)
    if blocks is None:
        return _inverted(matrix)
    inverses: NDArray[np.float64] = np.linalg.inv(blocks).astype(np.float64, copy=False)
    if len(sizes) == 1:
        return Inverted(_block_diagonal(inverses))
    border = matrix[first:, :first]
    shares = (border @ _block_diagonal(inverses)).tocsc()
    rest = eliminate((matrix[first:, first:] - shares @ border.T).tocsr(), sizes[1:])
    return None if rest is None else Eliminated(inverses, shares, rest)


def _diagonal_blocks(matrix: Any, levels: int, k: int) -> NDArray[np.float64] | None:
    """The blocks of a block-diagonal matrix, shape (levels, k, k); None when it is none."""
    entries = matrix.tocoo()
    level = entries.row // k
    if not np.array_equal(level, entries.col // k):
        return None
    blocks = np.zeros((levels, k, k))
    np.add.at(blocks, (level, entries.row % k, entries.col % k), entries.data)
    return blocks


def _block_diagonal(blocks: NDArray[np.float64]) -> Any:
    from scipy import sparse

    levels, k, _ = blocks.shape
    return sparse.bsr_matrix(
        (blocks, np.arange(levels), np.arange(levels + 1)), shape=(levels * k, levels * k)
    ).tocsr()


def _inverted(matrix: Any) -> Inverted | None:
    """A matrix with its inverse, by the parts that are not connected."""
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components

    count, part_of = connected_components(matrix, directed=False)
    if np.bincount(part_of).max() > _LARGEST_DENSE:
        return None
    if count == 1:
        return Inverted(np.linalg.inv(matrix.toarray()))
    order = np.argsort(part_of, kind="stable")
    edges = np.searchsorted(part_of[order], np.arange(count + 1))
    rows, columns, values = [], [], []
    for start, stop in itertools.pairwise(edges):
        own = order[start:stop]
        rows.append(np.repeat(own, len(own)))
        columns.append(np.tile(own, len(own)))
        values.append(np.linalg.inv(matrix[own][:, own].toarray()).ravel())
    joined = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return Inverted(sparse.csr_matrix(joined, shape=matrix.shape))


def _product_where(left: Any, right: Any) -> Any:
    """The product of two matrices where the second, a sparse one by columns, has entries."""
    from scipy import sparse

    result = right.copy()
    pattern = sparse.csc_matrix((np.ones_like(right.data), right.indices, right.indptr), shape=right.shape)
    if sparse.issparse(left):
        return (left @ right).multiply(pattern).tocsc()
    step = max(1, _BLOCK // len(left))
    for start in range(0, right.shape[1], step):
        stop = min(start + step, right.shape[1])
        part = right[:, start:stop]
        # The first matrix is symmetric.
        whole = part.T @ left
        place = slice(right.indptr[start], right.indptr[stop])
        column = np.repeat(np.arange(stop - start), np.diff(part.indptr))
        result.data[place] = whole[column, part.indices]
    return result
