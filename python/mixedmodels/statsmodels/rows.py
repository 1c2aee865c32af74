"""The rows that a model uses: a subset, and what becomes of missing values."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_WORDS = re.compile(r"[^\W\d]\w*")
_QUOTED = re.compile(r"""(?<=["'])[^"']+(?=["'])|(?<=`)[^`]+(?=`)""")


def check_missing(missing: Any) -> str:
    """The argument `missing`."""
    if missing not in ("none", "drop", "raise"):
        raise ValueError(f"missing must be 'none', 'drop' or 'raise', not {missing!r}")
    return missing


def words(formulas: Iterable[str]) -> set[str]:
    """All that may be the name of a variable in formulas."""
    found: set[str] = set()
    for text in formulas:
        found.update(_WORDS.findall(text), _QUOTED.findall(text))
    return found


def complete(parts: Iterable[Any], n: int) -> NDArray[np.bool_]:
    """The rows without missing values in any of the arrays."""
    found = np.ones(n, dtype=bool)
    for part in parts:
        if part is not None:
            absent = np.asarray(pd.isna(part))
            found &= ~(absent if absent.ndim == 1 else absent.any(axis=1))
    return found


def take(values: Any, rows: NDArray[np.bool_]) -> Any:
    """These rows of an array or a pandas object."""
    if values is None:
        return None
    return values.loc[rows] if hasattr(values, "loc") else np.asarray(values)[rows]


def rows_of_subset(subset: Any, index: pd.Index) -> NDArray[np.intp]:
    """
    The positions of the rows that `subset` selects.

    Parameters
    ----------
    subset : array-like
        A truth value for each row, or labels of the index.
    index : Index
        Of the data.

    Raises
    ------
    ValueError
        For a mask of another length, and labels that the index does not have.
    """
    if isinstance(subset, pd.Series) and subset.dtype == bool:
        if len(subset) == len(index) and subset.index.equals(index):
            return np.flatnonzero(subset.to_numpy())
        subset = subset.reindex(index, fill_value=False).to_numpy()
    own = np.asarray(subset)
    if own.ndim != 1:
        raise ValueError("subset must be a truth value for each row, or labels of the index of data")
    if own.dtype == bool:
        if own.shape != (len(index),):
            raise ValueError(f"subset has {own.size} truth values, but data has {len(index)} rows")
        return np.flatnonzero(own)
    labels = pd.Index(own)
    unknown = labels[~labels.isin(index)]
    if len(unknown):
        raise ValueError(f"subset: {unknown.tolist()[0]!r} is not in the index of data")
    positions = pd.Series(np.arange(len(index)), index=index)
    return np.atleast_1d(positions.loc[labels].to_numpy())
