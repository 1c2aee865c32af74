"""Data frames that print well, with a heading and notes, in text, HTML, LaTeX and Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, TypeVar

import numpy as np
import pandas as pd

from .formatting import PStyle, TextTable, check_p_style, format_column, format_fixed, format_p_value
from .markup import html_paragraphs, markdown_lines

_WHOLE = frozenset({"npar", "Df", "NumDF", "nobs", "df.residual"})
_DENOMINATORS = frozenset({"DenDF", "df"})
_RATIOS = frozenset({"t value", "z value"})
_STATISTICS = _RATIOS | {"statistic", "F value"}
# More are printed by the methods only.
_MOST_ROWS = 200
Table = TypeVar("Table", bound="ResultTable")


class ResultTable(pd.DataFrame):
    """
    A data frame of results that prints as a table and needs no other package for any of its formats.

    Whatever is made of it (a selection, a rounded copy) is a plain data frame.

    Attributes
    ----------
    heading : tuple of str
        What the table is about; printed above.
    notes : tuple of str
        Remarks on the results; printed below.
    """

    _metadata: ClassVar[list[str]] = ["heading", "notes"]
    heading: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        return pd.DataFrame

    def __str__(self) -> str:
        left_out = len(self) - _MOST_ROWS
        if left_out <= 0:
            return self.to_text()
        lines = [*self.heading, self._text_table(rows=_MOST_ROWS).text(), f" ... and {left_out} more rows"]
        return "\n".join([*lines, *self.notes])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        left_out = len(self) - _MOST_ROWS
        more = [f"... and {left_out} more rows"] if left_out > 0 else []
        table = self._text_table(rows=_MOST_ROWS).html()
        return html_paragraphs(self.heading) + table + html_paragraphs([*more, *self.notes])

    def to_text(self, p_style: PStyle = "exact") -> str:
        """
        Heading, aligned columns, notes.

        Parameters
        ----------
        p_style : {"exact", "apa"}
            P-values to four significant digits, or as APA style writes them: ``.012``, ``< .001``.
        """
        return "\n".join([*self.heading, self._text_table(p_style).text(), *self.notes])

    def to_html(self, p_style: PStyle = "exact") -> str:
        """Heading, ``<table>`` and notes; see `to_text`."""
        table = self._text_table(p_style).html()
        return html_paragraphs(self.heading) + table + html_paragraphs(self.notes)

    def to_latex(self, p_style: PStyle = "exact") -> str:
        """A ``tabular`` with the rules of the booktabs package, heading and notes in it; see `to_text`."""
        return self._text_table(p_style).latex(self.notes, self.heading)

    def to_markdown(self, p_style: PStyle = "exact") -> str:
        """Heading, a table of GitHub's flavour of Markdown, and notes; see `to_text`."""
        parts = [
            markdown_lines(self.heading),
            self._text_table(p_style).markdown(),
            markdown_lines(self.notes),
        ]
        return "\n\n".join([part for part in parts if part])

    def _text_table(self, p_style: PStyle = "exact", rows: int | None = None) -> TextTable:
        check_p_style(p_style)
        shown = pd.DataFrame(self) if rows is None else pd.DataFrame(self).head(rows)
        texts = [str(name) for name in shown.columns if not _is_number(shown[name])]
        columns: list[tuple[str, Sequence[str]]] = []
        if not isinstance(shown.index, pd.RangeIndex):
            columns.append(("", [str(name) for name in shown.index]))
        left = {0} if columns else set()
        marks = _marks(shown)
        for name in shown.columns:
            if str(name) in texts:
                left.add(len(columns))
                columns.append((str(name), ["" if pd.isna(v) else str(v) for v in shown[name]]))
            else:
                columns.append((str(name), _cells(str(name), shown[name], marks, p_style)))
        return TextTable.from_columns(columns, left)


def result_table(
    columns: Any,
    labels: Sequence[str] | None = None,
    heading: Sequence[str] = (),
    notes: Sequence[str] = (),
    kind: type[Table] = ResultTable,
) -> Table:
    """A table with its heading and notes; rows have names if `labels` are given."""
    index = None if labels is None else pd.Index(list(labels), dtype=object)
    table = kind(columns, index=index)
    table.heading, table.notes = tuple(heading), tuple(notes)
    return table


def _is_number(column: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column))


def is_p_value(name: str) -> bool:
    """Whether a column holds p-values."""
    return name == "p.value" or name.startswith("Pr(")


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


def _cells(name: str, column: pd.Series, marks: Sequence[str], p_style: PStyle) -> list[str]:
    values = column.to_numpy(dtype=float)
    present = ~np.isnan(values)
    if name in _WHOLE:
        shown = [f"{v:g}" for v in values[present]]
    elif is_p_value(name):
        shown = [format_p_value(v, p_style) for v in values[present]]
    elif name in _DENOMINATORS or name in _RATIOS:
        shown = format_fixed(values[present], 2 if name in _DENOMINATORS else 3)
    else:
        shown = format_column(values[present], 6, most_decimals=4)
    rest = iter(shown)
    return [next(rest) if there else mark for there, mark in zip(present, marks, strict=True)]
