"""
Optima at infinity: residual variances that run to zero, and variances that a binary response does not bound.

With as many random effects and coefficients as rows, and the random effects growing beside the residuals by a
factor t, the criterion is a smooth function of s = 1/t² up to s = 0, where the residual variance is zero.
The least value may lie there: the search then ends wherever rounding stops it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from .design import GeneralizedDesign, Predictors, RandomTerm
from .errors import MixedModelError
from .families import Family
from .separation import huge_terms
from .theta import factors, positions, slices

# Standard deviations relative to the residual one: below, the residual variance is well away from zero;
# at the reference rounding has taken few digits yet, while s = 1/t² is small.
_LARGE = 30.0
_REFERENCE = 100.0
# At s, 2s and 4s the criterion falls by differences in the ratio 2 where it is linear in s, 4 where its least
# value is near s = 0 itself, and 1 where it falls like log(s) towards a finite optimum far beyond.
_LINEAR = (1.5, 4.0)


def residual_vanishes(
    design: Predictors,
    roots: Sequence[NDArray[np.float64]],
    theta: NDArray[np.float64],
    rank: int,
    objective: Callable[[NDArray[np.float64]], float],
) -> str:
    """
    What to say when the criterion falls on as the residual variance tends to zero; else empty.

    Parameters
    ----------
    design : Predictors
    roots : sequence of ndarray
        :func:`~mixedmodels.singularity.term_roots`.
    theta : ndarray, shape (n_theta,)
        Where the search ended.
    rank : int
        Number of coefficients.
    objective : callable
        The criterion at any theta; may raise a `MixedModelError`. It is called at large theta only.
    """
    sizes = column_sizes(design, roots, theta)
    large = sizes > _LARGE
    if not large.any():
        return ""
    n = len(design.x)
    effects = sum(
        len(term.group.levels) * len({column for (_, column), own in zip(positions(term), large[part], strict=True) if own})
        for term, part in slices(design)
    )
    if effects + rank < n or not _linear_at_zero(theta, large, sizes, objective):
        return ""
    terms = [term for term, part in slices(design) if large[part].any()]
    shown = " and ".join(term.text for term in terms)
    return (
        f"no finite optimum: the {'criterion' if rank else 'objective'} falls on as the residual variance tends to "
        f"zero beside the variance of {shown} (where the search ended, the ratio of the standard deviations was "
        f"{sizes.max():.2g}). {effects} random effects and {rank} coefficients leave nothing of {n} rows to "
        f"estimate the residual variance from: drop {'the term' if len(terms) == 1 else 'one of the terms'}, or "
        "group by a factor with fewer levels"
    )


def largest_ratio(
    design: Predictors, roots: Sequence[NDArray[np.float64]], theta: NDArray[np.float64]
) -> float:
    """The largest standard deviation that a column of a factor adds to the response, relative to sigma."""
    return float(column_sizes(design, roots, theta).max(initial=0.0))


def column_sizes(
    design: Predictors, roots: Sequence[NDArray[np.float64]], theta: NDArray[np.float64]
) -> NDArray[np.float64]:
    """For each entry of theta what its column of the factor adds to the response, shape (n_theta,)."""
    found = []
    for term, factor, root in zip(design.terms, factors(design, theta), roots, strict=True):
        own = np.linalg.norm(root @ factor, axis=0)
        found += [own[column] for _, column in positions(term)]
    return np.array(found)


def _linear_at_zero(
    theta: NDArray[np.float64],
    large: NDArray[np.bool_],
    sizes: NDArray[np.float64],
    objective: Callable[[NDArray[np.float64]], float],
) -> bool:
    """Whether the criterion, as a function of s = 1/t², increases from s = 0 on."""
    factor = min(0.3, _REFERENCE / sizes[large].min())
    values = []
    for share in (1.0, 2.0, 4.0):
        scaled = np.where(large, theta * (factor / np.sqrt(share)), theta)
        try:
            values.append(objective(scaled))
        except MixedModelError:
            return False
    near, far = np.diff(values)
    return bool(near > 0 and _LINEAR[0] * near < far < _LINEAR[1] * near)
