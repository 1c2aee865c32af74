"""The columns of its data that a model keeps."""

from __future__ import annotations

import copy
from array import array
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from ..errors import DataError
from .column import Column
from .convert import is_from
from .sources import Source, find_source, same_column

# Whether a shallow copy of a data frame keeps its values when the original is changed.
_COPY_ON_WRITE: Final = int(pd.__version__.split(".")[0]) >= 3


class Kept:
    """
    Columns that were read once and are kept.

    Other columns are read from the original if that is in memory, see :func:`held`. A pickle does not
    contain the original.

    Parameters
    ----------
    columns : mapping of str to Column
        They share no memory with the data.
    n_rows : int
    index : Index or None
    names : tuple of str, optional
        The columns of the original.
    original : data frame, optional
        As returned by `held`.
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
        self.original = original
        self.names = tuple(columns) if original is None or names is None else names

    def __reduce__(self) -> tuple[Any, ...]:
        return Kept, (self._columns, self.n_rows, self.index)

    def prefetch(self, names: Iterable[str]) -> None:
        """Nothing to do: every column is at hand."""

    def read(self, position: int, /) -> Column:
        """The column at ``position``."""
        name = self.names[position]
        if name in self._columns:
            return self._columns[name]
        return self._unchanged(name).read(position)

    def _unchanged(self, wanted: str) -> Source:
        """The original, if its rows still equal the kept columns."""
        source = find_source(self.original, "data")
        places = {name: i for i, name in enumerate(source.names)}
        same = source.n_rows == self.n_rows and all(
            name in places and same_column(column, source.read(places[name]))
            for name, column in self._columns.items()
        )
        if not same:
            raise DataError(
                f"the data frame has changed since the fit, so its column {wanted!r} cannot be combined with "
                "the columns that the model keeps; give data="
            )
        return source


def held(original: Any) -> Any:
    """
    A snapshot of the data, which later changes in place do not affect.

    Data that their library never changes in place, or copies on write, are not copied.
    """
    if isinstance(original, pd.DataFrame):
        return original.copy(deep=not _COPY_ON_WRITE)
    if isinstance(original, Mapping):
        return {name: _held_column(values) for name, values in original.items()}
    return original.clone() if is_from("polars", "DataFrame", original) else original


def _held_column(values: Any) -> Any:
    if isinstance(values, pd.Series):
        return values.copy(deep=not _COPY_ON_WRITE)
    if isinstance(values, (np.ndarray, pd.api.extensions.ExtensionArray)):
        return values.copy()
    if is_from("polars", "Series", values):
        return values.clone()
    return copy.copy(values) if isinstance(values, (list, array)) else values
