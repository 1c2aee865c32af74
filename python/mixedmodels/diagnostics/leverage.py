"""Leverages and Cook's distances of the observations."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..fitted_generalized import FittedGeneralized
from ..fitted_model import FittedModel
from ..inference.penalized_system import PenalizedSystem
from .generalized_residuals import generalized_scaled_residuals
from .residuals import scaled_residuals


def leverages(fitted: FittedModel) -> NDArray[np.float64]:
    """
    Diagonal of the matrix that takes the response to the fitted values, given theta; shape (n,).

    For a generalized model that of the last weighted least-squares step.
    """
    return PenalizedSystem(fitted).leverages()


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
