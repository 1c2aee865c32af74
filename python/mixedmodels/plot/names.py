"""Names beside points, where there is room for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..wording import display_width
from .style import fitting

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LONGEST = 18
# Places in points from the point, with the alignments there: the first free one is taken.
_ABOVE, _BELOW = (0, 5, "center", "bottom"), (0, -5, "center", "top")
_SIDES = (
    (5, 0, "left", "center"),
    (-5, 0, "right", "center"),
    (4, 4, "left", "bottom"),
    (-4, 4, "right", "bottom"),
    (4, -4, "left", "top"),
    (-4, -4, "right", "top"),
)
# Width of a character and height of a line in sizes of the font, and half the size of a point.
_WIDE, _TALL, _POINT = 0.62, 1.15, 3.0

_Box = tuple[float, float, float, float]


def write_names(
    ax: Axes,
    x: NDArray[Any],
    y: NDArray[np.float64],
    names: Sequence[object],
    order: Sequence[int],
    *,
    whole: bool = True,
    above: float = 0.0,
    size: float = 7.0,
) -> int:
    """
    Names of points in this order, none over another; the number written.

    Parameters
    ----------
    ax : matplotlib Axes
        With its final limits.
    x, y : ndarray
    names : sequence
    order : sequence of int
        The points to name.
    whole : bool
        Stop at the first name without room, so that no point is named and one before it is not; otherwise
        leave this name out.
    above : float
        Points from here up have their names above, if there is room, others below.
    size : float
        Of the font, in points.
    """
    places = np.column_stack([np.asarray(x[order], dtype=float), y[order]])
    at = ax.transData.transform(places) * 72.0 / ax.figure.dpi
    window = ax.get_window_extent()
    edge = tuple(float(v) * 72.0 / ax.figure.dpi for v in (window.x0, window.y0, window.x1, window.y1))
    taken: list[_Box] = [(a - _POINT, b - _POINT, a + _POINT, b + _POINT) for a, b in at.tolist()]
    texts, count = fitting([names[int(i)] for i in order], _LONGEST), 0
    for own, text, point, value in zip(range(len(texts)), texts, at.tolist(), places.tolist(), strict=True):
        first, second = (_ABOVE, _BELOW) if value[1] >= above else (_BELOW, _ABOVE)
        others = taken[:own] + taken[own + 1 :]
        for place in (first, *_SIDES, second):
            box = _box(point, text, place, size)
            if _inside(box, edge) and not any(_overlap(box, other) for other in others):
                break
        else:
            if whole and count:
                break
            if not whole:
                continue
            # The very first has its name in any case.
            place, box = first, _box(point, text, first, size)
        taken.append(box)
        count += 1
        look: dict[str, Any] = {"ha": place[2], "va": place[3], "fontsize": size, "zorder": 6}
        ax.annotate(text, (x[order[own]], value[1]), place[:2], textcoords="offset points", **look)
    return count


def _box(point: Sequence[float], text: str, place: tuple[int, int, str, str], size: float) -> _Box:
    wide, tall = _WIDE * size * display_width(text), _TALL * size
    left = point[0] + place[0] - {"left": 0.0, "center": 0.5, "right": 1.0}[place[2]] * wide
    low = point[1] + place[1] - {"bottom": 0.0, "center": 0.5, "top": 1.0}[place[3]] * tall
    return left, low, left + wide, low + tall


def _overlap(a: _Box, b: _Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _inside(box: _Box, edge: Sequence[float]) -> bool:
    return box[0] >= edge[0] and box[1] >= edge[1] and box[2] <= edge[2] and box[3] <= edge[3]
