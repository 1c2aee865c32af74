"""Levels of new data that the data of the fit had, in rows that took no part."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import NewLevelsError
from ..formula import Scope, parse_expression
from ..formula.nodes import variables
from ..frame import Frame, as_factor
from .build import Predictors
from .rows import subset_mask
from .used_rows import used_data

_SHOWN = 2


@contextmanager
def naming_left_out(design: Predictors, arguments: Any) -> Iterator[None]:
    """Add to the error for levels that were not in the fit what became of those that its data had."""
    try:
        yield
    except NewLevelsError as error:
        found = _left_out(design, arguments, error)
        if not found:
            raise
        raise NewLevelsError(f"{error}; {found}", error.column, error.levels) from None


def _left_out(design: Predictors, arguments: Any, error: NewLevelsError) -> str:
    frame: Frame = arguments.data
    name = _column(error.column, frame, arguments)
    if name is None:
        return ""
    factor = as_factor(frame.labels(name))
    places = {label: i for i, label in enumerate(factor.labels())}
    used = np.zeros(frame.n_rows, dtype=bool)
    used[used_data(design, arguments).positions] = True
    mask = subset_mask(arguments.subset, frame, arguments.functions or {})
    parts = []
    for level in error.levels:
        rows = factor.codes == places.get(level, -2)
        if rows.any() and not used[rows].any():
            chosen = rows if mask is None else rows & mask
            parts.append(f"{level!r} was in the data of the fit, but {_fate(rows, chosen, design, frame)}")
    more = f"; {len(parts) - _SHOWN} more likewise" if len(parts) > _SHOWN else ""
    return "; ".join(parts[:_SHOWN]) + more


def _column(text: str, frame: Frame, arguments: Any) -> str | None:
    """The column that a factor of the formula was made of, when it is a single one."""
    if text in frame:
        return text
    names = variables(parse_expression(text, Scope(frame.names, frozenset(arguments.functions or ()))))
    return names[0] if len(names) == 1 else None


def _fate(rows: NDArray[np.bool_], chosen: NDArray[np.bool_], design: Predictors, frame: Frame) -> str:
    """Why none of some rows was used, given those of them that the subset chose."""
    n, n_chosen = int(rows.sum()), int(chosen.sum())
    causes = [f"subset= ({n - n_chosen})"] if n_chosen < n else []
    explained = ~chosen
    for name in design.missing.columns:
        if name in frame:
            missing = frame.labels(name).missing & chosen
            explained |= missing
            causes += [f"missing values in {name!r} ({int(missing.sum())})"] if missing.any() else []
    if not explained.all():
        causes.append(f"weights= zero, or weights= or offset= missing ({int((~explained).sum())})")
    each = f"all its {n} rows were" if n > 1 else "its only row was"
    return f"{each} left out: {', '.join(causes)}"
