"""Power along the size of a study or of an effect."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..checks import probability, shown
from ..errors import ArgumentError
from ..render.page import Page, Table
from ..render.printed import Printed
from ..render.style import Style
from ..repeat.progress import reporting
from ..repeat.seeds import Streams
from ..wording import one_line
from .estimate import Plan, estimated_power
from .result import Power, percent
from .scenario import Scenario

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, repr=False)
class PowerCurve(Printed):
    """
    The power of a test for several sizes of a study or of an effect; made by :func:`mixedmodels.power_curve`.

    Attributes
    ----------
    along : str
        What differs: ``"levels of Subject"``, ``"rows within Subject"``, or the name of a parameter.
    values : tuple of float
    powers : tuple of Power
        One for each value.
    """

    along: str
    values: tuple[float, ...]
    powers: tuple[Power, ...]

    def to_frame(self) -> pd.DataFrame:
        """
        One row for each value.

        Returns
        -------
        DataFrame
            Columns ``along``, ``value``, and those of :meth:`Power.to_frame`.
        """
        rows = pd.concat([power.to_frame() for power in self.powers], ignore_index=True)
        rows.insert(0, "value", list(self.values))
        rows.insert(0, "along", self.along)
        return rows

    def plot(self, ax: Axes | None = None, *, target: float | None = 0.8) -> Axes:
        """
        The curve with its confidence intervals.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            By default those of a new figure.
        target : float, optional
            Power to mark by a line, 0.8 by default; None for no line.

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        ArgumentError
            Without matplotlib, or for something else as `ax`.
        """
        from ..plot.power import power_plot

        target = None if target is None else probability("target", target)
        limits = np.array([power.limits for power in self.powers])
        estimates = np.array([power.power for power in self.powers])
        first = self.powers[0]
        title = f"Power of the test: {one_line(first.test)}"
        return power_plot(np.array(self.values), estimates, limits, one_line(self.along), title, target, ax)

    def _page(self, style: Style) -> Page:
        first = self.powers[0]
        heading = [f"Power of the test: {one_line(first.test)} (alpha = {first.alpha:g})"]
        limits = [power.limits for power in self.powers]
        columns = [
            (one_line(self.along), [f"{value:.12g}" for value in self.values]),
            ("power", [percent(power.power) for power in self.powers]),
            ("from", [percent(lower) for lower, _ in limits]),
            ("to", [percent(upper) for _, upper in limits]),
            ("nsim", [str(power.nsim) for power in self.powers]),
            ("failures", [str(power.failures) for power in self.powers]),
            ("singular", [str(int(power.singular.sum())) for power in self.powers]),
        ]
        notes = [f"Model: {one_line(first.formula)}", f"{100 * first.level:g} % intervals by Wilson's method"]
        return Page.of(Table.from_columns(columns, left=(), joined=(3,)), heading, notes)


def power_along(
    along: str,
    values: Sequence[float],
    scenario_at: Callable[[float], Scenario],
    plan: Plan,
    streams: Streams,
    progress: Any,
) -> PowerCurve:
    """
    The power at each value.

    Parameters
    ----------
    along : str
    values : sequence of float
    scenario_at : callable
        Makes the scenario of a value.
    plan : Plan
    streams : Streams
    progress : bool or callable
    """
    powers: list[Power] = []
    total = plan.nsim * len(values)
    with reporting(progress, total, "simulations") as tell:
        for i, value in enumerate(values):
            before = i * plan.nsim
            power, interrupted = estimated_power(
                scenario_at(value),
                plan,
                streams,
                lambda done, _, before=before: tell(before + done, total),
                (i,),
            )
            powers.append(power)
            if interrupted:
                break
    return PowerCurve(along, tuple(values[: len(powers)]), tuple(powers))


def numbers(values: Any, whole: bool) -> list[Any]:
    """The argument `values` as a list of different numbers; whole ones of at least 1 for sizes."""
    try:
        array = np.asarray(list(values), dtype=np.float64)
    except (TypeError, ValueError):
        raise ArgumentError(f"values must be a list of numbers, not {shown(values)}") from None
    if array.ndim != 1 or not len(array) or not np.isfinite(array).all():
        raise ArgumentError("values must be a list of finite numbers, at least one")
    if not whole:
        return array.tolist()
    if (array < 1).any() or (array != np.floor(array)).any():
        raise ArgumentError("values must be whole numbers of at least 1: sizes of the study")
    return array.astype(int).tolist()
