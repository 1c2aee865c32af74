"""
Fits of a large linear model without each of many sets of rows, from a few points of θ that all of them share.

A factorisation for each step of each fit costs most of the time of such fits. But one factorisation at θ
gives the criterion without every set (`FittedModel.deletions_given_theta`), and all optima are near that of
the full data. So the criterion is looked at in the points of a small design around it: the gradient of the
full criterion and its change by each deletion are interpolated by quadratic polynomials, and so are the
estimates at the optima. Sets that move the optimum further than the design reaches are left to refits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..design.theta import interior
from ..fit.endpoint.singularity import singular_fits
from ..fit.row_sets import RowSets
from ..fit.state import FittedModel
from ..repeat.progress import Listener

Values = NDArray[np.float64]

# Distances in standard errors of the parameters: between the points, and of the furthest optimum.
_STEP = 0.3
_REACH = 0.75
_ITERATIONS = 20


@dataclass(frozen=True, eq=False)
class Optima:
    """
    The optima without m sets.

    Attributes
    ----------
    found : ndarray of bool, shape (m,)
        Whether the optimum is within reach.
    theta : ndarray, shape (m, n_theta)
    change : ndarray, shape (m, q)
    covariance : ndarray, shape (m, q, q)
    sigma : ndarray, shape (m,)
    """

    found: NDArray[np.bool_]
    theta: Values
    change: Values
    covariance: Values
    sigma: Values


def optima(fitted: FittedModel, sets: RowSets, tell: Listener) -> Optima | None:
    """The fits without each set; None at a boundary, or where the curvature is not that of a minimum."""
    theta = fitted.estimates.theta
    if not _inside(fitted):
        return None
    try:
        # In these coordinates the criterion is |x|², and 1 a standard error.
        root = np.linalg.inv(np.linalg.cholesky(0.5 * fitted.hessian())).T
    except np.linalg.LinAlgError:
        return None
    points = _points(len(theta))
    thetas = theta + _STEP * points @ root.T
    slopes, changes, betas, covariances, sigmas = [], [], [], [], []
    for done, own in enumerate(thetas, 1):
        state = fitted.engine.evaluate(own, fitted.restricted)
        slopes.append(fitted.engine.gradient(own, fitted.restricted) @ root)
        found = fitted.deletions_given_theta(sets, own)
        changes.append(found.objective - state["objective"])
        betas.append(found.change + state["beta"])
        covariances.append(found.covariance)
        sigmas.append(np.log(found.sigma))
        tell(len(sets) * done // len(thetas), len(sets))
    inverse = np.linalg.inv(_monomials(points))
    slope = _Quadratic.of(np.asarray(np.tensordot(inverse, np.array(slopes), 1), dtype=np.float64))
    change = _Quadratic.of(np.asarray(np.tensordot(inverse, np.array(changes), 1), dtype=np.float64))
    x = np.zeros((len(sets), len(theta)))
    for _ in range(_ITERATIONS):
        gradient, curvature = _derivatives(slope, change, x)
        x = x - _solved(curvature, gradient)
    at = _monomials(x) @ inverse
    size = _STEP * np.linalg.norm(x, axis=1)
    return Optima(
        found=np.isfinite(size) & (size < _REACH),
        theta=theta + _STEP * x @ root.T,
        change=np.einsum("mj,jmq->mq", at, np.array(betas))
        - fitted.engine.evaluate(theta, fitted.restricted)["beta"],
        covariance=np.einsum("mj,jmqr->mqr", at, np.array(covariances)),
        sigma=np.exp(np.einsum("mj,jm->m", at, np.array(sigmas))),
    )


@dataclass(frozen=True)
class _Quadratic:
    """Polynomials ``constant + linear x + x' square x`` with any further axes, in units of the step."""

    constant: Values
    linear: Values
    square: Values

    @classmethod
    def of(cls, coefficients: Values) -> _Quadratic:
        """From the coefficients of `_monomials`."""
        t = _dimension(len(coefficients))
        square = np.zeros((t, t, *coefficients.shape[1:]))
        for (i, j), own in zip(_pairs(t), coefficients[1 + t :], strict=True):
            square[i, j] += 0.5 * own
            square[j, i] += 0.5 * own
        return cls(coefficients[0], coefficients[1 : 1 + t], square)


def _derivatives(slope: _Quadratic, change: _Quadratic, x: Values) -> tuple[Values, Values]:
    """Gradient of the criterion without each set at its x, and the derivatives of the gradient there."""
    gradient = slope.constant + x @ slope.linear + np.einsum("mi,mj,ijk->mk", x, x, slope.square)
    gradient += (change.linear.T + 2.0 * np.einsum("mj,kjm->mk", x, change.square)) / _STEP
    curvature = slope.linear.T + 2.0 * np.einsum("mi,lik->mkl", x, slope.square)
    return gradient, curvature + 2.0 * np.moveaxis(change.square, 2, 0) / _STEP


def _solved(matrices: Values, vectors: Values) -> Values:
    """A^-1 x for each matrix; NaN where one is singular."""
    good = np.isfinite(matrices).all(axis=(1, 2)) & np.isfinite(vectors).all(axis=1)
    result = np.full(vectors.shape, np.nan)
    try:
        result[good] = np.linalg.solve(matrices[good], vectors[good][..., None])[..., 0]
    except np.linalg.LinAlgError:
        return np.full(vectors.shape, np.nan)
    return result


def _pairs(t: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(t) for j in range(i, t)]


def _dimension(count: int) -> int:
    """The number of variables of so many monomials of degree two."""
    return int((np.sqrt(8.0 * count + 1.0) - 3.0) / 2.0 + 0.5)


def _monomials(x: Values) -> Values:
    """1, x_i and x_i x_j with i ≤ j, for each row."""
    products = [x[:, i] * x[:, j] for i, j in _pairs(x.shape[1])]
    return np.column_stack([np.ones(len(x)), x, *products])


def _points(t: int) -> Values:
    """As many points as monomials of degree two: the centre, two on each axis, one for each pair of axes."""
    axes = np.eye(t)
    pairs = [axes[i] + axes[j] for i, j in _pairs(t) if i < j]
    return np.vstack([np.zeros((1, t)), axes, -axes, *[own[None] for own in pairs]])


def _inside(fitted: FittedModel) -> bool:
    """Whether theta is an optimum away from all bounds."""
    design, theta = fitted.design, fitted.estimates.theta
    free = interior(design, theta)
    singular = bool(singular_fits(design, theta[None], fitted.term_roots)[0])
    return bool(free.all()) and not singular and not fitted.held.variances and fitted.convergence.converged
