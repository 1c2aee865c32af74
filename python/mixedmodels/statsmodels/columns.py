"""Columns of the fixed effects that depend on others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# As much of a column must be left after those before it.
_TOLERANCE = 1e-7


def kept_columns(x: NDArray[np.float64]) -> NDArray[np.intp]:
    """
    The columns that do not depend on those before them.

    Parameters
    ----------
    x : ndarray, shape (n, p)

    Returns
    -------
    ndarray of int, shape (rank,)
    """
    sizes = np.linalg.norm(x, axis=0)
    used = np.flatnonzero(sizes > 0.0)
    if not len(used):
        return used
    # The diagonal of R is what each column has that those before it have not.
    left = np.abs(np.diag(np.linalg.qr(x[:, used] / sizes[used], mode="r")))
    alone = np.zeros(len(used), dtype=bool)
    alone[: len(left)] = left > _TOLERANCE
    return used[alone]
