"""The rows of a model: subset, missing values and zero weights applied to the data and its arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..formula import ModelFormula
from ..frame import Frame
from .rows import MissingRows, listed_rows, missing_rows, named_or_given, subset_mask


@dataclass(frozen=True, eq=False)
class ChosenRows:
    """The rows that take part, with the arguments that have a value for each."""

    frame: Frame
    weights: NDArray[np.float64] | None
    offset: NDArray[np.float64] | None
    missing: MissingRows
    positions: NDArray[np.intp]

    def name(self, i: int) -> str:
        """What to call the i-th of these rows in messages: its label, or its place in the data."""
        index = self.frame.index
        if index is None or np.array_equal(index, self.positions):
            return f"row {self.positions[i]} (counting from 0)"
        return f"row {index[i]!r}"


def choose_rows(
    parsed: ModelFormula,
    frame: Frame,
    weights: Any,
    offset: Any,
    subset: Any,
    action: Any,
    own: Mapping[str, Callable[..., Any]],
    *,
    drop_zero_weights: bool = True,
) -> ChosenRows:
    """Subset, missing values, zero weights: the frame and the row arguments that are left."""
    weight = named_or_given(weights, frame, "weights", own)
    extra = named_or_given(offset, frame, "offset", own)
    chosen = subset_mask(subset, frame, own)
    positions = np.arange(frame.n_rows) if chosen is None else np.flatnonzero(chosen)
    if chosen is not None:
        frame = frame.rows(chosen)
        weight = None if weight is None else (weight[0], weight[1][chosen])
        extra = None if extra is None else (extra[0], extra[1][chosen])
    columns: list[Any] = [(name, frame.labels(name)) for name in parsed.variables]
    columns += [part for part in (weight, extra) if part is not None]
    zero = None
    if weight is not None:
        name, values = weight
        if (values < 0).any():
            raise DataError(f"weights: {name!r} is negative in {listed_rows(values < 0)}")
        if drop_zero_weights and (values == 0).any():
            zero = values == 0
    missing = missing_rows(columns, frame.n_rows, action, zero)
    kept = missing.kept
    if kept is not None:
        frame = frame.rows(kept)
    return ChosenRows(
        frame,
        None if weight is None else np.array(weight[1] if kept is None else weight[1][kept]),
        None if extra is None else np.array(extra[1] if kept is None else extra[1][kept]),
        missing,
        positions if kept is None else positions[kept],
    )
