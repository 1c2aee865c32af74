"""Behind pandas' public interface: the same values as in front of it, and nothing outlives its data."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mixedmodels.frame import pandas_values
from mixedmodels.frame.pandas_values import index_labels

COLUMNS: dict[str, Any] = {
    "float": [1.5, np.nan, 2.0],
    "int": [1, 2, 3],
    "small": np.array([1, 2, 3], dtype=np.int8),
    "bool": [True, False, True],
    "text": ["a", None, "b"],
    "object": pd.Series(["a", None, "b"], dtype=object),
    "category": pd.Categorical(["a", None, "b"]),
    "nullable": pd.array([1, None, 3], dtype="Int64"),
    "date": pd.date_range("2020-01-01", periods=3),
    "period": pd.period_range("2020-01", periods=3, freq="M"),
}


@pytest.mark.parametrize("public", [False, True])
def test_stored_values_are_those_of_the_column(public: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if public:
        monkeypatch.setattr(pandas_values, "_STORED", None)
    data = pd.DataFrame(COLUMNS)
    # A frame made of parts, with a column whose name repeats.
    data = pd.concat([data, data[["int"]] * 2], axis=1)
    for position in range(data.shape[1]):
        series = data.iloc[:, position]
        values = pandas_values.stored_values(data, position)
        if isinstance(series.dtype, np.dtype) and series.dtype.kind in "fiubO":
            assert isinstance(values, np.ndarray)
        assert values.dtype == series.dtype
        pd.testing.assert_series_equal(pd.Series(values, dtype=series.dtype), series, check_names=False)


def test_labels_of_an_index_are_those_it_holds() -> None:
    for index in (
        pd.Index(["b", "a"]),
        pd.Index([2, 1]),
        pd.RangeIndex(3),
        pd.MultiIndex.from_tuples([(1, "a")]),
    ):
        assert index_labels(index) == tuple(index.tolist())
        assert index_labels(index) is index_labels(index)


def test_labels_are_forgotten_with_their_index() -> None:
    kept = pd.Index(["kept"])
    index_labels(kept)
    gc.collect()
    before = len(pandas_values._known)
    for i in range(100):
        assert index_labels(pd.Index([f"label {i}"])) == (f"label {i}",)
    gc.collect()
    assert len(pandas_values._known) == before
    assert id(kept) in pandas_values._known
