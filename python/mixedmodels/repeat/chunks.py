"""Independent work in chunks, here or in the workers of any executor."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ..checks import shown
from ..errors import ArgumentError, ExecutorError, InterruptedWarning, MixedModelError
from ..notices import silent, warn_user
from .progress import Listener, check_progress, reporting
from .shipped import Shipped

State = TypeVar("State")
Result = TypeVar("Result")
Span = tuple[int, int]

# Chunks that wait in an executor: enough for many workers, few enough to hold in memory.
_IN_FLIGHT = 64


@dataclass(frozen=True)
class Chunks(Generic[Result]):
    """
    The results of a repetition.

    Attributes
    ----------
    results : list
        One for each chunk that is done, in order.
    spans : list of (int, int)
        Their first replicates and the ends, which are excluded.
    interrupted : bool
        Whether the user ended the repetition before all replicates were done.
    """

    results: list[Result]
    spans: list[Span]
    interrupted: bool

    @property
    def done(self) -> int:
        """Number of replicates done."""
        return _number(self.spans)


def run_chunks(
    work: Callable[[State, int, int], Result],
    state: State,
    n: int,
    *,
    size: int,
    executor: Executor | None = None,
    progress: bool | Listener = False,
    what: str = "refits",
    partial: bool = True,
) -> Chunks[Result]:
    """
    Call ``work(state, start, stop)`` for the chunks of ``range(n)``, without warnings of this package.

    Parameters
    ----------
    work : callable
        A function at the top level of a module, whose result depends on its arguments alone.
    state : object
        Sent once to each process.
    n : int
        Number of replicates.
    size : int
        Replicates in a chunk; the last one may have fewer.
    executor : Executor, optional
        Any executor of the interface of `concurrent.futures`. By default the chunks run one after the other
        in this thread.
    progress : bool or callable
        See `reporting`.
    what : str
        What is repeated, in the plural.
    partial : bool
        Whether some of the replicates are a result.

    Raises
    ------
    ArgumentError
        For arguments of another type, and a state that cannot be sent.
    ExecutorError
        When a worker dies; it names the replicates.
    KeyboardInterrupt
        When the user interrupts before there is a partial result.

    Warns
    -----
    InterruptedWarning
        When the user interrupts later; the result holds the chunks done.
    """
    check_executor(executor)
    check_progress(progress)
    spans = [(start, min(start + size, n)) for start in range(0, n, size)]
    finished: dict[Span, Result] = {}
    if executor is None:
        run = _here(work, state, spans, finished)
    else:
        run = _sent(executor, work, Shipped(state, what), spans, finished, what)
    interrupted = False
    with reporting(progress, n, what) as tell:
        try:
            # Closed, the generator keeps what is finished.
            with closing(run):
                tell(0, n)
                for _ in run:
                    tell(_number(finished), n)
        except KeyboardInterrupt:
            if not (finished and partial):
                raise
            interrupted = True
    if interrupted:
        done = f"interrupted: {_number(finished)} of {n} {what} were done, and the result holds these"
        warn_user(done, InterruptedWarning)
    ordered = sorted(finished)
    return Chunks([finished[span] for span in ordered], ordered, interrupted)


def _number(spans: Iterable[Span]) -> int:
    """Number of replicates."""
    return sum(stop - start for start, stop in spans)


def check_executor(executor: Any) -> None:
    """Refuse an argument `executor` without the interface of `concurrent.futures`."""
    if executor is None or isinstance(executor, Executor):
        return
    hint = "; use client.get_executor()" if hasattr(executor, "get_executor") else ""
    raise ArgumentError(
        f"executor must be None or an Executor as in concurrent.futures, not {shown(executor)}{hint}"
    )


def _here(
    work: Callable[[State, int, int], Result],
    state: State,
    spans: Iterable[Span],
    finished: dict[Span, Result],
) -> Generator[None, None, None]:
    for span in spans:
        with silent():
            finished[span] = work(state, *span)
        yield


def _sent(
    executor: Executor,
    work: Callable[[State, int, int], Result],
    shipped: Shipped,
    spans: Iterable[Span],
    finished: dict[Span, Result],
    what: str,
) -> Generator[None, None, None]:
    rest = iter(spans)
    waiting: dict[Future[_Outcome[Result]], Span] = {}
    try:
        while True:
            for span in rest:
                waiting[_submit(executor, work, shipped, span, what)] = span
                if len(waiting) >= _IN_FLIGHT:
                    break
            if not waiting:
                return
            for future in sorted(wait(waiting, return_when=FIRST_COMPLETED).done, key=waiting.__getitem__):
                finished[waiting[future]] = _received(future, waiting[future], what)
                del waiting[future]
                yield
    finally:
        for future, span in waiting.items():
            if not future.cancel() and future.done() and not future.exception():
                outcome = future.result()
                if not outcome.failed:
                    finished[span] = outcome.get()


def _submit(executor: Executor, work: Any, shipped: Shipped, span: Span, what: str) -> Future[Any]:
    try:
        return executor.submit(_run, work, shipped, *span)
    except Exception as error:
        raise _failure(error, span, what) from error


def _received(future: Future[_Outcome[Result]], span: Span, what: str) -> Result:
    try:
        outcome = future.result()
    except Exception as error:
        # Errors of the work come as outcomes: this one is of the executor.
        raise _failure(error, span, what) from error
    return outcome.get()


def _failure(error: Exception, span: Span, what: str) -> MixedModelError:
    if isinstance(error, MixedModelError):
        return error
    return ExecutorError(
        f"executor: {what} {span[0] + 1} to {span[1]} were lost, as when a worker dies or runs out of memory "
        f"({type(error).__name__}: {error}); run again with fewer workers or without executor"
    )


@dataclass(frozen=True)
class _Outcome(Generic[Result]):
    """The result of the work, or its error."""

    result: Result | Exception

    @property
    def failed(self) -> bool:
        return isinstance(self.result, Exception)

    def get(self) -> Result:
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


def _run(
    work: Callable[[Any, int, int], Result], shipped: Shipped, start: int, stop: int
) -> _Outcome[Result]:
    try:
        with silent():
            return _Outcome(work(shipped.value, start, stop))
    except Exception as error:
        return _Outcome(_sendable(error))


def _sendable(error: Exception) -> Exception:
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
