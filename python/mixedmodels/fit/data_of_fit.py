"""The argument `data` of methods that take it as other packages do, though the model knows its data."""

from __future__ import annotations

from typing import Any

from ..design.used_rows import used_data
from ..errors import ArgumentError
from ..frame import Frame
from .state import FittedModel


def check_data_of_fit(fitted: FittedModel, data: Any, function: str, otherwise: str) -> None:
    """
    Refuse data that cannot be those of the fit.

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
    n = Frame.from_any(data, what="data").n_rows
    used = used_data(fitted.design, fitted.arguments)
    if n not in (used.n_total, fitted.n_obs):
        raise ArgumentError(
            f"{function}: data has {n} rows, but the model was fitted to {used.n_total}; leave data out, or "
            "fit the model to these data"
        )
