"""Cook's distances of the observations."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..fit.state import FittedModel


def cooks_distances(fitted: FittedModel, hat: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    r² h / (p (1 - h)²), shape (n,): r the Pearson residual over sigma, h the leverage, p the rank of X.

    NaN without fixed effects.
    """
    if fitted.rank == 0:
        return np.full(fitted.n_obs, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.square(fitted.scaled_residuals() / (1.0 - hat)) * hat / fitted.rank
