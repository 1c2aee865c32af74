"""The packaged files, one npz archive for each data set, and their columns as a data frame of any library."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa


@dataclass(frozen=True, eq=False)
class StoredColumn:
    """
    One column as it is in the file.

    Attributes
    ----------
    name : str
        Column name.
    kind : {"float64", "int64", "factor", "ordered"}
        Type of the column in a data frame.
    values : ndarray, shape (n,)
        The numbers, or for factors the codes, -1 where missing.
    levels : tuple of str
        Levels in order; empty for numbers.
    """

    name: str
    kind: Literal["float64", "int64", "factor", "ordered"]
    values: NDArray[Any]
    levels: tuple[str, ...] = ()


def write_columns(path: Any, columns: list[StoredColumn]) -> None:
    """Write an archive; integers and codes take the smallest type that holds them."""
    arrays: dict[str, NDArray[Any]] = {
        "names": np.array([column.name for column in columns]),
        "kinds": np.array([column.kind for column in columns]),
    }
    for i, column in enumerate(columns):
        values = column.values
        if column.kind == "float64":
            arrays[f"values{i}"] = values
            continue
        low, high = np.min_scalar_type(values.min()), np.min_scalar_type(values.max())
        arrays[f"values{i}"] = values.astype(np.promote_types(low, high))
        if column.kind != "int64":
            arrays[f"levels{i}"] = np.array(column.levels)
    np.savez_compressed(path, **arrays)  # pyright: ignore[reportArgumentType]


def read_columns(name: str) -> list[StoredColumn]:
    """The columns of a packaged data set, in order."""
    path = files("mixedmodels.datasets") / "data" / f"{name}.npz"
    with path.open("rb") as file, np.load(file) as archive:
        columns = []
        for i, (column, kind) in enumerate(
            zip(archive["names"].tolist(), archive["kinds"].tolist(), strict=True)
        ):
            values = archive[f"values{i}"]
            levels = tuple(archive[f"levels{i}"].tolist()) if kind in ("factor", "ordered") else ()
            columns.append(StoredColumn(column, kind, values, levels))
    return columns


def to_pandas(columns: list[StoredColumn]) -> pd.DataFrame:
    """Factors become categoricals (ordered where they are so in R), missing numbers NaN."""
    import pandas as pd

    def convert(column: StoredColumn) -> Any:
        if column.levels:
            dtype = pd.CategoricalDtype(list(column.levels), ordered=column.kind == "ordered")
            return pd.Categorical.from_codes(column.values, dtype=dtype)
        return column.values.astype(column.kind)

    return pd.DataFrame({column.name: convert(column) for column in columns})


def to_polars(columns: list[StoredColumn]) -> pl.DataFrame:
    """Factors become Enums, which keep the order of the levels; missing values are null."""
    import polars as pl

    def convert(column: StoredColumn) -> pl.Series:
        if column.levels:
            codes = pl.Series(column.name, np.where(column.values < 0, len(column.levels), column.values))
            levels = pl.Series([*column.levels, None], dtype=pl.Enum(column.levels))
            return levels.gather(codes).alias(column.name)
        return pl.Series(column.name, column.values.astype(column.kind)).fill_nan(None)

    return pl.DataFrame([convert(column) for column in columns])


def to_pyarrow(columns: list[StoredColumn]) -> pa.Table:
    """Factors become dictionaries (ordered where they are so in R), missing values null."""
    import pyarrow as pa

    def convert(column: StoredColumn) -> Any:
        if column.levels:
            codes = pa.array(column.values.astype(np.int32), mask=column.values < 0)
            return pa.DictionaryArray.from_arrays(
                codes, list(column.levels), ordered=column.kind == "ordered"
            )
        return pa.array(column.values.astype(column.kind), from_pandas=True)

    return pa.table({column.name: convert(column) for column in columns})
