"""Tables of marginal means and contrasts."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from ..formatting import TextTable, format_column, format_fixed, format_p_value

_RATIOS = frozenset({"t.ratio", "z.ratio", "F.ratio"})
_LIMITS = frozenset({"lower.CL", "upper.CL"})
# The columns beside the estimate.
_BESIDE = _RATIOS | _LIMITS | {"SE", "df", "df1", "df2", "null", "p.value"}


class MeansTable(pd.DataFrame):
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
    notes: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        # A part of the table is a table of something else.
        return pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """A plain data frame: without notes, and printed as any other."""
        return pd.DataFrame({name: self[name].to_numpy() for name in self.columns})

    def _blocks(self) -> list[tuple[str, TextTable]]:
        shown = [str(name) for name in self.columns if name not in self.by]
        cells = {name: _cells(name, self[name], name in self.labels) for name in shown}
        for name in _LIMITS & cells.keys():
            # As many decimals as the standard error has, also where a limit is close to zero.
            cells[name] = _like(cells["SE"], self[name], cells[name])
        left = [i for i, name in enumerate(shown) if name in self.labels]
        blocks = []
        for places, heading in self._groups():
            columns = [(name, [cells[name][i] for i in places]) for name in shown]
            blocks.append((heading, TextTable.from_columns(columns, left)))
        return blocks

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

    def __str__(self) -> str:
        parts = [
            f"{heading}:\n{table.text()}" if heading else table.text() for heading, table in self._blocks()
        ]
        return "\n\n".join(parts) + "".join(f"\n{note}" for note in ("", *self.notes))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        parts = [
            (f"<p>{escape(heading)}</p>" if heading else "") + table.html()
            for heading, table in self._blocks()
        ]
        return "".join([*parts, *(f"<p>{escape(note)}</p>" for note in self.notes)])


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


def _cells(name: str, column: pd.Series, label: bool) -> list[str]:
    if label:
        return [show(value) for value in column]
    values = column.to_numpy(dtype=float)
    present = ~np.isnan(values)
    if name == "p.value":
        shown = [format_p_value(v) for v in values[present]]
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
