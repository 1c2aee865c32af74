"""Distributions of simulated values with an estimate and limits, in panels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from textwrap import fill
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import shown
from ..errors import ArgumentError

_COLUMNS = 3
# Characters of a title in a line.
_TITLE = 36
# Of a palette that colour-blind readers can tell apart.
_BARS, _LINE = "#9ecae1", "#b3440e"


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
    Axes, or an array of them for several quantities

    Raises
    ------
    ArgumentError
        Without matplotlib, or when `ax` is not Axes or there are several quantities.
    """
    try:
        from matplotlib import pyplot
    except ImportError:
        raise ArgumentError("plots need matplotlib: pip install 'mixedmodels[plot]'") from None
    if ax is not None:
        if not hasattr(ax, "hist"):
            raise ArgumentError(f"plot: ax must be Axes of matplotlib, not {shown(ax)}")
        if len(names) != 1:
            raise ArgumentError("plot: ax= is for one parameter; choose it with parm=")
        axes = [ax]
    else:
        across = min(len(names), _COLUMNS)
        down = math.ceil(len(names) / across)
        figure, grid = pyplot.subplots(
            down, across, squeeze=False, figsize=(3.2 * across + 0.4, 2.4 * down + 0.3), layout="constrained"
        )
        axes = list(grid.ravel())
        for unused in axes[len(names) :]:
            figure.delaxes(unused)
        axes = axes[: len(names)]
    for own, name, sample, estimate, (low, high) in zip(axes, names, values, estimates, limits, strict=True):
        _panel(own, name, sample, float(estimate), float(low), float(high))
    return axes[0] if len(axes) == 1 else np.array(axes, dtype=object)


def _panel(ax: Any, name: str, values: NDArray[np.float64], estimate: float, low: float, high: float) -> None:
    if len(values):
        bins = int(np.clip(2.0 * len(values) ** (1 / 3), 5, 60))
        ax.hist(values, bins=bins, density=True, color=_BARS, edgecolor="white", linewidth=0.4)
    if math.isfinite(estimate):
        ax.axvline(estimate, color="black", linewidth=1.2)
    if math.isfinite(low) and math.isfinite(high):
        # A little above the axis, in units of the height of the panel.
        ax.plot(
            [low, high],
            [0.03, 0.03],
            color=_LINE,
            linewidth=3,
            solid_capstyle="butt",
            transform=ax.get_xaxis_transform(),
        )
    ax.set_title(fill(name, _TITLE), fontsize="medium")
    ax.set_yticks([])
    ax.spines[["left", "right", "top"]].set_visible(False)
