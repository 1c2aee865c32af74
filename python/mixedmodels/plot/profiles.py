"""Profiles in figures: ζ, densities, and contours of pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..wording import shorten
from .literal import literal
from .style import BLUE, GUIDE, VERMILION, Panels, axes_or_new, bare, panels_of, panels_or_new

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LINE, _TRACE, _GUIDE = BLUE, VERMILION, GUIDE
# Inches of a panel.
_SIZE = (3.4, 2.9)
_FINE = 201
# The longest label of an axis.
_LABEL = 34
# How exactly a profile goes to its last level.
_ROUNDING = 1e-4


class Panel(NamedTuple):
    """
    The profile of a parameter.

    Attributes
    ----------
    name : str
    values, zeta : ndarray, shape (m,)
        Points, ascending in both; ζ is zero at the estimate.
    """

    name: str
    values: NDArray[np.float64]
    zeta: NDArray[np.float64]


class Trace(NamedTuple):
    """
    How another parameter moves along a profile.

    Attributes
    ----------
    zeta, other : ndarray, shape (m,)
        ζ of the parameter that is profiled, and of the other one at its constrained optimum.
    """

    zeta: NDArray[np.float64]
    other: NDArray[np.float64]


@literal
def zeta_plot(panels: Sequence[Panel], cutoffs: Sequence[float], absolute: bool, axes: Any = None) -> Panels:
    """
    ζ against each parameter, with the intervals that cut-offs of ζ give.

    Parameters
    ----------
    panels : sequence of Panel
    cutoffs : sequence of float
    absolute : bool
        Draw |ζ|: a V, in which an interval is a horizontal line.
    axes : sequence of Axes, optional
    """
    cells = panels_or_new(axes, len(panels), _SIZE)
    for ax, panel in zip(cells, panels, strict=True):
        x, zeta = _fine(panel)
        ax.plot(x, np.abs(zeta) if absolute else zeta, color=_LINE, linewidth=1.8)
        for cutoff in cutoffs:
            low, high = (float(v) for v in _values(panel, np.array([-cutoff, cutoff])))
            for limit, z in ((low, -cutoff), (high, cutoff)):
                # No line where the profile ends before, as at a bound.
                if panel.zeta[0] - _ROUNDING <= z <= panel.zeta[-1] + _ROUNDING:
                    end = cutoff if absolute else z
                    ax.plot([limit, limit], [0, end], color=_GUIDE, linewidth=0.8)
            if absolute:
                ax.plot([low, high], [cutoff, cutoff], color=_GUIDE, linewidth=0.8)
        ax.axhline(0.0, color=_GUIDE, linewidth=0.8)
        ax.plot([_estimate(panel)], [0.0], marker="o", color=_LINE, markersize=4)
        ax.set_xlabel(shorten(panel.name, _LABEL))
        ax.set_ylabel("|ζ|" if absolute else "ζ", rotation=0)
        # Labels such as -0.25 of a correlation touch each other when there are more.
        ax.locator_params(axis="x", nbins=5)
        bare(ax)
    return panels_of(cells)


@literal
def density_plot(panels: Sequence[Panel], axes: Any = None) -> Panels:
    """The density φ(ζ) dζ/dψ of each parameter."""
    from scipy.interpolate import PchipInterpolator

    cells = panels_or_new(axes, len(panels), _SIZE)
    for ax, panel in zip(cells, panels, strict=True):
        x = np.linspace(panel.values[0], panel.values[-1], _FINE)
        curve = PchipInterpolator(panel.values, panel.zeta)
        density = np.exp(-0.5 * np.square(curve(x))) / np.sqrt(2 * np.pi) * curve.derivative()(x)
        ax.plot(x, density, color=_LINE, linewidth=1.8)
        ax.fill_between(x, density, color=_LINE, alpha=0.15, linewidth=0)
        ax.axvline(_estimate(panel), color=_GUIDE, linewidth=0.8)
        ax.set_ylim(bottom=0.0)
        ax.set_xlabel(shorten(panel.name, _LABEL))
        ax.set_ylabel("density")
        ax.locator_params(axis="x", nbins=5)
        bare(ax)
    return panels_of(cells)


@literal
def pairs_plot(
    panels: Sequence[Panel],
    traces: Mapping[tuple[int, int], Trace],
    levels: Sequence[float],
    axes: Any = None,
) -> Panels:
    """
    Contours for each pair of parameters: above the diagonal as they are, below it as ζ.

    Parameters
    ----------
    panels : sequence of Panel
    traces : mapping
        From pairs of positions to traces.
    levels : sequence of float
        Confidence levels of the regions, two parameters at a time.
    axes : sequence of Axes, optional
        By rows, one for each pair and each parameter.
    """
    n = len(panels)
    size = 2.2 if n < 6 else 1.7
    cells = panels_or_new(axes, n * n, (size, size), n)
    for i in range(n):
        for j in range(n):
            ax = cells[i * n + j]
            if i == j:
                ax.text(
                    0.5,
                    0.5,
                    _broken(panels[i].name),
                    ha="center",
                    va="center",
                    fontsize=9,
                    transform=ax.transAxes,
                )
                ax.set_axis_off()
                continue
            _pair(ax, panels, traces, (j, i), levels, plain=j > i)
            ax.tick_params(labelsize=7)
    return panels_of(cells, (n, n))


def _pair(
    ax: Axes,
    panels: Sequence[Panel],
    traces: Mapping[tuple[int, int], Trace],
    pair: tuple[int, int],
    levels: Sequence[float],
    plain: bool,
) -> None:
    """One panel: the first of the pair runs to the right."""
    a, b = pair
    for radius in radii(levels, panels):
        x, y = contour(traces[a, b], traces[b, a], radius)
        _line(ax, panels, pair, x, y, plain, color=_LINE, linewidth=1.0)
    one, two = traces[a, b], traces[b, a]
    _line(ax, panels, pair, one.zeta, one.other, plain, color=_TRACE, linewidth=0.9)
    _line(ax, panels, pair, two.other, two.zeta, plain, color=_TRACE, linewidth=0.9, linestyle="--")


def _line(
    ax: Axes,
    panels: Sequence[Panel],
    pair: tuple[int, int],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    plain: bool,
    **style: Any,
) -> None:
    shown = _values if plain else _within
    ax.plot(shown(panels[pair[0]], x), shown(panels[pair[1]], y), **style)


def radii(levels: Sequence[float], panels: Sequence[Panel]) -> list[float]:
    """Distances of joint regions of two parameters at these levels, as far as some profile goes."""
    reach = max(float(np.max(np.abs(panel.zeta))) for panel in panels)
    all_radii = [float(np.sqrt(-2.0 * np.log1p(-level))) for level in levels]
    return [radius for radius in all_radii if radius <= reach + 1e-9]


def contour(first: Trace, second: Trace, radius: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    The contour of a pair at a distance, as ζ of both (Bates & Watts 1988, appendix 6).

    With ``ζ = r cos(a + d/2), r cos(a - d/2)`` for the two parameters the phase d is a smooth periodic
    function of a, which the traces give at the four points where a profile comes to the contour.
    """
    from scipy.interpolate import CubicSpline

    def phase(trace: Trace, end: float) -> float:
        """The phase where the profile that is followed comes to one of its ends on the contour."""
        other = float(np.interp(end, trace.zeta, trace.other))
        return float(np.arccos(np.clip(np.sign(end) * other / radius, -1.0, 1.0)))

    right, top = phase(first, radius), phase(second, radius)
    left, bottom = phase(first, -radius), phase(second, -radius)
    angles = np.array([-right / 2, top / 2, np.pi - left / 2, np.pi + bottom / 2])
    phases = np.array([right, top, left, bottom])
    # Angles meet where the parameters move together, the last with the first, too.
    keep = np.append(np.diff(np.append(angles, angles[0] + 2 * np.pi)) > 1e-6, True)[:4]
    angles, phases = angles[keep], phases[keep]
    angles, phases = np.append(angles, angles[0] + 2 * np.pi), np.append(phases, phases[0])
    t = np.linspace(angles[0], angles[-1], _FINE)
    d = CubicSpline(angles, phases, bc_type="periodic")(t)
    return radius * np.cos(t + d / 2), radius * np.cos(t - d / 2)


@literal
def surface_plot(
    names: tuple[str, str],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    rise: NDArray[np.float64],
    levels: Sequence[float],
    estimate: tuple[float, float],
    ax: Axes | None,
) -> Axes:
    """
    Contours of a criterion over a grid.

    Parameters
    ----------
    names : tuple of str
    x, y : ndarray, shape (m,), (n,)
    rise : ndarray, shape (m, n)
        Of the criterion above its minimum.
    levels : sequence of float
        Confidence levels of the regions.
    estimate : tuple of float
    ax : matplotlib Axes, optional
    """
    ax = axes_or_new(ax, (5.0, 4.2))
    texts = {float(-2.0 * np.log1p(-level)): f"{100 * level:g} %" for level in sorted(levels)}
    drawn = ax.contour(*_smooth(x, y, rise), levels=list(texts), colors=_LINE, linewidths=1.2)
    ax.clabel(drawn, fmt=texts, fontsize=8)
    ax.plot([estimate[0]], [estimate[1]], marker="+", color=_TRACE, markersize=9)
    ax.set_xlabel(shorten(names[0], _LABEL))
    ax.set_ylabel(shorten(names[1], _LABEL))
    return ax


def _smooth(
    x: NDArray[np.float64], y: NDArray[np.float64], rise: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The grid with points between; as it is where a point is missing."""
    from scipy.interpolate import RectBivariateSpline

    if not np.isfinite(rise).all() or min(rise.shape) < 4:
        return x, y, rise.T
    fine = np.linspace(x[0], x[-1], _FINE), np.linspace(y[0], y[-1], _FINE)
    return *fine, RectBivariateSpline(x, y, rise)(*fine).T


def _fine(panel: Panel) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A smooth curve through the points."""
    from scipy.interpolate import PchipInterpolator

    x = np.linspace(panel.values[0], panel.values[-1], _FINE)
    return x, PchipInterpolator(panel.values, panel.zeta)(x)


def _values(panel: Panel, zeta: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values of the parameter where ζ is this; the last one where it never is."""
    from scipy.interpolate import PchipInterpolator

    return PchipInterpolator(panel.zeta, panel.values)(_within(panel, zeta))


def _within(panel: Panel, zeta: NDArray[np.float64]) -> NDArray[np.float64]:
    """ζ as far as the profile goes: beyond a bound there is nothing."""
    return np.clip(zeta, panel.zeta[0], panel.zeta[-1])


def _estimate(panel: Panel) -> float:
    return float(panel.values[int(np.argmin(np.abs(panel.zeta)))])


def _broken(name: str) -> str:
    """A name over two lines where it is long."""
    return name.replace("|", "\n| ") if len(name) > 14 else name
