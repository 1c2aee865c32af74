"""Stored columns as a data frame of the library asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .store import StoredColumn

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa


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
