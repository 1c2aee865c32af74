"""Something with a value for each row used: a column of the data or values that the user gives."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..design.used_rows import in_used_order, used_data
from ..errors import ArgumentError
from ..fit.state import FittedModel
from ..frame import Factor, Frame, LabelsOnly, Numeric

# Units of time spans with their seconds: the largest that the largest span has twice.
_UNITS = (("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0), ("s", 1.0))


class RowValues(NamedTuple):
    """
    A variable over the rows used.

    Attributes
    ----------
    name : str
    values : ndarray of float or datetime64, shape (n,), or None
        None for a factor.
    codes : ndarray of int, shape (n,)
        The levels of a factor, -1 where missing; empty for numbers.
    levels : tuple of str
    """

    name: str
    values: NDArray[Any] | None
    codes: NDArray[np.int64]
    levels: tuple[str, ...]


def row_values(fitted: FittedModel, given: Any, argument: str) -> RowValues:
    """
    A grouping factor, a column of the data, or an array, by the argument that has it.

    Parameters
    ----------
    fitted : FittedModel
    given : str or array-like
        With a value for each row used, or for each row of the data.
    argument : str

    Raises
    ------
    ArgumentError, MissingColumnError
        For another length, and a column that the data do not have.
    """
    if isinstance(given, str):
        for term in fitted.design.terms:
            if term.group.label == given and given not in fitted.arguments.data.names:
                return RowValues(given, None, term.group.codes.astype(np.int64), term.group.levels)
        with fitted.arguments.data.explaining_what_is_kept("the values as an array"):
            column = used_data(fitted.design, fitted.arguments).frame.labels(given)
        return _values(given, column)
    used = used_data(fitted.design, fitted.arguments)
    values = in_used_order(given, fitted.design, fitted.arguments, argument)
    name = str(getattr(values, "name", None) or argument)
    n = len(values) if hasattr(values, "__len__") else -1
    if n not in (fitted.n_obs, used.n_total):
        raise ArgumentError(
            f"{argument} must be a column of the data or have a value for each of the {fitted.n_obs} rows "
            "used" + (f", or of the {used.n_total} of the data" if used.n_total != fitted.n_obs else "")
        )
    column = Frame.from_any({name: values}, what=argument).labels(name)
    if n == used.n_total != fitted.n_obs:
        chosen = np.zeros(n, dtype=bool)
        chosen[used.positions] = True
        column = column.rows(chosen)
    return _values(name, column)


def _values(name: str, column: Any) -> RowValues:
    none = np.empty(0, dtype=np.int64)
    if isinstance(column, Numeric) and column.kind != "bool":
        return RowValues(name, column.values, none, ())
    if isinstance(column, Numeric):
        values = column.values
        return RowValues(
            name, None, np.where(np.isnan(values), -1, values).astype(np.int64), ("False", "True")
        )
    assert isinstance(column, Factor)
    if isinstance(column, LabelsOnly):
        if (dates := _as_dates(column)) is not None:
            return RowValues(name, dates, none, ())
        if (spans := _as_spans(column)) is not None:
            return RowValues(f"{name} ({spans[0]})", spans[1], none, ())
    return RowValues(name, None, column.codes.astype(np.int64), column.labels())


def _as_dates(column: LabelsOnly) -> NDArray[Any] | None:
    """Labels of dates and times as such, in universal time if they have a zone; None for others."""
    labels = list(column.labels())
    try:
        with warnings.catch_warnings():
            # numpy warns of time zones.
            warnings.simplefilter("error")
            levels = np.array(labels, dtype="datetime64[us]")
    except (ValueError, UserWarning, DeprecationWarning):
        try:
            moments = pd.to_datetime(pd.Series(labels, dtype=str), format="ISO8601", utc=True)
        except ValueError:
            return None
        levels = moments.dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
    return np.append(levels, np.datetime64("NaT", "us"))[column.codes]


def _as_spans(column: LabelsOnly) -> tuple[str, NDArray[np.float64]] | None:
    """Labels of time spans and of times of day as numbers, with their unit; None for other labels."""
    try:
        levels = np.asarray(pd.to_timedelta(list(column.labels())) / pd.Timedelta(1, "s"), dtype=np.float64)
    except ValueError:
        return None
    largest = float(np.abs(levels).max(initial=0.0))
    unit, seconds = next((u for u in _UNITS if largest >= 2 * u[1]), _UNITS[-1])
    return unit, np.append(levels / seconds, np.nan)[column.codes]
