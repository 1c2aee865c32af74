"""Groups of rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Groups:
    """
    Sums and means over groups of rows.

    Attributes
    ----------
    rows : ndarray of int
        The rows used, group after group.
    starts : ndarray of int, shape (k,)
        Where each group begins.
    """

    rows: NDArray[np.intp]
    starts: NDArray[np.intp]

    @classmethod
    def of(cls, codes: NDArray[np.intp]) -> Groups:
        """By codes from 0 on; -1 for rows that are left out."""
        order = np.argsort(codes, kind="stable")
        order = order[np.searchsorted(codes[order], 0) :]
        return cls(order, np.flatnonzero(np.diff(codes[order], prepend=-1)))

    @property
    def sizes(self) -> NDArray[np.intp]:
        """Rows of each group."""
        return np.diff(np.append(self.starts, len(self.rows)))

    def sums(self, values: Values) -> Values:
        """Sums of values of shape (m, n), shape (m, k)."""
        return np.add.reduceat(values[:, self.rows], self.starts, axis=1)

    def means(self, values: Values) -> Values:
        """Means of values of shape (m, n), shape (m, k)."""
        return self.sums(values) / self.sizes
