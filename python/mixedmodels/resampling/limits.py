"""Confidence limits of several parameters from their replicates, and what to know about them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .intervals import NO_LIMITS, SIMPLE, Limits, bca, bca_levels, is_beyond

WORDS = {
    "percentile": "Percentile",
    "basic": "Basic bootstrap",
    "normal": "Normal",
    "bca": "BCa",
    "shortest": "Shortest",
}


@dataclass(frozen=True, eq=False)
class Distribution:
    """
    The replicates of a parameter.

    Attributes
    ----------
    name : str
    estimate : float
    values : ndarray, shape (m,)
        Of the replicates that have one.
    acceleration : float
        For BCa limits.
    """

    name: str
    estimate: float
    values: NDArray[np.float64]
    acceleration: float = np.nan

    @property
    def known(self) -> bool:
        """Whether there is anything to compute limits from."""
        return bool(len(self.values)) and bool(np.isfinite(self.estimate))

    def limits(self, level: float, kind: str) -> Limits:
        """Limits of a kind; NaN where there are none."""
        if not self.known:
            return NO_LIMITS
        if kind == "bca":
            return bca(self.values, self.estimate, level, self.acceleration)
        return SIMPLE[kind](self.values, self.estimate, level)

    def is_beyond(self, level: float, kind: str) -> bool:
        """Whether a limit lies beyond the replicates, and is the smallest or largest of them."""
        if not self.known or kind == "normal":
            return False
        alpha = 0.5 * (1.0 - level)
        levels = (alpha, 1.0 - alpha)
        if kind == "bca":
            levels = bca_levels(self.values, self.estimate, level, self.acceleration)
        return any(is_beyond(len(self.values), p) for p in levels if np.isfinite(p))


def remarks(distributions: list[Distribution], level: float, kind: str) -> list[str]:
    """Why limits are NaN, and which are the outermost replicates."""
    notes = []
    none = [own.name for own in distributions if not own.known]
    if none:
        notes.append(f"No limits of {', '.join(none)}: there is no estimate, or no replicate has one")
    known = [own for own in distributions if own.known]
    missing = [own.name for own in known if not np.isfinite(own.limits(level, kind)).all()]
    if missing:
        why = "they need two replicates"
        if kind == "bca":
            why = (
                "they need replicates on both sides of the estimate, which one at a bound does not have; "
                "see kind='percentile' or confint(method='profile') of the model"
            )
        notes.append(f"No {WORDS[kind]} limits of {', '.join(missing)}: {why}")
    beyond = [own.name for own in known if own.is_beyond(level, kind)]
    if beyond:
        which = "" if len(beyond) == len(known) else f" of {', '.join(beyond)}"
        notes.append(f"Too few replicates for this level: limits{which} are the smallest or largest ones")
    return notes
