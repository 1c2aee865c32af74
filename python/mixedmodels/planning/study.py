"""The rows of a study, with weights and an offset that stay with the rows when they are copied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..design.rows import columns_of, row_values
from ..design.used_rows import used_data
from ..errors import ArgumentError
from ..fit.state import FittedModel
from ..formula import check_functions
from ..frame import Frame
from .tables import table_of


@dataclass(frozen=True, eq=False)
class Study:
    """
    A study whose rows can be copied.

    Attributes
    ----------
    rows : data frame
    weights, offset : str, float or None
        Of its rows; a text is a column or an expression of columns.
    """

    rows: Any
    weights: Any
    offset: Any

    @classmethod
    def of(cls, rows: Any, weights: Any, offset: Any) -> Study:
        """The study of these rows; arrays become columns."""
        given = {"weights": weights, "offset": offset}
        arrays = {name: own for name, own in given.items() if not (own is None or np.ndim(own) == 0)}
        if not arrays:
            return cls(rows, weights, offset)
        frame, table = Frame.from_any(rows), table_of(rows)
        columns = {}
        for name, values in arrays.items():
            column = name
            while column in frame:
                column += "_"
            columns[column] = row_values(values, frame, name)
            given[name] = column
        return cls(table.frame.assign(**columns), **given)


def study_of_fit(fitted: FittedModel, data: Any, weights: Any, offset: Any) -> Study:
    """
    The study that a fitted model describes.

    Parameters
    ----------
    fitted : FittedModel
    data : data frame, optional
        By default the rows of the fit, with their weights and offset.
    weights, offset : str or array-like, optional
        Of `data`.
    """
    if data is not None:
        return Study.of(data, weights, offset)
    if weights is not None or offset is not None:
        name = "offset" if weights is None else "weights"
        raise ArgumentError(f"power_curve: {name}= of a fitted model needs data=")
    arguments, design = fitted.arguments, fitted.design
    used = used_data(design, arguments)
    functions = check_functions(arguments.functions)
    names = list(design.formula.variables)
    arrays: dict[str, Any] = {"weights": None, "offset": None}
    for name in arrays:
        own = getattr(arguments, name)
        if isinstance(own, str):
            names += columns_of(own, used.frame, functions)
        elif own is not None:
            arrays[name] = row_values(own, arguments.data, name)[used.positions]
    rows = pd.DataFrame(used.columns(dict.fromkeys(names)))
    return Study.of(rows, **arrays)
