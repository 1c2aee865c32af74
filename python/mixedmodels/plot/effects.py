"""Predictions over a grid with their confidence limits, as figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..checks import shown
from ..errors import ArgumentError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colours, which the colour-blind can tell apart.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
_MARKERS = "osD^vPX*"
_MOST_COLUMNS = 3


def effect_plots(
    frame: pd.DataFrame,
    x: str,
    colour: str | None,
    facets: Sequence[str],
    *,
    line: bool,
    label: str,
    ax: Any = None,
) -> Any:
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
    ax : Axes or sequence of Axes, optional

    Returns
    -------
    Axes, or ndarray of Axes where there are facets
    """
    groups = [("", frame)]
    if facets:
        grouped = frame.groupby(list(facets), sort=False, observed=True)
        groups = [
            (", ".join(f"{n} = {_text(v)}" for n, v in zip(facets, key, strict=True)), part)
            for key, part in grouped
        ]
    panels = _axes(ax, len(groups))
    for panel, (title, part) in zip(panels, groups, strict=True):
        _draw(panel, part, x, colour, line)
        panel.set_title(title)
        panel.set_xlabel(x)
        if panel.get_subplotspec() is None or panel.get_subplotspec().is_first_col():
            panel.set_ylabel(label)
    if colour is not None:
        panels[-1].legend(title=colour)
    return np.array(panels, dtype=object) if facets else panels[0]


def _axes(ax: Any, count: int) -> list[Axes]:
    try:
        from matplotlib import pyplot
    except ImportError:
        raise ArgumentError("plots need matplotlib: pip install 'mixedmodels[plot]'") from None
    if ax is None:
        columns = 2 if count == 4 else min(count, _MOST_COLUMNS)
        rows = -(-count // columns)
        size = (max(6.4, 3.6 * columns), max(4.8, 3.4 * rows) if rows > 1 else 4.8)
        figure, found = pyplot.subplots(
            rows, columns, sharex=True, sharey=True, squeeze=False, figsize=size, layout="constrained"
        )
        panels = list(found.flat)
        for i, spare in enumerate(panels[count:], count):
            # The panel above is the last of its column.
            panels[i - columns].tick_params(labelbottom=True)
            figure.delaxes(spare)
        return panels[:count]
    panels = list(np.ravel(np.asarray(ax, dtype=object)))
    for panel in panels:
        if not hasattr(panel, "errorbar"):
            raise ArgumentError(f"plot: ax must be Axes of matplotlib, not {shown(panel)}")
    if len(panels) != count:
        raise ArgumentError(f"plot: these predictions need {count} Axes, not {len(panels)}")
    return panels


def _draw(ax: Axes, frame: pd.DataFrame, x: str, colour: str | None, line: bool) -> None:
    curves = [("", frame)]
    if colour is not None:
        curves = [(_text(key), part) for key, part in frame.groupby(colour, sort=False, observed=True)]
    positions = {value: i for i, value in enumerate(dict.fromkeys(frame[x]))}
    for i, (name, part) in enumerate(curves):
        look = {"color": _COLOURS[i % len(_COLOURS)], "label": name or None}
        fit, low, high = (part[column].to_numpy(float) for column in ("fit", "lower", "upper"))
        if line:
            at = part[x].to_numpy(float)
            ax.plot(at, fit, **look)
            ax.fill_between(at, low, high, color=look["color"], alpha=0.2, linewidth=0)
        else:
            shift = 0.5 * ((i + 0.5) / len(curves) - 0.5)
            at = np.array([positions[value] for value in part[x]]) + shift
            marker = _MARKERS[i % len(_MARKERS)]
            ax.errorbar(at, fit, yerr=[fit - low, high - fit], fmt=marker, capsize=3, **look)
    if not line:
        texts = list(map(_text, positions))
        long = sum(map(len, texts)) > 40
        ax.set_xticks(
            list(positions.values()), texts, rotation=30 if long else 0, ha="right" if long else "center"
        )


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
