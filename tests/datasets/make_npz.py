"""
Write the packaged data sets from parquet files exported from R.

    python tests/datasets/make_npz.py SOURCE_FOLDER TARGET_FOLDER

A factor must be a categorical in the parquet file, with R's order of levels, and an ordered
factor an ordered one. Every data set of the catalogue must be there.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from mixedmodels.datasets.catalogue import CATALOGUE
from mixedmodels.datasets.store import StoredColumn, write_columns


def stored(name: str, values: pd.Series) -> StoredColumn:
    """A column of a data frame as it goes into the file."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        kind = "ordered" if values.cat.ordered else "factor"
        return StoredColumn(name, kind, values.cat.codes.to_numpy(), tuple(map(str, values.cat.categories)))
    if values.dtype not in ("float64", "int64"):
        raise TypeError(f"column {name!r} has dtype {values.dtype}")
    return StoredColumn(name, "float64" if values.dtype == "float64" else "int64", values.to_numpy())


def main() -> None:
    """Convert every data set of the catalogue."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path, help="folder of parquet files")
    parser.add_argument("target", type=Path, help="folder for npz files")
    folders = parser.parse_args()
    for name in CATALOGUE:
        data = pd.read_parquet(folders.source / f"{name}.parquet")
        columns = [stored(column, data[column]) for column in data]
        path = folders.target / f"{name}.npz"
        write_columns(path, columns)
        print(f"{path.stat().st_size:8d} {name}")


if __name__ == "__main__":
    main()
