"""A random-effects term as arrays, and whether the data distinguish it from the residuals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..covariance import Structure, structure_of
from ..errors import DataError
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
        The structure of the covariance matrix of the k effects: "us" for unstructured, "diag" (a double bar)
        for independent effects, others by their names in formulas.
    text : str
        The term as printed.
    times : tuple of float or None
        The times of the columns, if the structure has any.
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
        """Sets of columns with an unstructured covariance matrix, independent of each other; else empty."""
        return self.structure.blocks or ()


def check_distinct_from_residuals(term: RandomTerm, weights: NDArray[np.float64] | None) -> None:
    """
    Refuse a term with one row per level whose variance cannot be distinguished from the residual variance.

    The variance of a row is then a sum of products of the term's columns. If these span the residual variance
    (constant, or proportional to 1/weight), as an intercept does, the two are not identified; other columns,
    such as an indicator of some rows, are.
    """
    n, levels = len(term.z), len(term.group.levels)
    structure = term.structure
    if structure.n_parameters == 1 and structure.k > 1 and weights is None and rows_apart(term):
        raise DataError(
            f"{term.text} has one row for each of its effects, which have one variance and cannot be "
            "distinguished from the residuals; drop the term"
        )
    if distinct_from_residuals(term.z, levels, weights):
        return
    raise DataError(
        f"grouping factor {term.group.label!r} has as many levels ({levels}) as there are rows ({n}), so "
        f"its effects cannot be distinguished from the residuals; drop {term.text} or use a coarser factor"
    )


def rows_apart(term: RandomTerm) -> bool:
    """Whether each row has its own effect, with the same |z| in all rows."""
    used = term.z != 0.0
    if len(used) > used.shape[1] * len(term.group.levels) or not (used.sum(axis=1) == 1).all():
        return False
    column = used.argmax(axis=1)
    cells = term.group.codes.astype(np.int64) * used.shape[1] + column
    size = np.abs(term.z[np.arange(len(used)), column])
    return len(np.unique(cells)) == len(cells) and bool((size == size[0]).all())


def distinct_from_residuals(
    z: NDArray[np.float64], n_levels: int, weights: NDArray[np.float64] | None
) -> bool:
    """Whether the variances of a term with these columns (n, k) differ from the residual variance."""
    n, k = z.shape
    if n_levels < n:
        return True
    products = np.column_stack([z[:, i] * z[:, j] for i in range(k) for j in range(i + 1)])
    residual = np.ones(n) if weights is None else 1.0 / weights
    sizes = np.linalg.norm(products, axis=0)
    products = products[:, sizes > 0] / sizes[sizes > 0]
    explained = products @ np.linalg.lstsq(products, residual, rcond=None)[0]
    return bool(np.linalg.norm(residual - explained) > 1e-8 * np.linalg.norm(residual))
