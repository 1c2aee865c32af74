"""The groups of a model: labels, and the rows of each."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


class Groups:
    """
    The groups of the rows.

    Attributes
    ----------
    codes : ndarray of int, shape (n,)
    labels : list
        In sorted order; labels that have no order come as they do in the data.
    """

    def __init__(self, values: Any) -> None:
        given = np.asarray(values)
        if given.ndim != 1:
            raise ValueError(f"groups must have one label for each row, not shape {given.shape}")
        if pd.isna(given).any():
            raise ValueError("groups has missing values; leave these rows out, or use missing='drop'")
        codes, labels = factorized(given)
        self.codes: NDArray[np.intp] = codes
        self.labels: list[Any] = labels

    @cached_property
    def rows(self) -> list[NDArray[np.intp]]:
        """The rows of each group."""
        order = np.argsort(self.codes, kind="stable")
        return np.split(order, np.cumsum(self.sizes)[:-1])

    @cached_property
    def numbers(self) -> dict[Any, int]:
        """The number of each label."""
        return {label: g for g, label in enumerate(self.labels)}

    @cached_property
    def sizes(self) -> NDArray[np.intp]:
        """The number of rows of each group."""
        return np.bincount(self.codes, minlength=len(self.labels))


def factorized(values: NDArray[Any]) -> tuple[NDArray[np.intp], list[Any]]:
    """Codes of labels, and the labels in sorted order, or in that of the data if they have none."""
    try:
        codes, labels = pd.factorize(values, sort=True)
    except TypeError:
        codes, labels = pd.factorize(values)
    # Labels are keys of dictionaries: numbers of Python, that print as such.
    return codes, labels.tolist()
