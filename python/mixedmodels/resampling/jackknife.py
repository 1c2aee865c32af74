"""The acceleration of BCa intervals: each statistic without each of the independent units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ArgumentError
from ..fit.deletions import in_chunks
from ..fit.refits import UNBOUNDED, refit_without_rows
from ..fit.row_sets import RowSets
from ..fit.state import FittedModel
from ..inference.basis.clusters import find_clusters
from ..inference.estimates.refitted_values import refitted_values
from ..repeat.chunks import run_chunks
from .cases import Cases, without_level
from .intervals import acceleration
from .replicates import Plan, of_samples
from .schemes import Wild
from .statistic import Statistic

# Deletions in a chunk, and codes of rows and levels in their samples.
_MOST, _MOST_CODES = 32, 2**23


def accelerations(plan: Plan, executor: Any = None, progress: Any = False) -> NDArray[np.float64]:
    """
    The acceleration of each statistic; of all parameters by default.

    Levels whose deletion leaves no model to fit, or no finite optimum, are left out.
    """
    fitted, statistic = plan.fitted, plan.statistic
    label, codes = independent_units(plan)
    terms = [t for t, term in enumerate(fitted.design.terms) if term.group.label == label]
    if terms and statistic is None:
        group = fitted.design.terms[terms[0]].group
        sets = RowSets.of_levels(group.codes, len(group.levels))
        return acceleration(np.concatenate(in_chunks(_parameters, fitted, sets, executor, progress)))
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


def independent_units(plan: Plan) -> tuple[str, NDArray[np.intp]]:
    """
    The factor whose levels are deleted, and the level of each row.

    What a bootstrap draws as a whole; without that the grouping factor that contains all others, and for
    crossed factors, which have no independent units, the one with the most levels.
    """
    fitted, scheme = plan.fitted, plan.scheme
    if isinstance(scheme, Cases):
        return scheme.labels[0], scheme.codes[0]
    if isinstance(scheme, Wild):
        return scheme.label, scheme.codes
    groups = [term.group for term in fitted.design.terms]
    try:
        label = find_clusters(fitted).label
    except ArgumentError:
        label = max(groups, key=lambda group: len(group.levels)).label
    return label, next(group.codes for group in groups if group.label == label).astype(np.intp)


def _parameters(state: tuple[FittedModel, RowSets], start: int, stop: int) -> NDArray[np.float64]:
    """All parameters without each of some sets."""
    fitted, sets = state
    return refitted_values(fitted, refit_without_rows(fitted, sets.part(start, stop)))


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
