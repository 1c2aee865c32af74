"""A random-effects term as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..covariance import Structure, structure_of
from .grouping import GroupingFactor


@dataclass(frozen=True, eq=False)
class RandomTerm:
    """
    A random-effects term.

    Attributes
    ----------
    group : GroupingFactor
    names : tuple of str
        Names of the k columns; the intercept is "(Intercept)".
    z : ndarray, shape (n, k), C order
    covariance : str
        The structure of the covariance matrix of the k effects: "us" leaves it free, "diag" (a double bar)
        makes them independent; others by their names in formulas.
    text : str
        The term as printed.
    times : tuple of float or None
        The times that the columns belong to, where they have any.
    """

    group: GroupingFactor
    names: tuple[str, ...]
    z: NDArray[np.float64]
    covariance: str
    text: str
    times: tuple[float, ...] | None = None

    @property
    def structure(self) -> Structure:
        """Facts about the covariance structure of these columns."""
        return structure_of(self.covariance, len(self.names), self.times)

    @property
    def blocks(self) -> tuple[tuple[int, ...], ...]:
        """Sets of columns with a free covariance matrix, independent of each other; else empty."""
        return self.structure.blocks or ()
