"""
Measures of influence, from the change of the coefficients and their covariance matrices.

With d the change of the p coefficients, V their covariance in the full data and V_i that without set i:
Cook's distance d'V^-1 d/p, MDFFITS d'V_i^-1 d/p, COVTRACE |tr(V^-1 V_i) - p|, COVRATIO |V_i|/|V| (Demidenko &
Stukel 2005; Loy & Hofmann 2014).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .estimates import Estimates

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Measures:
    """
    Measures for m sets of rows, p coefficients.

    Attributes
    ----------
    dfbetas : ndarray, shape (m, p)
        Changes in standard errors of the deleted fit.
    cooks_distance, mdffits, covtrace, covratio : ndarray, shape (m,)
    """

    dfbetas: Values
    cooks_distance: Values
    mdffits: Values
    covtrace: Values
    covratio: Values


def measures(deleted: Estimates, covariance: Values) -> Measures:
    """
    The measures.

    Parameters
    ----------
    deleted : Estimates
    covariance : ndarray, shape (p, p)
        Of the coefficients in the full data.
    """
    reference = deleted.reference
    change = deleted.change
    m, p = change.shape
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = np.sqrt(np.diagonal(deleted.covariance, axis1=1, axis2=2))
        dfbetas = change / errors
    nan = np.full(m, np.nan)
    if p == 0:
        return Measures(dfbetas, nan, nan, nan, nan)
    cooks, mdffits, trace, ratio = (nan.copy() for _ in range(4))
    good = np.isfinite(change).all(axis=1)
    cooks[good] = np.square(_whitened(covariance, change[good].T)).sum(axis=0) / p
    good &= np.isfinite(deleted.covariance).all(axis=(1, 2))
    relative = _whitened(reference, deleted.covariance[good])
    relative = _whitened(reference, np.swapaxes(relative, 1, 2))
    scaled = _whitened(reference, change[good].T).T
    trace[good] = np.abs(np.trace(relative, axis1=1, axis2=2) - p)
    ratio[good] = np.linalg.det(relative)
    mdffits[good] = _forms(relative, scaled) / p
    return Measures(dfbetas, cooks, mdffits, trace, ratio)


def _whitened(covariance: Values, columns: Values) -> Values:
    """Columns in coordinates with unit covariance; NaN where there are none."""
    try:
        root = np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        return np.full(columns.shape, np.nan)
    return np.asarray(np.linalg.solve(root, columns), dtype=np.float64)


def _forms(matrices: Values, vectors: Values) -> Values:
    """x'A^-1 x for each matrix."""
    try:
        solved = np.linalg.solve(matrices, vectors[..., None])[..., 0]
    except np.linalg.LinAlgError:
        return np.full(len(vectors), np.nan)
    return np.einsum("ij,ij->i", vectors, solved)
