"""Residuals divided by their standard deviations, and what each observation does to its own fitted value."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..fit.state import FittedModel, ResidualType
from .leverage import complement
from .residuals import residuals_used

Values = NDArray[np.float64]


def standardized(fitted: FittedModel, type: ResidualType | None = None) -> Values:
    """
    Residuals over σ√(1 - h), rows used; h are the leverages.

    Parameters
    ----------
    fitted : FittedModel
    type : {"pearson", "deviance"}, optional
        By default "deviance" where the family has one.
    """
    hat = fitted.leverages()
    kind = _kind(fitted, type)
    values = residuals_used(fitted, kind, scaled=fitted.residual_sd is not None)
    return _over_root(values, hat)


def studentized(fitted: FittedModel, sigma: Values | None = None) -> Values:
    """
    Standardised residuals with sigma estimated without the observation, rows used.

    For families without a residual variance: the signed root of the change of the deviance,
    ``r_d² + h r_p²/(1 - h)``, approximately (Williams 1987).

    Parameters
    ----------
    fitted : FittedModel
    sigma : ndarray, shape (n,), optional
        Sigma without each observation; by default with the covariance parameters held.
    """
    hat = fitted.leverages()
    if not fitted.exact_likelihood:
        pearson = fitted.scaled_residuals()
        if not fitted.family.has_deviance:
            return _over_root(pearson, hat)
        deviance = residuals_used(fitted, "deviance", scaled=fitted.residual_sd is not None)
        return np.sign(deviance) * np.sqrt(deviance**2 + hat * pearson**2 / complement(hat))
    own = _over_root(fitted.scaled_residuals(), hat)
    with np.errstate(divide="ignore", invalid="ignore"):
        if sigma is not None:
            return own * fitted.sigma / sigma
        if fitted.held.sigma is not None:
            return own
        df = fitted.n_obs - (fitted.rank if fitted.restricted else 0)
        return own * np.sqrt((df - 1) / np.maximum(df - own**2, 0.0))


def dffits(residuals: Values, hat: Values) -> Values:
    """Changes of fitted values in their standard errors, from studentised residuals."""
    return residuals * np.sqrt(hat / complement(hat))


def _kind(fitted: FittedModel, type: ResidualType | None) -> ResidualType:
    if type is not None:
        return type
    return "pearson" if fitted.exact_likelihood or not fitted.family.has_deviance else "deviance"


def _over_root(values: Values, hat: Values) -> Values:
    """Over √(1 - h)."""
    return values / np.sqrt(complement(hat))
