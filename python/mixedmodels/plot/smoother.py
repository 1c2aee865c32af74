"""Local linear regression, and thinning of what is too much to draw."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .style import MOST_POINTS

# Points at which the curve is evaluated; more data than so many are averaged in bins first.
_AT, _BINS = 80, 1500
_SPAN = 2 / 3


def smooth_curve(
    x: NDArray[np.float64], y: NDArray[np.float64], span: float = _SPAN
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Local linear regression of y on x with tricube weights (Cleveland 1979, without his robustness steps).

    Parameters
    ----------
    x, y : ndarray, shape (n,)
    span : float
        The share of the data in each neighbourhood.

    Returns
    -------
    tuple of ndarray, shape (m,)
        Points in increasing order, and the curve; empty with fewer than four different x.
    """
    good = np.isfinite(x) & np.isfinite(y)
    x, y = x[good], y[good]
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    if len(x) == 0 or len(np.unique(x)) < 4:
        return np.empty(0), np.empty(0)
    weight = np.ones(len(x))
    if len(x) > _BINS:
        starts = np.linspace(0, len(x), _BINS, endpoint=False).astype(np.intp)
        weight = np.diff(np.append(starts, len(x))).astype(float)
        x, y = np.add.reduceat(x, starts) / weight, np.add.reduceat(y, starts) / weight
    at = np.unique(
        np.concatenate([np.linspace(x[0], x[-1], _AT // 2), np.quantile(x, np.linspace(0, 1, _AT // 2))])
    )
    return at, local_line(at, x, y, weight, span)


def local_line(
    at: NDArray[np.float64],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    span: float = _SPAN,
) -> NDArray[np.float64]:
    """
    Lines by weighted least squares in the neighbourhood of each point, at this point.

    Parameters
    ----------
    at : ndarray, shape (m,)
    x, y, weight : ndarray, shape (n,)
        Sorted by x.
    span : float
    """
    within = max(2, int(span * len(x) + 1e-5))
    distance = np.abs(at[:, None] - x)
    reach = np.partition(distance, within - 1, axis=1)[:, within - 1]
    # Where a neighbourhood is one tied value, the next one is needed for a slope.
    distinct = np.unique(x)
    reach = np.maximum(reach, 1.001 * np.partition(np.abs(at[:, None] - distinct), 2, axis=1)[:, 2])
    w = weight * (1.0 - np.minimum(distance / reach[:, None], 1.0) ** 3) ** 3
    total = w.sum(axis=1)
    mean_x, mean_y = w @ x / total, w @ y / total
    centred = x - mean_x[:, None]
    spread = (w * centred**2).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = np.where(spread > 0, (w * centred) @ y / spread, 0.0)
    return mean_y + slope * (at - mean_x)


def thinned(values: NDArray[np.float64], most: int = MOST_POINTS) -> tuple[NDArray[np.intp], str]:
    """
    The points to draw, and a note if these are not all: evenly spaced in the data, and the most extreme.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Whose extremes are all kept.
    most : int

    Returns
    -------
    tuple of ndarray of int and str
    """
    n = len(values)
    if n <= most:
        return np.arange(n), ""
    ends = min(200, most // 10)
    extreme = np.argsort(np.abs(np.nan_to_num(values - np.nanmedian(values))))[-ends:]
    even = np.linspace(0, n - 1, most - ends).astype(np.intp)
    chosen = np.union1d(even, extreme)
    return chosen, f"{len(chosen):,} of {n:,} points, extremes kept"


def evenly(n: int, most: int) -> NDArray[np.intp]:
    """At most so many of n positions, evenly spaced, with the first and the last."""
    return np.arange(n) if n <= most else np.unique(np.linspace(0, n - 1, most).round().astype(np.intp))
