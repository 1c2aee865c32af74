"""
Every packaged data set is what R has.

facts.json was written once from the parquet files exported from R (the packages and versions
are those the catalogue names): numbers of rows, columns in order, types, levels in order, and
CRC-32 checksums of the levels, of the labels row by row, and of the numbers.
"""

from __future__ import annotations

import doctest
import inspect
import json
import pickle
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mixedmodels import datasets
from mixedmodels.datasets import dataset_names, load_dataset
from mixedmodels.datasets.catalogue import CATALOGUE
from mixedmodels.errors import ArgumentError
from mixedmodels.frame import Factor, Frame

FACTS = json.loads(Path(__file__).with_name("facts.json").read_text(encoding="utf-8"))
NAMES = sorted(FACTS, key=str.lower)


def text_checksum(labels):
    return zlib.crc32("\n".join(labels).encode())


def number_checksum(values):
    if values.dtype == np.float64:
        # The bits of NaN are not the same everywhere.
        return zlib.crc32(np.where(np.isnan(values), -9e99, values).astype("<f8").tobytes())
    return zlib.crc32(values.astype("<i8").tobytes())


@pytest.mark.parametrize("name", NAMES)
def test_as_in_r(name):
    data = load_dataset(name)
    expected = FACTS[name]
    assert list(data.columns) == list(expected["columns"])
    assert len(data) == expected["n_rows"]
    assert data.index.equals(pd.RangeIndex(len(data)))
    for column, facts in expected["columns"].items():
        values = data[column]
        if facts["dtype"] in ("factor", "ordered"):
            assert isinstance(values.dtype, pd.CategoricalDtype)
            assert bool(values.dtype.ordered) is (facts["dtype"] == "ordered")
            levels = values.dtype.categories.tolist()
            assert len(levels) == facts["n_levels"]
            assert levels[: len(facts["levels"])] == facts["levels"]
            assert text_checksum(levels) == facts["levels_crc"]
            labels = ["" if pd.isna(value) else value for value in values]
            assert text_checksum(labels) == facts["values_crc"]
        else:
            assert values.dtype == facts["dtype"]
            assert values.isna().sum() == facts["missing"]
            assert values.sum() == pytest.approx(facts["sum"], rel=1e-12)
            assert number_checksum(values.to_numpy()) == facts["values_crc"]


@pytest.mark.parametrize("backend", ["polars", "pyarrow"])
@pytest.mark.parametrize("name", NAMES)
def test_backends_agree(name, backend):
    pytest.importorskip(backend)
    reference, frame = Frame.from_any(load_dataset(name)), Frame.from_any(load_dataset(name, backend))
    assert frame.names == reference.names
    assert frame.n_rows == reference.n_rows
    for column in reference.names:
        wanted, got = reference.column(column), frame.column(column)
        if isinstance(wanted, Factor):
            assert isinstance(got, Factor)
            assert got.levels == wanted.levels
            np.testing.assert_array_equal(got.codes, wanted.codes)
            assert got.ordered is (wanted.ordered and backend == "pyarrow")
        else:
            assert not isinstance(got, Factor)
            assert got.kind == wanted.kind
            np.testing.assert_array_equal(got.values, wanted.values)


def test_backend_frames_are_native():
    polars, pyarrow = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    in_polars, in_arrow = load_dataset("carrots", "polars"), load_dataset("carrots", "pyarrow")
    assert isinstance(in_polars, polars.DataFrame)
    assert isinstance(in_arrow, pyarrow.Table)
    assert in_polars["Income"].null_count() == in_arrow["Income"].null_count == 72
    assert in_polars["Preference"].null_count() == in_arrow["Preference"].null_count == 3


def test_every_data_set_has_its_loader():
    loaders = {name for name in datasets.__all__ if name not in ("dataset_names", "load_dataset")}
    assert loaders == {entry.loader for entry in CATALOGUE.values()}


def test_names():
    assert list(dataset_names()) == NAMES
    assert load_dataset("INSTEVAL").shape == (73421, 7)
    with pytest.raises(
        ArgumentError, match=r"no data set 'sleepstudi'; did you mean 'sleepstudy'.*Arabidopsis, "
    ):
        load_dataset("sleepstudi")
    with pytest.raises(ArgumentError, match="backend must be"):
        load_dataset("cake", "dask")  # pyright: ignore[reportArgumentType, reportCallIssue]


def test_loads_are_independent():
    first = load_dataset("Rail")
    first.loc[0, "travel"] = -1.0
    assert load_dataset("Rail").loc[0, "travel"] != -1.0


@pytest.mark.parametrize("name", NAMES)
def test_catalogue_describes_the_data(name):
    entry = CATALOGUE[name]
    assert list(entry.columns) == list(FACTS[name]["columns"])
    assert entry.n_rows == FACTS[name]["n_rows"]
    assert not entry.title.endswith(".")
    assert entry.references or "names no publication" in entry.origin or "provided there by" in entry.origin


@pytest.mark.parametrize("name", NAMES)
def test_loader(name):
    loader = getattr(datasets, f"load_{name.lower()}")
    assert loader.__name__ in datasets.__all__
    pd.testing.assert_frame_equal(loader(), load_dataset(name))
    text = loader.__doc__
    for column in FACTS[name]["columns"]:
        assert f"``{column}``:" in text
    assert text.splitlines()[0] == f"{CATALOGUE[name].title}."
    assert pickle.loads(pickle.dumps(loader)) is loader
    assert str(inspect.signature(loader)) == "() -> 'pd.DataFrame'"
    examples = doctest.DocTestFinder(recurse=False).find(loader, loader.__name__, globs={})
    runner = doctest.DocTestRunner()
    assert sum(runner.run(example).failed for example in examples) == 0
    assert runner.summarize().attempted > 0


def test_other_examples():
    from mixedmodels.datasets import load

    result = doctest.testmod(load)
    assert result.attempted > 0
    assert result.failed == 0


def test_no_optional_library_is_needed():
    code = (
        "import sys\n"
        "from mixedmodels.datasets import load_dataset\n"
        "assert 'pandas' not in sys.modules\n"
        "load_dataset('sleepstudy')\n"
        "assert 'polars' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_size_in_the_wheel():
    folder = Path(datasets.__file__).with_name("data")
    assert sorted(path.stem for path in folder.iterdir()) == sorted(NAMES)
    assert sum(path.stat().st_size for path in folder.iterdir()) < 500_000
