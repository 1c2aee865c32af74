"""Values beside a data frame: pandas objects are matched by their index, the rest goes by position."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from mixedmodels.errors import ArgumentError
from mixedmodels.frame import Frame
from mixedmodels.frame.alignment import in_row_order

INDEXES = {
    "numbers": pd.RangeIndex(6),
    "text": pd.Index(list("fbdace")),
    "dates": pd.date_range("2024-01-01", periods=6),
    "several levels": pd.MultiIndex.from_product([["a", "b"], [1, 2, 3]]),
}


@pytest.mark.parametrize("index", INDEXES.values(), ids=INDEXES)
def test_a_permutation_is_undone(index: pd.Index) -> None:
    values = pd.Series(np.arange(6.0), index=index)
    shuffled = values.sample(frac=1, random_state=3)
    assert list(shuffled) != list(values)
    np.testing.assert_array_equal(in_row_order(shuffled, index, "weights"), values)
    frame = shuffled.to_frame("a").assign(b=1.0)
    np.testing.assert_array_equal(in_row_order(frame, index, "responses")["a"], values)


@pytest.mark.parametrize(
    "values", [[3, 1, 2], np.array([3, 1, 2]), pl.Series([3, 1, 2]), pd.Index([3, 1, 2])]
)
def test_what_has_no_index_goes_by_position(values: Any) -> None:
    assert in_row_order(values, pd.Index(list("abc")), "weights") is values


def test_equal_indexes_cost_nothing() -> None:
    index = pd.Index(["a", "a", "b"])
    for same in (index, pd.Index(["a", "a", "b"])):
        values = pd.Series([1.0, 2.0, 3.0], index=same)
        assert in_row_order(values, index, "weights") is values
    values = pd.Series([1.0, 2.0, 3.0])
    assert in_row_order(values, None, "weights") is values


@pytest.mark.parametrize(
    ("own", "index", "message"),
    [
        (list("abd"), list("abc"), r"offset: .*1 of 3 labels of the data are not in the Series, such as 'c'"),
        ([1, 2, 3], [0, 1, 2], "such as 0; to match by position, pass an array"),
        (list("aab"), list("aba"), "the Series has the label 'a' more than once"),
        (list("abc"), list("aab"), "the data has the label 'a' more than once"),
    ],
)
def test_other_indexes_are_refused(own: list[Any], index: list[Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message) as caught:
        in_row_order(pd.Series([1.0, 2.0, 3.0], index=own), pd.Index(index), "offset")
    assert "Series.to_numpy()" in str(caught.value)


def test_the_series_of_a_mapping_are_matched_to_the_first_one() -> None:
    data = pd.DataFrame({"y": [1.0, 2.0, 3.0], "x": [4.0, 5.0, 6.0]}, index=list("abc"))
    frame = Frame.from_any({"y": data["y"], "x": data["x"].iloc[::-1], "z": [7.0, 8.0, 9.0]})
    np.testing.assert_array_equal(frame.column("x").values, data["x"])
    np.testing.assert_array_equal(frame.column("z").values, [7, 8, 9])
    with pytest.raises(
        ArgumentError, match="column 'x' of data: the Series and the first Series have different indexes"
    ):
        Frame.from_any({"y": data["y"], "x": data["x"].reset_index(drop=True)}).column("x")
