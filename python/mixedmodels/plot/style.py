"""The look of all figures: colours, sizes, axes to draw on, labels that fit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ..checks import shown
from ..errors import ArgumentError
from ..wording import display_width, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The palette of Okabe & Ito (2008), which the colour-blind can tell apart.
BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
ORANGE, SKY, BLACK = "#E69F00", "#56B4E9", "#000000"
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK)
# One for each colour: in print the shape tells the series apart.
MARKERS = "os^DvPX"
# Zero lines, reference lines; what is not the subject of a figure.
GUIDE = "#8C8C8C"
FAINT = "#BDBDBD"
# How strong a band is drawn over white.
BAND = 0.18
LINE = 1.6
COLUMNS = 3
# The widest label of a tick, in characters.
LABEL = 32
# The widest line of a legend.
_LEGEND = 28
# More labels than these on an axis overlap.
MOST_LABELS = 60
# More slanted labels than these below an axis touch each other.
_MOST_SLANTED = 24
# More points than these are a blot, and make files of many megabytes.
MOST_POINTS = 20_000
NOTE_SIZE = "x-small"


class Panels(np.ndarray):
    """
    Axes of one figure in an array, in the order in which they are read.

    Attributes
    ----------
    figure : Figure
        The matplotlib figure that the axes are in.

    Examples
    --------
    >>> from mixedmodels import lmer, load_sleepstudy
    >>> panels = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy()).plot()
    >>> panels.shape, panels.figure is panels[0, 0].figure
    ((2, 2), True)
    """

    @property
    def figure(self) -> Figure:
        """The figure that the axes are in."""
        return self.flat[0].figure


def panels_of(axes: Sequence[Axes], shape: tuple[int, ...] | None = None) -> Panels:
    """Axes as `Panels`."""
    found = np.empty(len(axes), dtype=object)
    found[:] = list(axes)
    return (found if shape is None else found.reshape(shape)).view(Panels)


def pyplot() -> Any:
    """matplotlib.pyplot; ArgumentError without matplotlib."""
    try:
        from matplotlib import pyplot as found
    except ImportError:
        raise ArgumentError("plots need matplotlib: pip install 'mixedmodels[plot]'") from None
    return found


def axes_or_new(ax: Any, size: tuple[float, float] = (6.4, 4.4)) -> Axes:
    """The axes given, or those of a new figure of this size in inches."""
    if ax is None:
        return pyplot().subplots(figsize=size, layout="constrained")[1]
    if isinstance(ax, np.ndarray) and ax.size == 1:
        ax = ax.flat[0]
    if not hasattr(ax, "errorbar"):
        raise ArgumentError(f"plot: ax must be Axes of matplotlib, not {shown(ax)}")
    return cast("Axes", ax)


def panels_or_new(
    axes: Any,
    count: int,
    size: tuple[float, float] = (3.4, 2.9),
    columns: int = COLUMNS,
    argument: str = "axes",
    **shared: Any,
) -> list[Axes]:
    """
    As many axes as asked for: those given, or those of a new figure.

    Parameters
    ----------
    axes : Axes, or sequence or array of these, optional
    count : int
    size : tuple of float
        Width and height of a panel in inches.
    columns : int
        Most panels in a row of a new figure.
    argument : str
        The name of `axes` in messages.
    **shared
        ``sharex`` and ``sharey`` of a new figure.
    """
    if axes is None:
        across = min(count, columns)
        down = -(-count // across)
        figure, grid = pyplot().subplots(
            down,
            across,
            squeeze=False,
            figsize=(size[0] * across + 0.4, size[1] * down + 0.3),
            layout="constrained",
            **shared,
        )
        cells = list(grid.flat)
        for i, spare in enumerate(cells[count:], count):
            # The panel above is the last of its column.
            cells[i - across].tick_params(labelbottom=True)
            figure.delaxes(spare)
        return cells[:count]
    given = [axes] if hasattr(axes, "errorbar") else list(np.ravel(np.asarray(axes, dtype=object)))
    for one in given:
        if not hasattr(one, "errorbar"):
            raise ArgumentError(f"plot: {argument} must be Axes of matplotlib, not {shown(one)}")
    if len(given) != count:
        raise ArgumentError(f"plot: this figure needs {count} Axes, and {argument} has {len(given)}")
    return given


def series_look(i: int) -> tuple[str, str]:
    """The colour and the marker of the i-th of several series; no two of the first 49 look alike."""
    return COLOURS[i % len(COLOURS)], MARKERS[(i + i // len(COLOURS)) % len(MARKERS)]


def date_axis(ax: Axes, most: int | None = None) -> None:
    """Short dates below the axes, at most so many."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator() if most is None else AutoDateLocator(minticks=2, maxticks=most)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def whole_numbers(axis: Any) -> None:
    """Ticks at whole numbers only: an axis of counts or positions has nothing between them."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(integer=True))


def fitting(texts: Sequence[Any], width: int = LABEL) -> list[str]:
    """Labels that fit beside an axis: long ones are cut, but stay different."""
    whole = [str(text) for text in texts]
    cut = [shorten(text, width) for text in whole]
    if len(set(cut)) == len(set(whole)) and not _look_alike(cut):
        return cut
    # Cut in the middle: levels such as "region/district/school 12" differ at their ends.
    half = (width - 1) // 2
    ends = [text if display_width(text) <= width else f"{text[:half]}…{text[-half:]}" for text in whole]
    if len(set(ends)) == len(set(whole)):
        return ends
    # From the first difference on: "district 7, school 12, grade 3", where all schools have this grade.
    first, last = min(whole), max(whole)
    start = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    tails = [shorten(f"…{text[max(start - 2, 0) :]}", width) for text in whole]
    return tails if len(set(tails)) == len(set(whole)) else ends


def _look_alike(cut: Sequence[str]) -> bool:
    """Whether a label that is cut begins as another: "dose[high]" and "dose[high]…" for "dose[high]:x"."""
    stems = sorted({(text.removesuffix("…"), text.endswith("…")) for text in cut})
    return any(b[0].startswith(a[0]) and (a[1] or b[1]) for a, b in pairwise(stems))


def in_two_lines(texts: Sequence[Any], width: int = LABEL) -> list[str]:
    """Labels in up to two lines of this width."""
    return [_broken(text, width) for text in fitting(texts, 2 * width - 6)]


def _broken(text: str, width: int) -> str:
    """The text in two lines if it is longer than one, between words or after the colon of an interaction."""
    if display_width(text) <= width:
        return text
    least, most = max(1, len(text) - width), min(width, len(text) - 1)
    places = [i for i in range(least, most + 1) if text[i - 1] in " :,/"]
    at = places[-1] if places else max(least, most)
    return f"{text[:at].rstrip()}\n{text[at:].lstrip()}"


def label_ticks(axis: Any, positions: Sequence[float], texts: Sequence[Any], ready: bool = False) -> None:
    """
    Labels at these positions of an axis (`ax.xaxis`, `ax.yaxis`); long ones below it slanted or upright.

    They are cut to fit, unless they are `ready`. Where there is no room for all, some are left out,
    the same number between any two.
    """
    labels = [str(text) for text in texts] if ready else fitting(texts)
    step = -(-len(labels) // MOST_LABELS) if axis.axis_name == "x" else 1
    positions, labels = list(positions)[::step], labels[::step]
    axis.set_ticks(positions, labels)
    if axis.axis_name == "x" and sum(map(display_width, labels)) > 36:
        upright = len(labels) > _MOST_SLANTED
        look: dict[str, Any] = {"rotation": 90, "ha": "center", "fontsize": "x-small"}
        for label in axis.get_ticklabels():
            label.set(**look if upright else {"rotation": 35, "ha": "right", "rotation_mode": "anchor"})


def zero_line(ax: Axes, along: str = "x", at: float = 0.0) -> None:
    """A thin line at a value of an axis, below everything else."""
    draw = ax.axvline if along == "x" else ax.axhline
    draw(at, color=GUIDE, linewidth=0.9, zorder=0.5)


def note(ax: Axes, text: str, corner: str = "upper left") -> None:
    """Small print in a corner of the axes: what is not drawn."""
    if text:
        low, left = corner.startswith("lower"), corner.endswith("left")
        ax.annotate(
            text,
            (0.0 if left else 1.0, 0.0 if low else 1.0),
            (4 if left else -4, 4 if low else -4),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="left" if left else "right",
            va="bottom" if low else "top",
            fontsize=NOTE_SIZE,
            color="#404040",
            bbox={"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1.0},
            zorder=9,
        )
        # Room for it beside the data.
        bottom, top = ax.get_ylim()
        room = 0.07 * (1 + text.count("\n")) * (top - bottom)
        if ax.get_yscale() == "linear":
            ax.set_ylim(bottom - room if low else bottom, top if low else top + room)


def bare(ax: Axes) -> None:
    """Axes without the lines at the top and to the right."""
    ax.spines[["top", "right"]].set_visible(False)


def legend_beside(ax: Axes, title: str = "", own: bool = False) -> None:
    """
    The legend to the right of the axes, where it hides nothing.

    An `own` figure becomes wider by what a legend of long names needs, so that the axes do not get narrow.
    """
    handles, names = ax.get_legend_handles_labels()
    names = in_two_lines(names, _LEGEND)
    if own and names:
        most = max(display_width(line) for text in [title, *names] for line in text.split("\n"))
        figure = cast("Figure", ax.figure)
        width, height = figure.get_size_inches()
        figure.set_size_inches(width + max(0.0, 0.08 * (most - 8)), height)
    legend: Any = ax.legend(
        handles,
        names,
        scatterpoints=1,
        title=title or None,
        fontsize="small",
        title_fontsize="small",
        loc="upper left",
        bbox_to_anchor=(1.0, 1.0),
        frameon=False,
    )
    for handle in legend.legend_handles:
        # Points of thousands are too small and faint to recognise.
        if hasattr(handle, "set_sizes"):
            handle.set_sizes([max(20.0, float(handle.get_sizes()[0]))])
            handle.set_alpha(1.0)


def legend_above(ax: Axes) -> None:
    """The legend in a row above the right end of the axes, where it hides nothing."""
    ax.legend(
        fontsize="small",
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        ncols=len(ax.get_legend_handles_labels()[1]),
        frameon=False,
        borderaxespad=0.2,
    )


def point_look(n: int) -> dict[str, Any]:
    """Size and strength of n points in one panel: many are small and let others shine through."""
    size = float(np.clip(26.0 - 4.4 * np.log10(max(n, 1) / 100.0 + 1.0) * 2.2, 4.0, 26.0))
    alpha = float(np.clip(1.15 - 0.22 * np.log10(max(n, 10)), 0.2, 0.75))
    return {"s": size, "alpha": alpha, "linewidths": 0, "rasterized": n > 3000}
