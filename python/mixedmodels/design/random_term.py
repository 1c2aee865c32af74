"""A random-effects term as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

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
    covariance : {"unstructured", "diagonal"}
        "diagonal" for a double bar: all columns independent.
    text : str
        The term as printed.
    """

    group: GroupingFactor
    names: tuple[str, ...]
    z: NDArray[np.float64]
    covariance: Literal["unstructured", "diagonal"]
    text: str

    @property
    def blocks(self) -> list[tuple[int, ...]]:
        """The columns whose covariance matrix is free: all of them, with a double bar each by itself."""
        columns = tuple(range(len(self.names)))
        return [(j,) for j in columns] if self.covariance == "diagonal" else [columns]
