"""Plots of marginal means; the only module here that needs matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..checks import shown
from ..errors import ArgumentError
from ..means.table import show

if TYPE_CHECKING:
    from ..means.estimates import Emmeans


def plot_estimates(means: Emmeans, ax: Any = None) -> Any:
    """
    A line for each row: the estimate with its confidence interval, one colour for each group.

    Raises
    ------
    ArgumentError
        Without matplotlib, or for an `ax` that is none.
    """
    try:
        from matplotlib import pyplot
    except ImportError:
        raise ArgumentError("plots need matplotlib: pip install 'mixedmodels[plot]'") from None
    if ax is None:
        ax = pyplot.subplots()[1]
    elif not hasattr(ax, "errorbar"):
        raise ArgumentError(f"plot: ax must be Axes of matplotlib, not {shown(ax)}")
    table = means.confint()
    name = means.scale.name
    names = means.row_labels()
    groups = means.group_rows()
    positions = {label: i for i, label in enumerate(dict.fromkeys(names))}
    for g, rows in enumerate(groups):
        # Beside each other where the groups have the same rows.
        shift = 0.6 * ((g + 0.5) / len(groups) - 0.5)
        at = np.array([positions[names[i]] for i in rows]) + shift
        estimate = table[name].to_numpy(float)[rows]
        low, high = (table[limit].to_numpy(float)[rows] for limit in ("lower.CL", "upper.CL"))
        title = ", ".join(f"{by} = {show(means.labels[by].iloc[rows[0]])}" for by in means.by)
        ax.errorbar(
            estimate, at, xerr=[estimate - low, high - estimate], fmt="o", capsize=3, label=title or None
        )
    ax.set_yticks(list(positions.values()), list(positions))
    ax.invert_yaxis()
    ax.set_xlabel(name)
    if means.by:
        ax.legend()
    return ax
