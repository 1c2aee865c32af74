"""Whether the columns of one matrix are combinations of those of another."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_ROUNDING, _RANK = 1e-8, 1e-10
# Of the smallest to the largest eigenvalue of the inner products, for which these do instead of the columns.
_WELL_CONDITIONED = 1e-8
# Rows whose triangular factor is computed at a time.
_ROWS = 50_000


def columns_within(columns: NDArray[np.float64], space: NDArray[np.float64]) -> bool:
    """Whether `space` spans `columns`, both of shape (n, any), to rounding error."""
    sizes = np.linalg.norm(columns, axis=0)
    columns = columns[:, sizes > 0] / sizes[sizes > 0]
    if not columns.size:
        return True
    unit = np.linalg.norm(space, axis=0)
    space = space[:, unit > 0] / unit[unit > 0]
    if not space.size:
        return False
    products = space.T @ space
    values = np.linalg.eigvalsh(products)
    if values[0] > _WELL_CONDITIONED * values[-1]:
        # The second step takes away the rounding error of the first.
        rest = columns - space @ np.linalg.solve(products, space.T @ columns)
        rest -= space @ np.linalg.solve(products, space.T @ rest)
    else:
        columns, space = _triangular(columns, space)
        left, values, _ = np.linalg.svd(space, full_matrices=False)
        basis = left[:, values > _RANK * values[0]]
        rest = columns - basis @ (basis.T @ columns)
    return bool(np.linalg.norm(rest, axis=0).max() <= _ROUNDING)


def _triangular(
    columns: NDArray[np.float64], space: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Matrices of few rows with the same inner products among all columns."""
    n, k = columns.shape[0], columns.shape[1] + space.shape[1]
    if n <= 2 * k:
        return columns, space
    factor: Any = np.zeros((0, k))
    width = space.shape[1]
    for start in range(0, n, _ROWS):
        part = slice(start, start + _ROWS)
        rows = np.concatenate([factor, np.column_stack([space[part], columns[part]])])
        factor = np.linalg.qr(rows, mode="r")
    return factor[:, width:], factor[:, :width]
