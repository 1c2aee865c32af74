"""Random effects of many levels with their intervals: ordered, or against normal quantiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .literal import literal
from .quantiles import normal_scores
from .smoother import evenly
from .style import BLACK, BLUE, MOST_LABELS, VERMILION, bare, label_ticks, note, zero_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# More levels than these are lines below the resolution of a page.
MOST_LEVELS = 4000
# Intervals that contain zero, and others.
_INSIDE = "#9AA5AF"


@literal
def caterpillar(
    ax: Axes,
    levels: Sequence[str],
    modes: NDArray[np.float64],
    half: NDArray[np.float64],
    order: NDArray[np.intp],
    titles: tuple[str, str, str],
    labelled: bool = True,
) -> Axes:
    """
    A line for each level: its random effect with an interval, blue where it excludes zero.

    Parameters
    ----------
    ax : matplotlib Axes
    levels : sequence of str, length m
    modes, half : ndarray, shape (m,)
        Effects and half the lengths of their intervals.
    order : ndarray of int, shape (m,)
        The levels from bottom to top.
    titles : tuple of str
        Of the panel, the axis of effects and the axis of levels.
    labelled : bool
        Whether levels are named beside the axis.
    """
    m = len(levels)
    chosen = evenly(m, MOST_LEVELS)
    rows = order[chosen]
    _intervals(ax, modes[rows], half[rows], chosen, vertical=False)
    title, across, along = titles
    zero_line(ax)
    ax.set_ylim(-0.02 * m - 0.5, 1.02 * m - 0.5)
    ax.set_title(title)
    ax.set_xlabel(across)
    if m > MOST_LABELS:
        ax.set_yticks([])
        along = f"{along} ({m:,} levels, ordered)"
        if len(chosen) < m:
            note(ax, f"{len(chosen):,} of {m:,} levels, evenly spaced in order")
    else:
        label_ticks(ax.yaxis, range(m), [levels[int(i)] if labelled else "" for i in order])
    if labelled:
        ax.set_ylabel(along)
    bare(ax)
    return ax


@literal
def quantile_caterpillar(
    ax: Axes, modes: NDArray[np.float64], half: NDArray[np.float64], titles: tuple[str, str]
) -> Axes:
    """
    Random effects with their intervals against normal quantiles.

    Parameters
    ----------
    ax : matplotlib Axes
    modes, half : ndarray, shape (m,)
    titles : tuple of str
        Of the panel and the axis of effects.
    """
    m = len(modes)
    order = np.argsort(modes, kind="stable")
    chosen = evenly(m, MOST_LEVELS)
    scores = normal_scores(m)
    zero_line(ax, "y")
    if m > 1 and np.ptp(modes) > 0:
        ends = scores[[0, -1]]
        ax.plot(ends, modes.mean() + modes.std(ddof=1) * ends, color=VERMILION, linewidth=1.2, zorder=3)
    _intervals(ax, modes[order[chosen]], half[order[chosen]], scores[chosen], vertical=True)
    ax.set_title(titles[0])
    ax.set_xlabel("normal quantile")
    ax.set_ylabel(titles[1])
    if len(chosen) < m:
        note(ax, f"{len(chosen):,} of {m:,} levels, evenly spaced in order")
    bare(ax)
    return ax


def _intervals(
    ax: Axes, modes: NDArray[np.float64], half: NDArray[np.float64], at: NDArray, vertical: bool
) -> None:
    m = len(modes)
    outside = np.abs(modes) > half
    wide = float(np.clip(120.0 / max(m, 1), 0.25, 1.6))
    size = float(np.clip(400.0 / max(m, 1), 1.0, 20.0))
    for chosen, colour, name in ((~outside, _INSIDE, "includes 0"), (outside, BLUE, "excludes 0")):
        draw = ax.vlines if vertical else ax.hlines
        ends = (modes - half)[chosen], (modes + half)[chosen]
        draw(at[chosen], *ends, color=colour, linewidth=wide, rasterized=m > 1000)
        points = (at[chosen], modes[chosen]) if vertical else (modes[chosen], at[chosen])
        # Over the intervals of a thousand levels points of the same colour would not be seen.
        ax.scatter(
            *points,
            s=size,
            color=BLACK if m > 300 else colour,
            label=name,
            zorder=2.5,
            linewidths=0,
            rasterized=m > 1000,
        )
