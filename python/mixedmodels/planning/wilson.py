"""Confidence intervals of a proportion."""

from __future__ import annotations

import math


def wilson_interval(successes: int, n: int, level: float) -> tuple[float, float]:
    """
    Wilson's score interval (Wilson 1927; Agresti & Coull 1998); NaN for n = 0.

    Parameters
    ----------
    successes, n : int
    level : float

    Examples
    --------
    >>> from mixedmodels.planning.wilson import wilson_interval
    >>> [round(limit, 4) for limit in wilson_interval(8, 10, 0.95)]
    [0.4902, 0.9433]
    """
    from scipy.special import ndtri

    if n == 0:
        return math.nan, math.nan
    z = float(ndtri(0.5 + level / 2))
    share, extra = successes / n, z * z / n
    center = (share + extra / 2) / (1 + extra)
    half = z * math.sqrt(share * (1 - share) / n + extra / (4 * n)) / (1 + extra)
    # Exact at the ends, where rounding would leave a trace.
    return (0.0 if successes == 0 else center - half), (1.0 if successes == n else center + half)
