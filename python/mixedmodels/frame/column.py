"""The two kinds of column in a model: numbers and factors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError

# Different values of one of these types print differently.
_TEXT_TELLS_APART = {str, int, float, bool}


@dataclass(frozen=True, eq=False)
class Numeric:
    """
    A column of numbers.

    Attributes
    ----------
    name : str
        Column name.
    stored : ndarray of float64 or integers, shape (n,), read-only
        The numbers as stored in the data, NaN where a float is missing. May share memory with the
        caller's data: copy it before keeping it beyond the call.
    kind : {"float", "int", "bool"}
        The type in the data.
    filled : ndarray of bool, shape (n,), optional
        Rows where the integer is a placeholder for a missing value.
    """

    name: str
    stored: NDArray[Any]
    kind: Literal["float", "int", "bool"]
    filled: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.stored)

    @property
    def values(self) -> NDArray[np.float64]:
        """The numbers, NaN where missing, shape (n,), read-only; shares memory as ``stored`` does."""
        return self._converted if self.integers else self.stored

    @cached_property
    def _converted(self) -> NDArray[np.float64]:
        values = self.stored.astype(np.float64)
        if self.filled is not None:
            values[self.filled] = np.nan
        return _frozen(values)

    @property
    def integers(self) -> bool:
        """Whether integers are stored; float64 may not represent large ones exactly."""
        return self.stored.dtype.kind in "iu"

    @cached_property
    def finite(self) -> bool:
        """Whether every row has a finite value."""
        if self.integers:
            return self.filled is None or not self.filled.any()
        return bool(np.isfinite(self.stored).all())

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Which rows are missing, shape (n,)."""
        return np.isnan(self.values)

    def rows(self, mask: NDArray[np.bool_]) -> Numeric:
        """The rows where ``mask`` (shape (n,)) is true."""
        filled = None if self.filled is None else self.filled[mask]
        return Numeric(self.name, _frozen(self.stored[mask]), self.kind, filled)

    def owned(self) -> Numeric:
        """A copy of the column that shares no memory with the data."""
        filled = None if self.filled is None else self.filled.copy()
        return Numeric(self.name, _frozen(self.stored.copy()), self.kind, filled)

    def __getstate__(self) -> dict[str, Any]:
        filled = None if self.filled is None else np.packbits(self.filled)
        return {"name": self.name, "stored": pack(self.stored), "kind": self.kind, "filled": filled}

    def __setstate__(self, state: dict[str, Any]) -> None:
        stored, filled = _frozen(unpack(state["stored"])), state["filled"]
        if filled is not None:
            filled = np.unpackbits(filled, count=len(stored)).astype(bool)
        vars(self).update(state, stored=stored, filled=filled)


@dataclass(frozen=True, eq=False)
class Factor:
    """
    A column of labels.

    Attributes
    ----------
    name : str
        Column name.
    codes : ndarray of int32, shape (n,), read-only
        Position of each row's level in ``levels``, -1 where missing. Shares no memory with the data.
    levels : tuple
        The levels in order, as in the data (text, integers, intervals, ...).
    ordered : bool
        Whether the order of the levels is meaningful: true for ordered categoricals only.
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

    @cached_property
    def gaps(self) -> bool:
        """Whether any row is missing."""
        return bool(self.codes.min(initial=0) < 0)

    def labels(self) -> tuple[str, ...]:
        """The levels as text, in order."""
        return self._labels

    @cached_property
    def _labels(self) -> tuple[str, ...]:
        return tuple(map(str, self.levels))

    def rows(self, mask: NDArray[np.bool_]) -> Factor:
        """The rows where ``mask`` (shape (n,)) is true; levels that become unused are kept."""
        return replace(self, codes=_frozen(self.codes[mask]))

    def owned(self) -> Factor:
        """The column itself, whose codes share no memory with the data."""
        return self

    def __getstate__(self) -> dict[str, Any]:
        parts = {part.name: getattr(self, part.name) for part in fields(self)}
        return {**parts, "codes": pack(self.codes)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, codes=_frozen(unpack(state["codes"])))


@dataclass(frozen=True, eq=False)
class LabelsOnly(Factor):
    """
    A column of dates, times or time spans: usable as labels of groups, not as a predictor.

    Attributes
    ----------
    refusal : str
        Why it cannot be a predictor, and what to do.
    """

    refusal: str = ""


Column = Numeric | Factor


def make_numeric(name: str, values: NDArray[Any], kind: Literal["float", "int", "bool"]) -> Numeric:
    """A numeric column of floats, or of anything numpy casts to them; no copy of a float64 array."""
    return Numeric(name, _frozen(np.asarray(values, dtype=np.float64)), kind)


def make_integers(name: str, integers: NDArray[Any], missing: NDArray[np.bool_] | None) -> Numeric:
    """A numeric column of integers, not copied; ``missing`` marks rows whose integer is a placeholder."""
    return Numeric(name, _frozen(integers), "int", missing)


def make_missing(name: str, n_rows: int) -> Numeric:
    """A column in which every value is missing."""
    return make_numeric(name, np.full(n_rows, np.nan), "float")


def make_factor(name: str, codes: NDArray[Any], levels: Iterable[Any], ordered: bool = False) -> Factor:
    """A factor from level positions (-1: missing) and distinct levels, which must also print differently."""
    levels = tuple(levels)
    check_look(name, levels)
    return distinct_factor(name, codes, levels, ordered)


def distinct_factor(name: str, codes: NDArray[Any], levels: tuple[Any, ...], ordered: bool = False) -> Factor:
    """A factor from level positions and levels that are known to print differently."""
    return Factor(name, _frozen(np.asarray(codes, dtype=np.int32)), levels, ordered)


def check_look(name: str, levels: tuple[Any, ...]) -> None:
    """Refuse distinct levels that print alike."""
    kinds = set(map(type, levels))
    if len(kinds) <= 1 and kinds <= _TEXT_TELLS_APART:
        return
    seen: dict[str, Any] = {}
    for level in levels:
        other = seen.setdefault(str(level), level)
        if other is not level:
            raise DataError(
                f"column {name!r} has two levels that print alike: {other!r} ({type(other).__name__}) "
                f"and {level!r} ({type(level).__name__}); make all levels text, or all numbers"
            )


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    """A read-only view, so that a column cannot be modified through a frame."""
    view = array.view()
    view.flags.writeable = False
    return view


# Narrowest first.
_SMALL = tuple(map(np.dtype, (np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32)))

Packed = tuple[NDArray[Any], str]


def pack(values: NDArray[Any]) -> Packed:
    """
    The values in the smallest type that holds them exactly, and the name of their original type.

    Whole numbers stored as floats are packed as well; unpacking restores every bit.
    """
    return _narrowed(values), values.dtype.str


def unpack(packed: Packed) -> NDArray[Any]:
    """The values in their original type."""
    values, kind = packed
    return values.astype(kind)


def _narrowed(values: NDArray[Any]) -> NDArray[Any]:
    values = np.ascontiguousarray(values)
    if not values.size or values.dtype.kind not in "iuf":
        return values
    low, high = values.min(), values.max()
    for kind in _SMALL:
        limits = np.iinfo(kind)
        # False for NaN.
        if kind.itemsize < values.dtype.itemsize and limits.min <= low and high <= limits.max:
            small = values.astype(kind)
            # Fractions and the sign of -0.0 would be lost.
            if values.dtype.kind != "f" or small.astype(values.dtype).tobytes() == values.tobytes():
                return small
            return values
    return values
