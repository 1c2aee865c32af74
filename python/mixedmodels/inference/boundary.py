"""Tests of a variance, whose hypothesis lies on the boundary of the parameters."""

from __future__ import annotations

from ..design import Predictors, RandomTerm


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
        By the half-half mixture of χ² distributions with q and q + 1 degrees of freedom (Self & Liang 1987,
        Stram & Lee 1994), for zero degrees of freedom all of it at zero.

    Examples
    --------
    >>> from mixedmodels.inference.boundary import mixture_p_value
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
    if term.covariance == "diagonal":
        return 0 if before.covariance == "diagonal" or len(before.names) == 1 else None
    return len(before.names) if before.covariance == "unstructured" else None


def _same(one: RandomTerm, other: RandomTerm) -> bool:
    """Whether two terms give the same random effects."""
    alike = one.covariance == other.covariance or len(one.names) == 1
    return alike and one.group.label == other.group.label and set(one.names) == set(other.names)
