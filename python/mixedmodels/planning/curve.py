"""Power along the size of a study or of an effect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..checks import probability, shown
from ..errors import ArgumentError, DataError, MissingColumnError
from ..fit.fixed import UnknownParameterError
from ..frame import Frame
from ..render.page import Page, Table
from ..render.printed import Printed
from ..render.style import Style
from ..repeat.progress import reporting
from ..repeat.seeds import Streams
from ..wording import listed, nearest, one_line
from .estimate import Plan, refuse_failures, simulated_power
from .extend import extended, sized
from .result import Power, percent
from .scenario import Scenario
from .study import Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, repr=False)
class PowerCurve(Printed):
    """
    The power of a test for several sizes of a study or of an effect; made by :func:`mixedmodels.power_curve`.

    Attributes
    ----------
    along : str
        What differs: ``"levels of Subject"``, ``"rows within Subject"``, or ``"true value of Days"``.
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
    along: Any,
    within: Any,
    values: Any,
    study: Study,
    params: Any,
    scenario: Callable[[Any, Any, Any, Any], Scenario],
    plan: Plan,
    streams: Streams,
    progress: Any,
) -> PowerCurve:
    """
    The power at each value.

    Parameters
    ----------
    along, within, values
        See :func:`mixedmodels.power_curve`.
    study : Study
        What is extended.
    params : mapping, optional
    scenario : callable
        Makes the scenario of parameters, data, weights and offset.
    plan : Plan
    streams : Streams
    progress : bool or callable
    """
    if (along is None) == (within is None):
        raise ArgumentError("power_curve: give either along= (a column or a parameter) or within= (columns)")
    parameter = _parameter(along, study.rows)
    sizes = numbers(values, whole=parameter is None)
    powers: list[Power] = []
    total = plan.nsim * len(sizes)
    with reporting(progress, total, "simulations") as tell:
        for i, value in enumerate(sizes):
            if parameter is None:
                given, rows = params, extended(study.rows, value, along, within, "power_curve")
            else:
                given, rows = _with(params, parameter, value), study.rows
            try:
                truth = scenario(given, rows, study.weights, study.offset)
            except UnknownParameterError as error:
                if parameter is None or error.key != parameter:
                    raise
                raise _unknown(along, rows, error) from None
            except DataError as error:
                if parameter is not None or isinstance(error, MissingColumnError):
                    raise
                raise DataError(f"power_curve: with {value} {sized(along, within)}: {error}") from None
            before = i * plan.nsim

            def told(done: int, _: int, before: int = before) -> None:
                tell(before + done, total)

            power, interrupted = simulated_power(truth, plan, streams, told, (i,))
            powers.append(power)
            if interrupted:
                break
    refuse_failures("power_curve", powers)
    label = sized(along, within) if parameter is None else f"true value of {_text(parameter)}"
    return PowerCurve(label, tuple(sizes[: len(powers)]), tuple(powers))


def _parameter(along: Any, rows: Any) -> Any:
    """The parameter that a curve goes along; None for a size of the study."""
    if isinstance(along, tuple) and len(along) == 2 and along[0] == "parameter":
        return along[1]
    if along is None or (isinstance(along, str) and along in Frame.from_any(rows)):
        return None
    if isinstance(along, (str, tuple)):
        return along
    raise ArgumentError(f"along must be the name of a column or a parameter, not {shown(along)}")


def _unknown(along: Any, rows: Any, error: UnknownParameterError) -> ArgumentError:
    """The error for something that names neither a column nor a parameter."""
    parameters = f"the parameters are {listed(error.known, most=20)}"
    if not isinstance(along, str):
        hint = nearest(error.key, error.known) or "."
        return ArgumentError(
            f"along={along!r}: there is no such parameter{hint} Name a column, a parameter, or "
            f"('parameter', name) for a parameter that has the name of a column; {parameters}"
        )
    columns = Frame.from_any(rows).names
    hint = nearest(along, [*columns, *error.known]) or "."
    return ArgumentError(
        f"along={along!r} is neither a column of the data nor a parameter{hint} The columns are "
        f"{listed(columns, most=20)}; {parameters}"
    )


def _with(params: Any, parameter: Any, value: float) -> Any:
    """True values of parameters, and that of one more."""
    if params is not None and not isinstance(params, Mapping):
        # An error where it is read.
        return params
    return {**(params or {}), parameter: value}


def _text(parameter: Any) -> str:
    return ".".join(map(str, parameter)) if isinstance(parameter, tuple) else str(parameter)


def numbers(values: Any, whole: bool) -> list[Any]:
    """The argument `values` as a list of different numbers; whole ones of at least 1 for sizes."""
    try:
        array = np.asarray(list(values), dtype=np.float64)
    except (TypeError, ValueError):
        raise ArgumentError(f"values must be a list of numbers, not {shown(values)}") from None
    if array.ndim != 1 or not len(array) or not np.isfinite(array).all():
        raise ArgumentError("values must be a list of finite numbers, at least one")
    if len(np.unique(array)) < len(array):
        raise ArgumentError("values must be different numbers, and one occurs twice")
    if not whole:
        return array.tolist()
    if (array < 1).any() or (array != np.floor(array)).any():
        raise ArgumentError("values must be whole numbers of at least 1: sizes of the study")
    return array.astype(int).tolist()
