"""Separation: coefficients that run off to infinity because predictors tell the outcomes apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .design import GeneralizedDesign, RandomTerm
from .errors import MixedModelsWarning, SeparationWarning
from .families import Family
from .fitted_generalized import GeneralizedEstimates
from .theta import factors
from .verdict import Notice

# A mean as near to its limit as a logit of 15 is.
_NUMERICALLY_ZERO = 1.0 / (1.0 + np.exp(15.0))
# On the linear predictor: an effect of this size is beyond what odds or ratios are in any data. Of a
# probability it leads from 1/2 to 0.9997. Links that are not here have no limit at infinity.
_HUGE_EFFECT = {"logit": 8.0, "probit": 3.4, "cloglog": 2.5, "cauchit": 1000.0, "log": 8.0}
# A standard error of that size says that the data do not bound the coefficient.
_HUGE_ERROR = 5.0
_DISCRETE = frozenset({"binomial", "poisson", "nbinom1", "nbinom2"})


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


def separation_of(
    design: GeneralizedDesign, family: Family, estimates: GeneralizedEstimates
) -> Separation | None:
    """
    The coefficients that the data do not bound, along which means have run into their limits.

    The sizes of effects and errors are those of the whole range of a column.
    """
    if family.name not in _DISCRETE or family.link not in _HUGE_EFFECT:
        return None
    mu = family.mean(estimates.eta)
    at_limit = mu < _NUMERICALLY_ZERO
    if family.name == "binomial":
        at_limit |= 1.0 - mu < _NUMERICALLY_ZERO
    if not at_limit.any():
        return None
    kept = estimates.kept
    ranges = _ranges(design.x[:, kept])
    effects = np.abs(estimates.beta[kept]) * ranges
    with np.errstate(invalid="ignore"):
        errors = np.sqrt(np.diag(estimates.conditional_covariance)) * ranges
    # A curvature that has vanished altogether has no error to show.
    running = (effects > _HUGE_EFFECT[family.link]) & ~(errors < _HUGE_ERROR)
    if not running.any():
        return None
    names = tuple([design.x_names[j] for j in kept[running]])
    limit = "0 or 1" if family.name == "binomial" else "0"
    return Separation(names, int(np.count_nonzero(at_limit)), limit)


def separation_notices(
    design: GeneralizedDesign, family: Family, estimates: GeneralizedEstimates
) -> list[Notice]:
    """A warning when the data do not bound some coefficients."""
    found = separation_of(design, family, estimates)
    if found is None:
        return []
    text = (
        f"{found}: predictors separate the outcomes; the estimates diverge "
        "and their standard errors are not meaningful"
    )
    return [(SeparationWarning, text)]


def separated_levels(
    design: GeneralizedDesign,
    family: Family,
    theta: NDArray[np.float64],
    roots: tuple[NDArray[np.float64], ...],
) -> str:
    """What to say when levels tell successes from failures by themselves; else empty."""
    found = [
        f"{term.text}, which moves the linear predictor by {size:.3g}"
        for term, size in _huge_terms(design, family, theta, roots)
    ]
    if not found:
        return ""
    return (
        "no finite optimum: the outcomes hardly vary within levels, so that the likelihood grows with the "
        f"standard deviation of {'; '.join(found)}. Its size reflects the approximation of the likelihood, "
        "not the data; do not interpret it"
    )


def single_rows_notices(design: GeneralizedDesign, family: Family) -> list[Notice]:
    """A warning when a binary response has one row for each level of a grouping factor."""
    if family.name != "binomial" or (design.unit_weights != 1.0).any():
        return []
    n = len(design.y)
    terms = [term for term in design.terms if len(term.group.levels) == n]
    if not terms:
        return []
    shown = " and ".join(term.text for term in terms)
    text = (
        f"{shown}: a binary response with one row for each level says nothing of the variance between "
        "levels; the estimate reflects the link and the approximation of the likelihood. Drop the term"
    )
    return [(MixedModelsWarning, text)]


def _huge_terms(
    design: GeneralizedDesign,
    family: Family,
    theta: NDArray[np.float64],
    roots: tuple[NDArray[np.float64], ...],
) -> list[tuple[RandomTerm, float]]:
    """Terms of a binomial model with a standard deviation beyond that of any data, and its size."""
    if family.name != "binomial" or family.link not in _HUGE_EFFECT:
        return []
    found = []
    for term, factor, root in zip(design.terms, factors(design, theta), roots, strict=True):
        size = float(np.linalg.norm(root @ factor, ord=2))
        # Two standard deviations to either side are as many huge effects.
        if size > 2.0 * _HUGE_EFFECT[family.link]:
            found.append((term, size))
    return found


def _ranges(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The range of each column; of a constant one its value."""
    spread = x.max(axis=0) - x.min(axis=0)
    return np.where(spread > 0, spread, np.abs(x).max(axis=0))
