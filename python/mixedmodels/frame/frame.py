"""The data of a model: any data frame, read column by column on demand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ArgumentError, DataError, MissingColumnError
from ..wording import nearest
from .column import Column, LabelsOnly
from .kept import Kept, held
from .sources import Eager, Source, find_source


class Frame:
    """
    Typed columns of any data frame; each column is converted on first use.

    Create one with :meth:`from_any`.
    """

    __slots__ = ("_cache", "_known", "_source", "_what")

    def __init__(self, source: Source, what: str) -> None:
        self._source = source
        self._what = what
        self._known: dict[str, int] | None = None
        self._cache: dict[str, Column] = {}

    @classmethod
    def from_any(cls, data: Any, *, what: str = "data") -> Frame:
        """
        Wrap data of any supported kind.

        Parameters
        ----------
        data : data frame
            pandas, polars (eager or lazy), a pyarrow Table, a mapping of names to arrays or
            lists, anything narwhals reads, or a Frame (returned unchanged).
        what : str
            What to call the data in error messages.

        Returns
        -------
        Frame

        Raises
        ------
        DataError
            When the data is not a data frame, has no columns, or has columns of different lengths.

        Examples
        --------
        >>> from mixedmodels.frame import Frame
        >>> data = Frame.from_any({"dose": [1, 2, 4], "strain": ["b", "a", None]})
        >>> data.column("dose").values
        array([1., 2., 4.])
        >>> data.column("strain").codes
        array([ 1,  0, -1], dtype=int32)
        """
        if isinstance(data, Frame):
            return data
        source = find_source(data, what)
        if not source.names:
            raise DataError(f"{what} has no columns")
        return cls(source, what)

    @property
    def names(self) -> tuple[str, ...]:
        """The column names, in order."""
        return self._source.names

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        return self._source.n_rows

    @property
    def index(self) -> Any | None:
        """The pandas index, which labels the rows; None for other kinds of data."""
        return self._source.index

    def __contains__(self, name: object) -> bool:
        return name in self._positions

    @property
    def original(self) -> Any | None:
        """The data frame itself; None for files, queries and streams."""
        return self._source.original

    def kept(self) -> Frame:
        """
        Copies of the columns read so far.

        Other columns can still be read from the original if that is in memory.
        """
        read = sorted(self._cache, key=self._positions.__getitem__)
        columns = {name: self._cache[name].owned() for name in read}
        source = self._source
        original = source.original if isinstance(source, Kept) else held(source.original)
        return Frame(Kept(columns, self.n_rows, self.index, self.names, original), self._what)

    @contextmanager
    def explaining_what_is_kept(self, instead: str) -> Iterator[None]:
        """
        Explain in the error for a missing column which columns the model kept.

        Parameters
        ----------
        instead : str
            What the user can pass, such as ``data=``.
        """
        try:
            yield
        except MissingColumnError as error:
            reason = (
                "the model keeps only the columns that it used, and the full data are no longer available "
                f"(read from a file, a query or a stream, or the model was unpickled): pass {instead}"
                if self.original is None
                else f"the model holds the data as of its fit; for a column added since, pass {instead}"
            )
            raise MissingColumnError(f"{error}\n{reason}") from None

    def anew(self) -> Frame:
        """The same data with no column read yet."""
        return Frame(self._source, self._what)

    def __reduce__(self) -> tuple[Any, ...]:
        return Frame, (self._source, self._what)

    def column(self, name: str) -> Column:
        """
        The column called ``name``, as a predictor or response.

        Raises
        ------
        MissingColumnError
            When there is no such column.
        DataError
            When several columns have that name, or the column holds values that a model cannot use
            (dates, complex numbers, nested values, a mixture of text and numbers).
        """
        column = self.labels(name)
        if isinstance(column, LabelsOnly):
            raise DataError(column.refusal)
        return column

    def labels(self, name: str) -> Column:
        """
        The column called ``name`` as labels of rows, which may also be dates and times.

        Raises
        ------
        MissingColumnError, DataError
            As :meth:`column`.
        """
        if name not in self._cache:
            position = self._position(name)
            self._cache[name] = self._source.read(position)
        return self._cache[name]

    def prefetch(self, names: Iterable[str]) -> None:
        """
        Read these columns together, so that a lazy data frame runs only once.

        Raises
        ------
        MissingColumnError, DataError
            As :meth:`column`.
        """
        names = list(names)
        for name in names:
            self._position(name)
        self._source.prefetch(names)

    def rows(self, mask: NDArray[np.bool_]) -> Frame:
        """
        The rows where ``mask`` is true; columns are subset on first use.

        Parameters
        ----------
        mask : ndarray of bool, shape (n_rows,)

        Raises
        ------
        ArgumentError
            When the mask is not boolean or its length is not the number of rows.
        """
        mask = np.asarray(mask)
        if mask.dtype != np.bool_ or mask.shape != (self.n_rows,):
            raise ArgumentError(
                f"the mask of rows must hold {self.n_rows} booleans, one for each row of {self._what}; "
                f"got {mask.dtype} of shape {mask.shape}"
            )
        names = self.names
        index = None if self.index is None else self.index[mask]
        part = Eager(names, int(mask.sum()), lambda i: self.labels(names[i]).rows(mask), index)
        return Frame(part, self._what)

    @property
    def _positions(self) -> dict[str, int]:
        """Position of each column. Of a repeated name, which cannot be read, the last."""
        if self._known is None:
            self._known = {name: i for i, name in enumerate(self._source.names)}
        return self._known

    def _position(self, name: str) -> int:
        position = self._positions.get(name)
        if position is None:
            raise MissingColumnError(self._not_found(name))
        if len(self._positions) < len(self.names) and self.names.count(name) > 1:
            raise DataError(
                f"{self._what} has {self.names.count(name)} columns called {name!r}; rename all but one"
            )
        return position

    def _not_found(self, name: str) -> str:
        message = f"{self._what} has no column {name!r}"
        if self.index is not None and name in self.index.names:
            return f"{message}: it is the index; make it a column with reset_index()"
        shown = ", ".join(map(repr, self.names[:20])) + (", ..." if len(self.names) > 20 else "")
        return message + (nearest(name, self.names, 3) or f"; its columns are {shown}")
