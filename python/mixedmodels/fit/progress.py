"""The progress of a fit: a callback, printed lines and the log, through one listener of the engine."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .control import Control

logger = logging.getLogger("mixedmodels")

# What is told of every evaluation.
Teller = Callable[["Progress"], object]


@dataclass(frozen=True)
class Progress:
    """
    The progress of a fit, passed to ``Control(progress=...)`` after every evaluation.

    Attributes
    ----------
    evaluation : int
        Number of evaluations done; for ``fit_many`` the number of responses done.
    objective : float
        Its value at the last evaluation that succeeded; NaN for ``fit_many``.
    elapsed : float
        Seconds since the search started.

    Examples
    --------
    >>> from mixedmodels import Control, lmer, load_sleepstudy
    >>> seen = []
    >>> control = Control(progress=lambda at: seen.append(at.evaluation))
    >>> m = lmer("Reaction ~ Days + (1 | Subject)", load_sleepstudy(), control=control)
    >>> seen[-1] == m.n_evaluations
    True
    """

    evaluation: int
    objective: float
    elapsed: float


class Watch:
    """
    One search as it is watched.

    Parameters
    ----------
    control : Control
        With the callback and whether to print.
    model : str
        What is fitted, for the log.
    quiet : bool
        Only log: for refits that the user did not ask for.
    """

    def __init__(self, control: Control, model: str, *, quiet: bool = False) -> None:
        self._model = model
        self._start = time.perf_counter()
        self._last = 0
        self._logs = logger.isEnabledFor(logging.DEBUG)
        self._tellers: list[Teller] = []
        if control.verbose and not quiet:
            self._tellers.append(_print)
        if control.progress is not None and not quiet:
            self._tellers.append(control.progress)
        if self._logs:
            self._tellers.append(_log)
            logger.debug("start of the fit of %s", model)

    @property
    def listener(self) -> Callable[[int, float], None] | None:
        """What the engine calls before every evaluation; None when nobody listens."""
        return self._hear if self._tellers else None

    def end(self, result: Mapping[str, Any]) -> None:
        """Tell of the last evaluation, after which the engine called no more, and how the search ended."""
        evaluations = result["n_evaluations"]
        if self._tellers and evaluations > self._last:
            # Points that the search met again count as evaluations, but the engine need not compute them.
            self._hear(self._last + 1, float(result["objective"]))
        if self._logs:
            logger.debug(
                "end of the fit of %s: %s after %d evaluations, objective %.10g, %.3f s",
                self._model,
                result["status"],
                evaluations,
                result["objective"],
                self._elapsed(),
            )

    def _hear(self, evaluations: int, objective: float) -> None:
        if evaluations <= self._last:
            return
        self._last = evaluations
        record = Progress(evaluations, objective, self._elapsed())
        for tell in self._tellers:
            tell(record)

    def _elapsed(self) -> float:
        return time.perf_counter() - self._start


class CountedResponses:
    """
    The listener of ``fit_many``: hears how many responses are done, whoever calls how often.

    Parameters
    ----------
    control : Control
    total : int
        Number of responses.
    verbose : bool
        Print at most twenty lines.
    """

    def __init__(self, control: Control, total: int, *, verbose: bool) -> None:
        self._start = time.perf_counter()
        self._total, self._verbose, self._next = total, verbose, 0.0
        self._tell = control.progress
        self._done = -1

    def __call__(self, done: int) -> None:
        if self._verbose and done >= self._next:
            print(f"{done} of {self._total} responses", flush=True)
            self._next = done + self._total / 20
        if self._tell is not None and done > self._done:
            self._done = done
            self._tell(Progress(done, math.nan, time.perf_counter() - self._start))


def _print(record: Progress) -> None:
    print(f"evaluation {record.evaluation:4d}  objective {record.objective:.10g}", flush=True)


def _log(record: Progress) -> None:
    logger.debug(
        "evaluation %d: objective %.10g, %.3f s", record.evaluation, record.objective, record.elapsed
    )
