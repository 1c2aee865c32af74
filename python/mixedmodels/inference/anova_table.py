"""Tables of tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from ..formatting import TextTable, format_column, format_fixed, format_p_value

_WHOLE = frozenset({"npar", "Df", "NumDF"})
_DENOMINATORS = frozenset({"DenDF", "df"})
_RATIOS = frozenset({"t value", "z value"})


class AnovaTable(pd.DataFrame):
    """
    A table of tests: a data frame with a heading that prints well.

    Attributes
    ----------
    heading : tuple of str
        What was tested or compared, and how.
    notes : tuple of str
        What is to be known of the results; printed below.
    """

    _metadata: ClassVar[list[str]] = ["heading", "notes"]
    heading: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        # A part of the table is a table of something else.
        return pd.DataFrame

    def _text_table(self) -> TextTable:
        columns = [("", [str(name) for name in self.index])]
        columns += [(str(name), _cells(str(name), self[name])) for name in self.columns]
        return TextTable.from_columns(columns)

    def __str__(self) -> str:
        return "\n".join([*self.heading, self._text_table().text(), *self.notes])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from html import escape

        lines = [[f"<p>{escape(line)}</p>" for line in part] for part in (self.heading, self.notes)]
        return "".join([*lines[0], self._text_table().html(), *lines[1]])


def anova_table(
    columns: dict[str, Any], labels: Sequence[str], heading: Sequence[str], notes: Sequence[str] = ()
) -> AnovaTable:
    """A table with its heading and notes."""
    table = AnovaTable(columns, index=pd.Index(list(labels), dtype=object))
    table.heading, table.notes = tuple(heading), tuple(notes)
    return table


def _cells(name: str, column: pd.Series) -> list[str]:
    values = column.to_numpy(dtype=float)
    present = ~np.isnan(values)
    if name in _WHOLE:
        shown = [f"{v:g}" for v in values[present]]
    elif name.startswith("Pr("):
        shown = [format_p_value(v) for v in values[present]]
    elif name in _DENOMINATORS or name in _RATIOS:
        shown = format_fixed(values[present], 2 if name in _DENOMINATORS else 3)
    else:
        shown = format_column(values[present], 6, most_decimals=4)
    rest = iter(shown)
    return [next(rest) if there else "" for there in present]
