"""Normal quantile-quantile plots with simultaneous bands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .smoother import evenly
from .style import BAND, GUIDE, axes_or_new, bare, note, point_look, series_look

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST = 4000


def normal_scores(n: int) -> NDArray[np.float64]:
    """Quantiles of the standard normal distribution at (i - 1/2) / n."""
    from scipy.special import ndtri

    return ndtri((np.arange(n) + 0.5) / n)


# The two-sided probability that each of n order statistics is outside its limits, if all are inside with a
# probability of 95 %: from at least 12,000 samples each.
_SIZES = np.array([1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 100_000])
_OUTSIDE = 1e-5 * np.array([5000, 2600, 1850, 1210, 739, 468, 291, 223, 177, 130, 111, 96, 82, 72, 60, 55])


def share_outside(n: int) -> float:
    """
    The level at which pointwise limits of n order statistics contain all of them in 95 % of samples.

    It is the same for all order statistics (Aldor-Noiman, Brown, Buja, Rolke & Stine 2013, The power to see,
    The American Statistician 67), so that the band is as sensitive in the tails as in the middle.
    """
    return float(np.exp(np.interp(np.log(n), np.log(_SIZES), np.log(_OUTSIDE))))


def uniform_band(n: int, ranks: NDArray[np.int64]) -> NDArray[np.float64]:
    """
    Limits that all order statistics of n uniform values are within with a probability of 95 %.

    Parameters
    ----------
    n : int
    ranks : ndarray of int, shape (m,)
        Those wanted, from 1.

    Returns
    -------
    ndarray, shape (m, 2)
    """
    from scipy.special import betaincinv

    outside = share_outside(n) / 2
    return np.column_stack([betaincinv(ranks, n + 1 - ranks, p) for p in (outside, 1.0 - outside)])


def qq_plot(
    series: Sequence[tuple[str, NDArray[np.float64]]],
    label: str,
    ax: Axes | None = None,
) -> Axes:
    """
    Sorted values against normal quantiles, each series with a simultaneous 95 % band around its own line.

    The line and the band are those of normal values with the mean and the standard deviation of the series.

    Parameters
    ----------
    series : sequence of (str, ndarray)
        Names and values; NaN are left out.
    label : str
        Of the values.
    ax : matplotlib Axes, optional
    """
    from scipy.special import ndtri

    ax = axes_or_new(ax)
    several, thin = len(series) > 1, ""
    for i, (name, values) in enumerate(series):
        values = np.sort(values[np.isfinite(values)])
        n = len(values)
        if n == 0:
            continue
        scores = normal_scores(n)
        colour, marker = series_look(i)
        # The tails are whole, as thinning by rank would leave nothing of them.
        chosen = np.union1d(
            evenly(n, _MOST), np.concatenate([np.arange(min(n, 100)), np.arange(max(0, n - 100), n)])
        )
        spread = float(values.std(ddof=1)) if n > 1 else 0.0
        if n > 2 and spread > 0:
            band = values.mean() + spread * ndtri(uniform_band(n, chosen + 1))
            tint = colour if several else GUIDE
            ax.fill_between(scores[chosen], *band.T, color=tint, alpha=BAND, linewidth=0)
            ends = scores[[0, -1]]
            ax.plot(ends, values.mean() + spread * ends, color=colour if several else GUIDE, linewidth=1.0)
        thin = f"{len(chosen):,} of {n:,} points, tails whole" if len(chosen) < n else thin
        ax.scatter(
            scores[chosen], values[chosen], color=colour, marker=marker, label=name, **point_look(len(chosen))
        )
    ax.set_xlabel("normal quantile")
    ax.set_ylabel(label)
    bare(ax)
    note(ax, thin, "lower right")
    if several or (series and series[0][0]):
        ax.legend(fontsize="x-small", loc="upper left", frameon=False)
    return ax
