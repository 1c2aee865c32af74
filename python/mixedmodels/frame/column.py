"""The two kinds of column a model knows: numbers and factors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError

# Integers beyond this are no longer all distinct as float64.
_EXACT = 2**53


@dataclass(frozen=True, eq=False)
class Numeric:
    """
    A column of numbers.

    Attributes
    ----------
    name : str
        Column name.
    values : ndarray of float64, shape (n,), read-only
        The numbers, NaN where missing. May share memory with the caller's data:
        copy it before keeping it beyond the call.
    kind : {"float", "int", "bool"}
        What the data held.
    exact : ndarray of int64 or uint64, shape (n,), optional
        The integers themselves, kept only when some are too large for float64 to tell
        apart (identifiers, mostly), so that they still make distinct levels.
    """

    name: str
    values: NDArray[np.float64]
    kind: Literal["float", "int", "bool"]
    exact: NDArray[Any] | None = None

    def __len__(self) -> int:
        return len(self.values)

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Which rows are missing, shape (n,)."""
        return np.isnan(self.values)

    def rows(self, mask: NDArray[np.bool_]) -> Numeric:
        """The rows where ``mask`` (shape (n,)) is true."""
        exact = None if self.exact is None else _frozen(self.exact[mask])
        return replace(self, values=_frozen(self.values[mask]), exact=exact)


@dataclass(frozen=True, eq=False)
class Factor:
    """
    A column of labels.

    Attributes
    ----------
    name : str
        Column name.
    codes : ndarray of int32, shape (n,), read-only
        Position of each row's level in ``levels``, -1 where missing.
    levels : tuple
        The levels in order, as in the data (text, integers, intervals, ...).
    ordered : bool
        Whether the order of the levels means something: true for ordered categoricals only.
    """

    name: str
    codes: NDArray[np.int32]
    levels: tuple[Any, ...]
    ordered: bool = False

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Which rows are missing, shape (n,)."""
        return self.codes < 0

    def labels(self) -> tuple[str, ...]:
        """The levels as text, in order."""
        return tuple(map(str, self.levels))

    def rows(self, mask: NDArray[np.bool_]) -> Factor:
        """The rows where ``mask`` (shape (n,)) is true; levels that no row has any more stay."""
        return replace(self, codes=_frozen(self.codes[mask]))


Column = Numeric | Factor


def make_numeric(name: str, values: NDArray[Any], kind: Literal["float", "int", "bool"]) -> Numeric:
    """A numeric column of floats, or of anything numpy casts to them; no copy of a float64 array."""
    return Numeric(name, _frozen(np.asarray(values, dtype=np.float64)), kind)


def make_integers(name: str, integers: NDArray[Any], missing: NDArray[np.bool_] | None) -> Numeric:
    """A numeric column of integers; ``missing`` marks rows whose integer is a filler."""
    values = integers.astype(np.float64)
    if missing is not None:
        values[missing] = np.nan
    large = len(integers) > 0 and (integers.max() > _EXACT or integers.min() < -_EXACT)
    return Numeric(name, _frozen(values), "int", _frozen(integers) if large else None)


def make_missing(name: str, n_rows: int) -> Numeric:
    """A column without any value."""
    return make_numeric(name, np.full(n_rows, np.nan), "float")


def make_factor(name: str, codes: NDArray[Any], levels: Iterable[Any], ordered: bool = False) -> Factor:
    """A factor of level positions (-1: missing) and distinct levels, which must also look distinct."""
    levels = tuple(levels)
    if not all(isinstance(level, str) for level in levels):
        seen: dict[str, Any] = {}
        for level in levels:
            other = seen.setdefault(str(level), level)
            if other is not level:
                raise DataError(
                    f"column {name!r} has two levels that look the same: {other!r} ({type(other).__name__}) "
                    f"and {level!r} ({type(level).__name__}); make all levels text, or all numbers"
                )
    return Factor(name, _frozen(np.asarray(codes, dtype=np.int32)), levels, ordered)


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    """A read-only view, so that no column can be changed through a frame."""
    view = array.view()
    view.flags.writeable = False
    return view
