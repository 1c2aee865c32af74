"""Rows of pandas and polars data frames chosen by position, with some columns relabelled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..design.used_rows import whole_frame
from ..frame import Frame

# Codes of the rows (-1 for missing) and labels.
Coded = tuple[NDArray[np.intp], list[Any]]


@dataclass(frozen=True, eq=False)
class Table:
    """
    A data frame whose rows can be copied.

    Attributes
    ----------
    frame : DataFrame
        With a polars data frame a pandas one of the same columns.
    original : polars.DataFrame or None
    """

    frame: pd.DataFrame
    original: Any = None

    @property
    def names(self) -> list[str]:
        """The columns."""
        return [str(name) for name in self.frame.columns]

    def codes(self, name: str) -> Coded:
        """
        The values of a column as codes of labels.

        Categories and numbers are in their order, other labels in that of their first rows.
        """
        column = self.frame[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            column = column.cat.remove_unused_categories()
            return np.asarray(column.cat.codes, dtype=np.intp), column.cat.categories.tolist()
        codes, labels = pd.factorize(column, sort=pd.api.types.is_numeric_dtype(column))
        return np.asarray(codes, dtype=np.intp), list(labels.tolist())

    def is_text(self, name: str) -> bool:
        """Whether the values of a column are labels."""
        return all(isinstance(label, str) for label in self.codes(name)[1])

    def is_categorical(self, name: str) -> bool:
        """Whether a column is a factor."""
        return isinstance(self.frame[name].dtype, pd.CategoricalDtype)

    def is_integer(self, name: str) -> bool:
        """Whether a column is of an integer type."""
        return pd.api.types.is_integer_dtype(self.frame[name].dtype)

    def rows(self, rows: NDArray[np.intp], columns: Mapping[str, Coded]) -> Any:
        """The data frame of these rows, in the kind that was given, with some columns relabelled."""
        values = {name: _values(self.frame[name], coded) for name, coded in columns.items()}
        if self.original is None:
            return self.frame.iloc[rows].reset_index(drop=True).assign(**values)
        import polars

        own = [
            polars.Series(name, value.astype(object).tolist()).cast(_kind(self.original[name].dtype, polars))
            for name, value in values.items()
        ]
        return self.original[rows.tolist()].with_columns(own)


def table_of(data: Any) -> Table:
    """A data set as a table; other kinds than pandas and polars become pandas."""
    if isinstance(data, pd.DataFrame):
        return Table(data)
    if type(data).__module__.startswith("polars"):
        eager = data.collect() if hasattr(data, "collect") else data
        columns = {name: _pandas(eager[name]) for name in eager.columns}
        return Table(pd.DataFrame(columns), eager)
    return Table(whole_frame(Frame.from_any(data)))


def _pandas(series: Any) -> Any:
    """A polars column for pandas, without pyarrow."""
    values = series.to_list()
    if series.dtype.is_numeric() and series.null_count() == 0:
        return pd.Series(series.to_numpy())
    return pd.Series(values, dtype=object)


def _values(column: pd.Series, coded: Coded) -> Any:
    codes, labels = coded
    if isinstance(column.dtype, pd.CategoricalDtype):
        return pd.Series(pd.Categorical.from_codes(codes.tolist(), labels, ordered=column.cat.ordered))
    values = np.array([*labels, None], dtype=object)[codes]
    found = pd.Series(values)
    return found if (codes < 0).any() else found.astype(column.dtype)


def _kind(kind: Any, polars: Any) -> Any:
    """The type of a relabelled column: an enumeration has no room for new labels."""
    return polars.Categorical if kind == polars.Enum else kind
