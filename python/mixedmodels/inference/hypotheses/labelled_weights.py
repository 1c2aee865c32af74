"""Weights of coefficients or means in a pandas object: by their labels, or in order when it has none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...errors import ArgumentError
from ...wording import listed, nearest


def weight_rows(
    value: Any, names: Sequence[str], others: Mapping[str, str], what: str
) -> NDArray[np.float64]:
    """
    The rows of weights in a matrix, a data frame, a Series, or a list of these.

    Parameters
    ----------
    value : array-like, DataFrame or Series
        Labels other than 0, 1, 2, ... are names, in any order; what they leave out has a weight of zero.
    names : sequence of str, length k
    others : mapping of str to str
        More names for them.
    what : str
        What the names are, for messages: "coefficient" or "mean".

    Returns
    -------
    ndarray, at least two-dimensional

    Raises
    ------
    ArgumentError
        For labels that are not among the names, or not unique.
    TypeError, ValueError
        For weights that are not numbers.
    """
    if isinstance(value, pd.Series):
        return _by_label(value.to_numpy()[None], value.index, names, others, what)
    if isinstance(value, pd.DataFrame):
        return _by_label(value.to_numpy(), value.columns, names, others, what)
    if isinstance(value, (list, tuple)) and any(isinstance(row, pd.Series) for row in value):
        return np.vstack([weight_rows(row, names, others, what) for row in value])
    return np.atleast_2d(np.asarray(value, dtype=np.float64))


def _by_label(
    values: Any, labels: pd.Index, names: Sequence[str], others: Mapping[str, str], what: str
) -> NDArray[np.float64]:
    values = np.asarray(values, dtype=np.float64)
    if labels.tolist() == list(range(len(labels))):
        return values
    found = [label if label in names else others.get(label, label) for label in map(str, labels)]
    unknown = [name for name in found if name not in names]
    if unknown:
        raise ArgumentError(
            f"there is no {what} {unknown[0]!r}; the {what}s are: {listed(names, most=20)}"
            f"{nearest(unknown[0], names)}"
        )
    if len(set(found)) < len(found):
        raise ArgumentError(f"a {what} has two weights: the labels are {listed(found, most=20)}")
    rows = np.zeros((len(values), len(names)))
    rows[:, [list(names).index(name) for name in found]] = values
    return rows
