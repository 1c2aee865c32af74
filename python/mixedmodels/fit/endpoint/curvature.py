"""
Curvature of an objective: its scale, its flat directions, and covariance matrices of estimates from it.

Along some directions of the parameters the objective may not change at all: the data do not determine them.
They are left out of every inverse here, so that whatever does not depend on them keeps its standard error.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Eigenvalues of the scaled Hessian below this are rounding.
ROUNDING = 1e-7
# The data do not determine a direction with a smaller share of the largest eigenvalue of the scaled Hessian
# and less than the curvature expected below,
_UNDETERMINED = 1e-5
# or along which one unit changes -2 log-likelihood by less than half of this: by no more than rounding, if
# the objective is large enough, and so little that the standard error is over 40 units.
_LEAST = 1e-3
# Where the objective is flat, its second derivative by one unit is below this even at an imprecise optimum;
# where it is not, it is of the size of the number of groups.
_EXPECTED = 0.1
# Unit vectors that differ by less are one direction.
_APART = 1e-2
# Eigenvalues below minus this share of the largest one are no rounding: the objective curves downwards.
_DOWNHILL = 1e-5
# By more than this share of its size a quantity changes along a direction, rather than by rounding.
PART = 1e-4


@dataclass(frozen=True, eq=False)
class ScaledCurvature:
    """
    Eigenvalues and eigenvectors of a Hessian scaled to a unit diagonal.

    Attributes
    ----------
    values : ndarray, shape (m,)
        Increasing.
    vectors : ndarray, shape (m, m)
        Columns, in the scaled coordinates.
    scale : ndarray, shape (m,)
        What the coordinates are multiples of: coordinate = scale times scaled coordinate.
    """

    values: NDArray[np.float64]
    vectors: NDArray[np.float64]
    scale: NDArray[np.float64]

    @property
    def downhill(self) -> bool:
        """Whether the objective curves downwards in some direction."""
        return bool(self.values[0] < -max(ROUNDING, _DOWNHILL * self.values[-1]))

    @property
    def flat(self) -> NDArray[np.bool_]:
        """Along which of the eigenvectors the objective does not change, shape (m,)."""
        size = np.abs(self.values)
        plain = size / np.sum(np.square(self.scale[:, None] * self.vectors), axis=0)
        return (size < _UNDETERMINED * self.values[-1]) & (plain < _EXPECTED)


def scaled_curvature(hessian: NDArray[np.float64]) -> ScaledCurvature:
    """The scaled eigenvalues of a finite Hessian in at least one coordinate, all of a like unit."""
    scale = scale_of(np.diag(hessian))
    values, vectors = np.linalg.eigh(hessian * np.outer(scale, scale))
    return ScaledCurvature(values, vectors, scale)


def scale_of(diagonal: NDArray[np.float64]) -> NDArray[np.float64]:
    """What makes the diagonal of a Hessian one, except where it is only rounding beside the largest entry."""
    size = np.abs(diagonal)
    largest = size.max()
    floor = largest if largest > 0 else 1.0
    return 1.0 / np.sqrt(np.where(size > ROUNDING * largest, size, floor))


def in_coordinates(
    hessian: NDArray[np.float64], coordinates: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The Hessian in coordinates with these derivatives in the parameters, and the inverse derivatives."""
    inverse = np.asarray(np.linalg.inv(coordinates), dtype=np.float64)
    turned = inverse.T @ hessian @ inverse
    return (turned + turned.T) / 2.0, inverse


@dataclass(frozen=True, eq=False)
class ParameterCovariance:
    """
    The covariance matrix of estimates, and the directions of the parameters that it leaves out.

    Attributes
    ----------
    matrix : ndarray, shape (m, m)
        A generalised inverse: right for functions that do not change along the directions left out. NaN for
        parameters on their boundary, and altogether where the point is no minimum.
    undetermined : ndarray, shape (d, m)
        The directions that the data do not determine; one step along them is one in the coordinates.
    units : ndarray, shape (m,)
        The lengths, in the coordinates, of one unit of each parameter.
    """

    matrix: NDArray[np.float64]
    undetermined: NDArray[np.float64]
    units: NDArray[np.float64]

    @property
    def moved(self) -> NDArray[np.bool_]:
        """The parameters that change along directions left out, shape (m,)."""
        return np.any(np.abs(self.undetermined * self.units) > PART, axis=0)

    @property
    def determined(self) -> NDArray[np.float64]:
        """The matrix with NaN also for the parameters that the data do not determine."""
        result = self.matrix.copy()
        result[self.moved], result[:, self.moved] = np.nan, np.nan
        return result


def covariance_from(
    hessian: NDArray[np.float64],
    inner: NDArray[np.bool_],
    coordinates: NDArray[np.float64],
    wanted: NDArray[np.bool_] | None = None,
    known: NDArray[np.float64] | None = None,
) -> ParameterCovariance:
    """
    Twice the inverse of the Hessian of -2 log-likelihood, on the parameters inside their domain.

    Parameters
    ----------
    hessian : ndarray, shape (m, m)
    inner : ndarray of bool, shape (m,)
        False for parameters on their boundary, where the asymptotics do not hold.
    coordinates : ndarray, shape (m, m)
        Derivatives of coordinates in the parameters, in which the curvature tells what the data determine,
        see :mod:`mixedmodels.fit.endpoint.coordinates`. They do not mix parameters on and off the
        boundary, nor those wanted and others.
    wanted : ndarray of bool, shape (m,), optional
        True for parameters whose variances are wanted however large, such as coefficients that separation
        lets run off: a direction in which they change stays in. None by default.
    known : ndarray, shape (d, m), optional
        Directions among which are those that the data do not determine, by theory. Along them the Hessian may
        be less exactly zero than along others.
    """
    m = len(hessian)
    matrix = np.full((m, m), np.nan)
    units = np.linalg.norm(coordinates, axis=0)
    none = ParameterCovariance(matrix, np.zeros((0, m)), units)
    chosen = np.ix_(inner, inner)
    own = hessian[chosen]
    if not own.size or not np.isfinite(own).all():
        return none
    own, back = in_coordinates(own, coordinates[chosen])
    curvature = scaled_curvature(own)
    stay = np.zeros(len(own), dtype=bool) if wanted is None else wanted[inner]
    given = np.zeros((0, m)) if known is None else known
    flat, rest = _split(own, curvature, stay, coordinates[chosen] @ given[:, inner].T)
    root = _inverse_root(rest.T @ (own * np.outer(curvature.scale, curvature.scale)) @ rest)
    if root is None:
        return none
    root = back @ (curvature.scale[:, None] * (rest @ root))
    matrix[chosen] = 2.0 * root @ root.T
    undetermined = np.zeros((flat.shape[1], m))
    moves = curvature.scale[:, None] * flat
    undetermined[:, inner] = (back @ (moves / np.linalg.norm(moves, axis=0))).T
    return ParameterCovariance(matrix, undetermined, units)


def _inverse_root(matrix: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """R with RR' the inverse; None unless the matrix is positive definite."""
    if not matrix.size or (np.diag(matrix) <= 0).any():
        return None
    size = np.sqrt(np.diag(matrix))
    values, vectors = np.linalg.eigh(matrix / np.outer(size, size))
    if values[0] <= len(values) * np.finfo(float).eps * values[-1]:
        return None
    return vectors / np.sqrt(values) / size[:, None]


def _split(
    hessian: NDArray[np.float64],
    curvature: ScaledCurvature,
    stay: NDArray[np.bool_],
    known: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Orthonormal bases of the flat directions in which certain parameters stay as they are, and of the others.

    In the scaled coordinates.
    """
    values, vectors = np.linalg.eigh(hessian)
    least = min(ROUNDING * np.abs(np.diag(hessian)).max(), _LEAST)
    moves = np.hstack([vectors[:, np.abs(values) < least], _flattest(hessian, known)])
    if not moves.size and not curvature.flat.any():
        return moves, np.eye(len(hessian))
    moves /= curvature.scale[:, None]
    found = np.hstack([curvature.vectors[:, curvature.flat], moves / np.linalg.norm(moves, axis=0)])
    left, sizes, _ = np.linalg.svd(found)
    rank = int(np.count_nonzero(sizes > _APART))
    flat, rest = left[:, :rank], left[:, rank:]
    if not rank or not stay.any():
        return flat, rest
    _, sizes, right = np.linalg.svd(flat[stay])
    turned, moving = flat @ right.T, int(np.count_nonzero(sizes > _APART))
    return turned[:, moving:], np.hstack([rest, turned[:, :moving]])


def _flattest(hessian: NDArray[np.float64], known: NDArray[np.float64]) -> NDArray[np.float64]:
    """The part of some directions along which the objective is flat, orthonormal columns."""
    if not known.size:
        return known
    basis, sizes, _ = np.linalg.svd(known, full_matrices=False)
    basis = basis[:, sizes > _APART * sizes[0]]
    values, vectors = np.linalg.eigh(basis.T @ hessian @ basis)
    return basis @ vectors[:, np.abs(values) < _EXPECTED]
