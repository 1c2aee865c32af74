"""Profiles of two parameters at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...checks import probabilities, probability, whole_number
from ...errors import ArgumentError, DataError
from ...fit.state import FittedModel
from ...render.page import Facts, Page
from ...render.printed import Printed
from ...render.style import Style
from ..estimates.parameter_rows import ParameterRow, chosen_rows, parameter_rows
from .base import Base, base_of, profilable
from .walks import Curve, constrained, walk

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, repr=False)
class Profile2D(Printed):
    """
    The profile likelihood of two parameters, the result of :func:`mixedmodels.profile_2d`.

    Attributes
    ----------
    parameters : tuple of (str, str)
    estimate : tuple of (float, float)
    minimum : float
        -2 log-likelihood at the estimates.
    x : ndarray, shape (m,)
        Values of the first parameter.
    y : ndarray, shape (n,)
        Values of the second one.
    objective : ndarray, shape (m, n)
        The minimum of -2 log-likelihood with both held; NaN where it cannot be computed.
    """

    parameters: tuple[str, str]
    estimate: tuple[float, float]
    minimum: float
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    objective: NDArray[np.float64]

    def to_frame(self) -> pd.DataFrame:
        """
        The points of the grid.

        Returns
        -------
        DataFrame
            A row for each point: the two parameters, ``objective``, and ``level``: the confidence level of
            the joint region on whose border it lies, by the χ² distribution with two degrees of freedom.
        """
        first, second = np.meshgrid(self.x, self.y, indexing="ij")
        rise = np.maximum(self.objective - self.minimum, 0.0)
        return pd.DataFrame(
            {
                self.parameters[0]: first.ravel(),
                self.parameters[1]: second.ravel(),
                "objective": self.objective.ravel(),
                "level": -np.expm1(-0.5 * rise).ravel(),
            }
        )

    def plot(self, ax: Axes | None = None, levels: Sequence[float] = (0.5, 0.8, 0.9, 0.95, 0.99)) -> Axes:
        """
        Contours of the joint confidence regions.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            By default of a new figure.
        levels : sequence of float, default (0.5, 0.8, 0.9, 0.95, 0.99)
            Confidence levels of the regions.

        Returns
        -------
        Axes

        Raises
        ------
        ArgumentError
            Without matplotlib, and for levels that are not between 0 and 1.
        """
        from ...plot.profiles import surface_plot

        levels = probabilities("levels", levels)
        rise = self.objective - self.minimum
        return surface_plot(self.parameters, self.x, self.y, rise, levels, self.estimate, ax)

    def _page(self, style: Style) -> Page:
        cells = style.estimates([*self.estimate, self.minimum])
        facts = [*zip(self.parameters, cells[:2], strict=True), ("objective", cells[2])]
        heading = f"Profile likelihood of {' and '.join(self.parameters)}"
        return Page.of(Facts(tuple(facts)), [heading], [f"Grid of {len(self.x)} x {len(self.y)} values"])


def surface_of(fitted: FittedModel, a: Any, b: Any, level_max: Any, n: Any, progress: Any) -> Profile2D:
    """Profile two parameters, see :func:`mixedmodels.profile_2d`."""
    level_max, n = probability("level_max", level_max), whole_number("n", n, 3)
    rows = [_single(fitted, name, value) for name, value in (("a", a), ("b", b))]
    if rows[0].name == rows[1].name:
        raise ArgumentError(f"profile_2d: a and b are the same parameter, {rows[0].name}")
    base = base_of(fitted)
    # The shadow of the joint region on each axis.
    radius = math.sqrt(-2.0 * math.log1p(-level_max))
    curves = walk(base, rows, [(radius, True)])
    axes = []
    for curve in curves:
        if curve.failure:
            raise ArgumentError(f"profile_2d: no profile of {curve.row.name}: {curve.failure}")
        axes.append(_axis(curve, [side.value for side in curve.limits[radius]], n))
    objective = _grid(base, rows, (curves[0].estimate, curves[1].estimate), axes, progress)
    return Profile2D(
        (rows[0].name, rows[1].name),
        (curves[0].estimate, curves[1].estimate),
        base.objective,
        axes[0],
        axes[1],
        objective,
    )


def _single(fitted: FittedModel, argument: str, name: Any) -> ParameterRow:
    found = chosen_rows(argument, name, profilable(fitted, parameter_rows(fitted), False))
    if len(found) != 1:
        raise ArgumentError(f"{argument} must name one parameter")
    return found[0]


def _axis(curve: Curve, limits: Sequence[float], n: int) -> NDArray[np.float64]:
    """Values between the limits; where there is no limit, as far as the walk went."""
    (low, high), estimate, values = limits, curve.estimate, curve.values
    # A scale is never zero.
    if not math.isfinite(low) or (low == 0.0 and curve.row.kind == "scale"):
        low = min(estimate, float(values.min(initial=estimate)))
    if not math.isfinite(high):
        high = max(estimate, float(values.max(initial=estimate)))
    return np.linspace(low, high, n)


def _grid(
    base: Base,
    rows: Sequence[ParameterRow],
    estimates: tuple[float, float],
    axes: Sequence[NDArray[np.float64]],
    progress: Any,
) -> NDArray[np.float64]:
    """The criterion on the grid: along each row from the estimate of the second parameter to both sides."""
    x, y = axes
    objective = np.full((len(x), len(y)), np.nan)
    below = [j for j in range(len(y)) if y[j] < estimates[1]][::-1]
    above = [j for j in range(len(y)) if y[j] >= estimates[1]]
    places = [(i, side) for i in range(len(x)) for side in (below, above) if side]
    chains = [[[float(x[i]), float(y[j])] for j in side] for i, side in places]
    try:
        found = constrained(base, rows, chains, progress)
    except DataError as error:
        raise ArgumentError(f"profile_2d: {error}") from None
    for (i, side), part in zip(places, found, strict=True):
        objective[i, side] = part["objective"]
    return objective
