"""The argument `data` of methods that take it as other packages do, though the model knows its data."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..design.used_rows import used_data
from ..errors import ArgumentError
from ..frame import Column, Factor, Frame, as_factor
from .state import FittedModel


def check_data_of_fit(fitted: FittedModel, data: Any, function: str, otherwise: str) -> None:
    """
    Refuse data that are not those of the fit.

    Parameters
    ----------
    fitted : FittedModel
    data : data frame or None
    function : str
        Named in messages.
    otherwise : str
        What to write instead of a string, whose place is {}.

    Raises
    ------
    ArgumentError
    """
    if data is None:
        return
    if isinstance(data, str):
        hint = otherwise.format(repr(data))
        raise ArgumentError(f"{function}: data must be the data of the fit, not {data!r}; {hint}")
    frame = Frame.from_any(data, what="data")
    used = used_data(fitted.design, fitted.arguments)
    if frame.n_rows not in (used.n_total, fitted.n_obs):
        raise ArgumentError(
            f"{function}: data has {frame.n_rows} rows, but the model was fitted to {used.n_total}; leave "
            "data out, or fit the model to these data"
        )
    rows = slice(None) if frame.n_rows == fitted.n_obs else used.positions
    for name in fitted.design.formula.variables:
        if not _same(frame.labels(name), used.frame.labels(name), rows):
            raise ArgumentError(
                f"{function}: column {name!r} of data has other values than the data of the fit; leave data "
                "out, or fit the model to these data"
            )


def _same(given: Column, own: Column, rows: slice | NDArray[np.intp]) -> bool:
    if isinstance(given, Factor) or isinstance(own, Factor):
        return bool((_labels(given)[rows] == _labels(own)).all())
    return np.array_equal(given.values[rows], own.values, equal_nan=True)


def _labels(column: Column) -> NDArray[Any]:
    factor = as_factor(column)
    return np.array([*factor.labels(), ""], dtype=object)[factor.codes]
