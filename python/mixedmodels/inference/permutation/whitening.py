"""Symmetric square roots of the covariance matrix of the response and its inverse, not as n x n matrices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...design.theta import factors
from ...errors import ArgumentError
from ...fit.state import FittedModel

_MOST_EFFECTS = 4_000


@dataclass(frozen=True, eq=False)
class Whitening:
    """
    With V = I + AA' the covariance of the weighted response relative to σ²: V^½ = I + A F A'.

    Attributes
    ----------
    a : sparse matrix, shape (n, q)
        The square roots of the weights times ZΛ.
    root, inverse : sparse matrix, shape (q, q)
        F for V^½ and V^-½.
    """

    a: Any
    root: Any
    inverse: Any

    def whiten(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """V^-½ times weighted values, shape (n, ...)."""
        return values + self.a @ (self.inverse @ (self.a.T @ values))

    def colour(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """V^½ times white values, shape (n, ...)."""
        return values + self.a @ (self.root @ (self.a.T @ values))


def whitening(fitted: FittedModel, function: str) -> Whitening:
    """
    The roots of the covariance matrix of a linear model at its estimates.

    They come from the eigenvectors of A'A by sets of connected levels: those of one group with a single or
    nested factors, all levels with crossed ones.

    Raises
    ------
    ArgumentError
        When too many random effects are connected.
    """
    from scipy.sparse import bmat, coo_array, csr_array
    from scipy.sparse.csgraph import connected_components

    n = fitted.n_obs
    weight = np.sqrt(fitted.prior_weights)
    rows = np.arange(n)
    parts = []
    for term, factor in zip(fitted.design.terms, factors(fitted.design, fitted.estimates.theta), strict=True):
        z = weight[:, None] * (term.z @ factor)
        k, codes = z.shape[1], term.group.codes.astype(np.int64)
        columns = codes[:, None] * k + np.arange(k)
        place = (np.repeat(rows, k), columns.ravel())
        parts.append(coo_array((z.ravel(), place), shape=(n, k * len(term.group.levels))))
    a = csr_array(bmat([parts]))
    a.eliminate_zeros()
    gram = csr_array(a.T @ a)
    n_sets, labels = connected_components(gram, directed=False)
    sizes = np.bincount(labels, minlength=n_sets)
    if sizes.max(initial=0) > _MOST_EFFECTS:
        raise ArgumentError(
            f"{function}: {sizes.max()} random effects are connected by the rows, and the permutation of "
            f"residuals needs the eigenvectors of a matrix of that size (at most {_MOST_EFFECTS}); "
            "use permute='labels' or pb_compare()"
        )
    root, inverse = _functions(gram, labels, sizes)
    return Whitening(a, root, inverse)


def _functions(gram: Any, labels: NDArray[Any], sizes: NDArray[np.intp]) -> tuple[Any, Any]:
    """F of both roots: functions of A'A, block by block; blocks of one size together."""
    from scipy.sparse import coo_array, csr_array

    order = np.argsort(labels, kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)])
    q = len(labels)
    # The place of each effect in its set.
    place = np.empty(q, dtype=np.int64)
    place[order] = np.arange(q) - np.repeat(starts[:-1], sizes)
    entries = gram.tocoo()
    row, column = entries.coords
    where, values = [], ([], [])
    for size in np.unique(sizes):
        sets = np.flatnonzero(sizes == size)
        number = np.full(len(sizes), -1)
        number[sets] = np.arange(len(sets))
        own = number[labels[row]] >= 0
        blocks = np.zeros((len(sets), size, size))
        blocks[number[labels[row[own]]], place[row[own]], place[column[own]]] = entries.data[own]
        d, vectors = np.linalg.eigh(blocks)
        d = np.maximum(d, 0.0)
        members = order[starts[sets][:, None] + np.arange(size)]
        where.append((np.repeat(members, size, axis=1).ravel(), np.tile(members, (1, size)).ravel()))
        # ((1 + d)^½ - 1) / d and ((1 + d)^-½ - 1) / d without cancellation.
        up = 1.0 / (np.sqrt(1.0 + d) + 1.0)
        for into, f in zip(values, (up, -up / np.sqrt(1.0 + d)), strict=True):
            into.append(((vectors * f[:, None, :]) @ vectors.swapaxes(1, 2)).ravel())
    if not where:
        return csr_array((q, q)), csr_array((q, q))
    index = tuple(np.concatenate(side) for side in zip(*where, strict=True))
    return tuple(csr_array(coo_array((np.concatenate(own), index), shape=(q, q))) for own in values)
