"""Tables of marginal means and contrasts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from ..render.markup import html_paragraphs
from ..render.numbers import PStyle, check_p_style, format_column, format_fixed, format_p_value
from ..render.result_table import ResultTable
from ..render.text_table import TextTable

_RATIOS = frozenset({"t.ratio", "z.ratio", "F.ratio"})
_LIMITS = frozenset({"lower.CL", "upper.CL"})
# What needs degrees of freedom.
_FROM_DF = _LIMITS | {"df", "df2", "p.value"}
# The columns beside the estimate.
_BESIDE = _RATIOS | _LIMITS | {"SE", "df", "df1", "df2", "null", "p.value"}


class MeansTable(ResultTable):
    """
    Means or contrasts: a data frame that prints in groups, with notes on how it was made.

    Attributes
    ----------
    by : tuple of str
        The columns that the rows are grouped by.
    notes : tuple of str
        Degrees of freedom, confidence level, adjustment, what was averaged over.
    """

    _metadata: ClassVar[list[str]] = ["by", "notes", "labels"]
    by: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    def _blocks(self, p_style: PStyle = "exact") -> list[tuple[str, TextTable]]:
        shown = [str(name) for name in self.columns if name not in self.by]
        cells = self._columns_of_cells(p_style)
        left = [i for i, name in enumerate(shown) if name in self.labels]
        blocks = []
        for places, heading in self._groups():
            columns = [(name, [cells[name][i] for i in places]) for name in shown]
            blocks.append((heading, TextTable.from_columns(columns, left)))
        return blocks

    def _text_table(self, p_style: PStyle = "exact", rows: int | None = None) -> TextTable:
        """All groups in one table, with a column for each variable that they differ in."""
        cells = self._columns_of_cells(p_style)
        names = [*self.by, *(name for name in cells if name not in self.by)]
        left = [i for i, name in enumerate(names) if name in self.by or name in self.labels]
        return TextTable.from_columns([(name, cells[name][:rows]) for name in names], left)

    def _columns_of_cells(self, p_style: PStyle) -> dict[str, list[str]]:
        check_p_style(p_style)
        cells = {
            str(name): _cells(str(name), self[name], name in self.labels or name in self.by, p_style)
            for name in self.columns
        }
        for name in _LIMITS & cells.keys():
            # As many decimals as the standard error has, also where a limit is close to zero.
            cells[name] = _like(cells["SE"], self[name], cells[name])
        for i in self._without_df():
            for name in _FROM_DF & cells.keys():
                cells[name][i] = cells[name][i] or "NaN"
        return cells

    def _without_df(self) -> list[int]:
        """Rows that have a standard error or a statistic, but no degrees of freedom to judge it by."""
        df = next((name for name in ("df", "df2") if name in self), None)
        known = next((name for name in ("SE", "F.ratio") if name in self), None)
        if df is None or known is None:
            return []
        return np.flatnonzero(self[df].isna() & self[known].notna()).tolist()

    def _groups(self) -> list[tuple[list[int], str]]:
        found: dict[tuple[Any, ...], list[int]] = {}
        for i in range(len(self)):
            found.setdefault(tuple(self[name].iloc[i] for name in self.by), []).append(i)
        if not len(self):
            # The headings alone.
            return [([], "")]
        return [
            (places, ", ".join(f"{name} = {show(v)}" for name, v in zip(self.by, values, strict=True)))
            for values, places in found.items()
        ]

    def to_text(self, *, p_style: PStyle = "exact") -> str:
        parts = [
            f"{heading}:\n{table.text()}" if heading else table.text()
            for heading, table in self._blocks(p_style)
        ]
        return "\n\n".join(parts) + "".join(f"\n{note}" for note in ("", *self.notes))

    def _html(self, p_style: PStyle) -> str:
        parts = [
            html_paragraphs([heading] if heading else []) + table.html()
            for heading, table in self._blocks(p_style)
        ]
        return "".join([*parts, html_paragraphs(self.notes)])

    def __str__(self) -> str:
        return self.to_text()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.to_html()


def means_table(
    columns: dict[str, Any], labels: Sequence[str], by: Sequence[str], notes: Sequence[str]
) -> MeansTable:
    """A table; `labels` are the columns that say what a row is."""
    table = MeansTable(columns)
    table.labels, table.by, table.notes = tuple(labels), tuple(by), tuple(notes)
    return table


def show(value: Any) -> str:
    """A level or the value of a covariate."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _cells(name: str, column: pd.Series, label: bool, p_style: PStyle) -> list[str]:
    if label:
        return [show(value) for value in column]
    values = column.to_numpy(dtype=float)
    present = ~np.isnan(values)
    if name == "p.value":
        shown = [format_p_value(v, p_style) for v in values[present]]
    elif name in _RATIOS:
        shown = format_fixed(values[present], 3)
    elif name in ("df", "df1", "df2"):
        whole = all(np.isinf(v) or abs(v - round(v)) < 5e-3 for v in values[present])
        shown = format_fixed(values[present], 0 if whole else 2)
    else:
        shown = format_column(values[present], 4, most_decimals=5)
    rest = iter(shown)
    missing = "" if name in _BESIDE else "nonEst"
    return [next(rest) if there else missing for there in present]


def _like(errors: Sequence[str], column: pd.Series, otherwise: list[str]) -> list[str]:
    """Numbers with the decimals of their standard errors; as they were where these have exponents."""
    fractions = {text.strip().partition(".")[2] for text in errors if text.strip()}
    decimals = {len(fraction) for fraction in fractions}
    if len(decimals) != 1 or not all(fraction.isdigit() for fraction in fractions):
        return otherwise
    values = column.to_numpy(dtype=float)
    return ["" if np.isnan(v) else format_fixed([v], min(decimals))[0] for v in values]
