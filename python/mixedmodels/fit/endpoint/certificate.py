"""Whether a point is a minimum, judged by exact gradient and curvature in units of the likelihood."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .curvature import ROUNDING, in_coordinates, scale_of, scaled_curvature

# In units of -2 log-likelihood: 1e-5 is about 0.003 standard errors of a parameter.
TOLERANCE = 1e-5


@dataclass(frozen=True, eq=False)
class Certificate:
    """
    The quadratic model of the objective at a point.

    Attributes
    ----------
    predicted_fall : float
        g'H⁻¹g/2: by how much the objective would still fall. It has no unit but that of the
        log-likelihood, so neither the units of the data nor their number change its meaning.
    shares : ndarray, shape (n_theta,)
        The part of the fall that each parameter would have on its own.
    eigenvalues : ndarray, shape (n_theta,)
        Of the Hessian in the coordinates scaled to a unit diagonal, increasing.
    worst : int or None
        The parameter with the largest share.
    downhill : int or None
        The parameter that leads a direction of negative curvature, when there is one.
    flat : int or None
        The parameter that leads a direction along which the objective does not change.
    """

    predicted_fall: float
    shares: NDArray[np.float64]
    eigenvalues: NDArray[np.float64]
    worst: int | None
    downhill: int | None
    flat: int | None = None


def certify(
    gradient: NDArray[np.float64], hessian: NDArray[np.float64], coordinates: NDArray[np.float64]
) -> Certificate:
    """
    Judge a point by its derivatives.

    Parameters
    ----------
    gradient : ndarray, shape (n_theta,)
    hessian : ndarray, shape (n_theta, n_theta)
    coordinates : ndarray, shape (n_theta, n_theta)
        Derivatives of coordinates in theta, see :mod:`mixedmodels.fit.endpoint.coordinates`, so that flat
        directions can be told from parameters in large units.

    Returns
    -------
    Certificate

    Notes
    -----
    The objective depends on λλ' only, so changing the sign of a column of λ changes nothing: a point
    with λ_jj = 0 is no real edge of the domain. Where the whole column is zero, symmetry makes its
    gradient zero, and the second derivative is what the one-sided derivative by the variance λ_jj² is
    to the boundary: not negative at a minimum. So one rule serves inner points and the boundary.
    """
    if not len(gradient):
        empty = np.zeros(0)
        return Certificate(0.0, empty, empty, None, None)
    if not (np.isfinite(gradient).all() and np.isfinite(hessian).all()):
        nan = np.full(len(gradient), np.nan)
        return Certificate(np.nan, nan, nan, None, None)
    turned, back = in_coordinates(hessian, coordinates)
    curvature = scaled_curvature(turned)
    values, vectors = curvature.values, curvature.vectors
    g = back.T @ gradient * curvature.scale
    fall = 0.5 * float(np.sum((vectors.T @ g) ** 2 / np.maximum(np.abs(values), ROUNDING)))
    units = np.linalg.norm(coordinates, axis=0)
    shares = 0.5 * (gradient / units * scale_of(np.diag(hessian) / units**2)) ** 2
    leading = int(np.argmax(np.abs(vectors[:, 0])))
    downhill = leading if curvature.downhill else None
    flat = leading if downhill is None and curvature.flat[0] else None
    return Certificate(fall, shares, values, int(np.argmax(shares)), downhill, flat)
