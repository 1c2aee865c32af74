"""Influence of rows or groups: by position, and against leverage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .literal import literal
from .names import write_names
from .style import (
    BLUE,
    GUIDE,
    SKY,
    VERMILION,
    Panels,
    axes_or_new,
    bare,
    fitting,
    label_ticks,
    note,
    panels_of,
    panels_or_new,
    whole_numbers,
    zero_line,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

# So many of the largest are named.
_NAMED = 5
# So many are all named below the axis.
_LABELLED = 30
_MOST = 20_000


@literal
def index_plot(
    values: NDArray[np.float64],
    names: Sequence[object],
    labels: tuple[str, str],
    cutoff: float | None = None,
    none: float = 0.0,
    ax: Axes | None = None,
) -> Axes:
    """
    A stem for each row or group; the largest are named.

    Parameters
    ----------
    values : ndarray, shape (m,)
    names : sequence, length m
        Of the rows or groups.
    labels : tuple of str
        What they are, and what the values are.
    cutoff : float, optional
        Where a line is drawn, for absolute values.
    none : float
        The value without any influence, from which the stems start.
    ax : matplotlib Axes, optional
    """
    ax = axes_or_new(ax)
    m, remark, what = len(values), "", "row" if labels[0] == "row" else "level"
    at, size = np.arange(m), np.abs(np.nan_to_num(values - none))
    drawn = at if m <= _MOST else np.sort(np.argsort(size)[-_MOST:])
    wide, spot = float(np.clip(200.0 / max(m, 1), 0.3, 1.6)), float(np.clip(2000.0 / max(m, 1), 2.0, 22.0))
    above = size > cutoff if cutoff is not None else np.zeros(m, dtype=bool)
    for chosen, colour in ((drawn[~above[drawn]], BLUE), (drawn[above[drawn]], VERMILION)):
        ax.vlines(at[chosen], none, values[chosen], color=colour, linewidth=wide)
        ax.scatter(at[chosen], values[chosen], s=spot, color=colour, linewidths=0)
    zero_line(ax, "y", none)
    if cutoff is not None:
        for sign in (1.0, -1.0) if np.nanmin(values, initial=none) < none else (1.0,):
            ax.axhline(none + sign * cutoff, color=GUIDE, linestyle="--", linewidth=1.0)
    if m <= _LABELLED:
        label_ticks(ax.xaxis, at.tolist(), [str(name) for name in names])
    else:
        whole_numbers(ax.xaxis)
    ax.set_xlabel(labels[0])
    ax.set_ylabel(labels[1])
    ax.margins(y=0.12)
    if not np.isfinite(values).any():
        remark = f"no {what} has a value of {labels[1]}"
    elif not size.any():
        remark = f"{labels[1]} is {none:g} everywhere"
    if remark:
        ax.set_ylim(none - 0.5, none + 0.5)
        note(ax, remark)
    if m > _LABELLED:
        _name(ax, at, values, names, size, none)
    bare(ax)
    if m > _MOST:
        note(ax, f"the {_MOST:,} largest of {m:,}")
    return ax


@literal
def index_plots(
    table: pd.DataFrame,
    names: Sequence[object],
    labels: tuple[str, str],
    cutoff: float | None = None,
    axes: Any = None,
) -> Panels:
    """
    A panel of stems for each column of a table, see `index_plot`.

    Parameters
    ----------
    table : DataFrame, m rows
    names : sequence, length m
    labels : tuple of str
        What the rows are, and what the values are.
    cutoff : float, optional
    axes : Axes or sequence of Axes, optional
    """
    columns = 2 if table.shape[1] > 1 else 1
    cells = panels_or_new(axes, table.shape[1], (5.2, 2.9), columns, argument="ax")
    for ax, title, name in zip(cells, fitting(list(table.columns), 44), table.columns, strict=True):
        index_plot(table[name].to_numpy(float), names, labels, cutoff, ax=ax)
        ax.set_title(title, fontsize="medium")
    return panels_of(cells)


@literal
def bubble_plot(
    leverage: NDArray[np.float64],
    residuals: NDArray[np.float64],
    distances: NDArray[np.float64],
    names: Sequence[object],
    labels: tuple[str, str, str] = ("leverage", "studentised residual", "Cook's distance"),
    ax: Axes | None = None,
) -> Axes:
    """
    Residuals against leverages, in circles whose areas are the distances.

    Parameters
    ----------
    leverage, residuals, distances : ndarray, shape (m,)
    names : sequence, length m
    labels : tuple of str
        What the three are.
    ax : matplotlib Axes, optional
    """
    ax = axes_or_new(ax)
    size = np.nan_to_num(np.abs(distances))
    m = len(size)
    drawn = np.arange(m) if m <= _MOST else np.sort(np.argsort(size)[-_MOST:])
    scale = min(900.0, 9000.0 / np.sqrt(max(m, 1))) / max(float(size.max(initial=0.0)), 1e-300)
    zero_line(ax, "y")
    for guide in (-2.0, 2.0):
        ax.axhline(guide, color=GUIDE, linestyle=":", linewidth=0.9)
    # The largest below, so that they hide none.
    order = drawn[np.argsort(-size[drawn], kind="stable")]
    ax.scatter(
        leverage[order],
        residuals[order],
        s=np.maximum(scale * size[order], 3.0),
        facecolor=SKY,
        edgecolor=BLUE,
        alpha=0.55 if m < 500 else 0.3,
        linewidths=0.6,
        rasterized=m > 3000,
    )
    ax.set_xlabel(labels[0])
    ax.set_ylabel(labels[1])
    ax.margins(0.08)
    bare(ax)
    remark = f"area of the circles: {labels[2]}, up to {size.max(initial=0.0):.3g}"
    note(ax, remark + (f"\nthe {_MOST:,} largest of {m:,}" if m > _MOST else ""))
    _name(ax, leverage, residuals, names, size)
    return ax


def _name(
    ax: Axes,
    x: NDArray[Any],
    y: NDArray[np.float64],
    names: Sequence[object],
    size: NDArray[np.float64],
    above: float = 0.0,
) -> None:
    """Names at the largest."""
    good = np.flatnonzero(np.isfinite(x) & np.isfinite(y) & (size > 0))
    largest = good[np.argsort(-size[good], kind="stable")][:_NAMED]
    if len(largest):
        write_names(ax, x, y, names, largest.tolist(), above=above)
