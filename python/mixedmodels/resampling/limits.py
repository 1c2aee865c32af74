"""Confidence limits of several parameters from their replicates, and what to know about them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..inference.profiles.limits import percentages
from ..render.result_table import ResultTable, result_table
from ..wording import listed
from .intervals import NO_LIMITS, SIMPLE, Limits, bca, bca_levels, is_beyond

UNSUITED = (
    "The wild bootstrap is for coefficients: variance parameters do not vary in it as in new data, so they "
    "have no limits"
)
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
    free : bool
        Whether it is estimated.
    suited : bool
        Whether the replicates vary as estimates from new data do.
    acceleration : float
        For BCa limits.
    """

    name: str
    estimate: float
    values: NDArray[np.float64]
    free: bool = True
    suited: bool = True
    acceleration: float = np.nan

    @property
    def estimated(self) -> bool:
        """Whether there are an estimate and replicates of it."""
        return bool(len(self.values)) and bool(np.isfinite(self.estimate))

    @property
    def known(self) -> bool:
        """Whether there is anything to compute limits from."""
        return self.estimated and self.free and self.suited

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


def all_limits(distributions: list[Distribution], level: float, kind: str) -> NDArray[np.float64]:
    """Limits of several parameters, shape (q, 2)."""
    return np.array([own.limits(level, kind) for own in distributions]).reshape(-1, 2)


def limits_table(
    distributions: list[Distribution], level: float, kind: str, before: list[str], after: list[str]
) -> ResultTable:
    """A row of limits for each parameter, with notes before and after those on the limits."""
    limits = all_limits(distributions, level, kind)
    table = result_table(
        dict(zip(percentages(level), limits.T, strict=True)),
        [own.name for own in distributions],
        notes=[*before, *_remarks(distributions, level, kind), *after],
    )
    table.attrs.update(method="boot", level=level, kind=kind)
    return table


def _remarks(distributions: list[Distribution], level: float, kind: str) -> list[str]:
    """Why limits are NaN, and which are the outermost replicates."""
    notes: list[str] = []
    none = [own.name for own in distributions if not own.estimated]
    if none:
        notes.append(f"No limits of {listed(none)}: there is no estimate, or no replicate has one")
    held = [own.name for own in distributions if own.estimated and not own.free]
    if held:
        notes.append(f"Held fixed, without limits: {listed(held)}")
    if any(own.estimated and own.free and not own.suited for own in distributions):
        notes.append(UNSUITED)
    known = [own for own in distributions if own.known]
    if kind == "bca":
        alone = [own.name for own in known if not np.isfinite(own.acceleration)]
        if alone:
            notes.append(f"No BCa limits of {listed(alone)}: there are no fits without single units")
        known = [own for own in known if np.isfinite(own.acceleration)]
    missing = [own.name for own in known if not np.isfinite(own.limits(level, kind)).all()]
    if missing:
        why = "they need two replicates"
        if kind == "bca":
            why = (
                "they need replicates on both sides of the estimate, which one at a bound does not have; "
                "see kind='percentile' or confint(method='profile') of the model"
            )
        notes.append(f"No {WORDS[kind]} limits of {listed(missing)}: {why}")
    beyond = [own.name for own in known if own.is_beyond(level, kind)]
    if beyond:
        which = "" if len(beyond) == len(known) else f" of {listed(beyond)}"
        notes.append(f"Too few replicates for this level: limits{which} are the smallest or largest ones")
    return notes
