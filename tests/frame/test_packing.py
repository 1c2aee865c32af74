"""Packed arrays come back bit by bit."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as arrays

from mixedmodels.frame import Frame
from mixedmodels.frame.column import pack, unpack

_kinds = st.sampled_from(
    [np.float64, np.float32, np.int64, np.int32, np.int8, np.uint64, np.uint16, np.bool_]
)
_whole = arrays.arrays(np.float64, st.integers(0, 20), elements=st.integers(-(2**40), 2**40).map(float))


@given(arrays.arrays(_kinds, st.integers(0, 20)) | _whole)
def test_every_bit_comes_back(values: np.ndarray) -> None:
    back = unpack(pack(values))
    assert back.dtype == values.dtype
    assert back.tobytes() == values.tobytes()


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.array([0.0, 1.0, 255.0]), "uint8"),
        (np.array([-1, 2]), "int8"),
        (np.arange(3000), "uint16"),
        (np.array([0.5, 1.0]), "float64"),
        (np.array([-0.0, 1.0]), "float64"),
        (np.array([np.nan, 1.0]), "float64"),
        (np.array([2**40]), "int64"),
    ],
)
def test_as_small_as_can_be(values: np.ndarray, kind: str) -> None:
    assert pack(values)[0].dtype == kind


def test_columns_come_back_from_a_pickle() -> None:
    frame = Frame.from_any(
        {
            "x": [1.5, np.nan],
            "k": [3, None],
            "b": [True, False],
            "f": ["u", None],
            "day": np.array([1, 9], "M8[D]"),
        }
    )
    names = ("x", "k", "b", "f", "day")
    columns = [frame.labels(name) for name in names]
    back = pickle.loads(pickle.dumps(frame.kept()))
    assert back.names == names
    for name, column in zip(names, columns, strict=True):
        other = back.labels(name)
        assert type(other) is type(column)
        np.testing.assert_array_equal(other.missing, column.missing)
        for part in ("values", "kind", "levels", "codes", "refusal"):
            if hasattr(column, part):
                np.testing.assert_array_equal(getattr(other, part), getattr(column, part))
        for array in (getattr(other, part) for part in ("stored", "codes") if hasattr(other, part)):
            assert not array.flags.writeable
