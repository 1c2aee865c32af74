"""Standard errors and degrees of freedom of predictions on the scale of the linear predictor."""

from __future__ import annotations

import numbers
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import positive_number
from ..errors import ArgumentError
from ..fit.endpoint.curvature import PART
from ..fit.state import FittedModel
from ..inference.basis.choice import Vcov, basis_of, check_ddf
from ..inference.basis.testable import have_optimum
from .rows import PredictedRows
from .uncertainty import Parameters, parameters_of, structural_parameters, variances_given_theta


@dataclass(frozen=True, eq=False)
class PredictionErrors:
    """
    The errors of the linear predictor.

    Attributes
    ----------
    variance : ndarray, shape (n,)
        NaN for rows without a prediction, and where the data do not determine it.
    df : ndarray, shape (n,)
        Degrees of freedom of the variance; infinite for normal quantiles, NaN where there are none.
    label : str
        Where the degrees of freedom come from.
    """

    variance: NDArray[np.float64]
    df: NDArray[np.float64]
    label: str

    def half_width(self, level: float) -> NDArray[np.float64]:
        """Half the width of the interval for the linear predictor, shape (n,)."""
        from scipy.special import ndtri, stdtrit

        finite = np.where(np.isinf(self.df), 1.0, self.df)
        with np.errstate(invalid="ignore"):
            t = np.where(np.isinf(self.df), ndtri(0.5 + level / 2), stdtrit(finite, 0.5 + level / 2))
            return t * np.sqrt(self.variance)


def prediction_errors(
    rows: PredictedRows,
    *,
    ddf: Any = None,
    vcov: Vcov | None = None,
    noise: NDArray[np.float64] | None = None,
    need_df: bool = True,
) -> PredictionErrors:
    """
    The errors given the variance parameters.

    Parameters
    ----------
    rows : PredictedRows
    ddf : str or float, optional
        By default Satterthwaite's degrees of freedom for a linear model, infinite ones for a generalized one.
    vcov : RobustCovariance or array-like, optional
        Covariance matrix of the coefficients, for predictions without random effects.
    noise : ndarray, shape (n,), optional
        The variance of an observation in units of the dispersion, to be added.
    need_df : bool
        Whether degrees of freedom are wanted: they take the Hessian.
    """
    fitted = rows.fitted
    df, name = _given_df(fitted, ddf, vcov)
    alone = not rows.parts and noise is None
    if vcov is not None or name == "kenward-roger":
        if rows.parts:
            raise ArgumentError(
                "predict: vcov= and ddf='kenward-roger' replace the covariance matrix of the coefficients; "
                "with random effects take another ddf, without them re_form='~0'"
            )
        return _by_basis(rows, None if df is not None else ddf, vcov, noise, df)
    if alone and fitted.exact_likelihood:
        return _by_basis(rows, None if df is not None else ddf, None, None, df)

    def variance_of(model: FittedModel) -> NDArray[np.float64]:
        found = variances_given_theta(rows, model)
        return found if noise is None else found + model.dispersion * noise

    satterthwaite = need_df and name == "satterthwaite" and df is None
    parameters = parameters_of(fitted) if satterthwaite else structural_parameters(fitted)
    variance = variance_of(fitted)
    if len(parameters.undetermined) and rows.parts:
        # Along such a direction nothing tells one standard error from another.
        with np.errstate(invalid="ignore"):
            arbitrary = parameters.changes_along_undetermined(variance_of) > PART * variance
        variance = np.where(arbitrary, np.nan, variance)
    if not have_optimum(fitted):
        return PredictionErrors(variance, np.full(len(rows), np.nan), "no finite optimum")
    if df is not None:
        return PredictionErrors(variance, np.full(len(rows), df), f"{df:g} degrees of freedom")
    if name == "residual":
        df = float(fitted.n_obs - fitted.n_coefficients)
        return PredictionErrors(variance, np.full(len(rows), df), "residual degrees of freedom")
    if not satterthwaite:
        return PredictionErrors(variance, np.full(len(rows), np.inf), "infinite degrees of freedom")
    found = _satterthwaite(parameters, parameters.slopes(variance_of), variance)
    return PredictionErrors(variance, found, "Satterthwaite's degrees of freedom")


def with_more_variance(errors: PredictionErrors, more: NDArray[np.float64]) -> PredictionErrors:
    """The errors with more variance, of the same degrees of freedom."""
    return replace(errors, variance=errors.variance + more)


def _satterthwaite(
    parameters: Parameters, slopes: NDArray[np.float64], variance: NDArray[np.float64]
) -> NDArray[np.float64]:
    with np.errstate(divide="ignore", invalid="ignore"):
        df = 2.0 * variance**2 / parameters.spread(slopes)
    # Nothing varies where there is no variance, as with every parameter on its boundary or held.
    return np.where(variance == 0.0, np.inf, df)


def _given_df(fitted: FittedModel, ddf: Any, vcov: Any) -> tuple[float | None, str]:
    """A number of degrees of freedom, or the name of a method."""
    if isinstance(ddf, numbers.Real) and not isinstance(ddf, bool) and np.isfinite(float(ddf)):
        return positive_number("ddf", ddf), ""
    if vcov is not None:
        return None, ""
    return None, check_ddf(fitted, ddf)


def _by_basis(
    rows: PredictedRows,
    ddf: Any,
    vcov: Vcov | None,
    noise: NDArray[np.float64] | None,
    df: float | None,
) -> PredictionErrors:
    """By the covariance matrix of the coefficients alone."""
    fitted = rows.fitted
    basis = basis_of(fitted, ddf, vcov)
    x = np.where(rows.missing[:, None], 0.0, rows.x)[:, fitted.estimates.kept]
    variance = np.square(basis.standard_errors(x))
    # A row of zeros has no error at all.
    with np.errstate(invalid="ignore"):
        found = np.where(variance == 0.0, np.inf, basis.df(x)) if df is None else np.full(len(rows), df)
    if not basis.testable:
        found = np.full(len(rows), np.nan)
    if noise is not None:
        variance = variance + fitted.dispersion * noise
    return PredictionErrors(np.where(rows.missing, np.nan, variance), found, basis.label)
