"""Whether the values in a file are of the types that the classes declare."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from operator import methodcaller
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

from ..errors import ModelFileError
from ..fit.state import FittedModel

# Files have None in their place: there is one value for each row, or they follow from others.
LEFT_OUT = frozenset({"b", "fitted", "eta"})


def check_parts(kind: Any, name: str, parts: Mapping[str, Any]) -> None:
    """
    Refuse parts that a class does not have, and values of other types than it declares.

    Raises
    ------
    ModelFileError
    """
    hints = _hints(kind)
    for part, value in parts.items():
        if part not in hints:
            raise ModelFileError(
                f"it has a part {part!r} of {name}, which this version does not know: a later one wrote it"
            )
        if not (value is None and part in LEFT_OUT) and not is_a(value, hints[part]):
            raise ModelFileError(f"it is damaged: {part!r} of {name} is no {_called(hints[part])}")


def returned_by(compute: Callable[..., Any], value: Any) -> bool:
    """Whether a value is of the type that a function of a state returns."""
    if isinstance(compute, methodcaller):
        compute = getattr(FittedModel, compute.__reduce__()[1][0])
    return is_a(value, _hints(compute)["return"])


@cache
def _hints(described: Any) -> dict[str, Any]:
    return get_type_hints(described)


def is_a(value: Any, hint: Any) -> bool:
    """Whether a value is of a type; numbers may be of a narrower one."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if hint is None or hint is type(None):
        return value is None
    if origin in (Union, types.UnionType):
        return any(is_a(value, one) for one in inner)
    if origin is Literal:
        return any(type(value) is type(one) and value == one for one in inner)
    if origin is np.ndarray:
        return isinstance(value, np.ndarray) and _holds(value, get_args(inner[1])[0])
    if origin is tuple:
        return isinstance(value, tuple) and _are(value, inner)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all(_are(pair, inner) for pair in value.items())
    if isinstance(origin, type) and issubclass(origin, Iterable):
        return isinstance(value, (list, set, frozenset)) and all(is_a(one, inner[0]) for one in value)
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return callable(value) if origin is not None or hint is Callable else isinstance(value, hint)


def _are(values: tuple[Any, ...], hints: tuple[Any, ...]) -> bool:
    if len(hints) == 2 and hints[1] is Ellipsis:
        # There may be many labels.
        if hints[0] is str:
            return set(map(type, values)) <= {str}
        return all(is_a(value, hints[0]) for value in values)
    return len(values) == len(hints) and all(map(is_a, values, hints))


def _holds(array: Any, number: Any) -> bool:
    allowed = "fiub" if issubclass(number, np.floating) else "b" if issubclass(number, np.bool_) else "iu"
    return array.dtype.kind in allowed


def _called(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) else str(hint).replace("typing.", "")
