"""Data frames and square matrices as printed tables; the names of columns say how numbers are written."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..wording import display_width
from .numbers import format_fixed
from .page import Table
from .style import Style, cells_of

Write = Callable[[NDArray[np.float64]], list[str]]
_WHOLE = frozenset({"npar", "Df", "NumDF", "nobs", "df.residual"})
_LIMITS = frozenset({"conf.low", "conf.high"})
_DENOMINATORS = frozenset({"DenDF", "df"})
_RATIOS = frozenset({"t value", "z value"})
_STATISTICS = _RATIOS | {"statistic", "F value"}
# Longer names do not head the columns of a matrix: numbers do.
_LABEL_WIDTH = 11


def rows_left_out(frame: pd.DataFrame, style: Style) -> list[str]:
    """A line on the rows that are not shown, if any."""
    more = 0 if style.most_rows is None else len(frame) - style.most_rows
    return [f" ... and {more} more rows"] if more > 0 else []


def table_of(frame: pd.DataFrame, style: Style) -> Table:
    """
    The printed table of a data frame: names to the left, numbers as their columns' names say.

    The index names the rows, unless it only counts them. Columns of text without any are left out.
    """
    shown = frame if style.most_rows is None else frame.head(style.most_rows)
    named = not isinstance(shown.index, pd.RangeIndex)
    columns: list[tuple[str, Sequence[str]]] = []
    if named:
        columns.append(("", [str(name) for name in shown.index]))
    left = {0} if named else set()
    marks = _marks(shown)
    limits = _limit_cells(shown, marks, style)
    for name in shown.columns:
        if pd.api.types.is_numeric_dtype(shown[name]):
            cells = limits.get(str(name)) or cells_of(shown[name], _writer(str(name), style), marks)
        elif len(shown) and shown[name].isna().all():
            continue
        else:
            left.add(len(columns))
            cells = ["" if pd.isna(v) else str(v) for v in shown[name]]
        columns.append((str(name), cells))
    joined = [j for j in range(1, len(columns)) if _is_limit(columns[j][0]) and _is_limit(columns[j - 1][0])]
    return Table.from_columns(columns, left, _leading(left), joined=joined)


def matrix_of(matrix: pd.DataFrame, write: Write) -> Table:
    """The whole matrix; the columns are numbered where names are too long to head them."""
    names, heads = _names(matrix)
    values = matrix.to_numpy(dtype=float)
    columns = [(head, write(values[:, j])) for j, head in enumerate(heads)]
    return Table.from_columns([("", names), *columns])


def triangle_of(matrix: pd.DataFrame, write: Write) -> Table:
    """The lower triangle without the diagonal, numbered likewise."""
    names, heads = _names(matrix)
    # The first row is empty, and there for the name that goes with its number.
    rows = range(0 if heads[0] != names[0] else 1, len(names))
    values = matrix.to_numpy(dtype=float)
    columns: list[tuple[str, list[str]]] = [("", [names[i] for i in rows])]
    for j, head in enumerate(heads[:-1]):
        cells = write(values[j + 1 :, j])
        columns.append((head, [cells[i - j - 1] if i > j else "" for i in rows]))
    return Table.from_columns(columns)


def _names(matrix: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Names of the rows, and headings of the columns."""
    names = [str(name) for name in matrix.index]
    if max(map(display_width, names), default=0) <= _LABEL_WIDTH:
        return names, names
    heads = [str(j + 1) for j in range(len(names))]
    return [f"{head} {name}" for head, name in zip(heads, names, strict=True)], heads


def _is_p_value(name: str) -> bool:
    """Whether a column holds p-values."""
    return name == "p.value" or name.startswith("Pr(")


def _is_limit(name: str) -> bool:
    """Whether a column holds confidence limits."""
    return name in _LIMITS or name.endswith(" %")


def _leading(left: set[int]) -> int:
    """How many columns of text come before the first one of numbers."""
    return next(j for j in range(len(left) + 1) if j not in left)


def _marks(table: pd.DataFrame) -> list[str]:
    """
    For each row what a missing number is written as.

    Blank where a row has no such number (the first model has no test); ``NaN`` where it should have one: in a
    row without any number, and in a test whose p-value and degrees of freedom cannot be computed.
    """
    columns = {str(name): table[name] for name in table.columns}
    numbers = {
        name: np.isnan(column.to_numpy(dtype=float))
        for name, column in columns.items()
        if pd.api.types.is_numeric_dtype(column)
    }
    missing = np.logical_and.reduce([*numbers.values(), np.ones(len(table), dtype=bool)])
    p = next((name for name in columns if _is_p_value(name)), None)
    df = next((name for name in columns if name in _DENOMINATORS), None)
    if p in numbers and df in numbers:
        tested = [~gone for name, gone in numbers.items() if name in _STATISTICS]
        if tested:
            missing = missing | (np.logical_or.reduce(tested) & numbers[p] & numbers[df])
    return ["NaN" if there else "" for there in missing]


def _writer(name: str, style: Style) -> Write:
    """How the numbers of a column are written."""
    if name in _WHOLE:
        return lambda values: format_fixed(values, 0)
    if _is_p_value(name):
        return style.p_values
    if name in _DENOMINATORS:
        return style.degrees
    return style.ratios if name in _RATIOS else style.estimates


def _limit_cells(table: pd.DataFrame, marks: Sequence[str], style: Style) -> dict[str, list[str]]:
    """Lower and upper confidence limits, with common decimals."""
    names = [str(name) for name in table.columns if _is_limit(str(name))]
    if not names:
        return {}
    values = table[names].to_numpy(dtype=float).ravel(order="F")
    cells = cells_of(values, style.estimates, len(names) * [*marks])
    return {name: cells[i * len(table) : (i + 1) * len(table)] for i, name in enumerate(names)}
