"""Columns of the fixed effects that depend on others."""

from __future__ import annotations

from collections.abc import Sequence

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


def dropped_columns(kept: NDArray[np.intp], names: Sequence[str]) -> str:
    """The columns that are not among those kept, in words; empty when all are."""
    gone = [str(name) for j, name in enumerate(names) if j not in set(kept.tolist())]
    if not gone:
        return ""
    shown = ", ".join(gone[:10]) + (", ..." if len(gone) > 10 else "")
    what, rest = (
        (f"column {shown} depends", "its coefficient is 0 and has")
        if len(gone) == 1
        else (f"columns {shown} depend", "their coefficients are 0 and have")
    )
    return f"exog: {what} on the columns before; {rest} no standard error"
