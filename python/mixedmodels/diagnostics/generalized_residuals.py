"""Residuals of generalized linear mixed models."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..checks import flag, one_of
from ..fit.fitted_generalized import FittedGeneralized
from .residuals import TYPES


def generalized_residuals(
    fitted: FittedGeneralized, type: str = "deviance", scaled: bool = False
) -> NDArray[np.float64]:
    """
    Residuals given the random effects.

    Parameters
    ----------
    fitted : FittedGeneralized
    type : {"deviance", "pearson", "response", "working"}
    scaled : bool
        Divide by sigma, for families with a scale.

    Returns
    -------
    ndarray, shape (n,)
        Padded with NaN when the model was fitted with ``na_action="exclude"``.
    """
    one_of("type", type, TYPES)
    flag("scaled", scaled)
    design, family, eta = fitted.design, fitted.family, fitted.estimates.eta
    y, weights, dispersion = design.observed, design.unit_weights, fitted.dispersion
    sigma = 1.0 if fitted.residual_sd is None else fitted.residual_sd
    if type == "pearson":
        values = sigma * family.pearson(y, eta, weights, dispersion)
    elif type == "deviance":
        values = family.deviance(y, eta, weights, dispersion)
    elif type == "working":
        values = family.working(y, eta)
    else:
        values = y - fitted.mean
    return design.missing.pad(values / sigma if scaled else values)


def generalized_scaled_residuals(fitted: FittedGeneralized) -> NDArray[np.float64]:
    """Pearson residuals in units of their standard deviation, for the rows used."""
    design = fitted.design
    return fitted.family.pearson(
        design.observed, fitted.estimates.eta, design.unit_weights, fitted.dispersion
    )


def generalized_fitted_values(fitted: FittedGeneralized) -> NDArray[np.float64]:
    """Means given the random effects, shape (n,); padded with NaN when ``na_action="exclude"``."""
    return fitted.design.missing.pad(fitted.mean.copy())
