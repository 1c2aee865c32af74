"""Values of the rows that tests look at: columns of the data by name, or arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ...checks import shown
from ...design.used_rows import as_pandas, in_used_order, used_data
from ...errors import ArgumentError
from ...fit.state import FittedModel


def row_values(fitted: FittedModel, values: Any, argument: str) -> pd.Series:
    """
    A value for each row used, shape (n,).

    Parameters
    ----------
    fitted : FittedModel
    values : str or array-like
        A column of the data, or a value for each row used or each row of the data.
    argument : str
        Its name in messages.
    """
    if isinstance(values, str):
        with fitted.arguments.data.explaining_what_is_kept(f"an array as {argument}"):
            column = used_data(fitted.design, fitted.arguments).frame.labels(values)
        return pd.Series(as_pandas(column), name=values)
    found = in_used_order(values, fitted.design, fitted.arguments, argument)
    if hasattr(found, "to_pandas"):
        found = found.to_pandas()
    series = pd.Series(found).reset_index(drop=True) if np.ndim(found) == 1 else pd.Series(dtype=float)
    if len(series) != fitted.n_obs:
        used = used_data(fitted.design, fitted.arguments)
        if len(series) != used.n_total:
            raise ArgumentError(
                f"{argument} must be a column of the data or have a value for each of the {fitted.n_obs} "
                f"rows used, or of the {used.n_total} of the data, not "
                f"{shown(values) if np.ndim(values) == 0 else f'shape {np.shape(values)}'}"
            )
        series = series.iloc[used.positions].reset_index(drop=True)
    return series.rename(getattr(values, "name", None) or argument)


def numeric_values(fitted: FittedModel, values: Any, argument: str) -> np.ndarray:
    """The same as numbers; ArgumentError for labels."""
    series = row_values(fitted, values, argument)
    try:
        return series.to_numpy(dtype=np.float64)
    except (TypeError, ValueError):
        raise ArgumentError(f"{argument} must be numeric, but {series.name!r} has labels") from None
