"""The rows of the data that a fit used, found again after the fit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError
from ..frame import Column, Factor, Frame
from .build import Predictors
from .rows import subset_mask


@dataclass(frozen=True, eq=False)
class UsedData:
    """
    The data of a fit, cut to the rows used.

    Attributes
    ----------
    frame : Frame
        n rows.
    positions : ndarray of int, shape (n,)
        Where they are in the data.
    n_total : int
        Rows of the data.
    """

    frame: Frame
    positions: NDArray[np.intp]
    n_total: int

    def columns(self, names: Iterable[str]) -> dict[str, Any]:
        """Columns as pandas takes them, factors as categoricals."""
        return {name: as_pandas(self.frame.column(name)) for name in names}


def used_data(design: Predictors, arguments: Any) -> UsedData:
    """
    The rows that took part in a fit.

    Parameters
    ----------
    design : Predictors
    arguments : ModelArguments
        With the ``data`` and ``subset`` of the fit.

    Raises
    ------
    DataError
        When the data has changed since.
    """
    whole = Frame.from_any(arguments.data)
    mask = subset_mask(arguments.subset, whole, arguments.functions or {})
    positions = np.arange(whole.n_rows) if mask is None else np.flatnonzero(mask)
    if len(positions) != design.missing.n_total:
        raise DataError(
            f"the data has {len(positions)} rows now, but had {design.missing.n_total} when it was fitted"
        )
    if design.missing.kept is not None:
        positions = positions[design.missing.kept]
    chosen = np.zeros(whole.n_rows, dtype=bool)
    chosen[positions] = True
    frame = whole if chosen.all() else whole.rows(chosen)
    return UsedData(frame, positions, whole.n_rows)


def as_pandas(column: Column) -> Any:
    """A column as pandas takes it."""
    if isinstance(column, Factor):
        return pd.Categorical.from_codes(
            column.codes, categories=pd.Index(column.levels), ordered=column.ordered
        )
    if column.kind == "bool" and not np.isnan(column.values).any():
        return column.values.astype(bool)
    return column.stored.copy() if column.integers and column.filled is None else column.values.copy()
