"""What is not data, or not usable data, is refused with a message that names it."""

from __future__ import annotations

import csv
import datetime
import io
import pathlib
import sqlite3

import numpy as np
import pandas as pd
import pytest

from mixedmodels.errors import ArgumentError, DataError, MissingColumnError
from mixedmodels.frame import Frame


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "newdata is None"),
        (3, "newdata is an int"),
        ("table.csv", "read the file first"),
        (np.zeros((3, 2)), "no column names"),
        ([1, 2], "no column names"),
        (pd.Series([1.0]), "single column"),
        (object(), "newdata is an object"),
        ({}, "newdata has no columns"),
        (pd.DataFrame(index=[0, 1]), "newdata has no columns"),
        ({"a": [1, 2], "b": [1, 2, 3]}, "'a' has 2, 'b' has 3"),
        ({"a": [1, 2], "b": 5}, "column 'b' of newdata is an int"),
        ({"a": [1, 2], "b": "no"}, "column 'b' of newdata is a str"),
        ({"a": [1, 2], "b": None}, "column 'b' of newdata is None"),
        ({"a": np.array(1.0)}, "column 'a' of newdata is a single value"),
    ],
)
def test_not_a_data_frame(data, message):
    with pytest.raises(DataError) as caught:
        Frame.from_any(data, what="newdata")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("data", "advice"),
    [
        (({"y": i} for i in range(3)), "a generator, .*read only once.*DataFrame\\(list\\(data\\)\\)"),
        (iter([1, 2]), "a list_iterator, .*read only once"),
        (zip([1], [2], strict=True), "a zip, .*read only once"),
        (map(str, [1]), "a map, .*read only once"),
        (csv.DictReader(io.StringIO("a,b")), "a DictReader, .*read only once"),
        (io.StringIO("a,b"), "a StringIO, .*read the file first"),
        (io.BytesIO(b"a,b"), "a BytesIO, .*read the file first"),
        (pathlib.Path("table.csv"), "Path, .*read the file first"),
        (pd.read_csv(io.StringIO("a,b\n1,2"), chunksize=1), "a TextFileReader, .*pandas.concat"),
        (sqlite3.connect(":memory:").execute("select 1 as a"), "a Cursor, .*cursor.fetchall"),
        ({"a": (i for i in range(3))}, "column 'a' of newdata is a generator.*list\\(\\)"),
        ({"a": iter([1, 2])}, "column 'a' of newdata is a list_iterator.*list\\(\\)"),
    ],
)
def test_what_must_be_read_first(data, advice):
    """Nothing is taken from it before the refusal."""
    with pytest.raises(DataError, match=f"^{'' if isinstance(data, dict) else 'newdata is '}.*{advice}"):
        Frame.from_any(data, what="newdata")


def test_polars_series_and_arrow_array_are_single_columns():
    pl, pa = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    for data in (pl.Series([1]), pa.chunked_array([[1]])):
        with pytest.raises(DataError, match="single column"):
            Frame.from_any(data)


def test_matrix_column():
    with pytest.raises(DataError, match=r"column 'a' has shape \(2, 3\)"):
        Frame.from_any({"a": np.zeros((2, 3))}).column("a")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1, 2, "three"], r"row 2 .*'three' \(str\) while row 0 holds 1 \(int\)"),
        ([None, "a", 2.5], r"row 2 .*2.5 \(float\) while row 1 holds 'a' \(str\)"),
        ([True, "a"], "mixes True or False and text"),
        ([True, 0], "mixes True or False and numbers"),
        ([1j, 2], "complex numbers"),
        ([b"a"], "decode"),
        ([[1], [2]], "nested values"),
        ([{"a": 1}, None], "nested values"),
        ([datetime.date(2024, 1, 1)], "dates or times"),
        ([datetime.datetime(2024, 1, 1), None], "dates or times"),
        ([datetime.timedelta(1)], "time spans"),
        ([2**64, 1], "beyond 64 bits"),
        ([object(), 1], "object objects"),
    ],
)
def test_unusable_objects(values, message):
    with pytest.raises(DataError, match=message) as caught:
        Frame.from_any({"odd": values}).column("odd")
    assert "'odd'" in str(caught.value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (pd.to_datetime(["2024-01-01"]), "dates or times"),
        (pd.to_datetime(["2024-01-01"], utc=True), "dates or times"),
        (pd.to_timedelta(["1D"]), "time spans"),
        (pd.period_range("2024", periods=1, freq="Y"), "dates or times"),
        (pd.interval_range(0, 1), "intervals"),
        (np.array([1 + 2j]), "complex numbers"),
        (np.array([(1, 2)], dtype=[("a", int), ("b", int)]), "nested values"),
    ],
)
def test_unusable_dtypes(values, message):
    with pytest.raises(DataError, match=message):
        Frame.from_any({"odd": values}).column("odd")


def test_unusable_polars_and_arrow_dtypes():
    pl = pytest.importorskip("polars")
    table = pl.DataFrame(
        {
            "date": [datetime.date(2024, 1, 1)],
            "moment": [datetime.datetime(2024, 1, 1)],
            "clock": [datetime.time(1)],
            "span": [datetime.timedelta(1)],
            "list": [[1, 2]],
            "struct": [{"a": 1}],
            "binary": [b"x"],
            "fine": [1.0],
        }
    )
    expected = {"date": "dates", "moment": "dates", "clock": "dates", "span": "spans"}
    expected |= {"list": "nested", "struct": "nested", "binary": "bytes"}
    for source in (table, table.to_arrow()):
        frame = Frame.from_any(source)
        assert "fine" in frame
        assert len(frame.column("fine")) == 1
        for name, message in expected.items():
            with pytest.raises(DataError, match=message) as caught:
                frame.column(name)
            assert repr(name) in str(caught.value)


def test_levels_that_look_the_same():
    values = pd.Categorical([1, "1"], categories=[1, "1"])
    with pytest.raises(DataError, match="print alike"):
        Frame.from_any({"g": values}).column("g")


def test_missing_column():
    frame = Frame.from_any(
        pd.DataFrame({"days": [1], "reaction": [2.0]}).rename_axis("subject"), what="newdata"
    )
    with pytest.raises(MissingColumnError, match=r"newdata has no column 'dayz'; did you mean 'days'?"):
        frame.column("dayz")
    with pytest.raises(KeyError, match="reset_index"):
        frame.column("subject")
    with pytest.raises(DataError, match="its columns are 'days', 'reaction'"):
        frame.prefetch(["days", "zzzz"])


@pytest.mark.parametrize("kind", ["pandas", "arrow"])
def test_duplicate_names_matter_only_when_used(kind):
    if kind == "pandas":
        data = pd.DataFrame([[1.0, 2.0, 3.0]], columns=["a", "a", "b"])
    else:
        pa = pytest.importorskip("pyarrow")
        data = pa.Table.from_arrays(
            [pa.array([1.0]), pa.array([2.0]), pa.array([3.0])], names=["a", "a", "b"]
        )
    frame = Frame.from_any(data)
    assert not frame.column("b").missing.any()
    with pytest.raises(DataError, match="2 columns called 'a'"):
        frame.column("a")


@pytest.mark.parametrize("mask", [np.array([0, 1]), np.array([True]), np.array([[True, False]])])
def test_row_masks_are_checked(mask):
    with pytest.raises(ArgumentError, match="2 booleans"):
        Frame.from_any({"a": [1, 2]}).rows(mask)
