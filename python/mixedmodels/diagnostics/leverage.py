"""Leverages and Cook's distances of the observations."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..fit.fitted_generalized import FittedGeneralized
from ..fit.state import FittedModel
from .generalized_residuals import generalized_scaled_residuals
from .residuals import scaled_residuals


def leverages(fitted: FittedModel) -> NDArray[np.float64]:
    """
    Diagonal of the matrix that takes the response to the fitted values, given theta; shape (n,).

    For a generalized model that of the last weighted least-squares step, NaN where its weights leave the
    coefficients without information.
    """
    model: Any = fitted
    theta = fitted.estimates.theta
    if isinstance(fitted, FittedGeneralized):
        return model.engine.leverages(theta, working_weights(fitted))
    return model.engine.leverages(theta)


def working_weights(fitted: FittedGeneralized) -> NDArray[np.float64]:
    """The weights of the expected information at the modes, shape (n,)."""
    eta, family = fitted.estimates.eta, fitted.family
    slope = family.functions.slope(eta)
    variance = family.variance(family.mean(eta), fitted.dispersion)
    # Where a mean has run into its limit nothing varies and there is no information.
    weights = np.divide(np.square(slope), variance, out=np.zeros_like(slope), where=variance > 0)
    return fitted.design.unit_weights * weights


def cooks_distances(fitted: FittedModel, hat: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    r² h / (p (1 - h)²), shape (n,): r the Pearson residual over sigma, h the leverage, p the rank of X.

    NaN without fixed effects.
    """
    if fitted.rank == 0:
        return np.full(fitted.n_obs, np.nan)
    model: Any = fitted
    scaled = (
        generalized_scaled_residuals(model)
        if isinstance(fitted, FittedGeneralized)
        else scaled_residuals(model)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.square(scaled / (1.0 - hat)) * hat / fitted.rank
