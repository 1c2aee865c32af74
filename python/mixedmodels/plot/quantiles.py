"""Normal quantile-quantile plots with simultaneous bands."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .smoother import evenly
from .style import BAND, BLUE, COLOURS, GUIDE, MARKERS, axes_or_new, bare, note, point_look

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SAMPLES, _RANKS = 2000, 150
_MOST = 4000


def normal_scores(n: int) -> NDArray[np.float64]:
    """Quantiles of the standard normal distribution at (i - 1/2) / n."""
    from scipy.special import ndtri

    return ndtri((np.arange(n) + 0.5) / n)


@lru_cache(maxsize=64)
def local_level(n: int, level: float) -> float:
    """
    The pointwise level at which a band covers all n order statistics with a probability of `level`.

    All order statistics have the same (Aldor-Noiman, Brown, Buja, Rolke & Stine 2013, The power to see, The
    American Statistician 67). It is found from 2,000 samples, at up to 150 ranks that are dense in the tails.
    """
    from scipy.special import betainc

    rng = np.random.default_rng(20130401)
    ranks = _ranks(n)
    # Spacings of uniform order statistics are gamma variables over their sum.
    steps = np.diff(np.concatenate([[0], ranks, [n + 1]]))
    sums = np.cumsum(rng.gamma(steps, size=(_SAMPLES, len(steps))), axis=1)
    below = betainc(ranks, n + 1 - ranks, sums[:, :-1] / sums[:, -1:])
    smallest = 2.0 * np.minimum(below, 1.0 - below).min(axis=1)
    return float(1.0 - np.quantile(smallest, 1.0 - level))


def _ranks(n: int) -> NDArray[np.int64]:
    if n <= _RANKS:
        return np.arange(1, n + 1)
    tail = np.unique(np.geomspace(1, n / 2, _RANKS // 2).round().astype(np.int64))
    return np.unique(np.concatenate([tail, n + 1 - tail]))


def uniform_band(n: int, level: float, ranks: NDArray[np.int64]) -> NDArray[np.float64]:
    """
    Limits of order statistics of n uniform values, all n at once with this level.

    Parameters
    ----------
    n : int
    level : float
    ranks : ndarray of int, shape (m,)
        Those wanted, from 1.

    Returns
    -------
    ndarray, shape (m, 2)
    """
    from scipy.special import betaincinv

    outside = (1.0 - local_level(n, level)) / 2
    return np.column_stack([betaincinv(ranks, n + 1 - ranks, p) for p in (outside, 1.0 - outside)])


def qq_plot(
    series: Sequence[tuple[str, NDArray[np.float64]]],
    label: str,
    level: float = 0.95,
    ax: Axes | None = None,
) -> Axes:
    """
    Sorted values against normal quantiles, each series with a simultaneous band around its own line.

    Parameters
    ----------
    series : sequence of (str, ndarray)
        Names and values; NaN are left out.
    label : str
        Of the values.
    level : float
        Of the band, under independent normal values with the mean and the standard deviation of the series.
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
        colour = COLOURS[i % len(COLOURS)] if several else BLUE
        # The tails are whole, as thinning by rank would leave nothing of them.
        chosen = np.union1d(
            evenly(n, _MOST), np.concatenate([np.arange(min(n, 100)), np.arange(max(0, n - 100), n)])
        )
        spread = float(values.std(ddof=1)) if n > 1 else 0.0
        if n > 2 and spread > 0:
            band = values.mean() + spread * ndtri(uniform_band(n, level, chosen + 1))
            tint = colour if several else GUIDE
            ax.fill_between(scores[chosen], *band.T, color=tint, alpha=BAND, linewidth=0)
            ends = scores[[0, -1]]
            ax.plot(ends, values.mean() + spread * ends, color=colour if several else GUIDE, linewidth=1.0)
        thin = f"{len(chosen):,} of {n:,} points, tails whole" if len(chosen) < n else thin
        marker = MARKERS[i % len(MARKERS)] if several else "o"
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
