"""Residuals given the random effects, and fitted values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import ArgumentError
from ..fit.state import FittedModel, ResidualType


def residuals_used(fitted: FittedModel, type: ResidualType, scaled: bool = False) -> NDArray[np.float64]:
    """
    Residuals given the random effects, for the rows used.

    Parameters
    ----------
    fitted : FittedModel
    type : {"response", "pearson", "working", "deviance"}
        y - mean; that times the square root of weight over variance, in the unit of sigma; that times
        d eta / d mean; the signed root of the deviance of the observation.
    scaled : bool
        Divide by sigma, for families with a scale.
    """
    family, eta, y = fitted.family, fitted.linear_predictor, fitted.observed
    weights, dispersion = fitted.prior_weights, fitted.dispersion
    if scaled and fitted.residual_sd is None:
        raise ArgumentError(f"residuals: family {family.name} has no scale to divide by; leave scaled out")
    if scaled and type == "response" and family.center != "mean":
        raise ArgumentError(
            f"residuals: with family {family.name} sigma is not on the scale of the response; take "
            "type='pearson'"
        )
    sigma = 1.0 if fitted.residual_sd is None else fitted.residual_sd
    if type == "pearson":
        values = sigma * family.pearson(y, eta, weights, dispersion)
    elif type == "deviance":
        values = family.deviance(y, eta, weights, dispersion)
    elif type == "working":
        values = family.working(y, eta)
    else:
        values = y - fitted.mean
    return values / sigma if scaled else values


def fitted_values(fitted: FittedModel) -> NDArray[np.float64]:
    """Means given the random effects, shape (n,); padded with NaN when ``na_action="exclude"``."""
    return fitted.design.missing.pad(fitted.mean.copy())
