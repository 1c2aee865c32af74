"""Ranks of responses among the responses that they are compared with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .standard import Standard, Values

_TIE = 1e-9


def scores(values: Values, standard: Standard, discrete: bool, ties: np.random.Generator) -> Values:
    """
    Ranks as numbers between 0 and 1, ties broken at random; shape (m, n).

    If values and reference are exchangeable, a score is uniform.
    """
    rank = _ranks(values, standard, discrete, ties)
    return (rank + ties.random(rank.shape)) / (len(standard.reference) + 1)


def largest_deviation(
    values: Values, standard: Standard, discrete: bool, ties: np.random.Generator
) -> NDArray[np.float64]:
    """The largest distance of the distribution of ranks from the uniform one, shape (m,)."""
    rank = _ranks(values, standard, discrete, ties)
    (m, n), cells = rank.shape, len(standard.reference) + 1
    flat = rank.astype(np.intp) + cells * np.arange(m)[:, None]
    counts = np.bincount(flat.ravel(), minlength=m * cells).reshape(m, cells)
    expected = np.arange(1, cells + 1) / cells
    largest = np.abs(np.cumsum(counts, axis=1) / n - expected).max(axis=1)
    # Equal distances, of which there are many for few rows, get a random order.
    return largest + _TIE * ties.random(m)


def relative_zeros(values: Values, standard: Standard) -> Values:
    """The difference of the numbers of zeros in values and reference, shape (m,)."""
    usual = np.count_nonzero(standard.reference == 0.0) / len(standard.reference)
    return (values == 0.0).sum(axis=1) - usual


def _ranks(
    values: Values, standard: Standard, discrete: bool, ties: np.random.Generator
) -> NDArray[np.uint8]:
    """The number of reference responses below, ties broken at random."""
    below = np.zeros(values.shape, dtype=np.uint8)
    for row in standard.reference:
        below += row < values
    if not discrete:
        return below
    equal = np.zeros(values.shape, dtype=np.uint8)
    for row in standard.reference:
        equal += row == values
    return below + (ties.random(values.shape, dtype=np.float32) * (equal + 1)).astype(np.uint8)
