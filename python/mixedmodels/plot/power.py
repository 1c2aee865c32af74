"""Power curves in a figure."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..checks import shown
from ..errors import ArgumentError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Blue and grey, which colour-blind readers tell apart.
_CURVE, _TARGET = "#0072B2", "#555555"
# Characters in a line of the title that fit above narrow axes.
_TITLE = 44


def power_plot(
    values: NDArray[np.float64],
    estimates: NDArray[np.float64],
    limits: NDArray[np.float64],
    along: str,
    title: str,
    target: float | None,
    ax: Axes | None = None,
) -> Axes:
    """
    Power against size, with confidence intervals and a line at the power wanted.

    Parameters
    ----------
    values, estimates : ndarray, shape (m,)
    limits : ndarray, shape (m, 2)
    along : str
        Label of the axis of `values`.
    title : str
    target : float or None
    ax : matplotlib Axes, optional

    Raises
    ------
    ArgumentError
        Without matplotlib, or when `ax` is not an Axes object.
    """
    try:
        from matplotlib import pyplot
        from matplotlib.ticker import PercentFormatter
    except ImportError:
        raise ArgumentError("plots need matplotlib: pip install 'mixedmodels[plot]'") from None
    if ax is None:
        ax = pyplot.subplots(layout="constrained")[1]
    elif not hasattr(ax, "errorbar"):
        raise ArgumentError(f"plot: ax must be Axes of matplotlib, not {shown(ax)}")
    order = np.argsort(values)
    at, share, (low, high) = values[order], estimates[order], limits[order].T
    if target is not None:
        ax.axhline(target, color=_TARGET, linestyle="--", linewidth=1.0, zorder=1)
    # Limits of a share of 0 or 1 start at it, but for rounding.
    below, above = np.maximum(share - low, 0.0), np.maximum(high - share, 0.0)
    ax.errorbar(at, share, yerr=[below, above], fmt="o-", color=_CURVE, capsize=3, zorder=2)
    ax.set_ylim(-0.02, 1.02)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    ax.set_xlabel(along)
    ax.set_ylabel("power")
    ax.set_title("\n".join(textwrap.wrap(title, _TITLE)))
    return ax
