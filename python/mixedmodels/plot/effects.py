"""Predictions over a grid with their confidence limits, as figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..wording import counted
from .literal import literal
from .style import (
    BAND,
    LINE,
    Panels,
    bare,
    label_ticks,
    legend_beside,
    note,
    panels_of,
    panels_or_new,
    point_look,
    series_look,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Points this many times the height of most others away from them would squeeze these.
_FAR = 1.0


@literal
def effect_plots(
    frame: pd.DataFrame,
    x: str,
    colour: str | None,
    facets: Sequence[str],
    *,
    line: bool,
    label: str,
    points: pd.DataFrame | None = None,
    connected: bool = False,
    remark: str = "",
    ax: Any = None,
) -> Axes | Panels:
    """
    One panel for each combination of the facets.

    Parameters
    ----------
    frame : DataFrame
        With the columns named, ``fit``, ``lower`` and ``upper``.
    x, colour : str
        The columns on the axis and of the colours.
    facets : sequence of str
    line : bool
        Lines with bands rather than points with bars.
    label : str
        Of the axis of predictions.
    points : DataFrame, optional
        Partial residuals: the columns named, with values of `frame`, and ``value``.
    connected : bool
        Lines between the points of a factor.
    remark : str
        Small print in the first panel.
    ax : Axes or sequence of Axes, optional

    Returns
    -------
    Axes, or Panels where there are facets
    """
    groups: list[tuple[Any, pd.DataFrame]] = [((), frame)]
    if facets:
        grouped: Any = frame.groupby(list(facets), sort=False, observed=True)
        groups = list(grouped)
    size = (3.6, 3.2) if len(groups) > 1 else (6.0, 4.1)
    columns = 2 if len(groups) == 4 else 3
    panels = panels_or_new(ax, len(groups), size, columns, argument="ax", sharex=True, sharey=True)
    for i, (panel, (key, part)) in enumerate(zip(panels, groups, strict=True)):
        if points is not None:
            here: Any = points
            for name, value in zip(facets, key, strict=True):
                here = here[here[name] == value]
            _draw_points(panel, here, frame, x, colour, line)
        _draw(panel, part, frame, x, colour, line, connected)
        panel.set_title(
            ", ".join(f"{n} = {_text(v)}" for n, v in zip(facets, key, strict=True)), fontsize="medium"
        )
        # Panels above others share the axis of these.
        if ax is not None or i + columns >= len(groups):
            panel.set_xlabel(x)
        place = panel.get_subplotspec()
        if place is None or place.is_first_col():
            panel.set_ylabel(label)
        bare(panel)
    if colour is not None:
        # At the end of the first row: where the figure is read first.
        legend_beside(panels[-1 if ax is not None else min(columns, len(panels)) - 1], colour, ax is None)
    if points is not None:
        remark = "\n".join(filter(None, [remark, _without_far_points(panels, frame, points)]))
    note(panels[0], remark)
    return panels_of(panels) if facets else panels[0]


def _without_far_points(panels: Sequence[Axes], frame: pd.DataFrame, points: pd.DataFrame) -> str:
    """
    Limits without the few points that would squeeze all else, and a note of these.

    On the scale of a response a partial residual is the inverse link of a working residual, which is huge
    where a count far above its mean meets a logarithm.
    """
    values = points["value"].to_numpy(float)
    values = values[np.isfinite(values)]
    bands = frame[["lower", "upper", "fit"]].to_numpy(float)
    bands = bands[np.isfinite(bands)]
    if not len(values) or not len(bands):
        return ""
    usual = np.r_[np.quantile(values, [0.05, 0.95]), bands]
    low, high = float(usual.min()), float(usual.max())
    room = _FAR * (high - low)
    beyond = int(((values < low - room) | (values > high + room)).sum())
    if not beyond:
        return ""
    near = values[(values >= low - room) & (values <= high + room)]
    low, high = min(low, float(near.min(initial=low))), max(high, float(near.max(initial=high)))
    for panel in panels:
        panel.set_ylim(low - 0.05 * (high - low), high + 0.05 * (high - low))
    return f"{counted(beyond, 'partial residual')} beyond the limits"


def _curves(frame: pd.DataFrame, colour: str | None) -> list[tuple[Any, pd.DataFrame]]:
    grouped: Any = [("", frame)] if colour is None else frame.groupby(colour, sort=False, observed=True)
    return list(grouped)


def _positions(frame: pd.DataFrame, x: str) -> dict[Any, int]:
    return {value: i for i, value in enumerate(dict.fromkeys(frame[x]))}


def _shift(i: int, count: int) -> float:
    return 0.5 * ((i + 0.5) / count - 0.5)


def _draw(
    ax: Axes,
    frame: pd.DataFrame,
    whole: pd.DataFrame,
    x: str,
    colour: str | None,
    line: bool,
    connected: bool,
) -> None:
    # Panels share their axes, also when one lacks some of the levels.
    positions, curves = _positions(whole, x), _curves(whole, colour)
    for i, (key, _) in enumerate(curves):
        part: Any = frame if colour is None else frame[frame[colour] == key]
        tint, marker = series_look(i)
        look: dict[str, Any] = {"color": tint, "label": None if colour is None else _text(key)}
        fit, low, high = (part[column].to_numpy(float) for column in ("fit", "lower", "upper"))
        if line:
            at = part[x].to_numpy(float)
            ax.plot(at, fit, linewidth=LINE, linestyle=_DASHES[i % len(_DASHES)], **look)
            ax.fill_between(at, low, high, color=look["color"], alpha=BAND, linewidth=0)
            continue
        at = np.array([positions[value] for value in part[x]]) + _shift(i, len(curves))
        style = marker + ("-" if connected else "")
        ax.vlines(at, low, high, color=look["color"], linewidth=LINE)
        ax.errorbar(at, fit, fmt=style, linewidth=LINE, **look)
    if not line:
        label_ticks(ax.xaxis, list(positions.values()), list(map(_text, positions)))


_DASHES = ("-", "--", "-.", ":")


def _draw_points(
    ax: Axes, points: pd.DataFrame, whole: pd.DataFrame, x: str, colour: str | None, line: bool
) -> None:
    positions, curves = _positions(whole, x), _curves(whole, colour)
    look = point_look(len(points))
    look["alpha"] *= 0.6
    for i, (key, _) in enumerate(curves):
        part: Any = points if colour is None else points[points[colour] == key]
        values = part["value"].to_numpy(float)
        if line:
            at = part[x].to_numpy(float)
        else:
            # Beside each other within the width of a level, always in the same way.
            spread = 0.16 / len(curves) * np.sin(np.arange(len(part)) * 2.399963)
            at = np.array([positions[value] for value in part[x]]) + _shift(i, len(curves)) + spread
        tint = series_look(i)[0] if colour is not None else "#606060"
        ax.scatter(at, values, color=tint, zorder=1, **look)


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
