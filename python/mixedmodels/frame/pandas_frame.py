"""The columns of a pandas data frame. The one place that looks behind pandas' public interface."""

from __future__ import annotations

from typing import Any

import pandas as pd

from .pandas_column import series_values

# Making a Series takes pandas ten times as long as finding the values, which are all we need.
_STORED = getattr(pd.DataFrame, "_get_column_array", None)


def stored_values(data: pd.DataFrame, position: int) -> Any:
    """The values of a column, not copied: a numpy array, or pandas' own kind of array."""
    if _STORED is None:
        return series_values(data.iloc[:, position])
    return _STORED(data, position)
