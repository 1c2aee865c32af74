"""Predictions along a predictor within groups, with the other predictors at typical values."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..design.used_rows import as_pandas, used_data
from ..diagnostics.rows import RowValues
from ..errors import EstimabilityWarning
from ..fit.state import FittedModel
from ..formula.nodes import variables
from ..frame import Factor, Frame
from ..prediction.fixed_part import determined_x
from ..prediction.rows import PredictedRows, RandomPart

_Rows = NDArray[np.intp]


class Line(NamedTuple):
    """
    Means along a variable.

    Attributes
    ----------
    x : ndarray, shape (m,)
    conditional, population : ndarray, shape (m,)
        Given the random effects, and with these at zero.
    """

    x: NDArray[Any]
    conditional: NDArray[np.float64]
    population: NDArray[np.float64]


def predictors(fitted: FittedModel) -> list[str]:
    """The columns that the fixed part and the columns of the random effects read."""
    recipe = fitted.design.recipe
    nodes = [*recipe.fixed.nodes, *(node for plan, _ in recipe.random for node in plan.nodes)]
    return list(dict.fromkeys(name for node in nodes for name in variables(node)))


def lines_within(fitted: FittedModel, x: RowValues, groups: Sequence[_Rows]) -> list[Line]:
    """
    A line for each group at its values of x, which is one of the `predictors`.

    The other predictors have the value of the group that is nearest to its mean, or most frequent if it is
    a factor, and the offset its mean. Those that x determines, such as its square, go with it. Random effects
    of other factors count where their level is the same in the whole group, otherwise they are zero.

    Parameters
    ----------
    fitted : FittedModel
    x : RowValues
    groups : sequence of ndarray of int
        The rows of each.
    """
    at = x.codes if x.values is None else x.values
    starts = [_first_of_each(at, rows) for rows in groups]
    repeats = [len(own) for own in starts]
    rows = np.concatenate(starts)
    frame: Any = used_data(fitted.design, fitted.arguments).frame
    columns: dict[str, Any] = {}
    for name in predictors(fitted):
        column = frame.column(name)
        goes = name == x.name or _follows(column, at)
        source = rows if goes else np.repeat([_typical(column, own) for own in groups], repeats)
        columns[name] = as_pandas(column)[source]
    new = Frame.from_any(columns, what="the data")
    eta, fixed = _linear_predictors(fitted, new, rows, np.repeat(np.arange(len(groups)), repeats), groups)
    means = [fitted.family.mean(eta), fitted.family.mean(fixed), at[rows].astype(at.dtype)]
    ends = np.cumsum(repeats)[:-1]
    return [
        Line(where, own, population)
        for own, population, where in zip(*(np.split(values, ends) for values in means), strict=True)
    ]


def _first_of_each(at: NDArray[Any], rows: _Rows) -> _Rows:
    """A row for each value in order, without missing ones."""
    own = at[rows]
    known = (
        own >= 0 if own.dtype.kind == "i" else ~(np.isnat(own) if own.dtype.kind == "M" else np.isnan(own))
    )
    rows = rows[known]
    return rows[np.unique(at[rows], return_index=True)[1]]


def _follows(column: Any, at: NDArray[Any]) -> bool:
    """Whether a column is x or a function of it: the same wherever x is, which is no chance if x has ties."""
    _, first, places = np.unique(at, return_index=True, return_inverse=True)
    values = column.codes if isinstance(column, Factor) else column.values
    return bool((values == values[first][places]).all()) and len(first) <= len(at) / 2


def _typical(column: Any, rows: _Rows) -> int:
    """The row of a group whose value stands for all of them: always one of the data."""
    if isinstance(column, Factor):
        codes = column.codes[rows]
        return int(rows[np.argmax(codes == np.bincount(codes).argmax())])
    values = column.values[rows]
    return int(rows[np.argmin(np.abs(values - values.mean()))])


def _linear_predictors(
    fitted: FittedModel, new: Frame, rows: _Rows, owner: _Rows, groups: Sequence[_Rows]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    design = fitted.design
    with warnings.catch_warnings():
        # Lines have a gap there.
        warnings.simplefilter("ignore", EstimabilityWarning)
        x = determined_x(fitted, new)
    offset = None
    if design.offset is not None:
        offset = np.array([design.offset[own].mean() for own in groups])[owner]
    parts = []
    for t, term in enumerate(design.terms):
        codes = term.group.codes.astype(np.int64)
        constant = np.array([(codes[own] == codes[own[0]]).all() for own in groups])
        z = design.recipe.new_z(new, t)
        parts.append(RandomPart(t, np.arange(len(term.names)), np.where(constant[owner], codes[rows], -1), z))
    found = PredictedRows(fitted, x, tuple(parts), offset, new)
    eta = found.linear_predictor()
    return eta, eta - found.random_part()
