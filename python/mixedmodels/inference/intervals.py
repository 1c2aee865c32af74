"""What confidence intervals are made of."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ArgumentError


def check_level(level: Any) -> float:
    """A confidence level."""
    if isinstance(level, bool) or not isinstance(level, (int, float)) or not 0 < level < 1:
        raise ArgumentError(f"the confidence level must be a number between 0 and 1, not {level!r}")
    return float(level)


def t_quantile(probability: float, df: Any) -> NDArray[np.float64]:
    """Quantiles of t distributions, of the normal one for infinite degrees of freedom; shape of df."""
    from scipy.special import ndtri, stdtrit

    df = np.asarray(df, dtype=float)
    finite = np.where(np.isinf(df), 1.0, df)
    return np.where(np.isinf(df), ndtri(probability), stdtrit(finite, probability))
