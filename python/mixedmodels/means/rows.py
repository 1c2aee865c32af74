"""Rows of marginal means, contrasts or trends: linear functions of the coefficients with their labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import ArgumentError
from ..families.links import Link
from ..inference.basis.choice import DdfName, Vcov
from .adjustments import TestFamily
from .linear_functions import LinearFunctions
from .scale import Scale
from .specs import names_of, row_labels, show

# The column with the names of contrasts.
CONTRAST = "contrast"


@dataclass(frozen=True, eq=False, repr=False)
class EstimatedRows:
    """The data of an `Emmeans`, which documents them. Functions of rows return objects of the same class."""

    labels: pd.DataFrame
    by: tuple[str, ...]
    functions: LinearFunctions
    scale: Scale
    link: Link | None
    adjust: str = "none"
    pairwise: bool = False
    level: float = 0.95
    notes: tuple[str, ...] = ()
    contrasts: bool = False
    response: Scale | None = None
    predictor: str = ""
    not_estimable: str = ""
    infer: tuple[bool, bool] | None = None

    def __len__(self) -> int:
        return len(self.labels)


Rows = TypeVar("Rows", bound=EstimatedRows)


def variables_of(rows: EstimatedRows) -> list[str]:
    """The variables that label the rows, without the column of contrasts."""
    return [str(name) for name in rows.labels if not (rows.contrasts and name == CONTRAST)]


def check_variables(rows: EstimatedRows, given: Any, argument: str) -> tuple[str, ...]:
    """An argument that names some of the variables."""
    names, known = names_of(given, argument), variables_of(rows)
    for name in names:
        if name not in known:
            listed = ", ".join(map(repr, known)) or "none"
            raise ArgumentError(f"{argument}: there is no variable {name!r}; the variables are: {listed}")
    return names


def grouped(rows: Rows, by: Any) -> Rows:
    """The same rows with other variables defining the groups."""
    return replace(rows, by=check_variables(rows, by, "by"))


def rebased(rows: Rows, ddf: DdfName | None, vcov: Vcov | None) -> Rows:
    """The same rows with another covariance matrix of the coefficients or other degrees of freedom."""
    if ddf is None and vcov is None:
        return rows
    old, space = rows.functions.space.basis.notes, rows.functions.space.rebased(ddf, vcov)
    notes = [note for note in rows.notes if note not in old]
    functions = replace(rows.functions, space=space)
    return replace(rows, functions=functions, notes=(*space.basis.notes, *notes))


def group_rows(rows: EstimatedRows) -> list[NDArray[np.intp]]:
    """The places of the rows of each group, in order of appearance."""
    if not rows.by:
        return [np.arange(len(rows))]
    codes = rows.labels.groupby(list(rows.by), sort=False, observed=True).ngroup().to_numpy()
    return [np.flatnonzero(codes == group) for group in range(int(codes.max(initial=-1)) + 1)]


def families(rows: EstimatedRows) -> Iterator[tuple[NDArray[np.intp], TestFamily]]:
    """
    The rows of each group that have a standard error, as a family of tests.

    Rows without degrees of freedom (NaN) belong to it: their tests are wanted, although they cannot be made.
    """
    functions = rows.functions
    covariance, error, df = functions.covariance, functions.standard_error, functions.df
    with np.errstate(invalid="ignore"):
        tested = functions.estimable & (error > 0) & np.isfinite(error)
        df = np.where(df > 0, df, np.nan)
    for places in group_rows(rows):
        chosen = places[tested[places]]
        part = covariance[np.ix_(chosen, chosen)]
        root = np.sqrt(np.diag(part))
        yield chosen, TestFamily(part / np.outer(root, root), df[chosen], rows.pairwise)


def names_of_rows(rows: EstimatedRows) -> list[str]:
    """Short names of the rows within their groups."""
    return row_labels(rows.labels.drop(columns=list(rows.by)))


def values_of_rows(rows: EstimatedRows) -> list[str]:
    """The values of the rows within their groups, as tables show them."""
    labels = rows.labels.drop(columns=list(rows.by))
    return [" ".join(map(show, row)) for row in labels.itertuples(index=False, name=None)]
