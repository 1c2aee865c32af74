"""Ranks of responses among the reference responses of a source."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .source import Source, Values


def scores(source: Source, values: Values, ties: np.random.Generator) -> Values:
    """
    Ranks as numbers between 0 and 1, ties broken at random; shape (m, n).

    If values and reference are exchangeable, a score is uniform.
    """
    rank = _ranks(source, values, ties)
    return (rank + ties.random(rank.shape)) / (len(source.reference) + 1)


def largest_deviation(source: Source, values: Values, ties: np.random.Generator) -> NDArray[np.float64]:
    """The largest distance of the distribution of ranks from the uniform one, shape (m,)."""
    rank = _ranks(source, values, ties)
    m, n = rank.shape
    cells = len(source.reference) + 1
    flat = rank.astype(np.intp) + cells * np.arange(m)[:, None]
    counts = np.bincount(flat.ravel(), minlength=m * cells).reshape(m, cells)
    expected = np.arange(1, cells + 1) / cells
    return np.abs(np.cumsum(counts, axis=1) / n - expected).max(axis=1)


def _ranks(source: Source, values: Values, ties: np.random.Generator) -> NDArray[np.uint8]:
    """The number of reference responses below, ties broken at random."""
    below = np.zeros(values.shape, dtype=np.uint8)
    for row in source.reference:
        below += row < values
    if source.refit or not source.fitted.family.discrete:
        return below
    equal = np.zeros(values.shape, dtype=np.uint8)
    for row in source.reference:
        equal += row == values
    return below + (ties.random(values.shape, dtype=np.float32) * (equal + 1)).astype(np.uint8)
