"""Whether values are of the types that classes declare."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from mixedmodels.saved.types import is_a

GOOD = [
    (1.5, float),
    (3, float),
    (3, int),
    (True, bool),
    (None, float | None),
    ("us", Literal["us", "cs"]),
    (("a", "b"), tuple[str, ...]),
    ((), tuple[str, ...]),
    ((1, "a"), tuple[int, str]),
    (({"a": 1.0},), tuple[Mapping[str, float], ...]),
    ({"a"}, set[str]),
    (frozenset(), set[str]),
    ([(1, 2)], list[tuple[int, int]]),
    (np.zeros(2), NDArray[np.float64]),
    (np.zeros(2, int), NDArray[np.float64]),
    (np.zeros(2, bool), NDArray[np.bool_]),
    (len, Callable[..., Any]),
    (slice(1, 2), slice),
    (object(), Any),
]
BAD = [
    (True, float),
    ("1", float),
    (True, int),
    (2.0, int),
    (1, bool),
    (None, float),
    ("ar1", Literal["us", "cs"]),
    (1, Literal["us", True]),
    (("a", 1), tuple[str, ...]),
    (["a"], tuple[str, ...]),
    ((1,), tuple[int, str]),
    ({"a": "b"}, Mapping[str, float]),
    ({1}, set[str]),
    ("ab", list[str]),
    ([1.0], NDArray[np.float64]),
    (np.zeros(2), NDArray[np.int64]),
    (np.zeros(2, int), NDArray[np.bool_]),
    (np.array(["a"]), NDArray[np.float64]),
    (3, Callable[..., Any]),
    ((1, 2), slice),
]


@pytest.mark.parametrize(("value", "kind"), GOOD)
def test_values_of_a_type(value: Any, kind: Any) -> None:
    assert is_a(value, kind)


@pytest.mark.parametrize(("value", "kind"), BAD)
def test_values_of_another_type(value: Any, kind: Any) -> None:
    assert not is_a(value, kind)
