"""Every way of holding the same values gives the same columns."""

from __future__ import annotations

import decimal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from mixedmodels.frame import Factor, Frame, Numeric

VALUES = {
    "x": [1.5, None, -2.0, 4.0],
    "i": [3, None, 1, 3],
    "b": [True, None, False, True],
    "s": ["beta", None, "alpha", "beta"],
    "whole": [7, 8, 9, 7],
}


def numbers(frame: Frame, name: str) -> Numeric:
    column = frame.column(name)
    assert isinstance(column, Numeric)
    return column


def labels(frame: Frame, name: str) -> Factor:
    column = frame.column(name)
    assert isinstance(column, Factor)
    return column


def as_pandas_objects():
    return pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in VALUES.items()})


def as_pandas_nullable():
    dtypes = {"x": "Float64", "i": "Int64", "b": "boolean", "s": "string", "whole": "UInt8"}
    return pd.DataFrame({name: pd.array(VALUES[name], dtype=dtype) for name, dtype in dtypes.items()})


def as_pandas_arrow():
    pa = pytest.importorskip("pyarrow")
    kinds = {"x": pa.float32(), "i": pa.int16(), "b": pa.bool_(), "s": pa.string(), "whole": pa.uint64()}
    return pd.DataFrame(
        {name: pd.array(VALUES[name], dtype=pd.ArrowDtype(kind)) for name, kind in kinds.items()}
    )


def as_polars():
    return pytest.importorskip("polars").DataFrame(VALUES)


def as_polars_chunks():
    pl = pytest.importorskip("polars")
    whole = pl.DataFrame(VALUES)
    return pl.concat([whole[:1], whole[1:3], whole[3:]], rechunk=False)


def as_lazy():
    return as_polars().lazy()


def as_arrow():
    return pytest.importorskip("pyarrow").table(VALUES)


def as_arrow_chunks():
    pa = pytest.importorskip("pyarrow")
    whole = pa.table(VALUES)
    return pa.concat_tables([whole.slice(0, 3), whole.slice(3, 1)])


def as_stream():
    class Stream:
        def __init__(self, table):
            self.table = table

        def __arrow_c_stream__(self, requested_schema=None):
            return self.table.__arrow_c_stream__(requested_schema)

    return Stream(as_arrow())


def as_narwhals():
    return pytest.importorskip("narwhals").from_native(as_polars())


def as_dict_of_series():
    pl, pa = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    return {
        "x": np.array([1.5, np.nan, -2.0, 4.0]),
        "i": pl.Series(VALUES["i"], dtype=pl.Int8),
        "b": pd.Series(VALUES["b"], index=[9, 8, 7, 6]),
        "s": pa.array(VALUES["s"]),
        "whole": np.array([7, 8, 9, 7], dtype=">i4"),
    }


MAKERS = [
    lambda: VALUES,
    lambda: pd.DataFrame(VALUES),
    as_pandas_objects,
    as_pandas_nullable,
    as_pandas_arrow,
    as_polars,
    as_polars_chunks,
    as_lazy,
    as_arrow,
    as_arrow_chunks,
    as_stream,
    as_narwhals,
    as_dict_of_series,
]
NAMES = ["dict", "pandas", "objects", "nullable", "arrow_dtype", "polars", "polars_chunks", "lazy", "arrow"]
NAMES += ["arrow_chunks", "stream", "narwhals", "dict_of_series"]


@pytest.fixture(params=MAKERS, ids=NAMES)
def frame(request):
    return Frame.from_any(request.param())


def test_same_columns_from_every_source(frame):
    assert frame.names == tuple(VALUES)
    assert frame.n_rows == 4
    assert "x" in frame
    assert "X" not in frame
    for name in ("x", "i", "b", "whole"):
        column = frame.column(name)
        assert isinstance(column, Numeric)
        assert column.values.dtype == np.float64
        expected = [np.nan if v is None else float(v) for v in VALUES[name]]
        np.testing.assert_array_equal(column.values, expected)
    text = labels(frame, "s")
    assert text.levels == ("alpha", "beta")
    assert all(type(level) is str for level in text.levels)
    assert text.codes.dtype == np.int32
    assert text.codes.tolist() == [1, -1, 0, 1]
    assert not text.ordered


def test_kinds(frame):
    kinds = {name: frame.column(name).kind for name in ("x", "b", "whole")}
    assert kinds == {"x": "float", "b": "bool", "whole": "int"}


def test_columns_are_read_only_and_kept(frame):
    column = frame.column("x")
    assert frame.column("x") is column
    with pytest.raises(ValueError, match="read-only"):
        column.values[0] = 9
    with pytest.raises(ValueError, match="read-only"):
        labels(frame, "s").codes[0] = 0


def test_rows(frame):
    frame.column("x")
    part = frame.rows(np.array([True, False, False, True]))
    assert part.n_rows == 2
    assert part.names == frame.names
    assert numbers(part, "x").values.tolist() == [1.5, 4.0]
    assert labels(part, "s").codes.tolist() == [1, 1]
    assert labels(part, "s").levels == ("alpha", "beta")
    again = part.rows(np.array([False, True]))
    assert numbers(again, "whole").values.tolist() == [7.0]


def test_a_frame_is_returned_as_it_is(frame):
    assert Frame.from_any(frame) is frame


def test_plain_floats_are_not_copied():
    x = np.array([1.0, 2.0])
    data = pd.DataFrame({"x": x}, copy=False)
    assert np.shares_memory(numbers(Frame.from_any(data), "x").values, data["x"].to_numpy())
    assert np.shares_memory(numbers(Frame.from_any({"x": x}), "x").values, x)
    assert x.flags.writeable


def test_pandas_index_is_kept():
    data = pd.DataFrame({"x": [1.0, 2.0, 3.0]}, index=pd.Index(["p", "q", "r"], name="row"))
    frame = Frame.from_any(data)
    assert frame.index is data.index
    part = frame.rows(np.array([True, False, True]))
    assert part.index is not None
    assert part.index.tolist() == ["p", "r"]
    assert Frame.from_any({"x": [1.0]}).index is None


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("source", ["pandas", "arrow", "dict"])
def test_pandas_categories_keep_order(source, ordered):
    values = pd.Categorical(["low", None, "high"], categories=["low", "mid", "high"], ordered=ordered)
    data = pd.DataFrame({"g": values})
    if source == "arrow":
        data = pytest.importorskip("pyarrow").Table.from_pandas(data)
    elif source == "dict":
        data = {"g": values}
    column = labels(Frame.from_any(data), "g")
    assert column.levels == ("low", "mid", "high")
    assert column.codes.tolist() == [0, -1, 2]
    assert column.ordered is ordered


def test_categories_keep_their_values():
    data = pd.DataFrame(
        {"g": pd.Categorical([30, 4, None], categories=[30, 5, 4]), "h": pd.cut([1, 2, 9], [0, 2, 9])}
    )
    frame = Frame.from_any(data)
    column = labels(frame, "g")
    assert column.levels == (30, 5, 4)
    assert column.labels() == ("30", "5", "4")
    assert labels(frame, "h").labels() == ("(0, 2]", "(2, 9]")


def test_polars_enum_keeps_order_but_is_not_ordered():
    pl = pytest.importorskip("polars")
    data = pl.DataFrame({"g": pl.Series(["c", None, "a"], dtype=pl.Enum(["c", "b", "a"]))})
    for source in (data, data.to_arrow()):
        column = labels(Frame.from_any(source), "g")
        assert column.levels == ("c", "b", "a")
        assert column.codes.tolist() == [0, -1, 2]
        assert not column.ordered


def test_polars_categories_are_sorted_whatever_the_process_saw_before():
    pl = pytest.importorskip("polars")
    pl.Series(["zz", "m", "b"]).cast(pl.Categorical)
    data = pl.DataFrame({"g": pl.Series(["m", "zz", None, "b", "m"]).cast(pl.Categorical)})
    for source in (data, data.to_arrow()):
        column = labels(Frame.from_any(source), "g")
        assert column.levels == ("b", "m", "zz")
        assert column.codes.tolist() == [1, 2, -1, 0, 1]


@pytest.mark.parametrize("index", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
@pytest.mark.parametrize("text", ["string", "large_string", "string_view"])
def test_arrow_dictionaries_of_every_width(index, text):
    pa = pytest.importorskip("pyarrow")
    if not hasattr(pa, text):
        pytest.skip(f"this pyarrow has no {text}")
    codes = pa.array([1, None, 0, 1], type=getattr(pa, index)())
    levels = pa.array(["later", "earlier"]).cast(getattr(pa, text)())
    column = labels(Frame.from_any(pa.table({"g": pa.DictionaryArray.from_arrays(codes, levels)})), "g")
    assert column.levels == ("later", "earlier")
    assert column.codes.tolist() == [1, -1, 0, 1]


def test_arrow_dictionaries_of_several_chunks_with_nulls_and_repeats():
    pa = pytest.importorskip("pyarrow")
    one = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, 3]), pa.array(["u", "u", None, "v"]))
    two = pa.DictionaryArray.from_arrays(pa.array([0, None]), pa.array(["w", "u"]))
    column = labels(Frame.from_any(pa.table({"g": pa.chunked_array([one, two])})), "g")
    assert [None if c < 0 else column.levels[c] for c in column.codes] == ["u", "u", None, "v", "w", None]
    numbers = pa.DictionaryArray.from_arrays(pa.array([1, 0]), pa.array([20, 3]))
    column = labels(Frame.from_any(pa.table({"g": numbers})), "g")
    assert column.levels == (20, 3)


def test_empty_arrow_dictionary():
    pa = pytest.importorskip("pyarrow")
    kind = pa.dictionary(pa.int8(), pa.string())
    column = labels(Frame.from_any(pa.table({"g": pa.chunked_array([], type=kind)})), "g")
    assert len(column) == 0
    assert column.levels == ()


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA, pd.NaT])
def test_every_missing_value_in_objects(missing):
    data = pd.DataFrame(
        {
            "s": pd.Series(["a", missing], dtype=object),
            "i": pd.Series([5, missing], dtype=object),
            "f": pd.Series([0.5, missing], dtype=object),
            "t": pd.Series([True, missing], dtype=object),
            "d": pd.Series([decimal.Decimal("0.25"), missing], dtype=object),
            "none": pd.Series([missing, missing], dtype=object),
        }
    )
    frame = Frame.from_any(data)
    for name in frame.names:
        assert frame.column(name).missing.tolist() == [name == "none", True]
    assert numbers(frame, "d").values[0] == 0.25


def test_decimals_are_floats():
    values = [decimal.Decimal("1.25"), None, decimal.Decimal(2)]
    sources = [{"x": values}, pytest.importorskip("polars").DataFrame({"x": values})]
    sources.append(pytest.importorskip("pyarrow").table({"x": values}))
    for source in sources:
        column = numbers(Frame.from_any(source), "x")
        assert column.kind == "float"
        np.testing.assert_array_equal(column.values, [1.25, np.nan, 2.0])


def test_small_unsigned_integers_become_floats():
    column = numbers(Frame.from_any({"x": np.array([200, 100], dtype=np.uint8)}), "x")
    assert (column.values * column.values).tolist() == [40000.0, 10000.0]


def test_other_numeric_storage():
    data = pd.DataFrame(
        {
            "sparse": pd.arrays.SparseArray([0.0, 0.0, 2.0]),
            "half": np.array([0.5, 1.0, 2.0], dtype=np.float16),
            "flag": np.array([True, False, True]),
        }
    )
    frame = Frame.from_any(data)
    assert numbers(frame, "sparse").values.tolist() == [0.0, 0.0, 2.0]
    assert numbers(frame, "half").values.tolist() == [0.5, 1.0, 2.0]
    assert numbers(frame, "flag").kind == "bool"
    masked = np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False])
    np.testing.assert_array_equal(numbers(Frame.from_any({"x": masked}), "x").values, [1.0, np.nan, 3.0])


def test_infinities_stay():
    assert numbers(Frame.from_any({"x": [1.0, float("inf")]}), "x").values[1] == np.inf


def test_lazy_frame_runs_once_for_what_is_needed():
    pl = pytest.importorskip("polars")
    calls = []

    def spy(table):
        calls.append(table.columns)
        return table

    wide = pl.LazyFrame(VALUES | {"unused": [["nested"]] * 4}).map_batches(spy, projection_pushdown=True)
    frame = Frame.from_any(wide)
    assert calls == []
    frame.prefetch(["x", "s"])
    assert numbers(frame, "x").values[0] == 1.5
    assert labels(frame, "s").levels == ("alpha", "beta")
    assert frame.n_rows == 4
    assert len(calls) == 1
    assert numbers(frame, "whole").values[0] == 7
    assert len(calls) == 2


def test_lazy_frame_with_unstable_rows_is_refused():
    pl = pytest.importorskip("polars")
    runs = []

    def shuffle(table):
        runs.append(1)
        return table if len(runs) == 1 else table.reverse()

    frame = Frame.from_any(pl.LazyFrame({"x": [1, 2, 3], "y": [4, 5, 6]}).map_batches(shuffle))
    frame.column("x")
    with pytest.raises(ValueError, match="order of rows"):
        frame.column("y")


def test_only_the_asked_column_is_converted():
    data = pd.DataFrame({"x": [1.0], "when": pd.to_datetime(["2024-01-01"]), "odd": [[1, 2]]})
    assert numbers(Frame.from_any(data), "x").values.tolist() == [1.0]


def test_optional_libraries_are_not_imported():
    # pandas itself looks for pyarrow; polars must stay out altogether.
    code = (
        "import sys, pandas as pd; before = 'pyarrow.compute' in sys.modules\n"
        "from mixedmodels.frame import Frame\n"
        "f = Frame.from_any(pd.DataFrame({'x': [1.0], 's': ['a']})); f.column('x'); f.column('s')\n"
        "f = Frame.from_any({'x': [1.0], 's': ['a']}); f.column('x'); f.column('s')\n"
        "assert 'polars' not in sys.modules\n"
        "assert 'mixedmodels.frame.arrow_column' not in sys.modules\n"
        "assert 'mixedmodels.frame.polars_column' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
