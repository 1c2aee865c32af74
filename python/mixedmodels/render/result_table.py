"""Data frames that print well, with a heading and notes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .numbers import format_fixed
from .page import Page, Table
from .printed import Printed
from .style import Style, cells_of

_WHOLE = frozenset({"npar", "Df", "NumDF", "nobs", "df.residual"})
_LIMITS = frozenset({"conf.low", "conf.high"})
_DENOMINATORS = frozenset({"DenDF", "df"})
_RATIOS = frozenset({"t value", "z value"})
_STATISTICS = _RATIOS | {"statistic", "F value"}
Result = TypeVar("Result", bound="ResultTable")


class ResultTable(Printed, pd.DataFrame):
    """
    A data frame of results that prints as a table and needs no other package for any of its formats.

    Select columns and rows as of any data frame; the selection, or a rounded copy, is a plain data frame.

    Attributes
    ----------
    heading : tuple of str
        The subject of the table; printed above.
    notes : tuple of str
        Remarks on the results; printed below.

    Examples
    --------
    >>> from mixedmodels import lmer, load_sleepstudy, tidy
    >>> table = tidy(lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy()))
    >>> table["estimate"].round(3).tolist()
    [251.405, 10.467]
    >>> print(table.to_markdown(digits=4))
    | effect | term | estimate | std.error | statistic | df | p.value |
    |:--|:--|--:|--:|--:|--:|--:|
    | fixed | (Intercept) | 251.41 | 6.825 | 36.838 | 17.0 | <2e-16 |
    | fixed | Days | 10.47 | 1.546 | 6.771 | 17.0 | 3.26e-06 |
    <BLANKLINE>
    Tests by Satterthwaite's degrees of freedom
    """

    _metadata: ClassVar[list[str]] = ["heading", "notes"]
    heading: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        return pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """
        A plain data frame: without heading and notes, printed and exported as pandas does.

        Returns
        -------
        DataFrame
            A copy.
        """
        return pd.DataFrame(self).copy()

    def _page(self, style: Style) -> Page:
        return Page.of(
            table_of(pd.DataFrame(self), style), self.heading, [*rows_left_out(self, style), *self.notes]
        )


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
    return Table.from_columns(columns, left, _leading(left))


def result_table(
    columns: Any,
    labels: Sequence[str] | None = None,
    heading: Sequence[str] = (),
    notes: Sequence[str] = (),
    kind: type[Result] = ResultTable,
) -> Result:
    """A table with its heading and notes; rows have names if `labels` are given."""
    index = None if labels is None else pd.Index(list(labels), dtype=object)
    table = kind(columns, index=index)
    table.heading, table.notes = tuple(heading), tuple(notes)
    return table


def is_p_value(name: str) -> bool:
    """Whether a column holds p-values."""
    return name == "p.value" or name.startswith("Pr(")


def _leading(left: set[int]) -> int:
    """How many columns of text come before the first one of numbers."""
    return next(j for j in range(len(left) + 1) if j not in left)


def _marks(table: pd.DataFrame) -> list[str]:
    """
    For each row what a missing number is written as.

    Blank where a row has no such number (the first model has no test); ``NaN`` where it should have one: in a
    row without any number, and in a test whose p-value and degrees of freedom cannot be computed.
    """
    numbers = table.select_dtypes("number")
    missing = numbers.isna().all(axis=1).to_numpy()
    names = [str(name) for name in table.columns]
    p = next((name for name in names if is_p_value(name)), None)
    df = next((name for name in names if name in _DENOMINATORS), None)
    if p is not None and df is not None:
        tested = table.loc[:, [name in _STATISTICS for name in names]].notna().any(axis=1)
        missing = missing | np.asarray(tested & table[p].isna() & table[df].isna())
    return ["NaN" if there else "" for there in missing]


def _writer(name: str, style: Style) -> Callable[[NDArray[np.float64]], list[str]]:
    """How the numbers of a column are written."""
    if name in _WHOLE:
        return lambda values: format_fixed(values, 0)
    if is_p_value(name):
        return style.p_values
    if name in _DENOMINATORS:
        return style.degrees
    return style.ratios if name in _RATIOS else style.estimates


def _limit_cells(table: pd.DataFrame, marks: Sequence[str], style: Style) -> dict[str, list[str]]:
    """Lower and upper confidence limits, with common decimals."""
    names = [str(name) for name in table.columns if name in _LIMITS or str(name).endswith(" %")]
    if not names:
        return {}
    values = table[names].to_numpy(dtype=float).ravel(order="F")
    cells = cells_of(values, style.estimates, len(names) * [*marks])
    return {name: cells[i * len(table) : (i + 1) * len(table)] for i, name in enumerate(names)}
