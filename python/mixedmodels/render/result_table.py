"""Data frames that print well, with a heading and notes, in text, HTML, LaTeX and Markdown."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..checks import shown as shown_value
from ..errors import ArgumentError
from .markup import html_paragraphs, markdown_lines
from .numbers import PStyle, check_p_style, format_column, format_fixed, format_p_value
from .text_table import TextTable

_WHOLE = frozenset({"npar", "Df", "NumDF", "nobs", "df.residual"})
_LIMITS = frozenset({"conf.low", "conf.high"})
_DENOMINATORS = frozenset({"DenDF", "df"})
_RATIOS = frozenset({"t value", "z value"})
_STATISTICS = _RATIOS | {"statistic", "F value"}
# More are printed by the methods only.
_MOST_ROWS = 200
# Significant digits of estimates; with fewer than so many decimals where the smallest still has some digits.
_DIGITS = 6
_ENOUGH_DECIMALS = 4
_ENOUGH_DIGITS = 3
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

    def to_frame(self) -> pd.DataFrame:
        """A plain data frame: without heading and notes, printed and exported as pandas does."""
        return pd.DataFrame(self).copy()

    def to_text(self, *, p_style: PStyle = "exact") -> str:
        """
        Heading, aligned columns, notes.

        Parameters
        ----------
        p_style : {"exact", "apa"}
            P-values to four significant digits, or as APA style writes them: ``.012``, ``< .001``.

        Returns
        -------
        str

        Raises
        ------
        ArgumentError
            For any other style.
        """
        return "\n".join([*self.heading, self._text_table(p_style).text(), *self.notes])

    def to_html(self, buf: Any = None, *, p_style: PStyle = "exact", **options: Any) -> Any:
        """
        Heading, ``<table>`` and notes.

        Parameters
        ----------
        buf : path or file, optional
            Where to write the text, as in pandas; by default the text is returned.
        p_style : {"exact", "apa"}
            See `to_text`.

        Returns
        -------
        str or None
            None when `buf` is given.

        Raises
        ------
        ArgumentError
            For other styles, and for the other arguments of pandas' method, which suit ``to_frame()``.
        """
        _no_options("to_html", options)
        return _written(self._html(p_style), buf)

    def _html(self, p_style: PStyle) -> str:
        table = self._text_table(p_style).html()
        return html_paragraphs(self.heading) + table + html_paragraphs(self.notes)

    def to_latex(self, buf: Any = None, *, p_style: PStyle = "exact", **options: Any) -> Any:
        """
        A ``tabular`` with the rules of the booktabs package, the heading above and the notes below.

        Parameters
        ----------
        buf, p_style
            See `to_html`.

        Returns
        -------
        str or None
            None when `buf` is given.

        Raises
        ------
        ArgumentError
            As in `to_html`.
        """
        _no_options("to_latex", options)
        return _written(self._text_table(p_style).latex(self.notes, self.heading), buf)

    def to_markdown(self, buf: Any = None, *, p_style: PStyle = "exact", **options: Any) -> Any:
        """
        A table of GitHub's flavour of Markdown, the heading above and the notes below.

        Parameters
        ----------
        buf, p_style
            See `to_html`.

        Returns
        -------
        str or None
            None when `buf` is given.

        Raises
        ------
        ArgumentError
            As in `to_html`.
        """
        _no_options("to_markdown", options)
        table = self._text_table(p_style).markdown()
        parts = [markdown_lines(self.heading), table, markdown_lines(self.notes)]
        return _written("\n\n".join([part for part in parts if part]), buf)

    def _text_table(self, p_style: PStyle = "exact", rows: int | None = None) -> TextTable:
        check_p_style(p_style)
        shown = pd.DataFrame(self) if rows is None else pd.DataFrame(self).head(rows)
        texts = [str(name) for name in shown.columns if not _is_number(shown[name])]
        columns: list[tuple[str, Sequence[str]]] = []
        if not isinstance(shown.index, pd.RangeIndex):
            columns.append(("", [str(name) for name in shown.index]))
        left = {0} if columns else set()
        marks = _marks(shown)
        limits = _limit_cells(shown, marks)
        for name in shown.columns:
            if str(name) in texts:
                left.add(len(columns))
                columns.append((str(name), ["" if pd.isna(v) else str(v) for v in shown[name]]))
            else:
                cells = limits.get(str(name)) or _cells(str(name), shown[name], marks, p_style)
                columns.append((str(name), cells))
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


def _no_options(method: str, options: Mapping[str, Any]) -> None:
    if options:
        names = ", ".join(options)
        raise ArgumentError(
            f"{method}() of a table of results takes buf and p_style, not {names}; "
            f"to_frame().{method}({names}=...) is pandas' own format"
        )


def _written(text: str, buf: Any) -> str | None:
    """The text, or nothing when it goes to a file."""
    if buf is None:
        return text
    if hasattr(buf, "write"):
        buf.write(text)
    elif isinstance(buf, (str, PathLike)):
        Path(buf).write_text(text, encoding="utf-8")
    else:
        raise ArgumentError(f"buf must be a path or an open file, not {shown_value(buf)}")
    return None


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
        shown = format_fixed(values[present], 0)
    elif is_p_value(name):
        shown = [format_p_value(v, p_style) for v in values[present]]
    elif name in _DENOMINATORS or name in _RATIOS:
        shown = format_fixed(values[present], 2 if name in _DENOMINATORS else 3)
    else:
        shown = _estimates(values[present])
    rest = iter(shown)
    return [next(rest) if there else mark for there, mark in zip(present, marks, strict=True)]


def _estimates(values: NDArray[np.float64]) -> list[str]:
    """Numbers of any magnitude: four decimals, and more where the smallest number has few digits left."""
    sizes = np.abs(values[np.isfinite(values) & (values != 0.0)])
    place = math.floor(math.log10(sizes.min())) if sizes.size else 0
    return format_column(values, _DIGITS, max(_ENOUGH_DECIMALS, _ENOUGH_DIGITS - 1 - place))


def _limit_cells(table: pd.DataFrame, marks: Sequence[str]) -> dict[str, list[str]]:
    """Lower and upper confidence limits, with common decimals."""
    names = [str(name) for name in table.columns if name in _LIMITS or str(name).endswith(" %")]
    if not names:
        return {}
    values = table[names].to_numpy(dtype=float).ravel(order="F")
    present = ~np.isnan(values)
    rest = iter(_estimates(values[present]))
    cells = [
        next(rest).strip() if there else mark
        for there, mark in zip(present, len(names) * [*marks], strict=True)
    ]
    return {name: cells[i * len(table) : (i + 1) * len(table)] for i, name in enumerate(names)}
