"""Small panels: the data and the fitted lines of each group."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..wording import display_width
from .literal import literal
from .style import BLUE, GUIDE, VERMILION, bare, date_axis, fitting, panels_or_new

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLUMNS = 6
# Inches of the legend in a row, and of a letter of the title.
_LEGEND, _LETTER = 2.6, 0.09
# Characters of a level below a panel, and how many levels have room there.
_SHORT, _MOST_LEVELS = 12, 12


class GroupPanel(NamedTuple):
    """
    The rows of a group.

    Attributes
    ----------
    name : str
    x : ndarray, shape (m,)
        Numbers, dates, or the positions of levels.
    y : ndarray, shape (m,)
        The response.
    at : ndarray, shape (k,)
        Where there are means.
    conditional, population : ndarray, shape (k,)
        The means given the random effects and with these at zero.
    joined : bool
        Whether the means are a line.
    """

    name: str
    x: NDArray[Any]
    y: NDArray[np.float64]
    at: NDArray[Any]
    conditional: NDArray[np.float64]
    population: NDArray[np.float64]
    joined: bool = True


@literal
def group_panels(
    groups: Sequence[GroupPanel],
    labels: tuple[str, str],
    levels: Sequence[str],
    title: str,
    axes: Any = None,
) -> list[Axes]:
    """
    One panel for each group, all with the same limits.

    Parameters
    ----------
    groups : sequence of GroupPanel
    labels : tuple of str
        Of the two axes.
    levels : sequence of str
        Labels of the positions if x is a factor.
    title : str
        Of the figure, if it is new.
    axes : sequence of Axes, optional
    """
    columns = min(_COLUMNS, int(np.ceil(np.sqrt(1.6 * len(groups)))))
    own = axes is None
    panels = panels_or_new(axes, len(groups), (1.75, 1.6), columns, sharex=True, sharey=True)
    titles = fitting([group.name for group in groups], 20)
    for ax, group, name in zip(panels, groups, titles, strict=True):
        size = 14.0 if len(group.y) < 60 else 5.0
        ax.scatter(group.x, group.y, s=size, color=BLUE, alpha=0.7, linewidths=0, label="data")
        for values, colour, dash, kind in (
            (group.population, GUIDE, "--", "population"),
            (group.conditional, VERMILION, "-", "this group"),
        ):
            look: dict[str, Any] = {"color": colour, "label": kind, "linewidth": 1.4, "linestyle": dash}
            if not group.joined:
                look |= {"linestyle": "none", "marker": "_", "markersize": 6}
            elif len(group.at) == 1:
                # A line of one point is a dash.
                look |= {"marker": "_", "markersize": 11}
            ax.plot(group.at, values, **look)
        ax.set_title(name, fontsize="small", pad=3)
        ax.tick_params(labelsize="x-small")
        bare(ax)
    for ax in panels:
        if levels:
            _label_levels(ax, levels)
        elif groups[0].x.dtype.kind == "M":
            date_axis(ax, 4)
    if own:
        figure = panels[0].figure
        figure.supxlabel(labels[0], fontsize="medium")
        figure.supylabel(labels[1], fontsize="medium")
        _head(figure, title, panels[0])
    return panels


def _head(figure: Any, title: str, ax: Axes) -> None:
    """The title and the legend: beside each other, or the title below the legend where this is too wide."""
    width = float(figure.get_size_inches()[0])
    across = 3 if width >= _LEGEND + 0.2 else 1
    title = fill(title, max(10, int(width / _LETTER)))
    beside = (width - _LETTER * max(map(display_width, title.split("\n")))) / 2 > _LEGEND
    above = 0 if beside else 1 if across == 3 else 3
    figure.suptitle("\n" * above + title, fontsize="medium")
    figure.set_size_inches(width, float(figure.get_size_inches()[1]) + 0.15 * (above + title.count("\n")))
    look = {"ncols": across, "fontsize": "x-small", "frameon": False}
    figure.legend(*ax.get_legend_handles_labels(), loc="outside upper right", **look)


def _label_levels(ax: Axes, levels: Sequence[str]) -> None:
    """Short names of levels, which stand upright below a panel as narrow as these."""
    short = fitting(levels, _SHORT)
    step = -(-len(short) // _MOST_LEVELS)
    ax.set_xticks(range(0, len(short), step), short[::step])
    if sum(map(display_width, short[::step])) > _SHORT:
        ax.tick_params(axis="x", labelrotation=90)
    ax.set_xlim(-0.5, len(short) - 0.5)
