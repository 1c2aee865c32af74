"""A search by a function of the user, for example one that calls ``scipy.optimize.minimize``."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import shown
from ..errors import ArgumentError, ConvergenceError, MixedModelError, ModesError
from ..wording import counted
from .control import Control, optimizer_name
from .criterion import Criterion
from .progress import Watch
from .record import read_only

Vector = NDArray[np.float64]

# Of the size of a bound or at least 1, how far rounding may carry a parameter beyond it.
_ROUNDING = 1e-10
_STATUS = {
    "max_evaluations": "the limit of evaluations was reached",
    "max_time": "the time limit was reached",
}


class LimitReached(BaseException):
    """Ends the search of a user's function; no Exception, so that its own handlers let it pass."""


class Recorder:
    """
    The functions that a user's optimizer calls, and the log of its evaluations.

    Parameters
    ----------
    criterion : Criterion
    control : Control
        Its limits end the search.
    watch : Watch
    """

    def __init__(self, criterion: Criterion, control: Control, watch: Watch) -> None:
        self._criterion, self._listener = criterion, watch.listener
        self._most, self._until = control.max_evaluations, None
        if control.max_time is not None:
            self._until = time.perf_counter() + control.max_time
        self.points: list[Vector] = []
        self.values: list[float] = []
        self.norms: list[float] = []
        self.limit = ""

    def objective(self, point: Any) -> float:
        """The criterion; infinite at points out of bounds, where it has no meaning."""
        self._check_limits()
        own = self._vector("objective", point)
        value = self._criterion.value(own) if self._inside(own) else float("inf")
        self.points.append(own)
        self.values.append(value)
        self.norms.append(float("nan"))
        if self._listener is not None:
            self._listener(len(self.values), value)
        return value

    def gradient(self, point: Any) -> Vector:
        """Its gradient; NaN where there is none."""
        own = self._vector("gradient", point)
        nothing = np.full(len(own), np.nan)
        if not self._inside(own):
            return nothing
        try:
            found = np.array(self._criterion.gradient(own))
        except ModesError:
            return nothing
        if self.points and np.array_equal(self.points[-1], own):
            self.norms[-1] = float(np.abs(found).max(initial=0.0))
        return found

    def best(self) -> Vector:
        """The best point so far."""
        if not self.values or not np.isfinite(min(self.values)):
            raise ConvergenceError("the search ended before the objective had a finite value anywhere")
        return self.points[int(np.argmin(self.values))]

    def log(self) -> dict[str, Any]:
        """The evaluations, as the engine gives its own."""
        count = len(self._criterion.names)
        return {
            "theta": read_only(np.array(self.points).reshape(len(self.points), count)),
            "objective": read_only(self.values),
            "gradient_norm": read_only(self.norms),
        }

    def _check_limits(self) -> None:
        if self._most is not None and len(self.values) >= self._most:
            self.limit = "max_evaluations"
        elif self._until is not None and self.values and time.perf_counter() > self._until:
            self.limit = "max_time"
        if self.limit:
            raise LimitReached

    def _vector(self, function: str, point: Any) -> Vector:
        try:
            own = np.array(point, dtype=np.float64).reshape(-1)
        except (TypeError, ValueError):
            own = np.zeros(0)
        count = len(self._criterion.names)
        if len(own) != count:
            raise ArgumentError(
                f"optimizer: {function} takes a vector of {counted(count, 'parameter')}, got {shown(point)}"
            )
        return own

    def _inside(self, point: Vector) -> bool:
        own = self._criterion
        return bool((np.isfinite(point) & (point >= own.lower) & (point <= own.upper)).all())


def minimized_by(
    optimizer: Callable[..., Any], criterion: Criterion, start: Vector, control: Control, watch: Watch
) -> dict[str, Any]:
    """
    The end of the search of a user's function, as the engine describes the end of its own.

    Parameters
    ----------
    optimizer : callable
        Called with the objective, its gradient, the start and the bounds; returns the parameters, or an
        object that has them as its attribute ``x``.
    criterion : Criterion
    start : ndarray, shape (n_parameters,)
    control : Control
    watch : Watch

    Raises
    ------
    ConvergenceError
        When the function raises an exception; its cause is that exception.
    ArgumentError
        When it does not return finite parameters within the bounds.
    """
    name, recorder = str(optimizer_name(optimizer)), Recorder(criterion, control, watch)
    bounds = list(zip(criterion.lower.tolist(), criterion.upper.tolist(), strict=True))
    status, message = "converged", f"{name} returned"
    try:
        returned = optimizer(recorder.objective, recorder.gradient, np.array(start), bounds)
        if recorder.limit:
            # The function caught everything.
            raise LimitReached
        point = _point(name, returned, criterion)
        if getattr(returned, "success", True) in (False, np.False_):
            status, message = "no_progress", f"{name} says: {getattr(returned, 'message', 'no success')}"
    except LimitReached:
        status, message, point = recorder.limit, _STATUS[recorder.limit], recorder.best()
    except MixedModelError:
        raise
    except Exception as error:
        raise ConvergenceError(f"optimizer: {name} raised {type(error).__name__}: {error}") from error
    found = criterion.evaluated(read_only(point))
    if not np.isfinite(found["objective"]):
        raise ConvergenceError(f"optimizer: {name} returned a point where the objective is not finite")
    log = recorder.log()
    result = {
        **found,
        "status": status,
        "converged": status == "converged",
        "message": message,
        "n_evaluations": len(recorder.values),
        "n_gradients": int(np.isfinite(recorder.norms).sum()),
        "log": log,
    }
    watch.end(result)
    return result


def _point(name: str, returned: Any, criterion: Criterion) -> Vector:
    """The parameters that a user's function returned, within their bounds."""
    given = getattr(returned, "x", returned)
    names, lower, upper = criterion.names, criterion.lower, criterion.upper
    try:
        point = np.array(given, dtype=np.float64)
        # Searches along a line return a number.
        point = point[None] if point.ndim == 0 else point
    except (TypeError, ValueError):
        point = np.zeros((0, 0))
    if point.shape != (len(names),):
        count = counted(len(names), "parameter")
        raise ArgumentError(
            f"optimizer: {name} must return {count}, or an object with them as its attribute x; it returned "
            f"{shown(returned)}"
        )
    for i, value in enumerate(point):
        if not np.isfinite(value):
            raise ArgumentError(f"optimizer: {name} returned {value} for {names[i]}")
        room = _ROUNDING * max(1.0, abs(value))
        if not lower[i] - room <= value <= upper[i] + room:
            raise ArgumentError(
                f"optimizer: {name} returned {value:g} for {names[i]}, which must be between {lower[i]:g} "
                f"and {upper[i]:g}; the fourth argument holds the bounds"
            )
    return np.clip(point, lower, upper)
