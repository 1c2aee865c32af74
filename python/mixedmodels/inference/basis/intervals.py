"""Levels, quantiles and limits of confidence intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...checks import probability
from .kinds import DegreesOfFreedom


def t_quantile(probability: float, df: Any) -> NDArray[np.float64]:
    """Quantiles of t distributions, of the normal one for infinite degrees of freedom; shape of df."""
    from scipy.special import ndtri, stdtrit

    df = np.asarray(df, dtype=float)
    finite = np.where(np.isinf(df), 1.0, df)
    return np.where(np.isinf(df), ndtri(probability), stdtrit(finite, probability))


def coefficient_limits(basis: DegreesOfFreedom, level: float) -> NDArray[np.float64]:
    """
    Confidence limits of the kept coefficients: estimate ± quantile times standard error.

    Parameters
    ----------
    basis : DegreesOfFreedom
    level : float

    Returns
    -------
    ndarray, shape (rank, 2)
        NaN where the degrees of freedom or standard errors are.
    """
    df = basis.df(np.eye(len(basis.beta)))
    half = t_quantile(0.5 + probability("level", level) / 2, df) * basis.standard_errors()
    return np.column_stack([basis.beta - half, basis.beta + half])
