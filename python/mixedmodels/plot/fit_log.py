"""The search of a fit: the objective by evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .literal import literal
from .style import BLUE, GUIDE, axes_or_new, bare, whole_numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Differences below this are rounding.
_FLOOR = 1e-10


@literal
def fit_log_plot(
    objective: NDArray[np.float64], criterion: str, second_start: int | None, ax: Axes | None = None
) -> Axes:
    """
    How far the objective is above its smallest value at each evaluation, on a logarithmic axis.

    Parameters
    ----------
    objective : ndarray, shape (m,)
        NaN or infinite where it could not be evaluated.
    criterion : str
        Its name.
    second_start : int or None
        The first evaluation of a second search.
    ax : matplotlib Axes, optional
    """
    ax = axes_or_new(ax)
    finite = np.where(np.isfinite(objective), objective, np.nan)
    at = np.arange(1, len(objective) + 1)
    rise = finite - np.nanmin(finite) if np.isfinite(finite).any() else finite
    ax.plot(at, np.maximum(rise, _FLOOR), color=BLUE, marker="o", markersize=4, linewidth=1.2)
    if second_start is not None:
        ax.axvline(second_start + 0.5, color=GUIDE, linestyle="--", linewidth=1.0, label="second search")
        ax.legend(fontsize="small", frameon=False)
    ax.set_yscale("log")
    whole_numbers(ax.xaxis)
    ax.set_xlabel("evaluation")
    ax.set_ylabel(f"{criterion} above its minimum")
    bare(ax)
    return ax
