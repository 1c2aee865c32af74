"""The acceleration of BCa intervals: each statistic without each level of the largest grouping factor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import MixedModelError
from ..fit.changes import refitted_design
from ..fit.refits import refit_without_levels
from ..fit.state import FittedModel
from ..inference.estimates.refitted_values import refitted_values
from ..notices import silent
from .cases import without_each
from .intervals import acceleration
from .sampled_design import sampled_design
from .statistic import Statistic


def accelerations(fitted: FittedModel, statistic: Statistic | None) -> NDArray[np.float64]:
    """
    The acceleration of each statistic; of all parameters by default.

    Levels whose deletion leaves no model to fit are left out.
    """
    if statistic is None:
        return fitted.derived(_of_parameters)
    samples = without_each(fitted, _largest(fitted)[1])
    deleted = np.full((len(samples), len(statistic.names)), np.nan)
    for j, sample in enumerate(samples):
        try:
            with silent():
                deleted[j] = statistic.values(refitted_design(fitted, sampled_design(fitted.design, sample)))
        except MixedModelError:
            continue
    return acceleration(deleted)


def largest_factor(fitted: FittedModel) -> str:
    """The grouping factor with the most levels."""
    return fitted.design.terms[_largest(fitted)[0]].group.label


def _of_parameters(fitted: FittedModel) -> NDArray[np.float64]:
    refits = refit_without_levels(fitted, _largest(fitted)[0])
    return acceleration(refitted_values(fitted, refits))


def _largest(fitted: FittedModel) -> tuple[int, NDArray[np.intp]]:
    sizes = [len(term.group.levels) for term in fitted.design.terms]
    largest = int(np.argmax(sizes))
    return largest, fitted.design.terms[largest].group.codes.astype(np.intp)
