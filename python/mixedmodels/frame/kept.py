"""The columns that a model keeps of its data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from ..errors import DataError
from .column import Column
from .convert import is_from
from .sources import Source, find_source, same_column


class Kept:
    """
    Columns that were read once and are kept.

    Other columns come from the original data frame as long as it is in memory. It is no part of a pickle,
    and there is none of what is read once or from a file.

    Parameters
    ----------
    columns : mapping of str to Column
        In memory of their own.
    n_rows : int
    index : Index or None
    names : tuple of str, optional
        The columns of the original.
    original : data frame, optional
    """

    def __init__(
        self,
        columns: Mapping[str, Column],
        n_rows: int,
        index: Any | None,
        names: tuple[str, ...] | None = None,
        original: Any | None = None,
    ) -> None:
        self._columns = dict(columns)
        self.n_rows, self.index = n_rows, index
        self.original = _held(original)
        self.names = tuple(columns) if original is None or names is None else names
        self._source: Source | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return Kept, (self._columns, self.n_rows, self.index)

    def prefetch(self, names: Iterable[str]) -> None:
        """Nothing to do: every column is at hand."""

    def read(self, position: int, /) -> Column:
        """The column at ``position``."""
        name = self.names[position]
        if name in self._columns:
            return self._columns[name]
        if self._source is None:
            self._source = self._unchanged(name)
        return self._source.read(position)

    def _unchanged(self, wanted: str) -> Source:
        """The original, if its rows are still those that were kept."""
        source = find_source(self.original, "data")
        places = {name: i for i, name in enumerate(source.names)}
        same = source.n_rows == self.n_rows and all(
            name in places and same_column(column, source.read(places[name]))
            for name, column in self._columns.items()
        )
        if not same:
            raise DataError(
                f"the data frame has changed since the fit, so that its column {wanted!r} cannot be combined "
                "with the columns that the model keeps; give data="
            )
        return source


def _held(original: Any) -> Any:
    """A data frame that gets no new columns; its values are not copied."""
    if isinstance(original, pd.DataFrame):
        return original.copy(deep=False)
    if isinstance(original, Mapping):
        return dict(original)
    return original.clone() if is_from("polars", "DataFrame", original) else original
