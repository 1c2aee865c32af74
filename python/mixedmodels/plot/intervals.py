"""Estimates with intervals in rows: means, contrasts, coefficients of one or several models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..wording import display_width
from .literal import literal
from .style import (
    BLACK,
    axes_or_new,
    bare,
    fitting,
    in_two_lines,
    label_ticks,
    legend_beside,
    note,
    series_look,
    zero_line,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Inches for a line of text, and for what is above and below the rows.
_LINE, _REST, _TALLEST = 0.2, 1.1, 30.0
# Inches of a letter of a label.
_LETTER = 0.085
# Height of a line of text in sizes of its font.
_TEXT = 1.4
# Ratios in a range as narrow as this have ticks at equal distances.
_NARROW = 3.0


class Series(NamedTuple):
    """
    Estimates of one colour.

    Attributes
    ----------
    title : str
        In the legend; empty for a single series.
    rows : ndarray of int, shape (m,)
        The row in which each estimate is drawn.
    estimates : ndarray, shape (m,)
    lower, upper : ndarray, shape (m,), or None
        NaN where an estimate has no interval, None where none is wanted.
    arrows : ndarray, shape (m, 2), or None
        Ends of comparison arrows to the left and to the right.
    """

    title: str
    rows: NDArray[np.intp]
    estimates: NDArray[np.float64]
    lower: NDArray[np.float64] | None
    upper: NDArray[np.float64] | None
    arrows: NDArray[np.float64] | None = None


@literal
def interval_plot(
    names: Sequence[str],
    series: Sequence[Series],
    labels: tuple[str, str],
    *,
    legend: str = "",
    reference: float | None = None,
    always: bool = False,
    ratios: bool = False,
    remark: str = "",
    ax: Axes | None = None,
) -> Axes:
    """
    A line for each estimate, from top to bottom; series beside each other in the rows that they share.

    Parameters
    ----------
    names : sequence of str
        Of the rows.
    series : sequence of Series
    labels : tuple of str
        Of the axis of estimates and of the rows.
    legend : str
        What tells the series apart.
    reference : float, optional
        Where the value of no effect is marked, if the axis gets there.
    always : bool
        Extend the axis to the reference.
    ratios : bool
        A logarithmic axis.
    remark : str
        Small print.
    ax : matplotlib Axes, optional
    """
    texts, own = in_two_lines(names), ax is None
    # All rows are as tall as the tallest.
    lines = max((max(1.0 + 0.9 * text.count("\n"), 0.75 * len(series)) for text in texts), default=1.0)
    ax = axes_or_new(ax, (6.4, float(np.clip(_LINE * lines * len(names) + _REST, 2.4, _TALLEST))))
    for i, one in enumerate(series):
        _draw(ax, one, i, len(series))
    texts = _label_rows(ax, names, texts)
    ax.set_ylim(len(names) - 0.4, -0.6)
    # A matplotlib axis with a logarithm has to show something positive.
    drawn = np.concatenate(
        [np.empty(0), *(v for s in series for v in (s.estimates, s.lower) if v is not None)]
    )
    if ratios and np.isfinite(drawn).any() and np.nanmin(drawn) > 0:
        _ratio_axis(ax)
    if reference is not None:
        _reference(ax, reference, always)
    # What the names of the rows leave of the figure.
    room = ax.figure.bbox.width / ax.figure.dpi - _LETTER * _widest(texts)
    wide = _LETTER * display_width(labels[0]) > room
    ax.set_xlabel(labels[0].replace(", ", "\n") if wide else labels[0])
    ax.set_ylabel(labels[1])
    bare(ax)
    if any(one.title for one in series):
        legend_beside(ax, legend, own)
    hollow = any(_without_interval(one).any() for one in series)
    note(ax, "\n".join(filter(None, [remark, "hollow: no interval" if hollow else ""])), "lower right")
    return ax


def _widest(texts: Sequence[str]) -> int:
    return max((display_width(line) for text in texts for line in text.split("\n")), default=0)


def _label_rows(ax: Axes, names: Sequence[str], texts: Sequence[str]) -> Sequence[str]:
    """The names of the rows in two lines where there is room, and small where there is little."""
    points = 72.0 * ax.get_window_extent().height / ax.figure.dpi / max(len(names), 1)
    tall = 2 * _TEXT if any("\n" in text for text in texts) else _TEXT
    if points < 6.5 * tall:
        texts, tall = fitting(names), _TEXT
    label_ticks(ax.yaxis, range(len(names)), texts, ready=True)
    if points < 10.0 * tall:
        ax.tick_params(axis="y", labelsize=max(points / tall, 4.0))
    return texts


def _without_interval(one: Series) -> NDArray[np.bool_]:
    """The estimates whose interval is not known."""
    if one.lower is None or one.upper is None:
        return np.zeros(len(one.estimates), dtype=bool)
    return np.isfinite(one.estimates) & (np.isnan(one.lower) | np.isnan(one.upper))


def _draw(ax: Axes, one: Series, i: int, count: int) -> None:
    shift = 0.64 * ((i + 0.5) / count - 0.5)
    at = one.rows + shift
    colour, marker = series_look(i)
    size = 5.5 if count < 4 else 4.5
    look: dict[str, Any] = {"linewidth": 1.6}
    if one.arrows is not None:
        # Arrows are drawn over the intervals, which become bands.
        look = {"linewidth": 7.0, "alpha": 0.3}
    # Not as bars of an error: percentile intervals may lie on one side of the estimate.
    if one.lower is not None and one.upper is not None:
        ax.hlines(at, one.lower, one.upper, color=colour, zorder=1.8, **look)
    title = one.title or None
    ax.errorbar(one.estimates, at, fmt=marker, color=colour, markersize=size, label=title)
    if (bare_ := _without_interval(one)).any():
        # A filled point without an interval would look infinitely precise.
        look = {"linestyle": "none", "markersize": size, "markerfacecolor": "white", "zorder": 2.6}
        ax.plot(one.estimates[bare_], at[bare_], marker=marker, color=colour, **look)
    if one.arrows is not None:
        for place, estimate, ends in zip(at, one.estimates, one.arrows, strict=True):
            for end in ends[np.isfinite(ends) & (ends != estimate)]:
                _arrow(ax, float(estimate), float(end), float(place))


def _arrow(ax: Axes, start: float, end: float, at: float) -> None:
    look = {
        "arrowstyle": "-|>",
        "color": BLACK,
        "linewidth": 1.1,
        "shrinkA": 0,
        "shrinkB": 0,
        "mutation_scale": 8,
    }
    ax.annotate("", (end, at), (start, at), arrowprops=look, annotation_clip=False)


def _ratio_axis(ax: Axes) -> None:
    """A logarithmic axis with plain numbers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    ax.set_xscale("log")
    low, high = ax.get_xlim()
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    if high / low < _NARROW:
        ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        return
    marks = (
        (1.0, 1.5, 2.0, 3.0, 5.0, 7.0) if high / low < 8 else (1.0, 2.0, 5.0) if high / low < 300 else (1.0,)
    )
    ax.xaxis.set_major_locator(LogLocator(base=10, subs=marks))


def _reference(ax: Axes, value: float, always: bool) -> None:
    low, high = sorted(ax.get_xlim())
    if always and not low < value < high:
        room = 0.04 * (high - low)
        ax.set_xlim(min(low, value - room), max(high, value + room))
        low, high = ax.get_xlim()
    if low <= value <= high:
        zero_line(ax, at=value)
