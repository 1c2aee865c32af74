"""Profiles as the engine walks along them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...repeat.progress import Listener, reporting
from ..estimates.parameter_rows import ParameterRow
from .base import Base

# What the engine says of the end of a walk, for tables and notes.
REASONS = {
    "met": "",
    "bound": "at its bound",
    "flat": "no finite limit: the profile levels off",
    "jump": "the profile jumps over the level: the criterion has several optima",
    "not computable": "the criterion cannot be computed farther away",
    "evaluations": "not found within the limit of evaluations",
    "better": "a better optimum was found",
}


class Limit(NamedTuple):
    """
    Where a profile comes to a level.

    Attributes
    ----------
    value : float
        The bound of the parameter if the profile ends there before; infinite where it levels off; NaN
        where it cannot be followed.
    end : str
        A key of `REASONS`.
    """

    value: float
    end: str


@dataclass(frozen=True, eq=False)
class Curve:
    """
    The profile of one parameter.

    Attributes
    ----------
    row : ParameterRow
    estimate : float
        Where the criterion is at its minimum.
    values, zeta, objective : ndarray, shape (m,)
        Points by value, without the estimate.
    parameters : ndarray, shape (m, number of parameters)
        All parameters at the constrained optima.
    converged : ndarray of bool, shape (m,)
    limits : dict
        From ζ to the limits below and above.
    ends : tuple of (str, str)
        Why the walks ended, keys of `REASONS`.
    failure : str
        Why there is no profile; empty otherwise.
    better : dict or None
        Parameters of a point below the minimum, as the engine has them.
    """

    row: ParameterRow
    estimate: float
    values: NDArray[np.float64]
    zeta: NDArray[np.float64]
    objective: NDArray[np.float64]
    parameters: NDArray[np.float64]
    converged: NDArray[np.bool_]
    limits: dict[float, tuple[Limit, Limit]]
    ends: tuple[str, str]
    failure: str = ""
    better: dict[str, Any] | None = None


def walk(
    base: Base,
    rows: Sequence[ParameterRow],
    goals: Sequence[tuple[float, bool]],
    progress: Any = False,
) -> tuple[Curve, ...]:
    """
    Walk along parameters until |ζ| has reached all goals.

    Parameters
    ----------
    base : Base
    rows : sequence of ParameterRow
    goals : sequence of (float, bool)
        Values of |ζ|, ascending; whether a limit is wanted there, or a point about there.
    progress : bool or callable
        See `reporting`.
    """
    from ..._engine import profile_curves

    tasks: list[tuple[tuple[str, int, int], float, tuple[float, float]]] = []
    for row in rows:
        lower, upper = base.in_engine(row, np.array(base.range(row))).tolist()
        tasks.append((base.place(row), base.unit(row), (lower, upper)))
    fitted = base.fitted
    with reporting(progress, len(rows), "profiles") as tell:
        told = _rising(tell, len(rows))
        listener = None if progress is False else told
        found = profile_curves(
            fitted.engine, base.reml, base.origin, tasks, list(goals), fitted.held.for_engine(), listener
        )
        told(len(rows))
    return tuple([_curve(base, row, part) for row, part in zip(rows, found, strict=True)])


def _curve(base: Base, row: ParameterRow, found: dict[str, Any]) -> Curve:
    if "error" in found:
        none = np.zeros(0)
        return Curve(
            row,
            row.estimate,
            none,
            none,
            none,
            np.zeros((0, 0)),
            none.astype(bool),
            {},
            ("", ""),
            found["error"],
        )
    limits: dict[float, tuple[Limit, Limit]] = {}
    lowest = base.range(row)[0]
    for (goal, low, end_low), (_, high, end_high) in zip(found["below"], found["above"], strict=True):
        # A scale comes near to zero, and never is zero.
        if low < lowest:
            low, end_low = lowest, "bound"
        limits[goal] = (
            Limit(float(base.of_engine(row, low)), end_low),
            Limit(float(base.of_engine(row, high)), end_high),
        )
    return Curve(
        row,
        float(base.of_engine(row, found["estimate"])),
        base.of_engine(row, found["values"]),
        found["zeta"],
        found["objective"],
        base.values(found),
        found["converged"],
        limits,
        found["ends"],
        "",
        found.get("better"),
    )


def _rising(tell: Listener, total: int) -> Callable[[int], None]:
    """Passes on each number of what is done once: threads may report a smaller one after a larger one."""
    last = -1

    def told(done: int) -> None:
        nonlocal last
        if done > last:
            last = done
            tell(done, total)

    return told


def constrained(
    base: Base,
    rows: Sequence[ParameterRow],
    chains: Sequence[Sequence[Sequence[float]]],
    progress: Any = False,
) -> list[dict[str, Any]]:
    """
    Hold parameters at given values: a dict of arrays for each chain.

    Parameters
    ----------
    base : Base
    rows : sequence of ParameterRow
        The parameters that are held.
    chains : sequence
        Of points, each a value for every one of them; the search at a point starts from the point before.
    progress : bool or callable
    """
    from ..._engine import profile_points

    fitted = base.fitted
    total = sum(map(len, chains))
    converted = [
        [[float(base.in_engine(row, v)) for row, v in zip(rows, point, strict=True)] for point in chain]
        for chain in chains
    ]
    with reporting(progress, total, "points") as tell:
        told = _rising(tell, total)
        listener = None if progress is False else told
        found = profile_points(
            fitted.engine,
            base.reml,
            base.origin,
            [base.place(row) for row in rows],
            converted,
            fitted.held.for_engine(),
            listener,
        )
        told(total)
    return found


def better_point(curves: Sequence[Curve]) -> dict[str, Any] | None:
    """The best of the points below the minimum that walks came to; None without any."""
    found = [curve.better for curve in curves if curve.better is not None]
    return min(found, key=lambda point: point["objective"]) if found else None
