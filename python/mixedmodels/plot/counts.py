"""Observed and expected frequencies of counts: hanging, suspended and standing rootograms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from .literal import literal
from .style import BLACK, MARKERS, SKY, VERMILION, axes_or_new, bare, legend_above, note, whole_numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Style = Literal["hanging", "suspended", "standing"]
STYLES: tuple[Style, ...] = ("hanging", "suspended", "standing")


@literal
def rootogram(
    counts: NDArray[np.float64],
    observed: NDArray[np.float64],
    expected: NDArray[np.float64],
    style: Style,
    label: str,
    remark: str,
    ax: Axes | None = None,
) -> Axes:
    """
    Square roots of frequencies (Tukey 1977; Kleiber & Zeileis 2016).

    Parameters
    ----------
    counts, observed, expected : ndarray, shape (k,)
        Counts and how often they occur, and should occur.
    style : {"hanging", "suspended", "standing"}
        Bars that hang from the expected frequencies, differences below zero, or bars from zero.
    label : str
        Of the axis of counts.
    remark : str
    ax : matplotlib Axes, optional
    """
    ax = axes_or_new(ax)
    seen, wanted = np.sqrt(observed), np.sqrt(expected)
    base, height = {
        "hanging": (wanted - seen, seen),
        "suspended": (np.zeros_like(seen), wanted - seen),
        "standing": (np.zeros_like(seen), seen),
    }[style]
    ax.bar(
        counts, height, bottom=base, width=0.85, color=SKY, edgecolor="white", linewidth=0.4, label="observed"
    )
    marker = MARKERS[0] if len(counts) <= 60 else ""
    ax.plot(counts, wanted, color=VERMILION, marker=marker, markersize=3.5, linewidth=1.4, label="expected")
    ax.axhline(0.0, color=BLACK, linewidth=0.9)
    whole_numbers(ax.xaxis)
    ax.set_xlabel(label)
    ax.set_ylabel("√frequency")
    # The bars end in the axes, not at their edge.
    ends = np.concatenate([base, base + height, wanted, [0.0]])
    low, high = float(ends.min()), float(ends.max())
    room = 0.05 * (high - low)
    ax.set_ylim(low - (room if low < 0 else 0.0), high + room)
    legend_above(ax)
    bare(ax)
    note(ax, remark, "lower right")
    return ax
