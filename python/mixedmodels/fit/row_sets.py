"""Sets of rows that are left out, and estimates without them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class RowSets:
    """
    Sets of rows used, one after the other.

    Attributes
    ----------
    rows : ndarray of uint32
        Ascending within a set.
    ranges : ndarray of int64, shape (m + 1,)
        Set j has the rows from ``ranges[j]`` to ``ranges[j + 1]``.
    """

    rows: NDArray[np.uint32]
    ranges: NDArray[np.int64]

    @classmethod
    def of_levels(cls, codes: NDArray[np.integer], n_levels: int) -> RowSets:
        """The rows of each level of a factor; negative codes are of no level."""
        order = np.argsort(codes, kind="stable")
        order = order[np.searchsorted(codes[order], 0) :]
        sizes = np.bincount(codes[order], minlength=n_levels)
        return cls(order.astype(np.uint32), np.append(0, np.cumsum(sizes)).astype(np.int64))

    @classmethod
    def of_each_row(cls, n: int) -> RowSets:
        """Each of n rows."""
        return cls(np.arange(n, dtype=np.uint32), np.arange(n + 1, dtype=np.int64))

    @classmethod
    def of(cls, sets: Sequence[NDArray[np.intp]]) -> RowSets:
        """These sets."""
        rows = [np.unique(own) for own in sets]
        joined = np.concatenate([np.empty(0, dtype=np.intp), *rows])
        return cls(joined.astype(np.uint32), np.cumsum([0, *map(len, rows)]).astype(np.int64))

    def __len__(self) -> int:
        return len(self.ranges) - 1

    def __getitem__(self, set: int) -> NDArray[np.uint32]:
        if not 0 <= set < len(self):
            raise IndexError(set)
        return self.rows[self.ranges[set] : self.ranges[set + 1]]

    @property
    def sizes(self) -> NDArray[np.int64]:
        """The number of rows in each."""
        return np.diff(self.ranges)

    def chosen(self, which: NDArray[np.intp]) -> RowSets:
        """Some of the sets."""
        parts = [self[j] for j in which.tolist()]
        rows = np.concatenate([np.empty(0, dtype=np.uint32), *parts])
        return RowSets(rows, np.cumsum([0, *map(len, parts)]).astype(np.int64))

    def and_nothing(self) -> RowSets:
        """These sets and an empty one."""
        return RowSets(self.rows, np.append(self.ranges, self.ranges[-1]))

    def part(self, start: int, stop: int) -> RowSets:
        """Some successive sets."""
        first, last = self.ranges[start], self.ranges[stop]
        return RowSets(self.rows[first:last], self.ranges[start : stop + 1] - first)


class GivenTheta(NamedTuple):
    """
    Estimates without sets of rows, theta held.

    Attributes
    ----------
    change : ndarray, shape (m, p)
        Of the coefficients that are free; NaN where the other rows do not determine them.
    covariance : ndarray, shape (m, p, p)
        Of these coefficients given theta.
    sigma : ndarray, shape (m,)
        As `FittedModel.sigma`.
    objective : ndarray, shape (m,)
    """

    change: NDArray[np.float64]
    covariance: NDArray[np.float64]
    sigma: NDArray[np.float64]
    objective: NDArray[np.float64]
