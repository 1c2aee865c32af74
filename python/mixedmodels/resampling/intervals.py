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
    """Quantiles of the replicates at levels that correct for bias and acceleration (Efron 1987)."""
    low, high = bca_levels(values, estimate, level, acceleration)
    return quantile(values, low), quantile(values, high)


def bca_levels(values: Values, estimate: float, level: float, acceleration: float) -> Limits:
    """
    The levels of the quantiles that BCa limits are.

    Replicates equal to the estimate count half as below it and half as above. NaN if the others are all on
    one side: then the bias cannot be corrected.
    """
    from scipy.special import ndtr, ndtri

    below, above = np.count_nonzero(values < estimate), np.count_nonzero(values > estimate)
    if not len(values) or bool(below) != bool(above) or not math.isfinite(acceleration):
        return NO_LIMITS
    shift = float(ndtri(0.5 + 0.5 * (below - above) / len(values)))

    def corrected(p: float) -> float:
        z = shift + float(ndtri(p))
        left = 1.0 - acceleration * z
        # As `left` falls to zero the level tends to that of the outermost replicate, and stays there.
        return float(ndtr(shift + z / left)) if left > 0.0 else float(z > 0.0)

    alpha = 0.5 * (1.0 - level)
    return corrected(alpha), corrected(1.0 - alpha)


def shortest(values: Values, estimate: float, level: float) -> Limits:
    """The shortest interval with this share of the replicates; for a skew distribution nearer to its mode."""
    m = len(values)
    if not m:
        return NO_LIMITS
    inside = min(-_floor(-level * m, m), m)
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
    k = _floor((m + 1) * p, m + 1)
    if k < 1 or k >= m:
        return float(values.min() if k < 1 else values.max())
    ordered = np.partition(values, [k - 1, k])
    low, high = float(ordered[k - 1]), float(ordered[k])
    start, end = (float(ndtri(i / (m + 1))) for i in (k, k + 1))
    return low + max(0.0, (float(ndtri(p)) - start) / (end - start)) * (high - low)


def is_beyond(m: int, p: float) -> bool:
    """Whether m replicates are too few for the quantile at p, which is then the smallest or the largest."""
    place = (m + 1) * p
    return _floor(place, m + 1) < 1 or -_floor(-place, m + 1) > m


def _floor(product: float, size: int) -> int:
    """The whole number below a product with `size`; one that is whole but for rounding is whole."""
    nearest = round(product)
    return nearest if abs(product - nearest) < 1e-9 * size else math.floor(product)


def acceleration(deleted: Values) -> Values:
    """
    The acceleration of each statistic from its values without each unit (the jackknife).

    Parameters
    ----------
    deleted : ndarray, shape (units, q)

    Returns
    -------
    ndarray, shape (q,)
        0 for a statistic that no unit changes, NaN for one with fewer than two values.
    """
    known = np.isfinite(deleted)
    count = known.sum(axis=0)
    mean = np.where(known, deleted, 0.0).sum(axis=0) / np.maximum(count, 1)
    influence = np.where(known, mean - np.where(known, deleted, 0.0), 0.0)
    square = np.square(influence).sum(axis=0)
    cube = (influence**3).sum(axis=0)
    result = np.where(square > 0.0, cube / (6.0 * np.where(square > 0.0, square, 1.0) ** 1.5), 0.0)
    return np.where(count > 1, result, np.nan)
