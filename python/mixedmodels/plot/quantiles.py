"""Normal quantile-quantile plots with simultaneous bands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .literal import literal
from .smoother import evenly
from .style import BAND, GUIDE, axes_or_new, bare, note, point_look, series_look

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST = 4000
# Series of more points than these are drawn as filled points.
_OPEN = 300


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


@literal
def qq_plot(
    series: Sequence[tuple[str, NDArray[np.float64]]],
    label: str,
    standard: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """
    Sorted values against normal quantiles, with lines and simultaneous 95 % bands.

    The line and the band are those of normal values with the mean and the standard deviation of each series,
    or, for `standard`, of standard normal ones: then series of the same length share theirs.

    Parameters
    ----------
    series : sequence of (str, ndarray)
        Names and values; NaN are left out.
    label : str
        Of the values.
    standard : bool
        Whether the values are standard normal under the model.
    ax : matplotlib Axes, optional
    """
    ax = axes_or_new(ax)
    thin = ""
    sorted_ = [np.sort(values[np.isfinite(values)]) for _, values in series]
    lengths: set[int] = set()
    for values in sorted_:
        n = len(values)
        if n > 2 and not (standard and n in lengths):
            mean, spread = (0.0, 1.0) if standard else (float(values.mean()), float(values.std(ddof=1)))
            _band(ax, n, mean, spread)
        lengths.add(n)
    for i, ((name, _), values) in enumerate(zip(series, sorted_, strict=True)):
        n = len(values)
        if n == 0:
            continue
        chosen = _kept(n)
        thin = f"{len(chosen):,} of {n:,} points, tails whole" if len(chosen) < n else thin
        colour, marker = series_look(i)
        look = {**point_look(len(chosen)), "color": colour}
        if len(series) > 1 and n <= _OPEN:
            # Open, so that the points of one series do not hide those of another.
            look |= {"facecolor": "none", "edgecolor": colour, "linewidths": 1.0, "alpha": 0.9}
            del look["color"]
        ax.scatter(normal_scores(n)[chosen], values[chosen], marker=marker, label=name, zorder=2.5, **look)
    ax.set_xlabel("normal quantile")
    ax.set_ylabel(label)
    bare(ax)
    note(ax, thin, "lower right")
    if len(series) > 1 or (series and series[0][0]):
        ax.legend(fontsize="x-small", loc="upper left", frameon=False)
    return ax


def _kept(n: int) -> NDArray[np.intp]:
    """The ranks to draw; the tails are whole, as thinning by rank would leave nothing of them."""
    ends = np.concatenate([np.arange(min(n, 100)), np.arange(max(0, n - 100), n)])
    return np.union1d(evenly(n, _MOST), ends)


def _band(ax: Axes, n: int, mean: float, spread: float) -> None:
    from scipy.special import ndtri

    if spread <= 0:
        return
    ranks, scores = _kept(n), normal_scores(n)
    band = mean + spread * ndtri(uniform_band(n, ranks + 1))
    ax.fill_between(scores[ranks], *band.T, color=GUIDE, alpha=BAND, linewidth=0)
    ends = scores[[0, -1]]
    ax.plot(ends, mean + spread * ends, color=GUIDE, linewidth=1.0)
