"""Square roots of Z'WZ/n: they put the random effects of a term on the scale of the response."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ...design import Predictors

# Above this share of its sum of squares beside earlier columns a column keeps half the digits.
_INDEPENDENT = 1e-8
# Squares below this have lost digits to underflow.
_LEAST = 1e-290


def term_roots(design: Predictors, weights: NDArray[np.float64] | None) -> tuple[NDArray[np.float64], ...]:
    """For each term the triangular R with R'R = Z'WZ/n, shape (k, k)."""
    return tuple([root_of(term.z, weights) for term in design.terms])


def root_of(z: NDArray[np.float64], weights: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """The triangular R with R'R = Z'WZ/n of the columns of a matrix, shape (k, k)."""
    n = len(z)
    with np.errstate(over="ignore", invalid="ignore"):
        # Not by BLAS: its threads would go on waiting for work, on the cores that the fit needs next.
        products = np.einsum("ij,ik->jk", z, z if weights is None else z * weights[:, None]) / n
    root = plain_cholesky(products.tolist())
    if root is None:
        root = np.linalg.qr(z if weights is None else z * np.sqrt(weights)[:, None], mode="r") / np.sqrt(n)
    root.flags.writeable = False
    return root


def plain_cholesky(products: list[list[float]]) -> NDArray[np.float64] | None:
    """
    The triangular root of Z'WZ/n; None when columns are so nearly dependent that digits would be lost.

    In plain numbers, for in a small matrix the calls of array functions would outweigh the work.
    """
    rows: list[list[float]] = []
    for j, own in enumerate(products):
        rest = own[j] - sum([row[j] * row[j] for row in rows])
        if not (_LEAST < own[j] < math.inf and rest > _INDEPENDENT * own[j]):
            return None
        pivot = math.sqrt(rest)
        right = [(own[i] - sum([row[j] * row[i] for row in rows])) / pivot for i in range(j + 1, len(own))]
        rows.append([0.0] * j + [pivot] + right)
    return np.array(rows)
