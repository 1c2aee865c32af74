"""An Arrow array as a column. Imported only when the data is Arrow."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from .column import Column, Factor, Numeric, make_factor, make_integers, make_missing, make_numeric
from .pandas_values import series_values
from .unusable import refusal, time_labels


def arrow_column(name: str, array: Any, metadata: Mapping[bytes, bytes] | None = None) -> Column:
    """
    Convert an Array or ChunkedArray; a single chunk of doubles without nulls is not copied.

    ``metadata`` belongs to the field. There polars marks an Enum as an ordered dictionary, although
    its order is only the order of the levels, and a Categorical by a key of its own.
    """
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        array = pa.chunked_array([chunk.storage for chunk in _chunks(array)], kind.storage_type)
        kind = kind.storage_type
    if pt.is_run_end_encoded(kind):
        array = pc.run_end_decode(array)  # pyright: ignore[reportAttributeAccessIssue]
        kind = array.type
    if pt.is_dictionary(kind):
        return _dictionary(name, array, metadata or {})
    if _is_text(kind):
        return _text(name, array)
    if pt.is_null(kind):
        return make_missing(name, len(array))
    if pt.is_boolean(kind):
        return make_numeric(name, _numpy(array.cast(pa.float64())), "bool")
    if pt.is_integer(kind):
        return _integers(name, array)
    if pt.is_floating(kind) or pt.is_decimal(kind):
        return make_numeric(name, _numpy(array.cast(pa.float64(), safe=False)), "float")
    refused = refusal(name, _refused(kind), kind)
    if pt.is_temporal(kind) and not pt.is_interval(kind):
        return time_labels(name, _times(array), refused)
    raise refused


def _times(array: Any) -> Any:
    """The values as pandas stores them; dates and times of day as objects."""
    values = array.to_pandas()
    return series_values(values if isinstance(values, pd.Series) else pd.Series(values))


def _chunks(array: Any) -> list[Any]:
    return array.chunks if isinstance(array, pa.ChunkedArray) else [array]


def _numpy(array: Any) -> Any:
    chunks = _chunks(array)
    if len(chunks) == 1:
        return chunks[0].to_numpy(zero_copy_only=False)
    return array.to_numpy()


def _is_text(kind: pa.DataType) -> bool:
    # By name: older pyarrow has no test for views.
    return str(kind) in ("string", "large_string", "string_view")


def _integers(name: str, array: Any) -> Numeric:
    missing = _numpy(array.is_null()) if array.null_count else None
    return make_integers(name, _numpy(array.fill_null(0)), missing)


def _text(name: str, array: Any) -> Factor:
    return _sorted(_dictionary(name, array.dictionary_encode(), {}))


def _dictionary(name: str, array: Any, metadata: Mapping[bytes, bytes]) -> Factor:
    kind = array.type
    if not any(test(kind.value_type) for test in (_is_text, pt.is_integer, pt.is_floating, pt.is_boolean)):
        raise refusal(name, _refused(kind.value_type), kind)
    codes, levels = _unified(_chunks(array))
    ordered = bool(kind.ordered) and not any(key.startswith(b"_PL_ENUM") for key in metadata)
    factor = make_factor(name, codes, levels, ordered)
    return _sorted(factor) if any(key.startswith(b"_PL_CATEGORICAL") for key in metadata) else factor


def _unified(chunks: list[Any]) -> tuple[Any, list[Any]]:
    """
    Codes and levels of dictionary arrays that each have their own dictionary.

    Arrow allows nulls and repeats among the values of a dictionary (and then cannot unify
    dictionaries itself): every distinct value becomes one level, null becomes code -1.
    """
    position: dict[Any, int] = {}
    codes = [np.empty(0, dtype=np.int32)]
    values, new = None, np.empty(0, dtype=np.int32)
    for chunk in chunks:
        if values is None or not chunk.dictionary.equals(values):
            values = chunk.dictionary
            numbers = [
                -1 if _is_missing(v) else position.setdefault(v, len(position)) for v in values.to_pylist()
            ]
            # One more entry at the end: code -1 finds it and stays -1.
            new = np.array([*numbers, -1], dtype=np.int32)
        codes.append(new[_numpy(chunk.indices.cast(pa.int32()).fill_null(-1))])
    return np.concatenate(codes), list(position)


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _sorted(factor: Factor) -> Factor:
    order = sorted(range(len(factor.levels)), key=factor.levels.__getitem__)
    new = np.empty(len(order) + 1, dtype=np.int32)
    new[order] = np.arange(len(order))
    new[-1] = -1
    return make_factor(factor.name, new[factor.codes], [factor.levels[i] for i in order], factor.ordered)


def _refused(kind: pa.DataType) -> str:
    if pt.is_duration(kind) or pt.is_interval(kind):
        return "time spans"
    if pt.is_temporal(kind):
        return "dates or times"
    if str(kind).startswith(("binary", "large_binary", "fixed_size_binary")):
        return "bytes"
    return "nested values" if pt.is_nested(kind) else "values of unknown kind"
