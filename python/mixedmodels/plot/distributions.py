"""Distributions of simulated values with an estimate and limits, in panels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from textwrap import fill
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ArgumentError
from .literal import literal
from .style import BLACK, SKY, VERMILION, panels_of, panels_or_new

# Characters of a title in a line.
_TITLE = 36


@literal
def distribution_plot(
    names: Sequence[str],
    values: Sequence[NDArray[np.float64]],
    estimates: NDArray[np.float64],
    limits: NDArray[np.float64],
    ax: Any = None,
) -> Any:
    """
    A histogram for each of several quantities, its estimate as a line, its limits as a bar below.

    Parameters
    ----------
    names : sequence of str
        Titles.
    values : sequence of ndarray
    estimates : ndarray, shape (q,)
    limits : ndarray, shape (q, 2)
    ax : matplotlib Axes, optional
        For a single quantity.

    Returns
    -------
    Axes, or Panels for several quantities

    Raises
    ------
    ArgumentError
        Without matplotlib, or when `ax` is not Axes or there are several quantities.
    """
    if ax is not None and len(names) != 1:
        raise ArgumentError("plot: ax= is for one parameter; choose it with parm=")
    axes = panels_or_new(ax, len(names), (3.2, 2.4), argument="ax")
    for own, name, sample, estimate, (low, high) in zip(axes, names, values, estimates, limits, strict=True):
        _panel(own, name, sample, float(estimate), float(low), float(high))
    return axes[0] if len(axes) == 1 else panels_of(axes)


def _panel(ax: Any, name: str, values: NDArray[np.float64], estimate: float, low: float, high: float) -> None:
    if len(values):
        bins = int(np.clip(2.0 * len(values) ** (1 / 3), 5, 60))
        low_end, high_end = float(values.min()), float(values.max())
        # Values that differ by rounding alone are one bar.
        if high_end - low_end <= 1e-10 * max(abs(low_end), abs(high_end)):
            half = 0.5 * max(abs(high_end), 1.0) * 0.1
            bins, low_end, high_end = 1, low_end - half, high_end + half
        ax.hist(
            values,
            bins=bins,
            range=(low_end, high_end),
            density=True,
            color=SKY,
            edgecolor="white",
            linewidth=0.4,
        )
    if math.isfinite(estimate):
        ax.axvline(estimate, color=BLACK, linewidth=1.2)
    if math.isfinite(low) and math.isfinite(high):
        # A little above the axis, in units of the height of the panel.
        ax.plot(
            [low, high],
            [0.03, 0.03],
            color=VERMILION,
            linewidth=3,
            solid_capstyle="butt",
            transform=ax.get_xaxis_transform(),
        )
    ax.set_title(fill(name, _TITLE), fontsize="medium")
    ax.set_yticks([])
    ax.spines[["left", "right", "top"]].set_visible(False)
