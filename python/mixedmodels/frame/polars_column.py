"""A polars Series as a column. Imported only when the data is polars."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from .column import Column, Factor, Numeric, make_factor, make_integers, make_missing, make_numeric
from .unusable import refusal, time_labels, too_large


def polars_column(name: str, series: pl.Series) -> Column:
    """Convert a Series; a Float64 Series in one chunk without nulls is not copied."""
    dtype = series.dtype
    if dtype == pl.Null:
        return make_missing(name, len(series))
    if dtype == pl.Boolean:
        return make_numeric(name, series.cast(pl.Float64).to_numpy(), "bool")
    if dtype.is_integer():
        return _integers(name, series)
    if dtype.is_float() or dtype.is_decimal():
        return make_numeric(name, series.cast(pl.Float64).to_numpy(), "float")
    if dtype == pl.String:
        return _text(name, series)
    if isinstance(dtype, pl.Enum):
        codes = series.to_physical().cast(pl.Int32).fill_null(-1).to_numpy()
        return make_factor(name, codes, dtype.categories.to_list())
    if dtype == pl.Categorical:
        # Its codes number the strings of the whole process, in no order that the user chose.
        return _text(name, series.cast(pl.String))
    if dtype == pl.Object:
        from .pandas_column import pandas_column

        return pandas_column(name, pd.Series(series.to_list(), dtype=object).to_numpy())
    if dtype.is_temporal():
        refused = refusal(name, "time spans" if dtype == pl.Duration else "dates or times", dtype)
        return time_labels(name, _times(series), refused)
    if dtype == pl.Binary:
        raise refusal(name, "bytes", dtype)
    raise refusal(name, "nested values" if dtype.is_nested() else "values of unknown kind", dtype)


def _times(series: pl.Series) -> Any:
    """Moments and time spans as pandas stores them, to the nanosecond; dates and times of day as objects."""
    unit = getattr(series.dtype, "time_unit", None)
    if unit is None:
        return np.array(series.to_list(), dtype=object)
    kind = "m8" if series.dtype == pl.Duration else "M8"
    numbers = series.to_physical().fill_null(np.iinfo(np.int64).min).to_numpy()
    values = numbers.astype(np.int64).view(f"{kind}[{unit}]")
    zone = getattr(series.dtype, "time_zone", None)
    return values if zone is None else pd.DatetimeIndex(values, tz="UTC").tz_convert(zone)


def _integers(name: str, series: pl.Series) -> Numeric:
    missing = series.is_null().to_numpy() if series.null_count() else None
    filled = series.fill_null(0)
    if not (series.dtype == pl.UInt64 or filled.dtype == pl.Int64):
        try:
            filled = filled.cast(pl.Int64)
        except pl.exceptions.PolarsError:
            raise too_large(name) from None
    return make_integers(name, filled.to_numpy(), missing)


def _text(name: str, series: pl.Series) -> Factor:
    levels = series.unique().drop_nulls().sort()
    if not len(levels):
        return make_factor(name, np.full(len(series), -1), ())
    # An Enum looks up every string once, in parallel, and numbers them in the order given.
    codes = series.cast(pl.Enum(levels)).to_physical().cast(pl.Int32).fill_null(-1)
    return make_factor(name, codes.to_numpy(), levels.to_list())
