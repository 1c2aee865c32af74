"""Factors from numbers, without unused levels, and crossed."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixedmodels.errors import ArgumentError
from mixedmodels.frame import Factor, Frame, as_factor, drop_unused, interact


def factor(name, values):
    column = Frame.from_any({name: values}).column(name)
    assert isinstance(column, Factor)
    return column


def numeric_factor(values):
    return as_factor(Frame.from_any({"x": values}).column("x"))


@pytest.mark.parametrize(
    ("values", "labels", "codes"),
    [
        ([10, 9, None, 10], ("9", "10"), [1, 0, -1, 1]),
        ([0.0, -0.0, 2.0, float("nan")], ("0", "2"), [0, 0, 1, -1]),
        ([0.5, 1.0, 0.1 + 0.2, 0.3], ("0.3", "0.30000000000000004", "0.5", "1"), [2, 3, 1, 0]),
        ([1e6, 1e300, float("-inf")], ("-inf", "1000000", "1e+300"), [1, 2, 0]),
        ([True, None, False], ("False", "True"), [1, -1, 0]),
        ([True, True], ("True",), [0, 0]),
        ([None, float("nan")], (), [-1, -1]),
    ],
)
def test_as_factor(values, labels, codes):
    result = numeric_factor(values)
    assert result.labels() == labels
    assert result.codes.tolist() == codes
    assert not result.ordered


def test_large_identifiers_stay_apart():
    ids = [2**60, 2**60 + 1, None, 2**60]
    result = numeric_factor(ids)
    assert result.levels == (2**60, 2**60 + 1)
    assert result.codes.tolist() == [0, 1, -1, 0]
    unsigned = Frame.from_any({"x": np.array([2**63 + 1, 2**63], dtype=np.uint64)})
    assert as_factor(unsigned.column("x")).levels == (2**63, 2**63 + 1)
    part = unsigned.rows(np.array([True, False]))
    assert as_factor(part.column("x")).levels == (2**63 + 1,)


def test_as_factor_of_a_factor():
    column = factor("g", ["b", "a"])
    assert as_factor(column) is column


def test_drop_unused():
    full = Factor("g", np.array([2, -1, 0, 2], dtype=np.int32), ("c", "b", "a"), ordered=True)
    result = drop_unused(full)
    assert result.levels == ("c", "a")
    assert result.codes.tolist() == [1, -1, 0, 1]
    assert result.ordered
    assert drop_unused(result) is result
    nothing = drop_unused(Factor("g", np.array([-1, -1], dtype=np.int32), ("c",)))
    assert nothing.levels == ()
    assert nothing.codes.tolist() == [-1, -1]


def test_interaction_order_and_labels():
    batch = Factor("batch", np.array([1, 0, 1, 0, -1], dtype=np.int32), ("B", "A"))
    cask = factor("cask", ["y", "x", "x", "x", "x"])
    result = interact([batch, cask])
    assert result.name == "batch:cask"
    assert result.levels == ("B:x", "A:x", "A:y")
    assert result.codes.tolist() == [2, 0, 1, 0, -1]


def test_interaction_of_one_and_of_none():
    column = factor("g", ["b", "a"])
    assert interact([column]).levels == ("a", "b")
    with pytest.raises(ArgumentError, match="at least one"):
        interact([])
    with pytest.raises(ArgumentError, match="the same length"):
        interact([column, factor("h", ["a"])])


def test_colons_in_labels_do_not_merge_cells():
    left = factor("l", ["a:b", "a", '"a', 'a"'])
    right = factor("r", ["c", "b:c", "b", "b"])
    result = interact([left, right])
    assert len(set(result.levels)) == 4
    assert sorted(result.codes.tolist()) == [0, 1, 2, 3]
    assert set(result.levels) >= {'"a:b":c', 'a:"b:c"'}


# Pieces that could be glued together in more than one way.
pieces = st.sampled_from(["", "a", "b", ":", '"', "a:b", '":"', '""', "b:"])


@given(st.lists(st.tuples(pieces, pieces, pieces), min_size=1, max_size=30))
def test_cells_and_labels_are_one_to_one(rows):
    columns = [factor(f"f{j}", [row[j] for row in rows]) for j in range(3)]
    result = interact(columns)
    cells = {row: result.levels[code] for row, code in zip(rows, result.codes, strict=True)}
    assert len(set(cells.values())) == len(set(rows)) == len(result.levels)
    levels = [column.levels for column in columns]
    in_order = [cells[cell] for cell in product(*levels) if cell in cells]
    assert list(result.levels) == in_order


@given(
    st.integers(1, 60).flatmap(
        lambda n: st.lists(st.lists(st.integers(-1, 40_000), min_size=n, max_size=n), min_size=2, max_size=5)
    )
)
def test_many_possible_cells(codes):
    factors = [
        Factor(f"f{j}", np.array(c, dtype=np.int32), tuple(map(str, range(40_001))))
        for j, c in enumerate(codes)
    ]
    result = interact(factors)
    rows = [None if min(row) < 0 else row for row in zip(*codes, strict=True)]
    cells = sorted({row for row in rows if row is not None})
    assert result.codes.tolist() == [-1 if row is None else cells.index(row) for row in rows]
    assert result.levels == tuple(":".join(map(str, cell)) for cell in cells)


@given(
    values=st.lists(st.one_of(st.none(), st.integers(-5, 5), st.integers(-(2**63), 2**63 - 1)), max_size=30),
    dtype=st.sampled_from(["Int64", "list"]),
)
def test_integers_are_numbered_in_order_whatever_their_spread(values, dtype):
    known = sorted({v for v in values if v is not None})
    column = pd.array(values, dtype="Int64") if dtype == "Int64" else values
    result = numeric_factor(column)
    assert result.levels == tuple(known)
    assert result.labels() == tuple(map(str, known))
    assert result.codes.tolist() == [-1 if v is None else known.index(v) for v in values]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint64"])
def test_integers_of_every_width(dtype):
    info = np.iinfo(dtype)
    values = np.array([info.max, info.min, 3, info.max], dtype=dtype)
    result = numeric_factor(values)
    assert result.levels == (int(info.min), 3, int(info.max))
    assert result.codes.tolist() == [2, 0, 1, 2]
