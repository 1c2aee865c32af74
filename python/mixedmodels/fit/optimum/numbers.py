"""Numbers in JSON: exact, and also those that JSON does not have."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

_NAMED = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def plain(value: Any) -> Any:
    """A value for JSON: arrays as lists; floats that are not finite by name, in quotes."""
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, dict):
        return {str(key): plain(own) for key, own in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(own) for own in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return next(name for name, own in _NAMED.items() if own == value or (own != own and value != value))
    return value


def number(value: Any) -> float:
    """A float from JSON."""
    if isinstance(value, str):
        return _NAMED[value]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{value!r} is not a number")
    return float(value)


def vector(values: Any) -> NDArray[np.float64]:
    """A vector from JSON, closed to writing."""
    array = np.array([number(own) for own in values], dtype=np.float64)
    array.flags.writeable = False
    return array


def written(content: dict[str, Any]) -> str:
    """
    JSON text that people can read: objects indented, lists of numbers on one line.

    Floats are written with as many digits as give the same float again.
    """
    return _text(plain(content), 0) + "\n"


def _text(value: Any, depth: int) -> str:
    gap, end = "  " * (depth + 1), "  " * depth
    if isinstance(value, dict) and value:
        items = [f"{gap}{json.dumps(key)}: {_text(own, depth + 1)}" for key, own in value.items()]
        return "{\n" + ",\n".join(items) + f"\n{end}}}"
    if isinstance(value, list) and any(isinstance(own, (dict, list)) for own in value):
        return "[\n" + ",\n".join(f"{gap}{_text(own, depth + 1)}" for own in value) + f"\n{end}]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
