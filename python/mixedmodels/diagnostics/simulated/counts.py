"""Counts over simulated responses, which need no more memory for more of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .ranks import largest_deviation, relative_zeros
from .source import Block, Source, Values

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
    def of(cls, values: Values, numbers: NDArray[np.int64]) -> Extremes:
        """Of replicates with these numbers, shape (m, n)."""
        where = values.argmin(axis=0)
        low = np.take_along_axis(values, where[None, :], axis=0)[0]
        shared = (values == low).sum(axis=0) > 1
        return cls(low, np.where(shared, -1, numbers[where]).astype(np.int32))

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
    deviation, squares, relative_zeros : ndarray, shape (m,)
        For each replicate the deviation of its ranks from uniformity, the weighted mean of squares about the
        expected response less random effects, and how many more zeros it has than what it is compared with.
    zeros : ndarray, shape (m,)
        The number of zeros.
    """

    numbers: NDArray[np.int64]
    below: Whole
    equal: Whole
    low: Extremes
    high: Extremes
    deviation: Values
    squares: Values
    relative_zeros: Values
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
            np.asarray(np.sum([part.below for part in parts], axis=0), dtype=np.int32),
            np.asarray(np.sum([part.equal for part in parts], axis=0), dtype=np.int32),
            low,
            high,
            np.concatenate([part.deviation for part in parts]),
            np.concatenate([part.squares for part in parts]),
            np.concatenate([part.relative_zeros for part in parts]),
            np.concatenate([part.zeros for part in parts]),
        )


def count(source: Source, start: int, stop: int) -> Counts | None:
    """The counts over a chunk of replicates; the work of `run_chunks`. None when no refit succeeded."""
    parts = []
    for first in range(start, stop, source.size):
        block = source.block(first, min(first + source.size, stop))
        if len(block.numbers):
            parts.append(_counts(source, block))
    return Counts.merged(parts) if parts else None


def _counts(source: Source, block: Block) -> Counts:
    y, values = source.observed, block.values
    deviation, squares, zeros = [], [], []
    for some, standard in source.compared(block):
        deviation.append(largest_deviation(some, standard, source.discrete, block.ties))
        squares.append(standard.squares(some).mean(axis=1))
        zeros.append(relative_zeros(some, standard))
    return Counts(
        block.numbers,
        (values < y).sum(axis=0, dtype=np.int32),
        (values == y).sum(axis=0, dtype=np.int32),
        Extremes.of(values, block.numbers),
        Extremes.of(-values, block.numbers),
        np.concatenate(deviation),
        np.concatenate(squares),
        np.concatenate(zeros),
        (values == 0.0).sum(axis=1).astype(np.float64),
    )
