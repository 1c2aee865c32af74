"""Leverages and Cook's distances of the observations."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..checks import flag
from ..design.used_rows import names_of_rows
from ..fit.state import FittedModel

# Leverages are sums of squares, with errors of this size.
_ROUNDING = 1e-10


def complement(hat: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 - h; NaN where an observation determines its own fitted value."""
    return np.where(hat < 1.0 - _ROUNDING, 1.0 - hat, np.nan)


def cooks_distances(fitted: FittedModel, hat: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    r² h / (p (1 - h)²), shape (n,): r the Pearson residual over sigma, h the leverage, p the rank of X.

    NaN without fixed effects, and for observations that determine their own fitted values.
    """
    if fitted.rank == 0:
        return np.full(fitted.n_obs, np.nan)
    return np.square(fitted.scaled_residuals() / complement(hat)) * hat / fitted.rank


def hat_values(fitted: FittedModel, split: bool = False) -> NDArray[np.float64] | pd.DataFrame:
    """Leverages for the rows of the data; `split` into the parts of fixed and random effects."""
    flag("split", split)
    total, fixed = fitted.leverage_parts()
    pad = fitted.design.missing.pad
    if not split:
        return pad(np.array(total))
    columns = {"overall": pad(np.array(total)), "fixed": pad(np.array(fixed)), "random": pad(total - fixed)}
    return pd.DataFrame(columns, index=names_of_rows(fitted.design, fitted.arguments))
