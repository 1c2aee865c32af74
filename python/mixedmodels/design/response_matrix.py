"""Several responses to one design: their names, and a matrix with a column for each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import ArgumentError, DataError
from ..frame import Factor, Frame
from ..frame.alignment import in_row_order


def response_names(responses: Any) -> tuple[str, ...] | None:
    """The columns of the data that the argument names; None when it contains the values."""
    if isinstance(responses, str):
        raise ArgumentError(
            f"responses must be a list of columns, a matrix or a data frame; for a single column write "
            f"[{responses!r}]"
        )
    if not isinstance(responses, Sequence) or not all(isinstance(name, str) for name in responses):
        return None
    names = tuple(responses)
    if not names:
        raise ArgumentError("responses is empty: name at least one column")
    twice = next((name for name in names if names.count(name) > 1), None) if _repeats(names) else None
    if twice is not None:
        raise ArgumentError(f"responses contains the column {twice!r} more than once")
    return names


def response_matrix(responses: Any, data: Any, frame: Frame) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """
    The ``responses`` argument as numbers.

    Parameters
    ----------
    responses : list of str, array-like of shape (n, m), or data frame with n rows
        Names of columns of the data, or the values; the columns of a matrix are named ``y1``, ``y2``, ...
        The rows of a pandas data frame are matched by its index, see `in_row_order`.
    data : data frame
        n rows.
    frame : Frame
        The same data.

    Returns
    -------
    names : tuple of str
        m distinct names.
    values : ndarray, shape (n, m)
        NaN where a value is missing.

    Raises
    ------
    ArgumentError, DataError, MissingColumnError
        When the argument has another type or length, or a column does not contain numbers.
    """
    named = response_names(responses)
    if named is not None:
        frame.prefetch(named)
        if isinstance(data, pd.DataFrame) and _is_plain(chosen := data.loc[:, list(named)]):
            return named, chosen.to_numpy(dtype=np.float64)
        return named, _columns(frame, named)
    if isinstance(responses, pd.DataFrame) and len(responses) == frame.n_rows:
        responses = in_row_order(responses, frame.index, "responses")
    if isinstance(responses, pd.DataFrame) and _is_plain(responses):
        names, values = tuple(map(str, responses.columns)), responses.to_numpy(dtype=np.float64)
    elif isinstance(responses, (np.ndarray, list, tuple)):
        values = _matrix(responses)
        names = tuple(f"y{j + 1}" for j in range(values.shape[1]))
    else:
        given = Frame.from_any(responses, what="responses")
        names = tuple(given.names)
        values = _columns(given, names)
        if given.index is not None and len(values) == frame.n_rows:
            values = in_row_order(pd.DataFrame(values, given.index), frame.index, "responses").to_numpy()
    if _repeats(names):
        raise ArgumentError("responses has several columns with the same name; rename them")
    if len(values) != frame.n_rows:
        raise ArgumentError(f"responses has {len(values)} rows, but the data has {frame.n_rows}")
    if not names:
        raise ArgumentError("responses has no columns")
    return names, values


def _is_plain(frame: pd.DataFrame) -> bool:
    """Whether all columns have numeric numpy types and can be read together."""
    return all(isinstance(kind, np.dtype) and kind.kind in "biuf" for kind in frame.dtypes)


def _matrix(values: Any) -> NDArray[np.float64]:
    try:
        matrix = np.asarray(values)
        if matrix.dtype.kind not in "biuf":
            raise TypeError
    except (TypeError, ValueError):
        raise DataError("responses must contain real numbers, or be a list of column names") from None
    if matrix.ndim != 2:
        raise ArgumentError(
            f"responses must have one column per response, not shape {matrix.shape}; for a single response "
            "write y[:, None], or use lmer()"
        )
    return matrix.astype(np.float64, copy=False)


def _columns(frame: Frame, names: Collection[str]) -> NDArray[np.float64]:
    values = np.empty((frame.n_rows, len(names)), order="F")
    for j, name in enumerate(names):
        column = frame.column(name)
        if isinstance(column, Factor):
            raise DataError(f"the response {name!r} contains text or categories, not numbers")
        values[:, j] = column.values
    return values


def _repeats(names: Sequence[str]) -> bool:
    return len(set(names)) < len(names)
