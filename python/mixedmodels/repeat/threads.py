"""Independent calls side by side in threads, for work that is mostly the engine's."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_threads(work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """The results in order, by as many threads as the engine may use."""
    threads = number_of_threads()
    if threads == 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(threads) as pool:
        # Each call in a copy of this context, in which warnings may be silenced.
        waiting = [pool.submit(copy_context().run, work, item) for item in items]
        return [future.result() for future in waiting]


def number_of_threads() -> int:
    """The variable MIXEDMODELS_NUM_THREADS, or the number of cores that this process may use."""
    try:
        own = int(os.environ.get("MIXEDMODELS_NUM_THREADS", ""))
    except ValueError:
        own = 0
    if own > 0:
        return own
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1
