"""Averages over a reference grid."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..checks import one_of
from .functions_of_beta import LinearFunctions, Space
from .grid import ReferenceGrid, cells
from .specs import Specs

WEIGHTS = {
    "equal": "equally weighted",
    "proportional": "weighted by the frequencies of their combinations in the data",
    "outer": "weighted by the frequencies of their levels in the data",
    "cells": "weighted by the frequencies of the cells in the data",
    "flat": "equally weighted where there are data",
}


def check_weights(weights: Any) -> str:
    """The ``weights`` argument."""
    return one_of("weights", weights, WEIGHTS)


def averaged(
    grid: ReferenceGrid, space: Space, specs: Specs, weights: str
) -> tuple[pd.DataFrame, LinearFunctions]:
    """
    The means of the grid for each combination of the variables asked for.

    Returns
    -------
    labels : DataFrame, shape (m, number of variables)
        The first variable varies fastest.
    functions : LinearFunctions
    """
    chosen = [grid.axis(name) for name in reversed(specs.all)]
    others = [i for i in range(len(grid.variables)) if i not in chosen]
    x = np.transpose(grid.x, [*chosen, *others, len(grid.variables)])
    counts = np.transpose(grid.counts(), [*chosen, *others])
    m = int(np.prod(counts.shape[: len(chosen)], dtype=int))
    x, counts = x.reshape(m, counts.size // m, x.shape[-1]), counts.reshape(m, *counts.shape[len(chosen) :])
    shares = _shares(counts, weights)
    rows = np.einsum("ij,ijk->ik", shares, x)
    labels = cells({name: grid.variables[name] for name in reversed(specs.all)})
    return labels.reindex(columns=pd.Index(specs.all, dtype=object)), LinearFunctions(
        rows, np.full(m, grid.offset), space
    )


def _shares(counts: NDArray[np.float64], weights: str) -> NDArray[np.float64]:
    """The weight of each cell of the averaged factors (flattened) in each mean; rows sum to one."""
    flat = counts.reshape(len(counts), -1)
    if weights == "equal":
        found = np.ones_like(flat)
    elif weights == "proportional":
        found = np.broadcast_to(flat.sum(axis=0), flat.shape)
    elif weights == "outer":
        total = counts.sum(axis=0)
        product: NDArray[np.float64] = np.ones(())
        for axis in range(total.ndim):
            rest = tuple(i for i in range(total.ndim) if i != axis)
            product = np.multiply.outer(product, total.sum(axis=rest))
        found = np.broadcast_to(product.reshape(-1), flat.shape)
    else:
        found = flat if weights == "cells" else (flat > 0).astype(np.float64)
    with np.errstate(invalid="ignore"):
        # A mean over no data at all is not estimable: NaN.
        return found / found.sum(axis=1, keepdims=True)
