"""Curvature of the criterion at the estimates and the covariance matrix of (theta, sigma) from it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..fitted_model import Fitted
from ..theta import positions, slices, theta_names


def hessian(fitted: Fitted) -> pd.DataFrame:
    """Exact Hessian of the objective, σ profiled, in theta."""
    return _labelled(fitted.engine.hessian(fitted.estimates.theta, fitted.reml), theta_names(fitted.design))


def covariance(fitted: Fitted) -> pd.DataFrame:
    """
    2H⁻¹ with H the Hessian of -2 log-likelihood (or the REML criterion) in theta and σ.

    The engine's H is in (theta, log σ); the rule dσ = σ d log σ turns it into one in σ.
    """
    theta, sigma = fitted.estimates.theta, fitted.estimates.sigma
    names = (*theta_names(fitted.design), "sigma")
    matrix = np.full((len(names), len(names)), np.nan)
    inner = np.append(_inner(fitted, theta), True)
    inverse = _inverse(fitted.engine.joint_hessian(theta, fitted.reml)[np.ix_(inner, inner)])
    matrix[np.ix_(inner, inner)] = 2.0 * inverse
    matrix[-1] *= sigma
    matrix[:, -1] *= sigma
    return _labelled(matrix, names)


def _inner(fitted: Fitted, theta: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Entries of theta in columns of the factors that are not zero altogether."""
    inner = []
    for term, part in slices(fitted.design):
        columns = np.array([j for _, j in positions(term)])
        inner += [bool(np.any(theta[part][columns == j])) for j in columns]
    return np.array(inner, dtype=bool)


def _inverse(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """NaN where the matrix is not positive definite: then the point is no minimum or the data do not tell."""
    scale = np.sqrt(np.maximum(np.diag(matrix), np.finfo(float).tiny))
    values, vectors = np.linalg.eigh(matrix / np.outer(scale, scale))
    if values[0] <= len(values) * np.finfo(float).eps * values[-1]:
        return np.full_like(matrix, np.nan)
    return (vectors / values) @ vectors.T / np.outer(scale, scale)


def _labelled(matrix: NDArray[np.float64], names: tuple[str, ...]) -> pd.DataFrame:
    index = pd.Index(names, dtype=object)
    return pd.DataFrame(matrix, index=index, columns=index)
