"""The acceleration of BCa intervals: each statistic without each level of the largest grouping factor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..fit.refits import UNBOUNDED, refit_without_levels
from ..fit.state import FittedModel
from ..inference.estimates.refitted_values import refitted_values
from ..repeat.chunks import run_chunks
from .cases import without_level
from .intervals import acceleration
from .replicates import of_samples
from .statistic import Statistic

# Deletions in a chunk, and codes of rows and levels in their samples.
_MOST, _MOST_CODES = 32, 2**23


def accelerations(
    fitted: FittedModel, statistic: Statistic | None, executor: Any = None, progress: Any = False
) -> NDArray[np.float64]:
    """
    The acceleration of each statistic; of all parameters by default.

    Levels whose deletion leaves no model to fit, or no finite optimum, are left out.
    """
    term, codes = _largest(fitted)
    refits = refit_without_levels(fitted, term) if statistic is None else None
    if refits is not None:
        return acceleration(refitted_values(fitted, refits))
    size = min(_MOST, _MOST_CODES // (fitted.n_obs * (1 + len(fitted.design.terms))))
    chunks = run_chunks(
        _without,
        _Deletions(fitted, statistic, codes),
        int(codes.max()) + 1,
        size=max(1, size),
        executor=executor,
        progress=progress,
        what="deletions of a level",
        partial=False,
    )
    return acceleration(np.concatenate(chunks.results))


def largest_factor(fitted: FittedModel) -> str:
    """The grouping factor with the most levels."""
    return fitted.design.terms[_largest(fitted)[0]].group.label


@dataclass(frozen=True, eq=False)
class _Deletions:
    """What all deletions share; `codes` are the levels that are left out."""

    fitted: FittedModel
    statistic: Statistic | None
    codes: NDArray[np.intp]


def _without(deletions: _Deletions, start: int, stop: int) -> NDArray[np.float64]:
    """The statistics without each of some levels, shape (stop - start, q)."""
    fitted = deletions.fitted
    samples = [without_level(fitted, deletions.codes, level) for level in range(start, stop)]
    found = of_samples(fitted, deletions.statistic, samples)
    unbounded = np.array([status == UNBOUNDED for status in found.status])
    return np.where(unbounded[:, None], np.nan, found.values)


def _largest(fitted: FittedModel) -> tuple[int, NDArray[np.intp]]:
    sizes = [len(term.group.levels) for term in fitted.design.terms]
    largest = int(np.argmax(sizes))
    return largest, fitted.design.terms[largest].group.codes.astype(np.intp)
