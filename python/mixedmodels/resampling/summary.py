"""Estimates, bias and standard errors from replicates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..render.result_table import ResultTable, result_table


def summary_table(
    names: Sequence[str],
    estimate: NDArray[np.float64],
    columns: Sequence[NDArray[np.float64]],
    heading: str,
    notes: Sequence[str],
) -> ResultTable:
    """
    A row for each parameter.

    Parameters
    ----------
    names : sequence of str
    estimate : ndarray, shape (q,)
    columns : sequence of ndarray
        The finite replicates of each parameter.
    heading : str
    notes : sequence of str
    """
    # Differences are exact where a parameter is held: then its bias and standard error are 0.
    apart = [own - value for own, value in zip(columns, np.nan_to_num(estimate), strict=True)]
    bias = np.array([float(own.mean()) if len(own) else np.nan for own in apart])
    table = {
        "estimate": estimate,
        "bias": np.where(np.isfinite(estimate), bias, np.nan),
        "std.error": [float(own.std(ddof=1)) if len(own) > 1 else np.nan for own in apart],
        "n": [len(own) for own in columns],
    }
    return result_table(table, list(names), [heading], list(notes))
