"""The values of pandas objects as arrays and Python values."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
import pandas as pd

# Making a Series takes ten times as long as finding its values, which suffice here.
_STORED = getattr(pd.DataFrame, "_get_column_array", None)


def stored_values(data: pd.DataFrame, position: int) -> Any:
    """The values of a column, not copied: a numpy array, or a pandas array."""
    if _STORED is None:
        return series_values(data.iloc[:, position])
    return _STORED(data, position)


_known: dict[int, tuple[weakref.ref[pd.Index], tuple[Any, ...]]] = {}


def index_labels(index: pd.Index) -> tuple[Any, ...]:
    """
    The values of an Index.

    They are cached while the Index exists: pandas never changes an Index (nor the categories of a
    dtype, which are one) but makes a new one.
    """
    key = id(index)
    entry = _known.get(key)
    if entry is not None and entry[0]() is index:
        return entry[1]

    def forget(gone: weakref.ref[pd.Index]) -> None:
        # Another Index may have taken its address, and its entry here.
        entry = _known.get(key)
        if entry is not None and entry[0] is gone:
            _known.pop(key, None)

    labels = tuple(index.tolist())
    _known[key] = weakref.ref(index, forget), labels
    return labels


def series_values(series: pd.Series) -> Any:
    """The values of a Series: a numpy array, or a pandas array."""
    return series.to_numpy() if isinstance(series.dtype, np.dtype) else series.array
