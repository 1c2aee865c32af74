"""Small panels: the data and the fitted lines of each group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..wording import display_width
from .style import BLUE, GUIDE, VERMILION, bare, date_axis, fitting, panels_or_new

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLUMNS = 6
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
    y, conditional, population : ndarray, shape (m,)
        The response and the means given the random effects and with these at zero.
    """

    name: str
    x: NDArray[Any]
    y: NDArray[np.float64]
    conditional: NDArray[np.float64]
    population: NDArray[np.float64]


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
            at, line = mean_line(group.x, values)
            # A line of one point is a dash.
            marker = "_" if len(at) == 1 else ""
            look: dict[str, Any] = {"marker": marker, "color": colour, "linestyle": dash, "label": kind}
            ax.plot(at, line, linewidth=1.4, markersize=11, **look)
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
        figure.suptitle(title, fontsize="medium")
        handles, names = panels[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside upper right", ncols=3, fontsize="x-small", frameon=False)
    return panels


def _label_levels(ax: Axes, levels: Sequence[str]) -> None:
    """Short names of levels, which stand upright below a panel as narrow as these."""
    short = fitting(levels, _SHORT)
    step = -(-len(short) // _MOST_LEVELS)
    ax.set_xticks(range(0, len(short), step), short[::step])
    if sum(map(display_width, short[::step])) > _SHORT:
        ax.tick_params(axis="x", labelrotation=90)
    ax.set_xlim(-0.5, len(short) - 0.5)


def mean_line(x: NDArray[Any], y: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """The different values of x in order, with the means of y."""
    known = ~np.isnat(x) if x.dtype.kind == "M" else ~np.isnan(x)
    at, places, counts = np.unique(x[known], return_inverse=True, return_counts=True)
    return at, np.bincount(places, y[known], minlength=len(at)) / counts
