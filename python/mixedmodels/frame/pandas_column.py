"""A column of a pandas data frame as a typed column."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import infer_dtype

from .column import Column, Factor, Numeric, make_factor, make_integers, make_missing, make_numeric
from .pandas_values import index_labels
from .unusable import is_number, mixed_or_odd, refusal, time_labels, too_large

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


def pandas_column(name: str, values: Any) -> Column:
    """Convert a numpy array or one of pandas' arrays; plain numbers are not copied."""
    dtype = values.dtype
    if isinstance(dtype, np.dtype):
        return _numpy_column(name, values)
    if isinstance(dtype, pd.CategoricalDtype):
        # Copied: the codes change with the data frame.
        codes = np.array(values.codes, dtype=np.int32)
        return make_factor(name, codes, index_labels(dtype.categories), bool(dtype.ordered))
    if isinstance(dtype, pd.ArrowDtype):
        from .arrow_column import arrow_column

        return arrow_column(name, values.__arrow_array__())
    if isinstance(dtype, pd.StringDtype):
        return _text(name, values)
    if isinstance(dtype, pd.PeriodDtype):
        return time_labels(name, values, refusal(name, "dates or times", dtype))
    if isinstance(dtype, pd.IntervalDtype):
        raise refusal(name, "intervals", dtype)
    if dtype.kind in "fiub":
        return _masked(name, values)
    if dtype.kind in "mM":
        return time_labels(name, values, refusal(name, _REFUSED_KINDS[dtype.kind], dtype))
    if dtype.kind in _REFUSED_KINDS:
        raise refusal(name, _REFUSED_KINDS[dtype.kind], dtype)
    raise refusal(name, "values of unknown kind", dtype)


def _numpy_column(name: str, values: Any) -> Column:
    kind = values.dtype.kind
    if kind in "iu":
        return make_integers(name, values, None)
    if kind in "fb":
        return make_numeric(name, values, "bool" if kind == "b" else "float")
    if kind == "O":
        return _objects(name, values)
    if kind in "mM":
        return time_labels(name, values, refusal(name, _REFUSED_KINDS[kind], values.dtype))
    raise refusal(name, _REFUSED_KINDS.get(kind, "values of unknown kind"), values.dtype)


def _masked(name: str, values: Any) -> Numeric:
    kind = values.dtype.kind
    if kind in "iu":
        filler = np.uint64 if kind == "u" else np.int64
        return make_integers(name, values.to_numpy(dtype=filler, na_value=0), np.asarray(values.isna()))
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    return make_numeric(name, numbers, "bool" if kind == "b" else "float")


def _text(name: str, values: Any) -> Factor:
    codes, levels = pd.factorize(values, sort=True)
    return make_factor(name, codes, map(str, levels.tolist()))


def _objects(name: str, values: Any) -> Column:
    if infer_dtype(values, skipna=True) == "string":
        return _text(name, values)
    missing = pd.isna(values)
    if missing.all():
        return make_missing(name, len(values))
    # Only one kind of missing value: NaT among other values would count as a date.
    values = values.copy()
    values[missing] = None
    content = infer_dtype(values, skipna=True)
    if content == "string":
        return _text(name, values)
    if content in _REFUSED_CONTENT:
        refused = refusal(name, _REFUSED_CONTENT[content])
        if _REFUSED_CONTENT[content] in ("dates or times", "time spans"):
            return time_labels(name, values, refused)
        raise refused
    if content == "integer":
        return make_integers(name, _machine_integers(name, np.where(missing, 0, values)), missing)
    if content == "boolean":
        return make_numeric(name, np.where(missing, np.nan, values).astype(np.float64), "bool")
    # pandas does not classify some mixtures of number types (Decimal with int, say).
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
