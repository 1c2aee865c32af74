"""Residuals of linear mixed models."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..checks import flag, one_of
from ..fit.fitted_linear import FittedLinear

TYPES = ("response", "pearson", "working", "deviance")


def residuals(fitted: FittedLinear, type: str = "response", scaled: bool = False) -> NDArray[np.float64]:
    """
    Residuals given the random effects, y - fitted.

    Parameters
    ----------
    fitted : FittedLinear
    type : {"response", "pearson", "working", "deviance"}
        "pearson" and "deviance" are multiplied by the square root of the prior weights; for a linear
        model "working" equals "response".
    scaled : bool
        Divide by sigma.

    Returns
    -------
    ndarray, shape (n,)
        Padded with NaN when the model was fitted with ``na_action="exclude"``.
    """
    one_of("type", type, TYPES)
    flag("scaled", scaled)
    return fitted.design.missing.pad(_residuals(fitted, type, scaled))


def fitted_values(fitted: FittedLinear) -> NDArray[np.float64]:
    """Xβ + Zb + offset, shape (n,); padded with NaN when ``na_action="exclude"``."""
    return fitted.design.missing.pad(fitted.estimates.fitted.copy())


def scaled_residuals(fitted: FittedLinear) -> NDArray[np.float64]:
    """Pearson residuals over sigma, for the rows used."""
    return _residuals(fitted, "pearson", True)


def _residuals(fitted: FittedLinear, type: str, scaled: bool) -> NDArray[np.float64]:
    values = fitted.design.y - fitted.estimates.fitted
    if type in ("pearson", "deviance") and fitted.design.weights is not None:
        values *= np.sqrt(fitted.design.weights)
    if scaled:
        values /= fitted.estimates.sigma
    return values
