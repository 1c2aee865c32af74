"""
Optima at infinity: residual variances that tend to zero relative to those of the random effects.

With as many random effects and coefficients as rows, and the random effects growing beside the residuals by a
factor t, the criterion is a smooth function of s = 1/t² up to s = 0, where the residual variance is zero.
The least value may lie there: the search then ends wherever rounding stops it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ...design import Design, Predictors
from ...design.theta import factors, grown, growth, slices
from ...errors import MixedModelError
from ...families import Family
from ..fitted_generalized import GeneralizedEstimates
from ..record import Estimates
from .dispersion_limits import relative_residual_sd, towards_zero

# Standard deviations relative to the residual one: below, the residual variance is well away from zero.
_LARGE = 30.0
# Rounding takes few digits at the first; weak directions need the second to be near the limit.
_REFERENCES = (100.0, 1000.0)
# At s, 2s and 4s the criterion rises by differences in the ratio 2 where it is linear in s, 4 where its least
# value is near s = 0 itself, and 1 where it goes like log(s) towards a finite optimum, or none at all.
_LINEAR = (1.5, 4.0)
# A criterion that still falls so fast with log(t), so far out, has no bound.
_FALLING, _FAR = -0.5, 1e4


def residual_vanishes(
    design: Predictors,
    sizes: NDArray[np.float64],
    estimates: Estimates,
    gradient: NDArray[np.float64],
    objective: Callable[[NDArray[np.float64]], float],
) -> str:
    """
    What to say when the criterion falls on as the residual variance tends to zero; else empty.

    Parameters
    ----------
    design : Predictors
    sizes : ndarray, shape (n_theta,)
        :func:`column_sizes`.
    estimates : Estimates
        Where the search ended.
    gradient : ndarray, shape (n_theta,)
        Of the criterion there.
    objective : callable
        The criterion at any theta; may raise a `MixedModelError`. It is called only where the numbers of
        rows, coefficients and random effects allow the limit.
    """
    theta = estimates.theta
    if not may_vanish(design, sizes, len(estimates.free)):
        return ""
    large = sizes > _LARGE

    def along(factor: float) -> float:
        return objective(grown(design, theta, large, factor))

    largest = float(sizes.max())
    falling = largest > _FAR and (
        float(gradient @ growth(design, theta, large)) < _FALLING
        or _falls_on(largest, estimates.objective, along)
    )
    if not falling and not _rises_from_zero(float(sizes[large].min()), along):
        return ""
    return _no_optimum("residual variance", "zero", design, large, len(estimates.free), float(sizes.max()))


def may_vanish(design: Predictors, sizes: NDArray[np.float64], rank: int) -> bool:
    """Whether large random effects and the coefficients, `rank` of them, can be as many as the rows."""
    large = sizes > _LARGE
    return bool(large.any()) and _nothing_left(design, large, rank)


def large_fits(
    design: Predictors, roots: Sequence[NDArray[np.float64]], theta: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Of theta of shape (m, n_theta) the fits with large random effects, shape (m,)."""
    found = np.zeros(len(theta), dtype=bool)
    for factor, root in zip(factors(design, theta), roots, strict=True):
        found |= np.linalg.norm(root @ factor, axis=-2).max(axis=-1, initial=0.0) > _LARGE
    return found


def dispersion_vanishes(
    design: Design,
    roots: Sequence[NDArray[np.float64]],
    estimates: GeneralizedEstimates,
    family: Family,
    slope: float,
    objective: Callable[[float], float],
) -> str:
    """
    What to say when the objective falls on as the residual variance of a generalized model tends to zero.

    Parameters
    ----------
    design, roots, estimates, family
        Of the fit.
    slope : float
        Derivative of the objective in the logarithm of the dispersion.
    objective : callable
        The objective with a number added to the logarithm of the dispersion; may raise a
        `MixedModelError`.
    """
    relative = relative_residual_sd(family, estimates)
    if relative is None or not relative > 0:
        return ""
    sizes = column_sizes(design, roots, estimates.theta) / relative
    if not may_vanish(design, sizes, len(estimates.free)):
        return ""
    large = sizes > _LARGE
    sign = towards_zero(family)
    falling = sizes.max() > _FAR and 2.0 * sign * slope < _FALLING
    if not falling and not _rises_from_zero(
        float(sizes[large].min()), lambda factor: objective(sign * 2.0 * float(np.log(factor)))
    ):
        return ""
    limit = "infinity" if family.precision else "zero"
    return _no_optimum(family.parameter, limit, design, large, len(estimates.free), float(sizes.max()))


def _nothing_left(design: Predictors, large: NDArray[np.bool_], rank: int) -> bool:
    """Whether coefficients, random effects and the directions of these can be as many as the rows."""
    effects, directions = _n_effects(design, large)
    return effects + directions + rank >= len(design.x)


def _n_effects(design: Predictors, large: NDArray[np.bool_]) -> tuple[int, int]:
    """
    The number of random effects in these columns of the factors, and of parameters that turn their space.

    A covariance matrix of rank r chooses r of k dimensions for its effects: r(k - r) parameters.
    """
    effects, directions = 0, 0
    for term, part in slices(design):
        k, entries = term.structure.k, term.structure.entries
        if entries is None:
            effects += len(term.group.levels) * k * bool(large[part].any())
            continue
        columns = {column for (_, column), own in zip(entries, large[part], strict=True) if own}
        effects += len(term.group.levels) * len(columns)
        if len(term.blocks) == 1:
            directions += len(columns) * (k - len(columns))
    return effects, directions


def _no_optimum(
    what: str, limit: str, design: Predictors, large: NDArray[np.bool_], rank: int, ratio: float
) -> str:
    terms = [term.text for term, part in slices(design) if large[part].any()]
    effects, directions = _n_effects(design, large)
    turned, instead = "", "group by a factor with fewer levels"
    if directions and effects + rank < len(design.x):
        turned, instead = " in directions chosen to fit", "make its effects independent (||)"
    return (
        f"no finite optimum: the criterion keeps falling as the {what} tends to {limit} relative to the "
        f"variance of {' and '.join(terms)} (ratio of SDs {ratio:.2g} where the search stopped). "
        f"{effects} random effects{turned} and {rank} coefficient{'s' * (rank != 1)} for "
        f"{len(design.x)} rows leave nothing to estimate the {what} from; drop "
        f"{'the term' if len(terms) == 1 else 'one of these terms'} or {instead}"
    )


def column_sizes(
    design: Predictors, roots: Sequence[NDArray[np.float64]], theta: NDArray[np.float64]
) -> NDArray[np.float64]:
    """
    For each entry of theta what its column of the factor adds to the response, shape (n_theta,).

    For structures whose theta does not fill the factor, what the largest column adds.
    """
    found: list[float] = []
    for term, factor, root in zip(design.terms, factors(design, theta), roots, strict=True):
        own, structure = np.linalg.norm(root @ factor, axis=0).tolist(), term.structure
        if structure.entries is None:
            found += [max(own)] * structure.n_parameters
        else:
            found += [own[column] for _, column in structure.entries]
    return np.array(found)


def _falls_on(size: float, here: float, objective: Callable[[float], float]) -> bool:
    """Whether the criterion is lower at twice the ratio: rounding leaves a gradient fewer digits."""
    try:
        fall = objective(2.0) - here
    except MixedModelError:
        return False
    # Of the largest terms in a criterion.
    rounding = 10.0 * float(np.finfo(float).eps) * (2.0 * size) ** 2
    return fall < _FALLING * float(np.log(2.0)) - rounding


def _rises_from_zero(size: float, objective: Callable[[float], float]) -> bool:
    """
    Whether the criterion, as a function of s = 1/t², rises from s = 0 on.

    `objective` takes what the ratio of standard deviations, which is `size` where the search ended, is
    multiplied by.
    """
    for reference in _REFERENCES:
        factor = min(0.3, reference / size)
        try:
            values = [objective(factor / t) for t in (1.0, 2.0**0.5, 2.0)]
        except MixedModelError:
            continue
        near, far = np.diff(values)
        if near > 0 and _LINEAR[0] * near < far < _LINEAR[1] * near:
            return True
    return False
