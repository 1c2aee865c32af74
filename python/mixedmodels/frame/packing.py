"""Arrays in the smallest integer type that holds them exactly, for pickles."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Narrowest first.
_SMALL = tuple(map(np.dtype, (np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32)))

Packed = tuple[NDArray[Any], str]


def pack(values: NDArray[Any]) -> Packed:
    """
    The values in a type as small as they allow, and the name of their own type.

    Whole numbers held as floats are packed as well; unpacked, every bit is as it was.
    """
    return _narrowed(values), values.dtype.str


def unpack(packed: Packed) -> NDArray[Any]:
    """The values in their own type."""
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
