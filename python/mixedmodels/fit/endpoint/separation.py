"""Separation: coefficients that diverge because predictors separate the outcomes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...design import Design, RandomTerm
from ...design.theta import factors
from ...errors import MixedModelsWarning, SeparationWarning
from ...families import Family
from ..fitted_generalized import GeneralizedEstimates
from ..state import FittedModel
from .recession import strictly_separable, towards, unbounded_columns
from .verdict import Notice

# A mean as near to its limit as a logit of 15 is.
_NUMERICALLY_ZERO = 1.0 / (1.0 + np.exp(15.0))


@dataclass(frozen=True)
class Separation:
    """
    Coefficients that the data do not bound.

    Attributes
    ----------
    names : tuple of str
        The coefficients.
    rows : int
        In how many rows the fitted mean has run into its limit.
    limit : str
        ``"0 or 1"`` or ``"0"``.
    """

    names: tuple[str, ...]
    rows: int
    limit: str

    def __str__(self) -> str:
        names, s = self.names, "s" if self.rows > 1 else ""
        shown = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
        return (
            f"the fitted mean is numerically {self.limit} in {self.rows} row{s}, and "
            f"the data do not bound the coefficient{'s' if len(names) > 1 else ''} of {shown}"
        )


def separation_of(design: Design, family: Family, estimates: GeneralizedEstimates) -> Separation | None:
    """
    The coefficients that the data do not bound, along which means have run into their limits.

    Looked for where effects, over the whole range of a column, are huge.
    """
    if not _may_separate(family):
        return None
    limits = np.array(family.certain_means)
    at_limit = np.any(np.abs(family.mean(estimates.eta) - limits[:, None]) < _NUMERICALLY_ZERO, axis=0)
    if not at_limit.any():
        return None
    kept = estimates.free
    x = design.x[:, kept]
    effects = np.abs(estimates.beta[kept]) * _ranges(x)
    candidates = np.flatnonzero(effects > family.functions.huge)
    if not len(candidates):
        return None
    running = unbounded_columns(x, towards(design, family), candidates.tolist())
    if not running:
        return None
    names = tuple([design.x_names[j] for j in kept[running]])
    limit = " or ".join(f"{value:g}" for value in family.certain_means)
    return Separation(names, int(np.count_nonzero(at_limit)), limit)


def separated_coefficients(
    design: Design, family: Family, beta: NDArray[np.float64], free: NDArray[np.int64]
) -> tuple[str, ...]:
    """The coefficients that the data do not bound among those whose effects are huge, by name."""
    columns = free[huge_effects(design.x, family, beta, free)]
    if not len(columns):
        return ()
    kept = np.flatnonzero(np.isfinite(beta))
    kept = kept[np.isin(kept, free)]
    places = np.searchsorted(kept, columns)
    running = unbounded_columns(design.x[:, kept], towards(design, family), places.tolist())
    return tuple([design.x_names[j] for j in kept[running]])


def huge_effects(
    x: NDArray[np.float64], family: Family, beta: NDArray[np.float64], free: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Where effects over the whole range of a free column are huge; beta of shape (..., p)."""
    if not _may_separate(family) or not len(free):
        return np.zeros((*beta.shape[:-1], len(free)), dtype=bool)
    return np.abs(beta[..., free]) * _ranges(x[:, free]) > family.functions.huge


def _may_separate(family: Family) -> bool:
    """Whether estimates can run to infinity, where observations become certain."""
    return family.discrete and np.isfinite(family.functions.huge)


def separation_notices(design: Design, family: Family, estimates: GeneralizedEstimates) -> list[Notice]:
    """A warning when the data do not bound some coefficients."""
    found = separation_of(design, family, estimates)
    if found is None:
        return []
    text = (
        f"{found}: predictors separate the outcomes; the estimates diverge "
        "and their standard errors are not meaningful"
    )
    return [(SeparationWarning, text)]


def separation_note(fitted: FittedModel) -> str:
    """The note on standard errors in tables of a separated model; empty for others."""
    return fitted.derived(_separation_note)


def _separation_note(fitted: FittedModel) -> str:
    found = separation_of(fitted.design, fitted.family, fitted.estimates)
    return "" if found is None else f"Separation: {found}, whose standard errors are not meaningful"


def separated_levels(
    design: Design,
    family: Family,
    estimates: GeneralizedEstimates,
    roots: tuple[NDArray[np.float64], ...],
) -> str:
    """
    The problem, when the levels alone separate successes from failures; else empty.

    A huge standard deviation alone may be right. The likelihood grows with it to the end only where some
    coefficients and effects of the levels predict every outcome. With an outcome that is constant in every
    level it does so wherever the search has ended.
    """
    if not (family.trials and _may_separate(family)):
        return ""
    found = _large_terms(design, family, estimates.theta, roots, 1.0)
    signs, x = towards(design, family), design.x[:, estimates.free]
    constant = {term.text for term in design.terms if _constant_within(design, term, signs)}
    effects = [(part.term.group.codes, part.z) for part in found]
    if not constant and not (found and strictly_separable(x, signs, effects)):
        return ""
    if strictly_separable(x, signs):
        # The predictors do that without the levels.
        return ""
    sizes = found or [
        part
        for part in _large_terms(design, family, estimates.theta, roots, 0.0)
        if part.term.text in constant
    ]
    shown = "; ".join(
        f"{part.term.text}, which moves the linear predictor by {part.size:.3g}" for part in sizes
    )
    return (
        "no finite optimum: the outcomes hardly vary within levels, so the likelihood increases with the "
        f"standard deviation of {shown}. Its size reflects the approximation of the likelihood, "
        "not the data; do not interpret it"
    )


def large_term_notices(
    design: Design,
    family: Family,
    estimates: GeneralizedEstimates,
    roots: tuple[NDArray[np.float64], ...],
) -> list[Notice]:
    """A warning when a standard deviation is huge, though the data bound it."""
    if not (family.trials and _may_separate(family)):
        return []
    found = _large_terms(design, family, estimates.theta, roots, 1.0)
    if not found:
        return []
    shown = "; ".join(f"{part.term.text} moves the linear predictor by {part.size:.3g}" for part in found)
    text = (
        f"{shown}: most fitted means are close to 0 or 1, where the approximation of the likelihood is "
        "inaccurate; the standard deviation and the coefficients are finite but may be far off"
    )
    return [(SeparationWarning, text)]


def far_out(
    design: Design,
    family: Family,
    theta: NDArray[np.float64],
    roots: tuple[NDArray[np.float64], ...],
) -> bool:
    """Whether standard deviations are so large that the objective may have saddle points there."""
    return _may_separate(family) and bool(_large_terms(design, family, theta, roots, 0.25))


def single_rows_notices(design: Design, family: Family) -> list[Notice]:
    """A warning when a binary response has one row for each level of a grouping factor."""
    if not family.trials or (design.unit_weights != 1.0).any():
        return []
    n = len(design.y)
    terms = [term for term in design.terms if len(term.group.levels) == n]
    if not terms:
        return []
    shown = " and ".join(term.text for term in terms)
    text = (
        f"{shown}: a binary response with one row per level carries no information on the variance between "
        "levels; the estimate reflects the link and the approximation of the likelihood. Drop the term"
    )
    return [(MixedModelsWarning, text)]


@dataclass(frozen=True, eq=False)
class _LargeTerm:
    """A term, its largest standard deviation, and the columns of its large effects."""

    term: RandomTerm
    size: float
    z: NDArray[np.float64]


def _large_terms(
    design: Design,
    family: Family,
    theta: NDArray[np.float64],
    roots: tuple[NDArray[np.float64], ...],
    share: float,
) -> list[_LargeTerm]:
    """Terms with a standard deviation above this share of what is beyond that of most data."""
    # Two standard deviations to either side are as many huge effects.
    limit = share * 2.0 * family.functions.huge
    found = []
    for term, factor, root in zip(design.terms, factors(design, theta), roots, strict=True):
        directions = root.dot(factor)
        # No singular value is larger than the root of the sum of squares, which spares most fits the others.
        if np.vdot(directions, directions) < 0.999 * limit**2:
            continue
        _, sizes, right = np.linalg.svd(directions)
        if sizes[0] >= limit:
            found.append(_LargeTerm(term, float(sizes[0]), term.z @ factor @ right[sizes >= limit].T))
    return found


def _constant_within(design: Design, term: RandomTerm, signs: NDArray[np.float64]) -> bool:
    """Whether the outcome is constant within each level of a random intercept, some with several trials."""
    used = ~np.isnan(signs)
    if not np.all(signs[used]) or not np.any(np.all(term.z == 1.0, axis=0)):
        return False
    codes, levels = term.group.codes[used], len(term.group.levels)
    rows = np.bincount(codes, minlength=levels)
    if not np.all(np.abs(np.bincount(codes, signs[used], minlength=levels)) == rows):
        return False
    return bool(np.bincount(codes, design.unit_weights[used], minlength=levels).max() > 1.0)


def _ranges(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The range of each column; of a constant one its value."""
    spread = x.max(axis=0) - x.min(axis=0)
    return np.where(spread > 0, spread, np.abs(x).max(axis=0))
