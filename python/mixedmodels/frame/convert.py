"""A single column (an array, a list, a Series of any library) as a typed column."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pandas as pd

from ..errors import DataError
from ..wording import a_kind
from .column import Column
from .pandas_column import pandas_column
from .pandas_values import series_values
from .unusable import refusal


def convert(name: str, values: Any) -> Column:
    """Convert the values of column ``name`` from any library."""
    if isinstance(values, pd.Series):
        return pandas_column(name, series_values(values))
    if isinstance(values, (pd.Index, pd.api.extensions.ExtensionArray)):
        return pandas_column(name, series_values(pd.Series(values)))
    if isinstance(values, np.ndarray):
        return _array(name, values)
    if isinstance(values, (list, tuple, range)):
        # As objects: otherwise pandas would turn large integers next to a None into floats.
        objects = np.empty(len(values), dtype=object)
        objects[:] = list(values)
        return pandas_column(name, objects)
    if is_from("polars", "Series", values):
        from .polars_column import polars_column

        return polars_column(name, values)
    if is_from("pyarrow", "Array", values) or is_from("pyarrow", "ChunkedArray", values):
        from .arrow_column import arrow_column

        return arrow_column(name, values)
    return _other(name, values)


def is_from(library: str, kind: str, value: Any) -> bool:
    """Whether ``value`` is an instance of ``library.kind``; imports nothing."""
    module = sys.modules.get(library)
    return module is not None and isinstance(value, getattr(module, kind, ()))


def _array(name: str, values: np.ndarray) -> Column:
    if values.ndim != 1:
        raise DataError(f"column {name!r} has shape {values.shape}; give one value for each row, shape (n,)")
    if values.dtype.kind == "V":
        raise refusal(name, "nested values", values.dtype)
    if not values.dtype.isnative:
        values = values.astype(values.dtype.newbyteorder("="))
    if isinstance(values, np.ma.MaskedArray) or values.dtype.kind not in "fiubO":
        return pandas_column(name, series_values(pd.Series(values, copy=False)))
    return pandas_column(name, np.asarray(values))


def _other(name: str, values: Any) -> Column:
    import narwhals as nw

    series = nw.from_native(values, series_only=True, pass_through=True)
    if isinstance(series, nw.Series):
        native = series.to_native()
        return convert(name, series.to_pandas() if native is values else native)
    array = np.asarray(values)
    if array.ndim == 0:
        raise DataError(
            f"column {name!r} is {a_kind(values)}, not a list or an array; give one value for each row"
        )
    return _array(name, array)
