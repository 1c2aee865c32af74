"""Which rows are held out together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...checks import random_generator, whole_number
from ...errors import ArgumentError
from ...fit.state import FittedModel
from ...inference.basis.row_labels import RowLabels, row_labels

ROWS = "rows"


@dataclass(frozen=True, eq=False)
class Folds:
    """
    A partition of the units that are scored, rows or groups of rows, into folds.

    Attributes
    ----------
    units : RowLabels
        The unit of each row.
    grouped : bool
        Whether the units are groups, which are held out and scored as wholes.
    fold : ndarray of int, shape (n_units,)
    """

    units: RowLabels
    grouped: bool
    fold: NDArray[np.int64]

    @property
    def n(self) -> int:
        return int(self.fold.max()) + 1

    def held_out(self, fold: int) -> NDArray[np.bool_]:
        """The rows of a fold, shape (n,)."""
        return self.fold[self.units.codes] == fold

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Folds)
            and self.grouped == other.grouped
            and np.array_equal(self.units.codes, other.units.codes)
            and np.array_equal(self.fold, other.fold)
        )

    __hash__ = None  # type: ignore[assignment]


def make_folds(fitted: FittedModel, folds: Any, by: Any, rng: Any) -> Folds:
    """
    The arguments ``folds`` and ``by`` as a partition, at random and as equal as possible.

    Parameters
    ----------
    fitted : FittedModel
    folds : int or None
        None leaves out one unit at a time.
    by : str or array-like
        ``"rows"``, or labels of groups as for `row_labels`.
    rng : int, Generator or None
    """
    groups = {term.group.label for term in fitted.design.terms}
    grouped = not (isinstance(by, str) and by == ROWS and ROWS not in groups)
    if grouped:
        units = row_labels(fitted, by, "by")
    else:
        codes = np.arange(fitted.n_obs)
        units = RowLabels(ROWS, codes, tuple(map(str, codes.tolist())))
    n = len(units.levels)
    number = n if folds is None else whole_number("folds", folds, 2)
    if number > n or n < 2:
        what = f"levels of {units.name!r}" if grouped else "rows"
        raise ArgumentError(f"cross_validate: folds = {number}, but there are {n} {what}")
    if number == n:
        return Folds(units, grouped, np.arange(n))
    return Folds(units, grouped, random_generator(rng).permutation(n) % number)
