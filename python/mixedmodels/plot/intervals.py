"""Estimates with intervals in a figure; the package needs matplotlib for this alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..checks import shown
from ..errors import ArgumentError

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def interval_plot(
    names: Sequence[str],
    estimates: NDArray[np.float64],
    limits: NDArray[np.float64],
    groups: Sequence[tuple[str, NDArray[np.intp]]],
    label: str,
    ax: Axes | None = None,
) -> Axes:
    """
    A line for each row: the estimate with its confidence interval, one colour for each group.

    Parameters
    ----------
    names : sequence of str, length m
        Names of the rows; rows of different groups with the same name are drawn next to each other.
    estimates : ndarray, shape (m,)
    limits : ndarray, shape (m, 2)
    groups : sequence of (str, ndarray of int)
        Title and rows of each group; an empty title for a single group.
    label : str
        Of the axis of estimates.
    ax : matplotlib Axes, optional

    Raises
    ------
    ArgumentError
        Without matplotlib, or when `ax` is not an Axes object.
    """
    try:
        from matplotlib import pyplot
    except ImportError:
        raise ArgumentError("plots need matplotlib: pip install 'mixedmodels[plot]'") from None
    if ax is None:
        ax = pyplot.subplots()[1]
    elif not hasattr(ax, "errorbar"):
        raise ArgumentError(f"plot: ax must be Axes of matplotlib, not {shown(ax)}")
    positions = {name: i for i, name in enumerate(dict.fromkeys(names))}
    for g, (title, rows) in enumerate(groups):
        shift = 0.6 * ((g + 0.5) / len(groups) - 0.5)
        at = np.array([positions[names[int(i)]] for i in rows]) + shift
        estimate, (low, high) = estimates[rows], limits[rows].T
        ax.errorbar(
            estimate, at, xerr=[estimate - low, high - estimate], fmt="o", capsize=3, label=title or None
        )
    ax.set_yticks(list(positions.values()), list(positions))
    ax.invert_yaxis()
    ax.set_xlabel(label)
    if any(title for title, _ in groups):
        ax.legend()
    return ax
