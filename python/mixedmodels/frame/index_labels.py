"""What a pandas Index holds, as Python values, worked out once for each Index."""

from __future__ import annotations

import weakref
from typing import Any

import pandas as pd

_known: dict[int, tuple[weakref.ref[pd.Index], tuple[Any, ...]]] = {}


def index_labels(index: pd.Index) -> tuple[Any, ...]:
    """
    The values of an Index.

    They are kept as long as it lives: pandas never changes an Index (nor the categories of a dtype,
    which are one), it makes a new one.
    """
    key = id(index)
    entry = _known.get(key)
    if entry is not None and entry[0]() is index:
        return entry[1]

    def forget(gone: weakref.ref[pd.Index]) -> None:
        # Another Index may have taken the place in memory, and here.
        entry = _known.get(key)
        if entry is not None and entry[0] is gone:
            _known.pop(key, None)

    labels = tuple(index.tolist())
    _known[key] = weakref.ref(index, forget), labels
    return labels
