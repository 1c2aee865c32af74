"""The predictors of a model's fixed part and their values in a reference grid."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..design.matrix import Levels
from ..design.used_rows import used_data
from ..errors import ArgumentError
from ..fit.state import FittedModel
from ..formula.nodes import variables
from ..frame import Factor, Frame

# A covariate with no more values is a factor coded in numbers, whose mean is of no interest.
_FEW = 2

# The step of slopes in a covariate, as a share of its spread in the fit.
STEP = 1e-3


# From the name of a covariate and its values in the fit to its values in the grid.
Reducer = Callable[[str, NDArray[np.float64]], tuple[float, ...]]

# A mean this small compared with the values is zero but for rounding.
_ROUNDING = 1e-12


def _mean(values: NDArray[np.float64]) -> float:
    """The mean; zero for a covariate that is centred but for rounding."""
    mean = float(np.mean(values))
    return 0.0 if abs(mean) <= _ROUNDING * np.abs(values).max() else mean


_SUMMARIES: dict[str, Callable[[NDArray[np.float64]], Any]] = {
    "mean": _mean,
    "median": np.median,
    "range": lambda values: [values.min(), values.max()],
}


@dataclass(frozen=True, eq=False)
class GridVariable:
    """
    A predictor and its values in the grid.

    Attributes
    ----------
    name : str
        The column of the data.
    values : tuple
        Labels of a factor, or numbers.
    codes : ndarray of int, shape (m,), or None
        Which of these values each row of the fit has, -1 for another one; None for a covariate held at
        values of its own. Rows that are alike in all variables may be one.
    covariate : bool
        Whether it is a number shown at fewer values than the data have.
    spread : float
        Range of a covariate in the data of the fit.
    numeric : bool
        Whether the model treats it as a number, so that it can have any value.
    rows : ndarray, shape (m,), or None
        How many rows of the fit each code stands for; None for one each.
    """

    name: str
    values: tuple[Any, ...]
    codes: NDArray[np.int64] | None
    covariate: bool
    spread: float = 0.0
    numeric: bool = False
    rows: NDArray[np.float64] | None = None

    def at(self, wanted: Any) -> GridVariable:
        """The variable with chosen values."""
        listed = wanted if _is_list(wanted) else [wanted]
        if self.numeric:
            numbers = _numbers(self.name, listed)
            if self.covariate or not set(numbers) <= set(self.values):
                return replace(self, values=numbers, codes=None, covariate=True)
            listed = numbers
        chosen = [self._place(value) for value in listed]
        if len(set(chosen)) < len(chosen) or not chosen:
            raise ArgumentError(f"at: give levels of {self.name!r}, each of them once")
        places = np.full(len(self.values) + 1, -1)
        places[chosen] = np.arange(len(chosen))
        return replace(self, values=tuple(self.values[i] for i in chosen), codes=places[self.codes])

    def _place(self, level: Any) -> int:
        """Which of the values a level is, a number by its size and anything else by its text."""
        if isinstance(level, (int, float)) and not isinstance(level, bool) and level in self.values:
            return self.values.index(level)
        text = f"{level:g}" if isinstance(level, float) else str(level)
        known = [str(value) for value in self.values]
        if text not in known:
            raise ArgumentError(
                f"at: {self.name!r} has no level {level!r}; its levels are {', '.join(known[:20])}"
            )
        return known.index(text)


def grid_variables(
    fitted: FittedModel, at: Mapping[str, Any] | None, cov_reduce: Any = None
) -> dict[str, GridVariable]:
    """
    The predictors of the fixed part, by name in the order of the formula.

    Factors, and numbers that the formula makes factors of, have all levels in the fit; so have covariates
    with one or two values. Other covariates are at their means, or at what `cov_reduce` makes of them.

    Raises
    ------
    ArgumentError
        When `at` names no predictor of the model, or a level that does not occur.
    """
    found = dict(fitted.derived(_usual_variables)) if cov_reduce is None else _variables(fitted, cov_reduce)
    if at is None:
        return found
    if not isinstance(at, Mapping):
        raise ArgumentError("at must map names of predictors to values, such as {'age': [20, 40]}")
    for name, wanted in at.items():
        if name not in found:
            known = ", ".join(map(repr, found)) or "none"
            raise ArgumentError(f"at: the model has no predictor {name!r}; it has {known}")
        found[name] = found[name].at(wanted)
    return found


def _usual_variables(fitted: FittedModel) -> dict[str, GridVariable]:
    """The predictors with covariates at their means; rows that are alike are counted."""
    found = _variables(fitted, None)
    coded = [name for name, variable in found.items() if variable.codes is not None]
    if not coded:
        return found
    # One number for each combination, numbered anew after each variable, so that it cannot overflow.
    key = np.zeros(fitted.n_obs, dtype=np.int64)
    for name in coded:
        codes = np.asarray(found[name].codes, dtype=np.int64)
        key = np.unique(key * (int(codes.max()) + 2) + codes + 1, return_inverse=True)[1].reshape(-1)
    _, first, counts = np.unique(key, return_index=True, return_counts=True)
    for name in coded:
        own = found[name]
        codes = np.asarray(own.codes)[first]
        found[name] = replace(own, codes=codes, rows=counts.astype(np.float64))
    return found


def _variables(fitted: FittedModel, cov_reduce: Any) -> dict[str, GridVariable]:
    """The predictors with what `cov_reduce` makes of the covariates."""
    plan = fitted.design.recipe.fixed
    frame = used_data(fitted.design, fitted.arguments).frame
    coded = {
        name
        for node, coding in zip(plan.nodes, plan.codings, strict=True)
        if isinstance(coding, Levels)
        for name in variables(node)
    }
    names = list(dict.fromkeys(name for node in plan.nodes for name in variables(node)))
    reducers = covariate_values(cov_reduce, names)
    return {name: _variable(name, frame, name in coded, *reducers(name)) for name in names}


def _variable(name: str, frame: Frame, coded: bool, reduce: Reducer | None, named: bool) -> GridVariable:
    column = frame.labels(name)
    if isinstance(column, Factor):
        used = np.unique(column.codes[column.codes >= 0])
        places = np.full(len(column.levels) + 1, -1)
        places[used] = np.arange(len(used))
        labels = column.labels()
        return GridVariable(name, tuple(labels[i] for i in used), places[column.codes], False)
    values, codes = np.unique(column.values, return_inverse=True)
    spread = float(values[-1] - values[0])
    numeric = not coded and column.kind != "bool"
    if not numeric or (len(values) <= _FEW and not named) or reduce is None:
        kind: Any = bool if column.kind == "bool" else _plain
        return GridVariable(name, tuple(map(kind, values.tolist())), codes, False, spread, numeric)
    at = reduce(name, column.values)
    # Held at one value, every row counts; several values count alike.
    return GridVariable(
        name, at, np.zeros(len(codes), dtype=int) if len(at) == 1 else None, True, spread, numeric
    )


def _plain(value: float) -> float | int:
    return int(value) if value.is_integer() else value


def _numbers(name: str, listed: Sequence[Any]) -> tuple[float, ...]:
    try:
        values = tuple(float(value) for value in listed)
    except (TypeError, ValueError):
        raise ArgumentError(f"at: the values of {name!r} must be numbers, not {listed!r}") from None
    if not values or not np.isfinite(values).all() or len(set(values)) < len(values):
        raise ArgumentError(f"at: the values of {name!r} must be finite and different numbers")
    return values


def _is_list(value: Any) -> bool:
    return np.ndim(value) == 1 and not isinstance(value, str)


def covariate_values(cov_reduce: Any, names: Sequence[str]) -> Callable[[str], tuple[Reducer | None, bool]]:
    """
    Read ``cov_reduce``.

    Returns
    -------
    callable
        From the name of a covariate to the function that makes its values (None: all values in the data),
        and whether it was named.

    Raises
    ------
    ArgumentError
        For another kind of argument, or a name that is not a predictor.
    """
    if not isinstance(cov_reduce, Mapping):
        same = _reducer(cov_reduce)
        return lambda name: (same, False)
    for name in cov_reduce:
        if name not in names:
            known = ", ".join(map(repr, names)) or "none"
            raise ArgumentError(f"cov_reduce: the model has no predictor {name!r}; it has {known}")
    chosen = {name: _reducer(value) for name, value in cov_reduce.items()}
    usual = _reducer(None)
    return lambda name: (chosen[name], True) if name in chosen else (usual, False)


def _reducer(value: Any) -> Reducer | None:
    if value is False:
        return None
    if value is None:
        value = "mean"
    function = _SUMMARIES.get(value) if isinstance(value, str) else value
    if not callable(function):
        raise ArgumentError(
            f"cov_reduce must be one of {', '.join(map(repr, _SUMMARIES))}, a function of the values, False, "
            f"or a mapping of covariates to these; not {value!r}"
        )

    def reduce(name: str, values: NDArray[np.float64]) -> tuple[float, ...]:
        found = function(values)
        try:
            numbers = np.atleast_1d(np.asarray(found, dtype=np.float64))
        except (TypeError, ValueError):
            numbers = np.array([np.nan])
        if numbers.ndim != 1 or not numbers.size or not np.isfinite(numbers).all():
            raise ArgumentError(
                f"cov_reduce: for {name!r} the function returned {found!r}, not finite numbers"
            )
        return tuple(dict.fromkeys(numbers.tolist()))

    return reduce
