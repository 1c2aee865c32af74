"""
Values as JSON and arrays of numbers, and back.

Text, numbers, truth values and None are themselves. Everything else is an object with one tag: `tuple`,
`list`, `set`, `map` (pairs), `slice`, `number` (nan, inf, -inf), `array` and `texts` (places in the file), or
`is`, the name of a kind of value in the vocabulary, beside its fields. Nothing else can be made from a file.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ArgumentError, ModelFileError
from ..families import Family
from .types import check_parts
from .vocabulary import KINDS, NAMES, family_of

# Longer tuples of labels are kept once for all values that have them.
_FEW = 8
# The other dimensions of an empty array.
_MOST_BESIDE_NONE = 1_000_000
_DTYPES = {"<f8", "<i8", "<i4", "<u4", "|b1", "|i1", "|u1", "<i2", "<u2"}


class Encoder:
    """Turns values into JSON; collects arrays and lists of labels."""

    def __init__(self) -> None:
        self.arrays: list[NDArray[Any]] = []
        self.texts: list[list[str]] = []
        self._known: dict[tuple[str, ...], int] = {}
        self._places: dict[int, int] = {}

    def value(self, value: Any) -> Any:
        """
        The value as JSON.

        Raises
        ------
        ArgumentError
            For a kind of value that files cannot hold.
        """
        if value is None or isinstance(value, (str, bool)):
            return value
        if isinstance(value, (np.bool_, np.integer)):
            return value.item()
        if isinstance(value, int):
            return value
        if isinstance(value, float):
            number = float(value)
            return number if math.isfinite(number) else {"number": repr(number)}
        if isinstance(value, np.ndarray):
            return {"array": self._array(value)}
        if isinstance(value, tuple) and not hasattr(value, "_fields"):
            if len(value) > _FEW and all(type(part) is str for part in value):
                return {"texts": self._texts(value)}
            return {"tuple": [self.value(part) for part in value]}
        if isinstance(value, list):
            return {"list": [self.value(part) for part in value]}
        if isinstance(value, (set, frozenset)):
            return {"set": sorted(self.value(part) for part in value)}
        if isinstance(value, slice):
            return {"slice": [value.start, value.stop]}
        if isinstance(value, Mapping):
            return {"map": [[self.value(k), self.value(v)] for k, v in value.items()]}
        return self._object(value)

    def _object(self, value: Any) -> dict[str, Any]:
        if isinstance(value, Family):
            return {"is": "family", "name": value.name, "link": value.link, "dispersion": value.dispersion}
        name = NAMES.get(type(value))
        if name is None:
            raise ArgumentError(f"save: a model file cannot hold {type(value).__name__} objects")
        if hasattr(value, "_fields"):
            return {"is": name, **{part: self.value(getattr(value, part)) for part in value._fields}}
        parts = [part.name for part in dataclasses.fields(value) if part.init]
        return {"is": name, **{part: self.value(getattr(value, part)) for part in parts}}

    def _array(self, value: NDArray[Any]) -> int:
        if id(value) not in self._places:
            if value.dtype.kind not in "fiub":
                raise ArgumentError(f"save: a model file cannot hold arrays of type {value.dtype}")
            if value.dtype.kind == "u" and value.dtype.itemsize == 8:
                value = value.astype(np.int64)
            self._places[id(value)] = len(self.arrays)
            self.arrays.append(value)
        return self._places[id(value)]

    def _texts(self, value: tuple[str, ...]) -> int:
        if value not in self._known:
            self._known[value] = len(self.texts)
            self.texts.append(list(value))
        return self._known[value]


class Decoder:
    """Makes values from JSON, of the kinds in the vocabulary only."""

    def __init__(self, arrays: Sequence[NDArray[Any]], texts: Sequence[tuple[str, ...]]) -> None:
        self.arrays, self.texts = arrays, texts

    def value(self, coded: Any) -> Any:
        """
        The value.

        Raises
        ------
        ModelFileError
            For anything that is not as `Encoder` writes it.
        """
        if coded is None or isinstance(coded, (str, bool, int, float)):
            return coded
        if not isinstance(coded, dict) or not coded:
            raise ModelFileError(f"the model file holds {type(coded).__name__} where a value belongs")
        if "is" in coded:
            return self._object(coded)
        ((tag, inner),) = coded.items()
        if tag == "tuple":
            return tuple([self.value(part) for part in inner])
        if tag == "list":
            return [self.value(part) for part in inner]
        if tag == "map":
            return {self.value(k): self.value(v) for k, v in inner}
        if tag == "set":
            return frozenset(inner)
        if tag == "array":
            return self.arrays[_place(inner, self.arrays)]
        if tag == "texts":
            return self.texts[_place(inner, self.texts)]
        if tag == "number":
            return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[inner]
        if tag == "slice":
            return slice(int(inner[0]), int(inner[1]))
        raise ModelFileError(f"the model file has an unknown tag {tag!r}")

    def _object(self, coded: dict[str, Any]) -> Any:
        name = coded["is"]
        if name == "family":
            return family_of(coded["name"], coded["link"], self.value(coded["dispersion"]))
        kind = KINDS.get(name)
        if kind is None:
            raise ModelFileError(
                f"the model file has values of the kind {name!r}, which this version does not know: a later "
                "version wrote it"
            )
        values = {part: self.value(inner) for part, inner in coded.items() if part != "is"}
        check_parts(kind, repr(name), values)
        return kind(**values)


def _place(place: Any, items: Sequence[Any]) -> int:
    if not isinstance(place, int) or not 0 <= place < len(items):
        raise ModelFileError("the model file names a part that it does not have")
    return place


def array_head(value: NDArray[Any]) -> dict[str, Any]:
    """Type and shape of an array in the file."""
    return {"type": value.dtype.newbyteorder("<").str, "shape": list(value.shape)}


def array_from(head: Mapping[str, Any], numbers: bytes, start: int) -> tuple[NDArray[Any], int]:
    """The array that starts here in the numbers of the file, and where it ends."""
    kind, shape = head["type"], head["shape"]
    if kind not in _DTYPES or not all(isinstance(n, int) and n >= 0 for n in shape) or len(shape) > 4:
        raise ModelFileError("the model file has an array of an unknown type or shape")
    count = math.prod(shape)
    if not count and max(shape) > _MOST_BESIDE_NONE:
        raise ModelFileError("the model file has an empty array of an impossible shape")
    stop = start + count * np.dtype(kind).itemsize
    if stop > len(numbers):
        raise ModelFileError("the model file is damaged: an array is longer than the file")
    found = np.frombuffer(numbers, dtype=kind, count=count, offset=start).reshape(shape)
    # Arrays of bytes are closed to writing already.
    return found, stop
