"""Data given again to a fitted model, which has kept its own."""

from __future__ import annotations

from typing import Any

from ..design.used_rows import used_data
from ..errors import ArgumentError
from ..frame import Frame
from .state import FittedModel


def check_data(fitted: FittedModel, data: Any, what: str, option: str) -> None:
    """
    Refuse what cannot be the data of the fit.

    Parameters
    ----------
    fitted : FittedModel
    data : data frame or None
    what : str
        The function, for errors.
    option : str
        What a text is likely to be meant for, as "a factor is groups".

    Raises
    ------
    ArgumentError
        For a text, and for another number of rows.
    """
    if data is None:
        return
    if isinstance(data, str):
        raise ArgumentError(f"{what}: data must be the data of the fit; {option}={data!r}")
    n = Frame.from_any(data, what="data").n_rows
    used = used_data(fitted.design, fitted.arguments)
    if n not in (used.n_total, fitted.n_obs):
        raise ArgumentError(
            f"{what}: data has {n} rows, but the model was fitted to {used.n_total}; leave data out, or "
            "fit the model to these data"
        )
