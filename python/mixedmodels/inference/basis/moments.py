"""The F distributions that have the moments of test statistics in small samples."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def df_of_mean_square(df: NDArray[np.float64]) -> float:
    """
    Degrees of freedom of the mean of squared t variables: those of the F variable with the same mean.

    That mean is infinite when one of them has two or fewer, as it is for two degrees of freedom.
    """
    if np.isnan(df).any():
        return math.nan
    if np.allclose(df, df[0], rtol=1e-8, atol=0):
        return float(df.mean())
    if df.min() <= 2:
        return 2.0
    excess = float(np.sum(2 / (df - 2)))
    return 2 * (len(df) + excess) / excess if excess > 0 else math.inf


def kenward_roger_df(q: int, a1: float, a2: float) -> tuple[float, float]:
    """
    Denominator degrees of freedom and scaling that match the first two moments of the Wald statistic / q.

    Parameters
    ----------
    q : int
        Rows of the hypothesis.
    a1, a2 : float
        The sums A1 and A2 of the paper.

    Returns
    -------
    df, scaling : float
        NaN where no F distribution has these moments, as with very few rows.

    Examples
    --------
    >>> from mixedmodels.inference.basis.moments import kenward_roger_df
    >>> kenward_roger_df(1, 0.125, 0.125)
    (16.0, 1.0)
    """
    if a2 <= 0:
        return (math.inf, 1.0) if a2 == 0 else (math.nan, math.nan)
    if math.isclose(a1, q * a2, rel_tol=1e-9):
        # Then the formulas below come down to this, but are 0/0 for two degrees of freedom.
        return 2 * q / a2, 1.0
    b = (a1 + 6 * a2) / (2 * q)
    g = ((q + 1) * a1 - (q + 4) * a2) / ((q + 2) * a2)
    c = 3 * q + 2 * (1 - g)
    c1, c2, c3 = g / c, (q - g) / c, (q + 2 - g) / c
    shrink = 1 - a2 / q
    # rho = V* / (2 E*²), with E* = 1 / shrink and V* = (2/q) (1 + c1 B) / ((1 - c2 B)² (1 - c3 B)).
    rho = _over(1 + c1 * b, 1 - c3 * b) * _over(shrink, 1 - c2 * b) ** 2 / q
    df = 4 + _over(q + 2, q * rho - 1)
    scaling = _over(df * shrink, df - 2)
    return (df, scaling) if df > 0 and scaling > 0 else (math.nan, math.nan)


def _over(top: float, bottom: float) -> float:
    if bottom == 0:
        return math.nan if top == 0 else math.copysign(math.inf, top)
    return top / bottom
