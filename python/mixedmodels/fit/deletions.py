"""Work on refits without sets of rows, in chunks that an executor can take."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

from ..repeat.chunks import run_chunks
from ..repeat.progress import Listener
from .row_sets import RowSets
from .state import FittedModel

Result = TypeVar("Result")

# Chunks that progress is told of, and the least number of refits of a generalized model in one.
_STEPS, _FEWEST = 50, 64


def in_chunks(
    work: Callable[[tuple[FittedModel, RowSets], int, int], Result],
    fitted: FittedModel,
    sets: RowSets,
    executor: Executor | None = None,
    progress: bool | Listener = False,
) -> list[Result]:
    """
    The results of `work` on successive sets, in order.

    Linear models share their cross-products among all deletions, so that one chunk is fastest when nobody
    listens.
    """
    m = len(sets)
    alone = executor is None and progress is False
    fewest = 1 if fitted.exact_likelihood else _FEWEST
    size = m if alone and fitted.exact_likelihood else max(fewest, -(-m // _STEPS))
    return run_chunks(
        work,
        (fitted, sets),
        m,
        size=max(size, 1),
        executor=executor,
        progress=progress,
        what="deletions",
        partial=False,
    ).results
