"""Values of expressions in a formula: arrays, bases and factors; and factors recoded to given levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, NewLevelsError
from ..formula.nodes import Node, variables
from ..frame import Column, Factor, Frame, as_factor, drop_unused


@dataclass(frozen=True, eq=False)
class Basis:
    """Several columns from one expression, such as a spline: values of shape (n, k)."""

    values: NDArray[np.float64]
    names: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Coded:
    """A factor with its own contrasts: ``C(f, contr.sum)``."""

    factor: Factor
    contrasts: Any


Value = NDArray[Any] | float | str | bool | None | tuple[Any, ...] | Factor | Basis | Coded


def match_levels(column: Column, labels: tuple[str, ...], what: str, where: str = "in the fit") -> Factor:
    """A column recoded to given levels; NewLevelsError for a level that is not one of them."""
    factor = as_factor(column)
    own = factor.labels()
    if own == labels:
        return factor
    codes, unseen = translate(factor, labels)
    if unseen:
        shown = ", ".join(map(repr, unseen[:5])) + (", ..." if len(unseen) > 5 else "")
        known = ", ".join(map(repr, labels[:10])) + (", ..." if len(labels) > 10 else "")
        message = f"{what} has levels that were not {where}: {shown}; known levels: {known}"
        raise NewLevelsError(message, column.name, tuple(unseen))
    return Factor(factor.name, codes, labels, factor.ordered)


def translate(factor: Factor, labels: tuple[str, ...]) -> tuple[NDArray[np.int32], list[str]]:
    """Codes for given labels (-1 for others), and the observed labels that are not among them."""
    used = drop_unused(factor)
    position = {label: i for i, label in enumerate(labels)}
    own = used.labels()
    table = np.array([position.get(label, -1) for label in own] + [-1], dtype=np.int32)
    return table[used.codes], [label for label in own if label not in position]


def missing_in(frame: Frame, nodes: Sequence[Node]) -> NDArray[np.bool_] | None:
    """Rows with a missing value in any column that the expressions read; None without such rows."""
    found: NDArray[np.bool_] | None = None
    for name in dict.fromkeys(v for node in nodes for v in variables(node)):
        column = frame.labels(name)
        if not column.gaps if isinstance(column, Factor) else column.finite:
            continue
        missing = column.missing
        if missing.any():
            found = missing if found is None else found | missing
    return found


def check_no_gaps(factor: Factor, what: str, missing: NDArray[np.bool_] | None) -> None:
    """Refuse rows without a level, except rows with missing values."""
    if not factor.gaps:
        return
    gaps = factor.missing if missing is None else factor.missing & ~missing
    if gaps.any():
        rows = np.flatnonzero(gaps)
        raise DataError(
            f"{what} has no level in {len(rows)} row{'s' if len(rows) > 1 else ''} "
            f"(first: {', '.join(map(str, rows[:5]))}, counting from 0 among the rows used)"
        )
