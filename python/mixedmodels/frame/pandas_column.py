"""A pandas Series as a column."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import infer_dtype

from .column import Column, Factor, Numeric, make_factor, make_integers, make_missing, make_numeric
from .index_labels import index_labels
from .refuse import is_number, mixed_or_odd, refusal, too_large

_REFUSED_KINDS = {
    "c": "complex numbers",
    "M": "dates or times",
    "m": "time spans",
    "S": "bytes",
    "V": "nested values",
}
_REFUSED_CONTENT = {
    "complex": "complex numbers",
    "bytes": "bytes",
    "date": "dates or times",
    "datetime": "dates or times",
    "datetime64": "dates or times",
    "time": "dates or times",
    "period": "dates or times",
    "timedelta": "time spans",
    "timedelta64": "time spans",
    "interval": "intervals",
}


def pandas_column(name: str, series: pd.Series) -> Column:
    """Convert a Series; a plain float64 one is not copied."""
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        # Copied: the codes of a Series change with it.
        codes = np.array(series.array.codes, dtype=np.int32)  # pyright: ignore[reportAttributeAccessIssue]
        return make_factor(name, codes, index_labels(dtype.categories), bool(dtype.ordered))
    if isinstance(dtype, pd.ArrowDtype):
        from .arrow_column import arrow_column

        return arrow_column(name, series.array.__arrow_array__())  # pyright: ignore[reportAttributeAccessIssue]
    if isinstance(dtype, pd.StringDtype):
        return _text(name, series)
    if isinstance(dtype, pd.PeriodDtype):
        raise refusal(name, "dates or times", dtype)
    if isinstance(dtype, pd.IntervalDtype):
        raise refusal(name, "intervals", dtype)
    if isinstance(dtype, np.dtype) and dtype.kind == "O":
        return _objects(name, series)
    if dtype.kind in _REFUSED_KINDS:
        raise refusal(name, _REFUSED_KINDS[dtype.kind], dtype)
    if dtype.kind in "fiub":
        return _numbers(name, series)
    raise refusal(name, "values of unknown kind", dtype)


def _numbers(name: str, series: pd.Series) -> Numeric:
    dtype = series.dtype
    if isinstance(dtype, np.dtype):
        values = series.to_numpy()
        if dtype.kind in "iu":
            return make_integers(name, values, None)
        return make_numeric(name, values, "bool" if dtype.kind == "b" else "float")
    if dtype.kind in "iu":
        missing = series.isna().to_numpy(dtype=bool)
        filler = np.uint64 if dtype.kind == "u" else np.int64
        return make_integers(name, series.to_numpy(dtype=filler, na_value=0), missing)
    values = series.to_numpy(dtype=np.float64, na_value=np.nan)
    return make_numeric(name, values, "bool" if dtype.kind == "b" else "float")


def _text(name: str, series: pd.Series) -> Factor:
    codes, levels = pd.factorize(series, sort=True)
    return make_factor(name, codes, map(str, levels))


def _objects(name: str, series: pd.Series) -> Column:
    if infer_dtype(series, skipna=True) == "string":
        return _text(name, series)
    missing = series.isna().to_numpy()
    if missing.all():
        return make_missing(name, len(series))
    # One kind of missing value: NaT among other values would count as a date.
    values = series.to_numpy(dtype=object, copy=True)
    values[missing] = None
    content = infer_dtype(values, skipna=True)
    if content == "string":
        return _text(name, pd.Series(values, dtype=object))
    if content in _REFUSED_CONTENT:
        raise refusal(name, _REFUSED_CONTENT[content])
    if content == "integer":
        return make_integers(name, _machine_integers(name, np.where(missing, 0, values)), missing)
    if content == "boolean":
        return make_numeric(name, np.where(missing, np.nan, values).astype(np.float64), "bool")
    # pandas has no name for some mixtures of number classes (Decimal with int, say).
    if content in ("floating", "mixed-integer-float", "decimal") or all(map(is_number, values[~missing])):
        return make_numeric(name, np.where(missing, np.nan, values).astype(np.float64), "float")
    raise mixed_or_odd(name, values)


def _machine_integers(name: str, values: Any) -> Any:
    integers = values.tolist()
    for dtype in (np.int64, np.uint64):
        try:
            return np.array(integers, dtype=dtype)
        except OverflowError:
            continue
    raise too_large(name)
