"""The simulations of a power analysis: draw, fit, test."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..design import Response
from ..errors import ArgumentError, DataError, MixedModelError
from ..fit.changes import state_at
from ..fit.draws import as_responses
from ..fit.fitting import Point
from ..fit.record import read_only
from ..fit.refits import FAILED, Refits, refit_responses
from ..fit.sources import ResponseSource
from ..fit.state import FittedModel
from ..repeat.chunks import run_chunks
from ..repeat.seeds import Streams
from ..repeat.threads import in_threads
from .hypotheses import Outcome, Test

# Responses of a block have one random stream. More rows than this in all would take much memory.
_BLOCK = 25
_ROWS_OF_BLOCK = 2_000_000
# Rows of a chunk: about half a second of work for simple models.
_ROWS_OF_CHUNK = 60_000


@dataclass(frozen=True, eq=False)
class Replicates:
    """
    The results of m simulations.

    Attributes
    ----------
    outcomes : ndarray, shape (m, 3)
        P-values, statistics, estimates.
    singular : ndarray of bool, shape (m,)
    status : tuple of str
        How each fit ended; ``"failed"`` without a fit or a test.
    messages : tuple of str
        Why.
    """

    outcomes: NDArray[np.float64]
    singular: NDArray[np.bool_]
    status: tuple[str, ...]
    messages: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Work:
    source: ResponseSource
    test: Test
    streams: Streams
    key: tuple[int, ...]
    block: int


def simulated(
    source: ResponseSource,
    test: Test,
    nsim: int,
    streams: Streams,
    key: tuple[int, ...] = (),
    executor: Executor | None = None,
    progress: Any = False,
) -> tuple[Replicates, bool]:
    """
    Simulate, fit and test.

    Parameters
    ----------
    source : ResponseSource
    test : Test
    nsim : int
    streams : Streams
    key : tuple of int
        Tells repetitions with the same streams apart.
    executor, progress
        See :func:`~mixedmodels.repeat.chunks.run_chunks`.

    Returns
    -------
    replicates : Replicates
        Those that are done.
    interrupted : bool
    """
    n = max(1, test.fitted.n_obs)
    block = max(1, min(_BLOCK, _ROWS_OF_BLOCK // n))
    size = block * max(1, _ROWS_OF_CHUNK // (n * block))
    work = _Work(source, test, streams, key, block)
    chunks = run_chunks(_run, work, nsim, size=size, executor=executor, progress=progress, what="simulations")
    return _joined(chunks.results), chunks.interrupted


def _run(work: _Work, start: int, stop: int) -> Replicates:
    """The simulations of whole blocks; the last block may be cut short."""
    firsts = range(start, stop, work.block)
    return _joined([_one_block(work, first, min(first + work.block, stop) - first) for first in firsts])


def _one_block(work: _Work, first: int, count: int) -> Replicates:
    test, fitted = work.test, work.test.fitted
    drawn, faults = _drawn(work, first // work.block)
    responses = as_responses(fitted, drawn[:, :count])
    refits = refit_responses(fitted, responses)
    prepared = test.prepared(responses)

    def tested(j: int) -> tuple[Outcome, str]:
        if faults[j]:
            return Outcome(), faults[j]
        return _tested(test, j, refits, prepared, responses)

    results = in_threads(tested, range(count)) if test.parallel else [tested(j) for j in range(count)]
    messages = [message for _, message in results]
    status = [FAILED if message else own for message, own in zip(messages, refits.status, strict=True)]
    outcomes = np.array([outcome for outcome, _ in results], dtype=np.float64).reshape(count, 3)
    return Replicates(outcomes, refits.singular, tuple(status), tuple(messages))


def _drawn(work: _Work, block: int) -> tuple[NDArray[np.float64], list[str]]:
    """The responses of a block, and why some of them could not be drawn (they are copies of others)."""
    key = (*work.key, block)
    try:
        return work.source.draw_many(work.streams.generator(*key), work.block), [""] * work.block
    except DataError:
        pass
    # Random effects have taken some means out of the range of the family.
    generator = work.streams.generator(*key)
    columns: list[NDArray[np.float64] | None] = []
    faults = []
    for _ in range(work.block):
        try:
            columns.append(work.source.draw(generator))
            faults.append("")
        except DataError as error:
            columns.append(None)
            faults.append(str(error))
    good = next((column for column in columns if column is not None), None)
    if good is None:
        raise DataError(faults[0])
    return np.column_stack([good if column is None else column for column in columns]), faults


def _tested(
    test: Test, j: int, refits: Refits, prepared: Any, responses: NDArray[np.float64]
) -> tuple[Outcome, str]:
    """The outcome of a simulation, and why there is none."""
    if refits.status[j] == FAILED:
        return Outcome(), refits.messages[j] or "the model could not be fitted"
    try:
        outcome = test.outcome(j, refits, prepared, _state(test.fitted, j, refits, responses))
    except ArgumentError:
        # The fault of the test, not of the simulation.
        raise
    except (MixedModelError, np.linalg.LinAlgError) as error:
        return Outcome(), str(error)
    return outcome, "the test has no p-value" if np.isnan(outcome.p_value) else ""


def _state(
    fitted: FittedModel, j: int, refits: Refits, responses: NDArray[np.float64]
) -> Callable[[], FittedModel]:
    def state() -> FittedModel:
        response = Response(read_only(responses[:, j]), fitted.design.weights, fitted.design.form)
        point = Point(refits.theta[j], refits.beta[j], float(refits.dispersion[j]))
        return state_at(fitted, response, point, refits.status[j])

    return state


def _joined(parts: list[Replicates]) -> Replicates:
    return Replicates(
        np.concatenate([part.outcomes for part in parts]),
        np.concatenate([part.singular for part in parts]),
        tuple(status for part in parts for status in part.status),
        tuple(message for part in parts for message in part.messages),
    )
