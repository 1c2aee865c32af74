"""
How far predictions of the linear predictor are from what they predict.

Given the variance parameters, the variance of the error of x'β + z'b comes from the joint covariance matrix
of coefficients and conditional modes (Henderson 1975, Biometrics 31, 423-447; for generalized models from the
Hessian in both at the modes). A level that was not in the fit adds z'Gz.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..design.theta import interior
from ..fit.state import FittedModel
from .rows import PredictedRows

# The step of differences in a parameter, in its standard errors.
_STEP = 1e-3

# A quantity of each row at a model, such as a variance.
ByRow = Callable[[FittedModel], NDArray[np.float64]]


def variances_given_theta(
    rows: PredictedRows, fitted: FittedModel | None = None, coefficients: bool = True
) -> NDArray[np.float64]:
    """
    Variances of the errors at the estimates, or at other values of the parameters.

    Parameters
    ----------
    rows : PredictedRows
    fitted : FittedModel, optional
        The model at these values.
    coefficients : bool
        Whether the coefficients are uncertain, too.

    Returns
    -------
    ndarray, shape (n,)
        NaN for rows without a prediction.
    """
    fitted = fitted or rows.fitted
    x, terms = rows.for_engine()
    variance = fitted.prediction_variances(x, terms, coefficients) + rows.prior_variance(fitted)
    return np.where(rows.missing, np.nan, variance)


@dataclass(frozen=True, eq=False)
class Parameters:
    """
    The parameters of a model with their covariance matrix: theta, the coefficients unless they are profiled,
    the logarithm of the family's own parameter (of sigma for a linear model).

    Attributes
    ----------
    fitted : FittedModel
    covariance : ndarray, shape (m, m)
        Zero for parameters on their boundaries and those held; NaN where it does not exist.
    undetermined : ndarray, shape (d, m)
        Directions that the data do not determine.
    """

    fitted: FittedModel
    covariance: NDArray[np.float64]
    undetermined: NDArray[np.float64]

    def slopes(self, quantity: ByRow) -> NDArray[np.float64]:
        """Derivatives of a quantity of each row in the parameters, by central differences; shape (m, n)."""
        errors = np.sqrt(np.diag(self.covariance))
        found = [self._slope(quantity, step) for step in np.diag(_STEP * errors)]
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(errors[:, None] == 0.0, 0.0, np.array(found) / (_STEP * errors)[:, None])

    def spread(self, slopes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Variances, to first order, of quantities with these derivatives; shape (n,)."""
        return np.einsum("in,ij,jn->n", slopes, self.covariance, slopes)

    def changes_along_undetermined(self, quantity: ByRow) -> NDArray[np.float64]:
        """The largest change of a quantity by a unit step in such a direction, shape (n,)."""
        found = [np.abs(self._slope(quantity, _STEP * direction)) / _STEP for direction in self.undetermined]
        return np.max(found, axis=0)

    def _slope(self, quantity: ByRow, step: NDArray[np.float64]) -> NDArray[np.float64]:
        """Half the difference of the quantity between both sides."""
        if not np.isfinite(step).all():
            return np.full_like(quantity(self.fitted), np.nan)
        if not step.any():
            return np.zeros_like(quantity(self.fitted))
        return (quantity(moved(self.fitted, step)) - quantity(moved(self.fitted, -step))) / 2.0


def moved(fitted: FittedModel, change: NDArray[np.float64]) -> FittedModel:
    """The model with its parameters changed, those of `Parameters`."""
    estimates = fitted.estimates
    free = estimates.free[:0] if fitted.profiled_coefficients else estimates.free
    theta, beta, rest = np.split(change, np.cumsum([len(estimates.theta), len(free)]))
    moved_beta = estimates.beta.copy()
    moved_beta[free] += beta
    factor = float(np.exp(fitted.dispersion_root * rest.sum()))
    return fitted.at(estimates.theta + theta, moved_beta, fitted.dispersion * factor)


def parameters_of(fitted: FittedModel) -> Parameters:
    """The parameters of a fit; those on their boundaries count as known."""
    found, free = fitted.parameter_covariance(), fitted.free()
    matrix = found.matrix.copy()
    known = np.zeros(len(matrix), dtype=bool)
    if free is None:
        theta = fitted.estimates.theta
        known[: len(theta)] = ~interior(fitted.design, theta)
    else:
        known = np.any(free.slopes[:, ~free.inner] != 0.0, axis=1) | ~np.any(free.slopes != 0.0, axis=1)
    matrix[known], matrix[:, known] = 0.0, 0.0
    return Parameters(fitted, matrix, found.undetermined)


def structural_parameters(fitted: FittedModel) -> Parameters:
    """The directions that no data of these levels determine, without a covariance matrix."""
    more = 0 if fitted.profiled_coefficients else len(fitted.estimates.free)
    directions = np.pad(fitted.structural_directions(), ((0, 0), (0, more)))
    m = directions.shape[1]
    return Parameters(fitted, np.zeros((m, m)), directions)
