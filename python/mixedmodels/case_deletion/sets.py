"""The rows that are deleted together: each row, the levels of a factor, or sets that the user names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..design.used_rows import names_of_rows, used_data
from ..errors import ArgumentError
from ..fit.row_sets import RowSets
from ..fit.state import FittedModel
from ..inference.basis.row_labels import row_labels

ROWS = "rows"


@dataclass(frozen=True, eq=False)
class Deleted:
    """
    What is deleted, one set after the other.

    Attributes
    ----------
    name : str
        The factor; "rows" for single rows, "set" for sets by name.
    sets : RowSets
    labels : Index
        Names of the sets.
    single : bool
        Whether the sets are the rows used, one by one.
    """

    name: str
    sets: RowSets
    labels: pd.Index
    single: bool = False


def deleted_sets(fitted: FittedModel, groups: Any) -> Deleted:
    """
    The argument `groups` as sets of rows.

    Raises
    ------
    ArgumentError, MissingColumnError
        For factors that are unknown or have one level, and rows that the fit did not use.
    """
    is_rows = isinstance(groups, str) and groups == ROWS
    if groups is None or (is_rows and all(term.group.label != ROWS for term in fitted.design.terms)):
        labels = names_of_rows(fitted.design, fitted.arguments)
        return Deleted(ROWS, RowSets.of_each_row(fitted.n_obs), labels, single=True)
    if isinstance(groups, Mapping):
        return _named(fitted, groups)
    found = row_labels(fitted, groups, "groups")
    if len(found.levels) < 2:
        raise ArgumentError(
            f"groups: {found.name!r} has one level in the rows used, and without it no rows are left; name a "
            "factor with several levels, or leave groups out to delete each row"
        )
    sets = RowSets.of_levels(found.codes, len(found.levels))
    return Deleted(found.name, sets, pd.Index(found.levels, dtype=object, name=found.name))


def _named(fitted: FittedModel, groups: Mapping[Any, Any]) -> Deleted:
    """Sets by name: positions in the data, or a mask of its rows or of those used."""
    used = used_data(fitted.design, fitted.arguments)
    place = np.full(used.n_total, -1, dtype=np.intp)
    place[used.positions] = np.arange(fitted.n_obs)
    sets = [_set(f"groups[{name!r}]", rows, place, fitted.n_obs) for name, rows in groups.items()]
    if not sets:
        raise ArgumentError("groups has no sets of rows")
    return Deleted(
        "set", RowSets.of(sets), pd.Index([str(name) for name in groups], dtype=object, name="set")
    )


def _set(what: str, rows: Any, place: NDArray[np.intp], n: int) -> NDArray[np.intp]:
    values = np.atleast_1d(np.asarray(rows))
    if values.dtype == bool and values.shape == (n,) and n != len(place):
        chosen = np.flatnonzero(values)
    else:
        if values.dtype == bool and values.shape == place.shape:
            values = np.flatnonzero(values)
        if values.dtype.kind not in "iu" or values.ndim != 1:
            raise ArgumentError(
                f"{what} must hold positions of rows in the data, counted from 0, or True and False for each "
                "of them"
            )
        if len(values) and not (values.min() >= 0 and values.max() < len(place)):
            raise ArgumentError(f"{what}: positions must lie between 0 and {len(place) - 1}")
        chosen = place[values]
        chosen = chosen[chosen >= 0]
    if not len(chosen):
        raise ArgumentError(f"{what} has none of the rows that the fit used")
    if len(np.unique(chosen)) == n:
        raise ArgumentError(f"{what} has all the rows that the fit used, and without it none are left")
    return chosen
