"""Printed square matrices whose rows and columns have the same names."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..wording import display_width
from .page import Table

Write = Callable[[NDArray[np.float64]], list[str]]
# Longer names do not head columns: numbers do.
_LABEL_WIDTH = 11


def matrix_of(matrix: pd.DataFrame, write: Write) -> Table:
    """The whole matrix; the columns are numbered where names are too long to head them."""
    names, heads = _names(matrix)
    values = matrix.to_numpy(dtype=float)
    columns = [(head, write(values[:, j])) for j, head in enumerate(heads)]
    return Table.from_columns([("", names), *columns])


def triangle_of(matrix: pd.DataFrame, write: Write) -> Table:
    """The lower triangle without the diagonal, numbered likewise."""
    names, heads = _names(matrix)
    # The first row is empty, and there for the name that goes with its number.
    rows = range(0 if heads[0] != names[0] else 1, len(names))
    values = matrix.to_numpy(dtype=float)
    columns: list[tuple[str, list[str]]] = [("", [names[i] for i in rows])]
    for j, head in enumerate(heads[:-1]):
        cells = write(values[j + 1 :, j])
        columns.append((head, [cells[i - j - 1] if i > j else "" for i in rows]))
    return Table.from_columns(columns)


def _names(matrix: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Names of the rows, and headings of the columns."""
    names = [str(name) for name in matrix.index]
    if max(map(display_width, names)) <= _LABEL_WIDTH:
        return names, names
    heads = [str(j + 1) for j in range(len(names))]
    return [f"{head} {name}" for head, name in zip(heads, names, strict=True)], heads
