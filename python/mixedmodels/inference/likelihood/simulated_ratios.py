"""Likelihood ratios of two models for many responses, by refits in the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ...errors import ArgumentError
from ...fit.refits import refit_responses
from ...fit.state import FittedModel
from ...repeat.chunks import run_chunks
from ...repeat.seeds import Streams

# Values of responses that are drawn together: a stream of random numbers belongs to such a block.
_VALUES = 500_000
_MOST_TOGETHER = 50


class Responses(Protocol):
    """Draws responses; it can be pickled."""

    def draw(self, rng: np.random.Generator, m: int) -> NDArray[np.float64]:
        """`m` responses as `refit_responses` takes them, shape (n, m)."""
        ...


class Fit(Protocol):
    """Has a fitted model; it can be pickled, which a model cannot whose design no formula describes."""

    @property
    def fitted(self) -> FittedModel: ...


@dataclass(frozen=True, eq=False)
class SimulatedRatios:
    """
    Likelihood ratios of simulated responses.

    Attributes
    ----------
    ratios : ndarray
        Where both models could be fitted.
    n_failed : int
        Responses to which a model could not be fitted.
    """

    ratios: NDArray[np.float64]
    n_failed: int

    @property
    def n(self) -> int:
        return len(self.ratios) + self.n_failed

    def p_value(self, statistic: float) -> float:
        """The share (count + 1) / (n + 1) of ratios that are no smaller, up to the rounding of optima."""
        reached = self.ratios >= statistic - 1e-7 * (1.0 + statistic)
        return float((np.count_nonzero(reached) + 1) / (len(self.ratios) + 1))

    def notes(self) -> list[str]:
        """How many simulations were left out."""
        if not self.n_failed:
            return []
        return [
            f"{self.n_failed} of {self.n} simulations left out because a model could not be fitted to them"
        ]


@dataclass(frozen=True, eq=False)
class _Repetition:
    full: FittedModel
    reduced: Fit
    responses: Responses
    streams: Streams
    block: int


def simulated_ratios(
    full: FittedModel,
    reduced: Fit,
    responses: Responses,
    nsim: int,
    function: str,
    *,
    rng: Any = None,
    executor: Any = None,
    progress: Any = False,
) -> SimulatedRatios:
    """
    Fit two models, nested and by the same criterion, to `nsim` responses.

    The ratios are the same with any executor and any number of threads.

    Raises
    ------
    ArgumentError
        When no response could be fitted; `function` names the test.
    """
    block = max(1, min(_MOST_TOGETHER, _VALUES // full.n_obs))
    state = _Repetition(full, reduced, responses, Streams.of(rng), block)
    chunks = run_chunks(
        _work, state, nsim, size=block, executor=executor, progress=progress, what="simulations"
    )
    return collected(chunks.results, function)


def collected(parts: list[NDArray[np.float64]], function: str) -> SimulatedRatios:
    """The ratios of all chunks; NaN where a model could not be fitted."""
    ratios = np.concatenate(parts)
    good = np.isfinite(ratios)
    if not good.any():
        raise ArgumentError(f"{function}: the models could not be fitted to any simulated response")
    return SimulatedRatios(np.maximum(ratios[good], 0.0), int(np.count_nonzero(~good)))


def _work(state: _Repetition, start: int, stop: int) -> NDArray[np.float64]:
    drawn = state.responses.draw(state.streams.generator(start // state.block), stop - start)
    fits = [refit_responses(model, drawn) for model in (state.reduced.fitted, state.full)]
    ratios = fits[0].objective - fits[1].objective
    ratios[fits[0].failed | fits[1].failed] = np.nan
    return ratios
