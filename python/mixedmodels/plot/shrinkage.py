"""Estimates within groups beside conditional modes: how far the model draws them to zero."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..wording import counted
from .literal import literal
from .names import write_names
from .smoother import evenly
from .style import BLACK, BLUE, FAINT, GUIDE, ORANGE, VERMILION, bare, fitting, note

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST = 1500
# Shares of the probability within the contours.
LEVELS = (0.5, 0.8, 0.95)
# Estimates within groups that are this many times as far out as all else would squeeze it.
_FAR = 1.6
# Standard deviations and distances of correlations from 1 as small as this are zero.
_ZERO = 1e-6


@literal
def shrinkage_pair(
    ax: Axes,
    within: NDArray[np.float64],
    modes: NDArray[np.float64],
    covariance: NDArray[np.float64],
    names: tuple[str, str],
    levels: Sequence[str] = (),
) -> Axes:
    """
    Two effects: arrows from the estimates within groups to the conditional modes, over normal contours.

    Parameters
    ----------
    ax : matplotlib Axes
    within, modes : ndarray, shape (m, 2)
        NaN in `within` for groups without such an estimate.
    covariance : ndarray, shape (2, 2)
        Of the random effects.
    names : tuple of str
    levels : sequence of str
        Names of the groups, which are written if there are few.
    """
    for share in LEVELS:
        x, y = ellipse(covariance, share).T
        ax.plot(x, y, color=GUIDE, linewidth=0.9, zorder=1)
    m = len(modes)
    chosen = evenly(m, _MOST)
    known = chosen[np.isfinite(within[chosen]).all(axis=1)]
    strength = float(np.clip(1.3 - 0.3 * np.log10(max(m, 2)), 0.15, 0.9))
    lines = np.stack([within[known], modes[known]], axis=1)
    _segments(
        ax, lines, color=FAINT if m < 400 else ORANGE, linewidths=1.1 if m < 100 else 0.5, alpha=strength
    )
    size = float(np.clip(900.0 / max(m, 1), 2.0, 26.0))
    ax.scatter(
        *within[known].T,
        s=size,
        facecolors="white" if m < 100 else ORANGE,
        edgecolors=VERMILION if m < 100 else "none",
        alpha=1.0 if m < 100 else 0.6,
        marker="o",
        label="within group",
        zorder=3,
        rasterized=m > 1000,
    )
    ax.scatter(
        *modes[chosen].T,
        s=size,
        color=BLUE,
        label="conditional mode",
        zorder=4,
        linewidths=0,
        rasterized=m > 1000,
    )
    ax.scatter([0.0], [0.0], marker="+", color=BLACK, s=50, zorder=5, linewidths=1.0)
    left = _limits(ax, within[known], modes, covariance)
    _notes(ax, m, len(chosen), int(np.isnan(within).any(axis=1).sum()), left, _singular(covariance, names))
    if levels and m <= 25:
        # At the outer ends of the arrows, which are farther from each other than the modes.
        ends = np.where(np.isfinite(within), within, modes)
        out = np.argsort(-np.square(ends / (np.abs(ends).max(axis=0) + 1e-300)).sum(axis=1), kind="stable")
        write_names(ax, ends[:, 0], ends[:, 1], fitting(levels, 12), out.tolist(), whole=False, size=6.0)
    ax.set_xlabel(names[0])
    ax.set_ylabel(names[1])
    bare(ax)
    return ax


@literal
def shrinkage_single(
    ax: Axes, within: NDArray[np.float64], modes: NDArray[np.float64], sd: float, name: str
) -> Axes:
    """
    One effect: conditional modes against estimates within groups.

    Parameters
    ----------
    ax : matplotlib Axes
    within, modes : ndarray, shape (m,)
    sd : float
        Standard deviation of the random effects.
    name : str
    """
    m = len(modes)
    chosen = evenly(m, 4 * _MOST)
    known = chosen[np.isfinite(within[chosen])]
    if len(known):
        reach = np.array([within[known].min(), within[known].max()])
        ax.plot(reach, reach, color=GUIDE, linewidth=1.0, label="no shrinkage")
    ax.axhline(0.0, color=GUIDE, linewidth=0.9, linestyle=":", label="complete shrinkage")
    ax.axhspan(-1.959964 * sd, 1.959964 * sd, color=BLUE, alpha=0.08, linewidth=0, label="95 % of groups")
    size = float(np.clip(900.0 / max(m, 1), 3.0, 26.0))
    ax.scatter(within[known], modes[known], s=size, color=BLUE, linewidths=0, alpha=0.8, rasterized=m > 1000)
    _notes(ax, m, len(chosen), int(np.isnan(within).sum()), 0)
    ax.set_xlabel(f"{name}, within group")
    ax.set_ylabel(f"{name}, conditional mode")
    bare(ax)
    return ax


def _singular(covariance: NDArray[np.float64], names: tuple[str, str]) -> str:
    """Why the contours are no ellipses; empty where they are."""
    sd = np.sqrt(np.maximum(np.diagonal(covariance), 0.0))
    if not sd.any():
        return "singular: both variances are zero, no ellipses"
    for j in (0, 1):
        if sd[j] <= _ZERO * (1.0 + sd[1 - j]):
            return f"singular: the variance of {fitting([names[j]], 20)[0]} is zero"
    correlation = covariance[0, 1] / (sd[0] * sd[1])
    if 1.0 - abs(correlation) < _ZERO:
        return f"singular: the correlation is {np.sign(correlation):+.0f}, the ellipses are a line"
    return ""


def ellipse(covariance: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """The contour that contains a share of a bivariate normal distribution around zero, (m, 2)."""
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    angle = np.linspace(0.0, 2.0 * np.pi, 181)
    return np.sqrt(-2.0 * np.log1p(-share)) * np.column_stack([np.cos(angle), np.sin(angle)]) @ root.T


def _segments(ax: Axes, lines: NDArray[np.float64], **look: Any) -> None:
    from matplotlib.collections import LineCollection

    ax.add_collection(LineCollection(list(lines), zorder=2, rasterized=len(lines) > 1000, **look))


def _limits(
    ax: Axes, within: NDArray[np.float64], modes: NDArray[np.float64], covariance: NDArray[np.float64]
) -> int:
    """Limits that show the modes, the contours and most estimates; the number of those beyond."""
    outside = np.zeros(len(within), dtype=bool)
    contour = ellipse(covariance, LEVELS[-1])
    for j, set_limits in ((0, ax.set_xlim), (1, ax.set_ylim)):
        inner = max(float(np.abs(modes[:, j]).max(initial=0.0)), float(np.abs(contour[:, j]).max()))
        sizes = np.abs(within[:, j])
        most = float(sizes.max(initial=0.0))
        usual = float(np.quantile(sizes, 0.98)) if len(sizes) else 0.0
        reach = most if most <= _FAR * max(usual, inner) else max(usual, inner)
        reach = 1.06 * max(reach, inner, 1e-12)
        outside |= sizes > reach
        set_limits(-reach, reach)
    return int(outside.sum())


def _notes(ax: Axes, m: int, drawn: int, without: int, beyond: int, singular: str = "") -> None:
    parts = [singular] if singular else []
    parts += [f"{drawn:,} of {m:,} groups"] if drawn < m else []
    parts += [f"{counted(without, 'group')} without an estimate within"] if without else []
    parts += [f"{counted(beyond, 'estimate')} beyond the limits"] if beyond else []
    note(ax, "\n".join(parts), "lower right")
