"""Residuals against something: numbers and dates as points with a smoother, factors as boxes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..wording import counted
from .literal import literal
from .smoother import evenly, smooth_curve, thinned
from .style import (
    BLUE,
    FAINT,
    VERMILION,
    axes_or_new,
    bare,
    date_axis,
    label_ticks,
    note,
    point_look,
    zero_line,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# More boxes than these are drawn as quartiles in order of the medians.
_BOXES = 40
# More lines than these are below the resolution of a page.
_LINES = 4000


@literal
def scatter_plot(
    x: NDArray[Any],
    y: NDArray[np.float64],
    labels: tuple[str, str],
    zero: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """
    Points with a local linear smoother.

    Parameters
    ----------
    x : ndarray of float or datetime64, shape (n,)
    y : ndarray, shape (n,)
    labels : tuple of str
        Of the two axes.
    zero : bool
        Draw a line at zero.
    ax : matplotlib Axes, optional
    """
    ax = axes_or_new(ax)
    dates, numbers = x.dtype.kind == "M", _numbers(x)
    chosen, thin = thinned(y)
    if zero:
        zero_line(ax, "y")
    ax.scatter(x[chosen], y[chosen], color=BLUE, **point_look(len(chosen)))
    at, curve = smooth_curve(numbers, y)
    if len(at):
        ax.plot(_dates(at) if dates else at, curve, color=VERMILION, linewidth=1.8)
    ax.set_xlabel(labels[0])
    ax.set_ylabel(labels[1])
    if dates:
        date_axis(ax)
    bare(ax)
    note(ax, "\n".join(filter(None, [thin, _without(int(np.isnan(numbers).sum()))])))
    return ax


def _without(rows: int) -> str:
    """A note of the rows that are not drawn, as they have no value."""
    return f"{counted(rows, 'row')} without a value not drawn" if rows else ""


def _numbers(x: NDArray[Any]) -> NDArray[np.float64]:
    """Numbers as they are, dates as microseconds; NaN where missing."""
    if x.dtype.kind != "M":
        return x.astype(np.float64)
    return np.where(np.isnat(x), np.nan, x.astype("M8[us]").astype(np.float64))


def _dates(microseconds: NDArray[np.float64]) -> NDArray[Any]:
    return microseconds.round().astype("M8[us]")


@literal
def box_plot(
    codes: NDArray[np.int64],
    levels: Sequence[str],
    y: NDArray[np.float64],
    labels: tuple[str, str],
    ax: Axes | None = None,
) -> Axes:
    """
    A box for each level of a factor; of many levels the quartiles, in order of the medians.

    Parameters
    ----------
    codes : ndarray of int, shape (n,)
        Level of each row; -1 for none.
    levels : sequence of str
    y : ndarray, shape (n,)
    labels : tuple of str
    ax : matplotlib Axes, optional
    """
    ax = axes_or_new(ax)
    zero_line(ax, "y")
    without = _without(int((codes < 0).sum()))
    good = (codes >= 0) & np.isfinite(y)
    codes, y = codes[good], y[good]
    order = np.lexsort((y, codes))
    codes, y = codes[order], y[order]
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    name = labels[0]
    if len(starts) <= _BOXES:
        _boxes(ax, [str(levels[int(codes[i])]) for i in starts], np.split(y, starts[1:]) if len(y) else [])
    else:
        _quartiles(ax, _sorted_quantiles(y, starts))
        name = f"{name} ({len(starts):,} levels, ordered by median)"
    ax.set_xlabel(name)
    ax.set_ylabel(labels[1])
    bare(ax)
    note(ax, without, "lower left")
    return ax


def _boxes(ax: Axes, names: list[str], parts: list[NDArray[np.float64]]) -> None:
    ax.boxplot(
        parts,
        positions=range(len(parts)),
        widths=0.6,
        manage_ticks=False,
        patch_artist=True,
        boxprops={"facecolor": "#CFE3F1", "edgecolor": BLUE},
        medianprops={"color": VERMILION, "linewidth": 1.8},
        whiskerprops={"color": BLUE},
        capprops={"color": BLUE},
        flierprops={"marker": "o", "markersize": 3, "markerfacecolor": BLUE, "markeredgewidth": 0},
    )
    label_ticks(ax.xaxis, range(len(parts)), names)


def _quartiles(ax: Axes, values: NDArray[np.float64]) -> None:
    """Medians, quartiles and ranges (columns of `values`) of many levels in the order of the medians."""
    m = len(values)
    at = evenly(m, _LINES)
    low, first, median, third, high = values[np.argsort(values[:, 2], kind="stable")][at].T
    wide = max(0.5, min(3.0, 220.0 / m))
    ax.vlines(at, low, high, color=FAINT, linewidth=wide / 2, rasterized=True)
    ax.vlines(at, first, third, color=BLUE, linewidth=wide, rasterized=True)
    ax.plot(at, median, color=VERMILION, linewidth=1.4)
    ax.set_xticks([])
    ax.set_xlim(-0.01 * m - 1, 1.01 * m)
    thin = f"; {len(at):,} of {m:,} levels" if len(at) < m else ""
    note(ax, f"line: medians; bars: quartiles; grey: range{thin}")


def _sorted_quantiles(y: NDArray[np.float64], starts: NDArray[np.intp]) -> NDArray[np.float64]:
    """Minimum, quartiles and maximum of each part of y, which is sorted within parts; (m, 5)."""
    sizes = np.diff(np.append(starts, len(y)))
    place = starts[:, None] + (sizes[:, None] - 1) * np.array([0.0, 0.25, 0.5, 0.75, 1.0])
    below = np.floor(place).astype(np.intp)
    above = np.minimum(below + 1, (starts + sizes - 1)[:, None])
    return y[below] + (place - below) * (y[above] - y[below])


@literal
def binned_plot(
    x: NDArray[Any],
    residuals: NDArray[np.float64],
    bins: int,
    labels: tuple[str, str],
    ax: Axes | None = None,
) -> Axes:
    """
    Mean residuals in bins of equal numbers of rows, with ± 2 standard errors (Gelman & Hill 2007, 5.6).

    Parameters
    ----------
    x : ndarray of float or datetime64, shape (n,)
    residuals : ndarray, shape (n,)
    bins : int
    labels : tuple of str
    ax : matplotlib Axes, optional
    """
    ax = axes_or_new(ax)
    dates = x.dtype.kind == "M"
    means, mean, error = binned_means(_numbers(x), residuals, bins)
    mean_x = _dates(means) if dates else means
    zero_line(ax, "y")
    for sign in (-2.0, 2.0):
        ax.plot(mean_x, sign * error, color="#666666", linewidth=1.0, linestyle="--")
    outside = np.abs(mean) > 2.0 * error
    ax.scatter(mean_x[~outside], mean[~outside], color=BLUE, s=20, label="within")
    ax.scatter(mean_x[outside], mean[outside], color=VERMILION, s=26, marker="D", label="outside")
    known = int(np.isfinite(error).sum())
    if dates:
        date_axis(ax)
    note(ax, f"{int(outside.sum())} of {known} bins outside ± 2 SE")
    ax.set_xlabel(labels[0])
    ax.set_ylabel(labels[1])
    bare(ax)
    return ax


def binned_means(
    x: NDArray[np.float64], y: NDArray[np.float64], bins: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """
    Means of x and y in bins of equal size, and the standard errors of those of y; NaN in bins of one row.

    Rows with the same x are in one bin.
    """
    good = np.isfinite(x) & np.isfinite(y)
    order = np.argsort(x[good], kind="stable")
    x, y = x[good][order], y[good][order]
    starts = np.linspace(0, len(x), bins, endpoint=False).astype(np.intp)
    starts = np.unique(np.searchsorted(x, x[starts])) if len(x) else starts[:0]
    n = np.diff(np.append(starts, len(x))).astype(float)
    if not len(n):
        return n, n, n
    mean_x, mean = np.add.reduceat(x, starts) / n, np.add.reduceat(y, starts) / n
    squares = np.add.reduceat(np.square(y - np.repeat(mean, n.astype(np.intp))), starts)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.sqrt(squares / (n - 1) / n)
    return mean_x, mean, error
