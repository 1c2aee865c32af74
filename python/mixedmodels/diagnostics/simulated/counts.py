"""Counts over simulated responses, which need no more memory for more of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .ranks import largest_deviation
from .source import Source, Values

Whole = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Extremes:
    """
    The smallest of the simulated responses of each row, and whose it is.

    Attributes
    ----------
    value : ndarray, shape (n,)
    owner : ndarray of int, shape (n,)
        The number of the replicate; -1 where several share the value.
    """

    value: Values
    owner: Whole

    @classmethod
    def of(cls, values: Values, start: int) -> Extremes:
        """Of replicates with the numbers from `start` on, shape (m, n)."""
        where = values.argmin(axis=0)
        low = np.take_along_axis(values, where[None, :], axis=0)[0]
        shared = (values == low).sum(axis=0) > 1
        return cls(low, np.where(shared, -1, where + start).astype(np.int32))

    def with_(self, other: Extremes) -> Extremes:
        """The smallest of both."""
        lower = self.value < other.value
        owner = np.where(lower, self.owner, other.owner)
        owner[self.value == other.value] = -1
        return Extremes(np.where(lower, self.value, other.value), owner)

    def per_replicate(self, y: Values, n: int) -> NDArray[np.int64]:
        """In how many rows each of n replicates is below all the others and the data."""
        own = self.owner[(self.owner >= 0) & (self.value < y)]
        return np.bincount(own, minlength=n)


@dataclass(frozen=True, eq=False)
class Counts:
    """
    How the data and the simulated responses compare.

    Attributes
    ----------
    numbers : ndarray of int, shape (m,)
        The replicates.
    below, equal : ndarray of int, shape (n,)
        Simulated responses below the one observed, and equal to it.
    low, high : Extremes
        Of the responses, and of their negatives.
    deviation, squares, zeros : ndarray, shape (m,)
        For each replicate the deviation of its ranks from uniformity, the weighted sum of squares about the
        expected response, and the number of zeros.
    """

    numbers: NDArray[np.int64]
    below: Whole
    equal: Whole
    low: Extremes
    high: Extremes
    deviation: Values
    squares: Values
    zeros: Values

    def __len__(self) -> int:
        return len(self.numbers)

    @classmethod
    def merged(cls, parts: Sequence[Counts]) -> Counts:
        """The counts of all parts."""
        low, high = parts[0].low, parts[0].high
        for part in parts[1:]:
            low, high = low.with_(part.low), high.with_(part.high)
        return cls(
            np.concatenate([part.numbers for part in parts]),
            np.sum([part.below for part in parts], axis=0, dtype=np.int32),
            np.sum([part.equal for part in parts], axis=0, dtype=np.int32),
            low,
            high,
            np.concatenate([part.deviation for part in parts]),
            np.concatenate([part.squares for part in parts]),
            np.concatenate([part.zeros for part in parts]),
        )


def expected(source: Source) -> Values:
    """The response expected in each row, shape (n,): the mean of the reference where a formula is not known."""
    if source.conditional and not source.refit:
        return source.center
    return source.reference.mean(axis=0)


def weighted_squares(source: Source, values: Values) -> Values:
    """The weighted mean of squares about the expected response, shape (m,)."""
    return np.square(values - expected(source)) @ source.weights / values.shape[-1]


def count(source: Source, start: int, stop: int) -> Counts | None:
    """The counts over a chunk of replicates; the work of `run_chunks`. None when no refit succeeded."""
    parts = []
    for first in range(start, stop, source.block):
        values, ties = source.simulated(first // source.block, min(source.block, stop - first))
        good = np.isfinite(values).all(axis=1)
        if good.any():
            parts.append(_block(source, values, good, first, ties))
    return Counts.merged(parts) if parts else None


def _block(
    source: Source, values: Values, good: NDArray[np.bool_], first: int, ties: np.random.Generator
) -> Counts:
    y = source.observed
    values = values if good.all() else values[good]
    low, high = Extremes.of(values, first), Extremes.of(-values, first)
    if not good.all():
        places = np.flatnonzero(good)
        low, high = (Extremes(e.value, _renumbered(e.owner, places, first)) for e in (low, high))
    return Counts(
        np.flatnonzero(good) + first,
        (values < y).sum(axis=0, dtype=np.int32),
        (values == y).sum(axis=0, dtype=np.int32),
        low,
        high,
        largest_deviation(source, values, ties),
        weighted_squares(source, values),
        (values == 0.0).sum(axis=1).astype(np.float64),
    )


def _renumbered(owner: Whole, places: NDArray[np.intp], first: int) -> Whole:
    return np.where(owner < 0, -1, places[np.maximum(owner - first, 0)] + first).astype(np.int32)
