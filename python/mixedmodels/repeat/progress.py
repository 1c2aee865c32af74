"""Progress of a repetition: a bar, lines or a callback."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..checks import shown
from ..errors import ArgumentError

# Told how many of how many are done.
Listener = Callable[[int, int], object]
_LINES = 20


def check_progress(progress: Any) -> None:
    """Refuse an argument `progress` that is neither True, False nor callable."""
    if not isinstance(progress, bool) and not callable(progress):
        raise ArgumentError(
            "progress must be True, False or a function of the numbers done and in all, "
            f"not {shown(progress)}"
        )


@contextmanager
def reporting(progress: Any, total: int, what: str) -> Iterator[Listener]:
    """
    Report progress while a repetition runs.

    Parameters
    ----------
    progress : bool or callable
        True shows a bar if tqdm is installed, and prints lines otherwise; a callable is told
        ``(done, total)``.
    total : int
    what : str
        What is repeated, in the plural.
    """
    check_progress(progress)
    if progress is False:
        yield lambda done, total: None
    elif progress is True:
        with _displayed(total, what) as listener:
            yield _Rising(listener)
    else:
        yield _Rising(progress)


@contextmanager
def _displayed(total: int, what: str) -> Iterator[Listener]:
    try:
        from tqdm.auto import tqdm  # pyright: ignore[reportMissingModuleSource]
    except ImportError:
        yield _Lines(what)
        return
    with warnings.catch_warnings():
        # Without ipywidgets a notebook shows the bar as text, and tqdm warns of it.
        warnings.simplefilter("ignore")
        bar = tqdm(total=total, desc=what, file=sys.stderr)
    with bar:
        yield lambda done, total: bar.update(done - bar.n)


class _Rising:
    """Leaves out numbers below one already told: threads may report theirs in another order."""

    def __init__(self, listener: Listener) -> None:
        self._listener, self._told = listener, 0

    def __call__(self, done: int, total: int) -> None:
        if done >= self._told:
            self._told = done
            self._listener(done, total)


class _Lines:
    """Prints at most twenty lines."""

    def __init__(self, what: str) -> None:
        self._what, self._next = what, 0.0

    def __call__(self, done: int, total: int) -> None:
        if done >= self._next or done == total:
            print(f"{done} of {total} {self._what}", file=sys.stderr, flush=True)
            self._next = done + total / _LINES
