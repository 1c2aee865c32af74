"""The profile likelihood of a transformation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .style import BAND, BLUE, GUIDE, LINE, VERMILION, axes_or_new, bare

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIZE = (4.8, 3.4)


def transformation_plot(
    values: NDArray[np.float64],
    log_likelihood: NDArray[np.float64],
    estimate: float,
    limits: tuple[float, float],
    level: float,
    label: str,
    ax: Any = None,
) -> Axes:
    """
    The log-likelihood against λ, with the estimate and the interval.

    Parameters
    ----------
    values, log_likelihood : ndarray, shape (m,)
    estimate : float
    limits : tuple of float
        Infinite where there is none.
    level : float
    label : str
        Of the axis of the log-likelihood.
    ax : Axes, optional
    """
    ax = axes_or_new(ax, _SIZE)
    low, high = (float(v) for v in np.clip(limits, values[0], values[-1]))
    ax.axvspan(low, high, color=BLUE, alpha=BAND, linewidth=0, label=f"{100 * level:g} % interval")
    ax.plot(values, log_likelihood, color=BLUE, linewidth=LINE)
    ax.axvline(estimate, color=VERMILION, linewidth=1.0, label=f"λ = {estimate:.3g}")
    from scipy.special import chdtri

    ax.axhline(float(log_likelihood.max()) - float(chdtri(1, 1 - level)) / 2, color=GUIDE, linewidth=0.8)
    ax.set_xlabel("λ")
    ax.set_ylabel(label)
    ax.legend(frameon=False, fontsize="small")
    bare(ax)
    return ax
