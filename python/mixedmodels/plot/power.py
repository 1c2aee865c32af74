"""Power curves in a figure."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .literal import literal
from .style import BLUE, GUIDE, axes_or_new, bare

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Characters in a line of the title that fit above narrow axes.
_TITLE = 44


@literal
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
        Integers are numbers of levels or rows.
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
    ax = axes_or_new(ax)
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    order = np.argsort(values)
    at, share, (low, high) = values[order], estimates[order], limits[order].T
    if target is not None:
        ax.axhline(target, color=GUIDE, linestyle="--", linewidth=1.0, zorder=1)
    # Limits of a share of 0 or 1 start at it, but for rounding.
    below, above = np.maximum(share - low, 0.0), np.maximum(high - share, 0.0)
    ax.errorbar(at, share, yerr=[below, above], fmt="o-", color=BLUE, capsize=3, zorder=2)
    ax.set_ylim(-0.02, 1.02)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    if np.issubdtype(values.dtype, np.integer):
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel(along)
    ax.set_ylabel("power")
    ax.set_title("\n".join(textwrap.wrap(title, _TITLE)))
    bare(ax)
    return ax
