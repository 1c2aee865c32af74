"""Quantile residuals: their uniform Q-Q plot, and their quantiles along the predictions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .literal import literal
from .quantiles import uniform_band
from .smoother import evenly, thinned
from .style import BAND, BLUE, GUIDE, VERMILION, Panels, bare, note, panels_of, panels_or_new, point_look

_QUARTILES = (0.25, 0.5, 0.75)
_MOST = 4000


@literal
def quantile_residual_plots(
    residuals: NDArray[np.float64],
    predicted: NDArray[np.float64],
    tests: Mapping[str, float] | None = None,
    label: str = "predicted value (rank)",
    axes: Any = None,
) -> Panels:
    """
    Two panels: uniform quantiles with a simultaneous 95 % band, and residuals along ranks of the predictions.

    Parameters
    ----------
    residuals : ndarray, shape (n,)
        Uniform between 0 and 1 under the model.
    predicted : ndarray, shape (n,)
    tests : mapping of str to float, optional
        P-values that the first panel states.
    label : str
        Of the axis of ranks.
    axes : sequence of two Axes, optional
    """
    cells = panels_or_new(axes, 2, (4.4, 3.8), 2)
    good = np.isfinite(residuals)
    _uniform_qq(cells[0], np.sort(residuals[good]), tests or {})
    _along(cells[1], residuals[good], predicted[good], label)
    return panels_of(cells)


def _uniform_qq(ax: Any, values: NDArray[np.float64], tests: Mapping[str, float]) -> None:
    n = len(values)
    chosen = evenly(n, _MOST)
    at = (chosen + 1) / (n + 1)
    ax.fill_between(at, *uniform_band(n, chosen + 1).T, color=GUIDE, alpha=BAND, linewidth=0)
    ax.plot([0, 1], [0, 1], color=GUIDE, linewidth=1.0)
    ax.scatter(at, values[chosen], color=BLUE, **point_look(len(chosen)))
    ax.set_xlabel("uniform quantile")
    ax.set_ylabel("quantile residual")
    ax.set_title("Q-Q plot of quantile residuals")
    lines = [f"{name}: p {'< 0.001' if p < 0.001 else f'= {p:.3f}'}" for name, p in tests.items()]
    note(ax, "\n".join(lines))
    bare(ax)


def _along(ax: Any, residuals: NDArray[np.float64], predicted: NDArray[np.float64], label: str) -> None:
    n = len(residuals)
    order = np.argsort(predicted, kind="stable")
    # Equal predictions have equal ranks.
    _, places, counts = np.unique(predicted, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    rank = ((ends - counts + ends + 1) / 2)[places] / (n + 1)
    chosen, thin = thinned(residuals)
    ax.scatter(rank[chosen], residuals[chosen], color=BLUE, **point_look(len(chosen)))
    bins = int(np.clip(n / 50, 1, 15))
    parts = np.array_split(order, bins)
    middle = [float(np.mean(rank[part])) for part in parts]
    for share in _QUARTILES:
        ax.axhline(share, color=GUIDE, linestyle="--", linewidth=0.9)
        if bins > 1:
            ax.plot(
                middle,
                [float(np.quantile(residuals[part], share)) for part in parts],
                color=VERMILION,
                linewidth=1.5,
            )
    ax.set_ylim(-0.02, 1.02)
    ax.set_xlabel(label)
    ax.set_ylabel("quantile residual")
    ax.set_title("Residuals against predictions")
    note(ax, thin)
    bare(ax)
