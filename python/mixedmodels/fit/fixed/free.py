"""The parameters that are left to the search when others are held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...design import Predictors
from ..endpoint.curvature import ParameterCovariance
from ..endpoint.undetermined import of_theta

# Parameters that move no covariance matrix by more than this share of the largest move are at a boundary.
_STILL = 1e-12
# Smaller slopes, in the units of the coordinates, are rounding where the others are zero.
_ROUNDING = 1e-9
# Columns with a smaller share of their own beside those before them are linearly dependent.
_DEPENDENT = 1e-9


@dataclass(frozen=True, eq=False)
class FreeParameters:
    """
    Derivatives and coordinates of the free parameters.

    Attributes
    ----------
    names : tuple of str
        Each by the parameter of the model that it moves most.
    gradient : ndarray, shape (f,)
    hessian : ndarray, shape (f, f)
    slopes : ndarray, shape (m, f)
        Derivatives of all parameters with respect to them.
    inner : ndarray of bool, shape (f,)
        False for those on their boundary.
    coordinates : ndarray, shape (f, f)
        See :mod:`mixedmodels.fit.endpoint.coordinates`.
    units : ndarray, shape (f,)
        What one unit of each adds to the response or linear predictor.
    """

    names: tuple[str, ...]
    gradient: NDArray[np.float64]
    hessian: NDArray[np.float64]
    slopes: NDArray[np.float64]
    inner: NDArray[np.bool_]
    coordinates: NDArray[np.float64]
    units: NDArray[np.float64]


def free_parameters(
    free: Mapping[str, Any],
    names: Sequence[str],
    coordinates: NDArray[np.float64],
    design: Predictors,
    theta: NDArray[np.float64],
) -> FreeParameters:
    """
    The free parameters of a fit.

    Parameters
    ----------
    free : mapping
        What the engine says of them: ``gradient``, ``hessian``, ``slopes``.
    names : sequence of str
        Of all parameters of the model, m.
    coordinates : ndarray, shape (m, m)
        Of all parameters.
    design : Predictors
    theta : ndarray, shape (n_theta,)
    """
    slopes = np.asarray(free["slopes"], dtype=np.float64)
    count = len(free["gradient"])
    slopes = slopes.reshape(len(names), count)
    moves = _moves(slopes, design, theta)
    inner = moves > _STILL * max(1.0, float(moves.max(initial=0.0)))
    # Of parameters at a boundary the rest is rounding.
    units = np.linalg.norm(coordinates, axis=0)
    slopes = np.where(inner | (np.abs(slopes) * units[:, None] > _ROUNDING), slopes, 0.0)
    moved = coordinates @ slopes
    own = tuple([names[int(np.argmax(np.abs(moved[:, j])))] for j in range(count)])
    sizes = np.linalg.norm(moved, axis=0)
    return FreeParameters(
        own,
        np.asarray(free["gradient"]),
        np.asarray(free["hessian"]).reshape(count, count),
        slopes,
        inner,
        _triangle(moved),
        np.where(sizes > 0, sizes, 1.0),
    )


def _moves(
    slopes: NDArray[np.float64], design: Predictors, theta: NDArray[np.float64]
) -> NDArray[np.float64]:
    """
    How far each free parameter moves the covariance matrices, the coefficients or the scale.

    Not at all at a boundary: there the covariance matrices change to the second order.
    """
    n = len(theta)
    result = np.linalg.norm(slopes[n:], axis=0)
    for j, directions in enumerate(of_theta(design, theta, slopes[:n].T)):
        result[j] += sum(float(np.linalg.norm(part)) for part in directions)
    return result


def _triangle(moved: NDArray[np.float64]) -> NDArray[np.float64]:
    """Coordinates along the directions in which the free parameters move all others, regular."""
    sizes = np.linalg.norm(moved, axis=0)
    sizes = np.where(sizes > 0, sizes, 1.0)
    if not len(sizes):
        return np.zeros((0, 0))
    root = np.asarray(np.linalg.qr(moved / sizes, mode="r"), dtype=np.float64)
    if len(root) < len(sizes) or not (np.abs(root.diagonal()) > _DEPENDENT).all():
        return np.diag(sizes)
    return root * sizes


def in_all_parameters(
    found: ParameterCovariance, slopes: NDArray[np.float64], coordinates: NDArray[np.float64]
) -> ParameterCovariance:
    """
    The covariance matrix of all parameters from that of the free ones: zero for those that are held.

    Parameters
    ----------
    found : ParameterCovariance
        Of the free parameters, f.
    slopes : ndarray, shape (m, f)
    coordinates : ndarray, shape (m, m)
        Of all parameters.
    """
    known = np.isfinite(found.matrix.diagonal())
    filled = np.where(known[:, None] & known, found.matrix, 0.0)
    matrix = slopes @ filled @ slopes.T
    unknown = np.any(slopes[:, ~known] != 0.0, axis=1)
    matrix[unknown], matrix[:, unknown] = np.nan, np.nan
    return ParameterCovariance(matrix, found.undetermined @ slopes.T, np.linalg.norm(coordinates, axis=0))
