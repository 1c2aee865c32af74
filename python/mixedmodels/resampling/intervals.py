"""
Confidence limits from bootstrap replicates.

Davison & Hinkley (1997), Bootstrap Methods and their Application, chapter 5; quantiles are interpolated on
the scale of normal quantiles, their equation 5.8.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..inference.hypotheses.confidence_limits import normal_quantile

IntervalKind = Literal["percentile", "basic", "normal", "bca", "shortest"]
Values = NDArray[np.float64]
Limits = tuple[float, float]
NO_LIMITS: Limits = (math.nan, math.nan)


def percentile(values: Values, estimate: float, level: float) -> Limits:
    """Quantiles of the replicates."""
    alpha = 0.5 * (1.0 - level)
    return quantile(values, alpha), quantile(values, 1.0 - alpha)


def basic(values: Values, estimate: float, level: float) -> Limits:
    """The quantiles of the replicates reflected at the estimate."""
    low, high = percentile(values, estimate, level)
    return 2.0 * estimate - high, 2.0 * estimate - low


def normal(values: Values, estimate: float, level: float) -> Limits:
    """The estimate less the bias ± a normal quantile times the standard deviation of the replicates."""
    if len(values) < 2:
        return NO_LIMITS
    half = normal_quantile(0.5 * (1.0 + level)) * float(values.std(ddof=1))
    centre = 2.0 * estimate - float(values.mean())
    return centre - half, centre + half


def bca(values: Values, estimate: float, level: float, acceleration: float) -> Limits:
    """
    Quantiles of the replicates at levels that correct for bias and acceleration (Efron 1987).

    NaN if all replicates are on one side of the estimate: then the bias cannot be corrected.
    """
    from scipy.special import ndtr, ndtri

    share = float(np.mean(values < estimate)) if len(values) else 0.0
    if not 0.0 < share < 1.0 or not math.isfinite(acceleration):
        return NO_LIMITS
    shift = float(ndtri(share))
    alpha = 0.5 * (1.0 - level)
    limits = []
    for p in (alpha, 1.0 - alpha):
        z = shift + float(ndtri(p))
        limits.append(quantile(values, float(ndtr(shift + z / (1.0 - acceleration * z)))))
    return limits[0], limits[1]


def shortest(values: Values, estimate: float, level: float) -> Limits:
    """The shortest interval with this share of the replicates; for a skew distribution nearer to its mode."""
    m = len(values)
    if not m:
        return NO_LIMITS
    inside = min(math.ceil(level * m), m)
    ordered = np.sort(values)
    widths = ordered[inside - 1 :] - ordered[: m - inside + 1]
    first = int(np.argmin(widths))
    return float(ordered[first]), float(ordered[first + inside - 1])


SIMPLE: dict[str, Callable[[Values, float, float], Limits]] = {
    "percentile": percentile,
    "basic": basic,
    "normal": normal,
    "shortest": shortest,
}
KINDS: tuple[str, ...] = ("percentile", "basic", "normal", "bca", "shortest")


def quantile(values: Values, p: float) -> float:
    """
    The quantile of replicates at p, interpolated between order statistics on the normal scale.

    Beyond the first and the last of (m + 1) p it is the smallest or largest replicate.
    """
    from scipy.special import ndtri

    m = len(values)
    if not m or not math.isfinite(p):
        return math.nan
    place = (m + 1) * p
    # A product that is whole but for rounding is whole.
    k = round(place) if abs(place - round(place)) < 1e-9 * (m + 1) else math.floor(place)
    if k < 1 or k >= m:
        return float(values.min() if k < 1 else values.max())
    ordered = np.partition(values, [k - 1, k])
    low, high = float(ordered[k - 1]), float(ordered[k])
    start, end = (float(ndtri(i / (m + 1))) for i in (k, k + 1))
    return low + max(0.0, (float(ndtri(p)) - start) / (end - start)) * (high - low)


def acceleration(deleted: Values) -> Values:
    """
    The acceleration of each statistic from its values without each unit (the jackknife).

    Parameters
    ----------
    deleted : ndarray, shape (units, q)

    Returns
    -------
    ndarray, shape (q,)
        0 for a statistic that no unit changes.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        influence = np.nanmean(deleted, axis=0) - deleted
        square = np.nansum(np.square(influence), axis=0)
        result = np.nansum(influence**3, axis=0) / (6.0 * square**1.5)
    return np.where(square > 0.0, result, 0.0)
