"""Sources of columns: eager and lazy data frames of any library, and mappings."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from ..errors import DataError
from ..wording import a_kind
from .alignment import in_row_order
from .column import Column, Factor
from .convert import convert, is_from
from .pandas_column import pandas_column
from .pandas_values import index_labels, stored_values


class Source(Protocol):
    """The interface of a frame to its data. Columns are read by position, as names may repeat."""

    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def n_rows(self) -> int: ...
    @property
    def index(self) -> Any | None: ...
    @property
    def original(self) -> Any | None: ...
    def prefetch(self, names: Iterable[str]) -> None: ...
    def read(self, position: int, /) -> Column: ...


@dataclass(frozen=True)
class Eager:
    """
    Data in memory.

    `original` is the data frame itself if it can be read again, else None.
    """

    names: tuple[str, ...]
    n_rows: int
    read: Callable[[int], Column]
    index: Any | None = None
    original: Any | None = None

    def prefetch(self, names: Iterable[str]) -> None:
        """Do nothing: every column is in memory."""


class Lazy:
    """
    A query or files, of which only the needed columns are computed or read.

    Parameters
    ----------
    names : tuple of str
    collect : callable
        Maps names to columns, whose rows are in the same order.
    count : callable
        Returns the number of rows.
    """

    index = None
    original = None

    def __init__(
        self,
        names: tuple[str, ...],
        collect: Callable[[Sequence[str]], Mapping[str, Column]],
        count: Callable[[], int],
    ) -> None:
        self.names = names
        self._collect, self._count = collect, count
        self._columns: dict[str, Column] = {}
        self._n_rows: int | None = None

    @property
    def n_rows(self) -> int:
        if self._n_rows is None:
            self._n_rows = self._count()
        return self._n_rows

    def prefetch(self, names: Iterable[str]) -> None:
        """Read all of these columns together."""
        known = list(self._columns)
        new = [name for name in dict.fromkeys(names) if name not in self._columns]
        if not new:
            return
        # Earlier columns are read again, as a query may return its rows in another order each time.
        fresh = self._collect(known + new)
        self._n_rows = len(fresh[new[0]])
        if not all(same_column(self._columns[name], fresh[name]) for name in known):
            raise DataError(
                "the lazy data frame returns different rows, or another order of rows, each time it runs; "
                "collect it once and use the result"
            )
        self._columns.update(fresh)

    def read(self, position: int, /) -> Column:
        """The column at ``position``."""
        name = self.names[position]
        self.prefetch([name])
        return self._columns[name]


def find_source(data: Any, what: str) -> Source:
    """The source for any supported kind of data; DataError naming ``what`` for anything else."""
    if isinstance(data, pd.DataFrame):
        return _pandas(data)
    if isinstance(data, Mapping):
        return _mapping(data, what)
    if is_from("pyarrow", "Table", data) or is_from("pyarrow", "RecordBatch", data):
        return _arrow(data, original=data)
    if is_from("pyarrow.dataset", "Dataset", data):
        return _dataset(data)
    if isinstance(
        data, (str, bytes, int, float, complex, np.generic, np.ndarray, list, tuple, set, type(None))
    ):
        raise _not_a_frame(data, what)
    return _narwhals(data, what)


def same_column(a: Column, b: Column) -> bool:
    """Whether two columns are equal in every row."""
    if isinstance(a, Factor):
        return isinstance(b, Factor) and a.levels == b.levels and np.array_equal(a.codes, b.codes)
    return not isinstance(b, Factor) and np.array_equal(a.values, b.values, equal_nan=True)


def _pandas(data: pd.DataFrame) -> Source:
    names = tuple(map(str, index_labels(data.columns)))

    def read(position: int) -> Column:
        return pandas_column(names[position], stored_values(data, position))

    return Eager(names, len(data.index), read, data.index, data)


def _mapping(data: Mapping[Any, Any], what: str) -> Source:
    names = tuple(map(str, data))
    columns = list(data.values())
    lengths: dict[int, str] = {}
    for name, values in zip(names, columns, strict=True):
        if isinstance(values, (str, bytes, Mapping, set, frozenset)) or not hasattr(values, "__len__"):
            collect = "; collect them with list()" if isinstance(values, Iterator) else ""
            raise DataError(
                f"column {name!r} of {what} is {a_kind(values)}, not a list or an array; "
                f"give one value for each row{collect}"
            )
        try:
            lengths.setdefault(len(values), name)
        except TypeError:
            # A zero-dimensional array has a length method that refuses.
            raise DataError(
                f"column {name!r} of {what} is a single value; give one value for each row"
            ) from None
    if len(lengths) > 1:
        found = ", ".join(f"{name!r} has {length}" for length, name in lengths.items())
        raise DataError(f"the columns of {what} must all have the same number of rows: {found}")
    index = next((values.index for values in columns if isinstance(values, pd.Series)), None)

    def read(position: int) -> Column:
        name = names[position]
        values = in_row_order(columns[position], index, f"column {name!r} of {what}", "first Series")
        return convert(name, values)

    return Eager(names, next(iter(lengths), 0), read, index, data)


def _arrow(table: Any, original: Any | None = None) -> Source:
    from .arrow_column import arrow_column

    names = tuple(table.column_names)
    fields = list(table.schema)

    def read(position: int) -> Column:
        return arrow_column(names[position], table.column(position), fields[position].metadata)

    return Eager(names, table.num_rows, read, None, original)


def _query(query: Any) -> Source:
    """A narwhals LazyFrame."""
    import narwhals as nw

    def collect(names: Sequence[str]) -> dict[str, Column]:
        table = query.select(names).collect()
        return {name: convert(name, table[name].to_native()) for name in names}

    return Lazy(
        tuple(query.collect_schema().names()), collect, lambda: int(query.select(nw.len()).collect().item())
    )


def _dataset(data: Any) -> Source:
    """A pyarrow dataset: files on disk."""

    def collect(names: Sequence[str]) -> dict[str, Column]:
        table = _arrow(data.to_table(columns=list(names)))
        return {name: table.read(i) for i, name in enumerate(table.names)}

    return Lazy(tuple(data.schema.names), collect, data.count_rows)


def _narwhals(data: Any, what: str) -> Source:
    import narwhals as nw

    frame: Any = nw.from_native(data, pass_through=True)
    if isinstance(frame, nw.LazyFrame):
        return _query(frame)
    if isinstance(frame, nw.DataFrame):
        native = frame.to_native()
        if is_from("pyarrow", "Table", native):
            return _arrow(native, original=native)
        if isinstance(native, pd.DataFrame):
            return find_source(native, what)
        names = tuple(frame.columns)
        return Eager(
            names, len(frame), lambda i: convert(names[i], frame[names[i]].to_native()), original=native
        )
    if (
        hasattr(data, "__arrow_c_stream__")
        and not hasattr(data, "__arrow_c_array__")
        and not _one_column(data)
    ):
        return _arrow(_stream(data, what))
    raise _not_a_frame(data, what)


def _one_column(data: Any) -> bool:
    return any(is_from(lib, "Series", data) for lib in ("pandas", "polars")) or is_from(
        "pyarrow", "ChunkedArray", data
    )


def _stream(data: Any, what: str) -> Any:
    try:
        import pyarrow as pa
    except ImportError:
        raise DataError(
            f"{what} is {a_kind(data)}: reading Arrow streams requires pyarrow; install it"
        ) from None
    try:
        table = pa.table(data)
    except (TypeError, ValueError, pa.ArrowException) as error:
        raise DataError(f"{what} is {a_kind(data)} that pyarrow cannot read as a table: {error}") from error
    if not table.num_rows:
        raise DataError(
            f"{what} is {a_kind(data)} that gives no rows; a stream can be read only once, so "
            "make a table of it first, for example pyarrow.table(stream), and give the table each time"
        )
    return table


def _not_a_frame(data: Any, what: str) -> DataError:
    return DataError(f"{what} is {a_kind(data)}, not a data frame: {_how_to_read(data)}")


def _how_to_read(data: Any) -> str:
    """How to make a data frame of something else."""
    advice = "give a pandas, polars or pyarrow data frame, or a dict of arrays"
    if isinstance(data, (np.ndarray, list, tuple)):
        return f"it has no column names; {advice}"
    if _one_column(data):
        return f"it is a single column; {advice}"
    if isinstance(data, (str, bytes, os.PathLike)) or hasattr(data, "readline"):
        return "read the file first (for example with pandas.read_csv) and give the data frame"
    if hasattr(data, "fetchall"):
        return (
            "fetch the rows of the cursor first, for example pandas.DataFrame(cursor.fetchall(), "
            "columns=[column[0] for column in cursor.description]), and give the data frame"
        )
    if hasattr(data, "get_chunk"):
        return "it gives the data in parts; put them together with pandas.concat and give the data frame"
    if isinstance(data, Iterator):
        return (
            "it can be read only once; collect it first, for example with pandas.DataFrame(list(data)), and "
            "give the data frame"
        )
    return advice
