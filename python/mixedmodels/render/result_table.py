"""Data frames that print well, with a heading and notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, TypeVar

import pandas as pd

from .frame_table import rows_left_out, table_of
from .page import Page
from .printed import Printed
from .style import Style

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

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> ResultTable:
        # What pandas makes of a table is a plain data frame; a copy is a table.
        table = type(self)(pd.DataFrame(self).copy())
        for name in self._metadata:
            setattr(table, name, getattr(self, name))
        table.attrs.update(self.attrs)
        return table

    __copy__ = __deepcopy__

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
