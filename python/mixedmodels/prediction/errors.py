"""
Standard errors and degrees of freedom of predictions on the scale of the linear predictor.

Satterthwaite's method takes the estimated variance for a multiple of a χ² variable. Below one degree of
freedom that is no approximation any more: one degree is the least. Where the information on the variances is
not finite there is nothing to approximate, and the degrees of freedom are the residual ones. Both with a
warning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ArgumentError, UndeterminedWarning
from ..fit.endpoint.curvature import PART
from ..fit.state import FittedModel
from ..inference.basis.choice import Vcov, basis_of, check_ddf
from ..inference.basis.testable import have_optimum
from ..notices import warn_user
from .rows import PredictedRows
from .uncertainty import parameters_of, structural_parameters, variances_given_theta

# The least degrees of freedom of a limit, but for rounding errors.
_LEAST_DF = 1.0
_ROUNDING = 1e-6


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
    ddf : str, optional
        By default Satterthwaite's degrees of freedom for a linear model, infinite ones for a generalized one.
    vcov : RobustCovariance or array-like, optional
        Covariance matrix of the coefficients, for predictions without random effects.
    noise : ndarray, shape (n,), optional
        The variance of an observation in units of the dispersion, to be added.
    need_df : bool
        Whether degrees of freedom are wanted: they take the Hessian.

    Warns
    -----
    UndeterminedWarning
        Where degrees of freedom are below 1 or cannot be computed.
    """
    fitted = rows.fitted
    name = "" if vcov is not None else check_ddf(fitted, ddf)
    alone = not rows.parts and noise is None
    if vcov is not None or name == "kenward-roger":
        if rows.parts:
            raise ArgumentError(
                "predict: vcov= and ddf='kenward-roger' replace the covariance matrix of the coefficients; "
                "with random effects take another ddf, without them re_form='~0'"
            )
        return _by_basis(rows, ddf, vcov, noise, need_df)
    if alone and fitted.exact_likelihood:
        return _by_basis(rows, ddf, None, None, need_df)

    def variance_of(model: FittedModel) -> NDArray[np.float64]:
        found = variances_given_theta(rows, model)
        return found if noise is None else found + model.dispersion * noise

    satterthwaite = need_df and name == "satterthwaite" and have_optimum(fitted)
    parameters = parameters_of(fitted) if satterthwaite else structural_parameters(fitted)
    variance = variance_of(fitted)
    if len(parameters.undetermined) and rows.parts:
        # Along such a direction nothing tells one standard error from another.
        with np.errstate(invalid="ignore"):
            arbitrary = parameters.changes_along_undetermined(variance_of) > PART * variance
        variance = np.where(arbitrary, np.nan, variance)
    if not have_optimum(fitted):
        return PredictionErrors(variance, np.full(len(rows), np.nan), "no finite optimum")
    if name == "residual":
        df = float(fitted.n_obs - fitted.n_coefficients)
        return PredictionErrors(variance, np.full(len(rows), df), "residual degrees of freedom")
    if not satterthwaite:
        return PredictionErrors(variance, np.full(len(rows), np.inf), "infinite degrees of freedom")
    spread = parameters.spread(parameters.slopes(variance_of))
    df = _usable(fitted, _matched(variance, spread), variance)
    return PredictionErrors(variance, df, "Satterthwaite's degrees of freedom")


def _matched(variance: NDArray[np.float64], spread: NDArray[np.float64]) -> NDArray[np.float64]:
    """The degrees of freedom of a multiple of a χ² variable with this mean and variance."""
    with np.errstate(divide="ignore", invalid="ignore"):
        df = 2.0 * variance**2 / spread
    # Nothing varies where there is no variance, as with every parameter on its boundary or held.
    return np.where(variance == 0.0, np.inf, df)


def _usable(
    fitted: FittedModel, df: NDArray[np.float64], variance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Degrees of freedom that limits can rest on: not below 1, and residual ones where there are none."""
    unknown, few = np.isnan(df) & ~np.isnan(variance), df < _LEAST_DF - _ROUNDING
    if unknown.any():
        residual = max(fitted.n_obs - fitted.n_coefficients, 1)
        warn_user(
            f"predict: no degrees of freedom in {unknown.sum()} of {len(df)} rows, as the information on the "
            f"variances is not finite; limits there use the residual ones ({residual}) and are too narrow if "
            "few groups tell the variances",
            UndeterminedWarning,
        )
        df = np.where(unknown, float(residual), df)
    if few.any():
        warn_user(
            f"predict: less than 1 degree of freedom in {few.sum()} of {len(df)} rows (down to "
            f"{np.nanmin(df):.2g}): the data hardly tell the variance of these predictions. Limits there use "
            "1 degree of freedom; do not take their level for exact",
            UndeterminedWarning,
        )
    return np.where(few, _LEAST_DF, df)


def _by_basis(
    rows: PredictedRows,
    ddf: Any,
    vcov: Vcov | None,
    noise: NDArray[np.float64] | None,
    need_df: bool,
) -> PredictionErrors:
    """By the covariance matrix of the coefficients alone, and the residual variance."""
    fitted = rows.fitted
    basis = basis_of(fitted, ddf, vcov)
    x = np.where(rows.missing[:, None], 0.0, rows.x)[:, fitted.estimates.kept]
    fixed = np.square(basis.standard_errors(x))
    variance = fixed if noise is None else fixed + fitted.dispersion * noise
    variance = np.where(rows.missing, np.nan, variance)
    if not basis.testable:
        return PredictionErrors(variance, np.full(len(rows), np.nan), basis.label)
    if basis.infinite or not need_df:
        return PredictionErrors(variance, np.full(len(rows), np.inf), basis.label)
    df = basis.df(x)
    if noise is not None and (vcov is None or check_ddf(fitted, ddf) != "residual"):
        df = _with_residual(fitted, fixed, df, noise)
    # A row of zeros has no error at all.
    df = np.where(variance == 0.0, np.inf, df)
    return PredictionErrors(variance, _usable(fitted, df, variance), basis.label)


def _with_residual(
    fitted: FittedModel,
    fixed: NDArray[np.float64],
    df: NDArray[np.float64],
    noise: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Satterthwaite's degrees of freedom of the sum of a variance that has its own and the residual one."""
    parameters = parameters_of(fitted)
    spread = parameters.spread(parameters.slopes(lambda model: model.dispersion * noise))
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = spread + np.where(fixed == 0.0, 0.0, 2.0 * fixed**2 / df)
    return _matched(fixed + fitted.dispersion * noise, spread)
