"""Tests of a variance or dispersion, whose hypothesis lies on the boundary of the parameters."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ...design import Predictors, RandomTerm
from ...families import Family


def mixture_p_value(statistic: float, covariances: int) -> float:
    """
    P-value of a likelihood-ratio test of one random effect: its variance and its covariances are zero.

    Parameters
    ----------
    statistic : float
    covariances : int
        The number q of covariances with other random effects of the term.

    Returns
    -------
    float
        By the 50:50 mixture of χ² distributions with q and q + 1 degrees of freedom (Self & Liang 1987,
        Stram & Lee 1994), for zero degrees of freedom all of it at zero.

    Examples
    --------
    >>> from mixedmodels.inference.likelihood.boundary import mixture_p_value
    >>> round(mixture_p_value(2.7055, 0), 4)
    0.05
    """
    from scipy.special import chdtrc

    lower = float(chdtrc(covariances, statistic)) if covariances else float(statistic <= 0)
    return 0.5 * lower + 0.5 * float(chdtrc(covariances + 1, max(statistic, 0.0)))


def covariances_of_added_effect(smaller: Predictors, larger: Predictors) -> int | None:
    """The number of covariances of the one effect that `larger` has more; None if they differ otherwise."""
    missing = list(smaller.terms)
    added = []
    for term in larger.terms:
        same = next((other for other in missing if _same(other, term)), None)
        if same is None:
            added.append(term)
        else:
            missing.remove(same)
    if len(added) != 1 or len(missing) > 1:
        return None
    (term,) = added
    if not missing:
        return 0 if len(term.names) == 1 else None
    (before,) = missing
    grown = before.group.label == term.group.label and set(before.names) < set(term.names)
    if not grown or len(term.names) != len(before.names) + 1:
        return None
    if not (term.blocks and before.blocks):
        return None
    if not term.structure.correlated:
        return None if before.structure.correlated else 0
    return len(before.names) if len(before.blocks) == 1 else None


def _same(one: RandomTerm, other: RandomTerm) -> bool:
    """Whether two terms give the same random effects."""
    alike = one.covariance == other.covariance or len(one.names) == 1
    return alike and one.group.label == other.group.label and set(one.names) == set(other.names)


def family_step(smaller: Family, larger: Family) -> Literal["same", "inner", "boundary", "unrelated"]:
    """
    How the family of a smaller model is related to the family of a larger one.

    Returns
    -------
    str
        "same"; "inner" for a fixed value of a parameter that the larger one estimates; "boundary" where the
        smaller is the limit of the larger, as Poisson of the negative binomial; "unrelated" for any other two
        families or links, which are not nested.
    """
    if smaller == larger:
        return "same"
    if smaller.link != larger.link or not larger.estimates_dispersion:
        return "unrelated"
    if smaller.name == larger.name:
        return "inner"
    return "boundary" if larger.limit == smaller.name else "unrelated"


def same_apart_from_family(smaller: Predictors, larger: Predictors) -> bool:
    """Whether two models have the same fixed part and random effects."""
    if smaller.x.shape != larger.x.shape or not np.array_equal(smaller.x, larger.x):
        return False
    pairs = zip(smaller.terms, larger.terms, strict=False)
    return len(smaller.terms) == len(larger.terms) and all(_same(one, other) for one, other in pairs)
