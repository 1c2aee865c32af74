"""A label for each row used: a grouping factor, a column of the data, or values that the user gives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...design.used_rows import in_used_order, used_data
from ...errors import ArgumentError
from ...fit.state import FittedModel
from ...frame import Frame, as_factor, drop_unused


@dataclass(frozen=True, eq=False)
class RowLabels:
    """
    The rows used, by labels.

    Attributes
    ----------
    name : str
    codes : ndarray of int, shape (n,)
        From 0 to the number of levels.
    levels : tuple of str
        Those that occur.
    """

    name: str
    codes: NDArray[np.int64]
    levels: tuple[str, ...]


def row_labels(fitted: FittedModel, value: Any, argument: str) -> RowLabels:
    """
    The labels that an argument names or gives.

    Parameters
    ----------
    fitted : FittedModel
    value : str or array-like
        A grouping factor of the model, a column of its data, or a label for each row (used, or of the data).
    argument : str
        Its name in messages.

    Raises
    ------
    ArgumentError, MissingColumnError
    """
    if isinstance(value, str):
        for term in fitted.design.terms:
            if term.group.label == value:
                return RowLabels(value, term.group.codes.astype(np.int64), term.group.levels)
        with fitted.arguments.data.explaining_what_is_kept("the labels of the rows as an array"):
            column = used_data(fitted.design, fitted.arguments).frame.labels(value)
        name = value
    else:
        used = used_data(fitted.design, fitted.arguments)
        values = _one_for_each(in_used_order(value, fitted.design, fitted.arguments, argument), argument)
        if values.shape == (used.n_total,):
            values = values[used.positions]
        if values.shape != (fitted.n_obs,):
            raise ArgumentError(
                f"{argument} has shape {np.shape(value)}; it needs a label for each of the {fitted.n_obs} "
                f"rows used, or of the {used.n_total} of the data"
            )
        column, name = Frame.from_any({argument: values}).column(argument), argument
    factor = as_factor(column)
    if factor.gaps:
        raise ArgumentError(f"{argument}: {name!r} has missing values in the rows used")
    factor = drop_unused(factor)
    return RowLabels(name, factor.codes.astype(np.int64), factor.labels())


def _one_for_each(values: Any, argument: str) -> NDArray[Any]:
    """One label for each row; ArgumentError for single values and lists of lists."""
    wanted = f"{argument} must name a factor or a column, or hold a label for each row"
    if np.ndim(values) == 0 if np.isscalar(values) else not isinstance(values, Iterable):
        raise ArgumentError(f"{wanted}, not {values!r}")
    try:
        return np.asarray(values)
    except ValueError:
        raise ArgumentError(f"{wanted}, not a list of lists") from None
