"""Statistics of scores between 0 and 1, of many replicates at a time; workers can receive them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...repeat.chunks import run_chunks
from .groups import Groups
from .ranks import scores
from .source import Source, Values

# Scores of shape (m, n) to statistics of shape (m, q).
Statistic = Callable[[Values], Values]


@dataclass(frozen=True, eq=False)
class LocationAndSpread:
    """
    How far the means of scores, and of their distances from 1/2, are from those of uniform ones.

    Attributes
    ----------
    groups : Groups
    trend : ndarray, shape (n,), optional
        Ranks of the rows, of mean zero and length one, for a third statistic: a linear trend of the scores.
    """

    groups: Groups
    trend: Values | None = None

    def __call__(self, u: Values) -> Values:
        found = [self._sum(u), self._sum(np.abs(2.0 * u - 1.0))]
        if self.trend is not None:
            found.append(12.0 * np.square((u - 0.5) @ self.trend))
        return np.column_stack(found)

    def _sum(self, values: Values) -> Values:
        # The variance of a uniform variable is 1/12.
        return 12.0 * (self.groups.sizes * np.square(self.groups.means(values) - 0.5)).sum(axis=1)


@dataclass(frozen=True, eq=False)
class DurbinWatson:
    """
    The sum of squared successive differences over the sum of squares, of means over groups in order.

    Attributes
    ----------
    groups : Groups
        Rows of the same time.
    series : ndarray, shape (k,)
        The series that each of them belongs to.
    """

    groups: Groups
    series: NDArray[np.intp]

    def __call__(self, u: Values) -> Values:
        e = self.groups.means(u) - 0.5
        same = np.diff(self.series) == 0
        return (np.square(np.diff(e, axis=1))[:, same].sum(axis=1) / np.square(e).sum(axis=1))[:, None]


@dataclass(frozen=True, eq=False)
class Moran:
    """
    Moran's I of means over locations.

    Attributes
    ----------
    groups : Groups
        Rows of the same location.
    weights : ndarray, shape (k, k)
        With rows that sum to one.
    """

    groups: Groups
    weights: Values

    def __call__(self, u: Values) -> Values:
        z = self.groups.means(u)
        z -= z.mean(axis=1, keepdims=True)
        return (np.einsum("ij,ij->i", z @ self.weights, z) / np.square(z).sum(axis=1))[:, None]


@dataclass(frozen=True)
class _Task:
    source: Source
    statistic: Statistic


def compared(source: Source, statistic: Statistic, n_sim: int) -> tuple[Values, Values]:
    """
    The statistic of the data, shape (q,), and of simulated responses, shape (m, q).

    All are scores relative to the same reference responses, so that they are exchangeable if the data come
    from the model, whatever the correlation of the rows.
    """
    y, discrete = source.observed[None, :], source.discrete
    own = statistic(scores(y, source.standard, discrete, source.ties()))[0]
    task = _Task(source, statistic)
    work = run_chunks(_work, task, n_sim, size=source.size, what="simulations")
    return own, np.concatenate(work.results)


def _work(task: _Task, start: int, stop: int) -> Values:
    source = task.source
    block = source.block(start, stop)
    found = [
        task.statistic(scores(values, standard, source.discrete, block.ties))
        for values, standard in source.compared(block)
    ]
    return np.concatenate(found) if found else np.empty((0, 1))


def p_value(own: float, simulated: Values, alternative: str = "greater") -> float:
    """The Monte Carlo p-value, (1 + number as extreme)/(1 + number); two-sided twice the smaller."""
    simulated = simulated[np.isfinite(simulated)]
    if not np.isfinite(own) or not len(simulated):
        return np.nan
    above = (1 + np.count_nonzero(simulated >= own)) / (len(simulated) + 1)
    below = (1 + np.count_nonzero(simulated <= own)) / (len(simulated) + 1)
    if alternative == "two-sided":
        return float(min(1.0, 2.0 * min(above, below)))
    return float(above if alternative == "greater" else below)
