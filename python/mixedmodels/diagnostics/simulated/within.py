"""Deviations from the expected response without what rows have in common by their random effects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Effects:
    """
    The random effects of a term in a linear model of the deviations, by their best linear predictor.

    Attributes
    ----------
    z : sparse matrix, shape (n, levels * k)
        What effects of unit variance add to the responses.
    weighted : sparse matrix, shape (levels * k, n)
        Its transpose, times the weights of the rows.
    inverse : ndarray, shape (levels, k, k)
        Covariance matrices of the effects of each level given the deviations of its rows.
    """

    z: Any
    weighted: Any
    inverse: Values

    @classmethod
    def of(cls, codes: NDArray[np.integer[Any]], z: Values, weights: Values) -> Effects:
        """By the level of each row, z of shape (n, k), and one over the variances of the rows' errors."""
        from scipy.sparse import csr_array

        (n, k), levels = z.shape, int(codes.max()) + 1
        columns = codes.astype(np.int64)[:, None] * k + np.arange(k)
        starts = np.arange(0, n * k + 1, k)
        shape = (n, levels * k)
        sparse = csr_array((z.ravel(), columns.ravel(), starts), shape=shape)
        weighted = csr_array(((z * weights[:, None]).ravel(), columns.ravel(), starts), shape=shape).T.tocsr()
        products = np.empty((levels, k, k))
        for j in range(k):
            # Column j of z in all levels at once.
            products[:, :, j] = (weighted @ z[:, j]).reshape(levels, k)
        return cls(sparse, weighted, np.asarray(np.linalg.inv(products + np.eye(k)), dtype=np.float64))

    def removed_from(self, deviations: Values) -> Values:
        """Deviations, shape (n, m), less the predicted effects."""
        levels, k, _ = self.inverse.shape
        sums = (self.weighted @ deviations).reshape(levels, k, -1)
        return deviations - self.z @ (self.inverse @ sums).reshape(levels * k, -1)


def within(deviations: Values, terms: Iterable[Effects]) -> Values:
    """
    Deviations, shape (m, n), less the effects of all terms, one term after the other.

    More than one pass over crossed terms changes little, and any number gives a valid test.
    """
    rest = np.ascontiguousarray(deviations.T)
    for term in terms:
        rest = term.removed_from(rest)
    return rest.T
