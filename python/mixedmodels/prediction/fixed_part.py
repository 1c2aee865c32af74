"""The fixed part for new data, and where the data of the fit say nothing about it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import EstimabilityWarning
from ..fit.state import FittedModel
from ..formula.nodes import variables
from ..frame import Factor, Frame
from ..inference.hypotheses.estimability import Undetermined
from ..notices import warn_user
from ..render.numbers import format_number
from ..wording import listed, one_line


def determined_x(fitted: FittedModel, frame: Frame) -> NDArray[np.float64]:
    """
    The fixed-effects model matrix for new data, shape (n, p).

    NaN in rows with missing values, and in those whose fixed part the data of the fit do not determine, as in
    a cell without observations.

    Warns
    -----
    EstimabilityWarning
        Naming the cells.
    """
    x = fitted.design.recipe.new_x(frame)
    if fitted.rank == x.shape[1]:
        return x
    undetermined = Undetermined(fitted)
    depends = undetermined.depends(x)
    rows = np.flatnonzero(depends.any(axis=1))
    if len(rows):
        dropped = undetermined.dropped[depends.any(axis=0)]
        warn_user(_text(fitted, frame, rows, dropped), EstimabilityWarning)
        x[rows] = np.nan
    return x


def _text(fitted: FittedModel, frame: Frame, rows: NDArray[np.intp], dropped: NDArray[np.intp]) -> str:
    names = [one_line(fitted.design.x_names[j]) for j in dropped]
    columns = f"column{'s' if len(names) > 1 else ''} {listed(names)}"
    nodes = fitted.design.recipe.fixed.part(dropped.tolist()).nodes
    read = list(dict.fromkeys(name for node in nodes for name in variables(node)))
    cells = list(dict.fromkeys(_cell(frame, read, row) for row in rows[:10_000].tolist()))
    return (
        f"newdata: NaN in {len(rows)} row{'s' if len(rows) > 1 else ''} ({listed(cells, '; ')}): the data of "
        f"the fit do not determine the fixed part there (dropped {columns})"
    )


def _cell(frame: Frame, names: Sequence[str], row: int) -> str:
    """The values of some columns in a row."""
    return ", ".join(f"{one_line(name)} = {_value(frame, name, row)}" for name in names)


def _value(frame: Frame, name: str, row: int) -> str:
    column = frame.column(name)
    if isinstance(column, Factor):
        return repr(column.labels()[column.codes[row]])
    return format_number(float(column.values[row]), 5).strip()
