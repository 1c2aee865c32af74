"""Estimates of the fixed effects and their covariance matrix."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...checks import flag
from ...errors import MixedModelsWarning
from ...fit.state import FittedModel
from ...notices import warn_user
from .origin import origin_of, signed


def fixed_effects(fitted: FittedModel, add_dropped: bool = True) -> pd.Series:
    """Coefficients by name; columns dropped as linearly dependent are NaN, or left out."""
    flag("add_dropped", add_dropped)
    series = pd.Series(fitted.estimates.beta.copy(), index=_names(fitted), name="Estimate")
    return series if add_dropped else series.iloc[fitted.estimates.kept]


def covariance(fitted: FittedModel, complete: bool = True) -> pd.DataFrame:
    """Covariance matrix with names; rows and columns of dropped coefficients are NaN, or left out."""
    return _labelled(fitted, fitted.covariance(), complete)


def covariance_matrix(fitted: FittedModel, complete: bool = True, conditional: bool = False) -> pd.DataFrame:
    """
    The covariance matrix as users ask for it, with its names.

    Parameters
    ----------
    fitted : FittedModel
    complete : bool
        Include rows and columns of NaN for dropped coefficients.
    conditional : bool
        Given theta and the dispersion, ignoring their uncertainty.

    Warns
    -----
    MixedModelsWarning
        When the matrix is conditional although the other one was asked for.
    """
    if flag("conditional", conditional):
        return _labelled(fitted, fitted.conditional_covariance(), complete)
    warn_if_conditional(fitted)
    return covariance(fitted, complete)


def warn_if_conditional(fitted: FittedModel) -> None:
    """Warn when standard errors ignore the uncertainty of theta and the dispersion."""
    if not fitted.joint:
        warn_user(standard_error_line(fitted), MixedModelsWarning)


def standard_error_line(fitted: FittedModel) -> str:
    """How the standard errors of the coefficients were computed; empty for a linear model."""
    if fitted.exact_likelihood:
        return ""
    if fitted.joint:
        return "Standard errors from the Hessian in all parameters"
    given = "theta and the dispersion" if fitted.family.estimates_dispersion else "theta"
    if not fitted.profiled_coefficients and not np.isfinite(fitted.conditional_covariance()).all():
        return (
            "No standard errors: the Hessian is not positive definite, neither in all parameters nor in the "
            f"coefficients given {given}"
        )
    reason = (
        "(nAGQ = 0)"
        if fitted.profiled_coefficients
        else "(the Hessian in all parameters is not positive definite)"
    )
    whose = "their" if fitted.family.estimates_dispersion else "its"
    return f"Standard errors given {given}, ignoring {whose} uncertainty {reason}"


def standard_errors(fitted: FittedModel) -> pd.Series:
    """Square roots of the diagonal of the covariance matrix, by name; NaN for coefficients that are held."""
    values = np.full(len(fitted.estimates.beta), np.nan)
    values[fitted.estimates.kept] = np.sqrt(np.diag(fitted.covariance()))
    values[fitted.estimates.held] = np.nan
    return pd.Series(values, index=_names(fitted), name="Std. Error")


def correlation(
    fitted: FittedModel, complete: bool = True, covariance: NDArray[np.float64] | None = None
) -> pd.DataFrame:
    """Correlation matrix of the estimated coefficients, from the model's covariance matrix or another one."""
    matrix = fitted.covariance() if covariance is None else covariance
    root = np.sqrt(np.diag(matrix))
    root[np.isin(fitted.estimates.kept, fitted.estimates.held)] = np.nan
    result = matrix / np.outer(root, root)
    np.fill_diagonal(result, 1.0)
    return _labelled(fitted, result, complete)


def dropped_columns(fitted: FittedModel) -> tuple[str, ...]:
    """Names of the columns of X that earlier columns determine."""
    kept = set(fitted.estimates.kept.tolist())
    return tuple(name for j, name in enumerate(fitted.design.x_names) if j not in kept)


def _names(fitted: FittedModel) -> pd.Index:
    return pd.Index(fitted.design.x_names, dtype=object)


def _labelled(fitted: FittedModel, matrix: NDArray[np.float64], complete: bool) -> pd.DataFrame:
    kept, names, origin = fitted.estimates.kept, _names(fitted), origin_of(fitted)
    if not flag("complete", complete):
        return signed(pd.DataFrame(matrix.copy(), index=names[kept], columns=names[kept]), origin)
    full = np.full((len(names), len(names)), np.nan)
    full[np.ix_(kept, kept)] = matrix
    return signed(pd.DataFrame(full, index=names, columns=names), origin)
