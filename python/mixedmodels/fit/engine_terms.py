"""Random-effects terms in the form that the engine takes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..design import Predictors, RandomTerm

EngineTerm = tuple[NDArray[np.uint32], int, NDArray[np.float64], str, list[float] | None]


def engine_terms(design: Predictors) -> list[EngineTerm]:
    """The random-effects terms in the form that the engine takes."""
    return [engine_term(term, term.z) for term in design.terms]


def engine_term(term: RandomTerm, z: NDArray[np.float64]) -> EngineTerm:
    """A term with these columns as the engine takes it: codes, levels, columns, structure, times."""
    times = None if term.times is None else list(term.times)
    return term.group.codes, len(term.group.levels), z, term.covariance, times
