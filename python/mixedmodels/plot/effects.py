"""Predictions over a grid with their confidence limits, as figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .style import (
    BAND,
    COLOURS,
    LINE,
    MARKERS,
    Panels,
    bare,
    label_ticks,
    legend_beside,
    note,
    panels_of,
    panels_or_new,
    point_look,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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
        groups = list(frame.groupby(list(facets), sort=False, observed=True))
    size = (3.6, 3.2) if len(groups) > 1 else (6.0, 4.1)
    panels = panels_or_new(
        ax, len(groups), size, 2 if len(groups) == 4 else 3, argument="ax", sharex=True, sharey=True
    )
    for panel, (key, part) in zip(panels, groups, strict=True):
        if points is not None:
            here = points
            for name, value in zip(facets, key, strict=True):
                here = here[here[name] == value]
            _draw_points(panel, here, frame, x, colour, line)
        _draw(panel, part, frame, x, colour, line, connected)
        panel.set_title(
            ", ".join(f"{n} = {_text(v)}" for n, v in zip(facets, key, strict=True)), fontsize="medium"
        )
        panel.set_xlabel(x)
        if panel.get_subplotspec() is None or panel.get_subplotspec().is_first_col():
            panel.set_ylabel(label)
        bare(panel)
    if colour is not None:
        legend_beside(panels[-1], colour)
    note(panels[0], remark)
    return panels_of(panels) if facets else panels[0]


def _curves(frame: pd.DataFrame, colour: str | None) -> list[tuple[Any, pd.DataFrame]]:
    return [("", frame)] if colour is None else list(frame.groupby(colour, sort=False, observed=True))


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
        part = frame if colour is None else frame[frame[colour] == key]
        look = {"color": COLOURS[i % len(COLOURS)], "label": None if colour is None else _text(key)}
        fit, low, high = (part[column].to_numpy(float) for column in ("fit", "lower", "upper"))
        if line:
            at = part[x].to_numpy(float)
            ax.plot(at, fit, linewidth=LINE, linestyle=_DASHES[i % len(_DASHES)], **look)
            ax.fill_between(at, low, high, color=look["color"], alpha=BAND, linewidth=0)
            continue
        at = np.array([positions[value] for value in part[x]]) + _shift(i, len(curves))
        style = MARKERS[i % len(MARKERS)] + ("-" if connected else "")
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
        part = points if colour is None else points[points[colour] == key]
        values = part["value"].to_numpy(float)
        if line:
            at = part[x].to_numpy(float)
        else:
            # Beside each other within the width of a level, always in the same way.
            spread = 0.16 / len(curves) * np.sin(np.arange(len(part)) * 2.399963)
            at = np.array([positions[value] for value in part[x]]) + _shift(i, len(curves)) + spread
        tint = COLOURS[i % len(COLOURS)] if colour is not None else "#606060"
        ax.scatter(at, values, color=tint, zorder=1, **look)


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
