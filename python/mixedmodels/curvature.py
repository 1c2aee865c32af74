"""Covariance matrices of estimates from the curvature of the objective."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def covariance_from(hessian: NDArray[np.float64], inner: NDArray[np.bool_]) -> NDArray[np.float64]:
    """
    Twice the inverse of the Hessian of -2 log-likelihood, on the parameters inside their domain.

    Parameters
    ----------
    hessian : ndarray, shape (m, m)
    inner : ndarray of bool, shape (m,)
        False for parameters on their boundary, where the asymptotics do not hold.

    Returns
    -------
    ndarray, shape (m, m)
        NaN for the others, and altogether where the matrix is not positive definite: then the point is
        no minimum, or the data do not tell.
    """
    result = np.full_like(hessian, np.nan)
    chosen = np.ix_(inner, inner)
    result[chosen] = 2.0 * _inverse(hessian[chosen])
    return result


def _inverse(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    if not np.isfinite(matrix).all() or np.any(np.diag(matrix) <= 0):
        return np.full_like(matrix, np.nan)
    scale = np.sqrt(np.diag(matrix))
    values, vectors = np.linalg.eigh(matrix / np.outer(scale, scale))
    if len(values) and values[0] <= len(values) * np.finfo(float).eps * values[-1]:
        return np.full_like(matrix, np.nan)
    return (vectors / values) @ vectors.T / np.outer(scale, scale)
