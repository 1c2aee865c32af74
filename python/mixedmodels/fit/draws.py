"""Responses drawn from a fitted model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..design import Response
from ..design.theta import factors
from .record import read_only
from .state import FittedModel


def draw(fitted: FittedModel, rng: np.random.Generator, use_u: bool = False) -> NDArray[np.float64]:
    """
    A response on the scale of its mean, shape (n,): proportions for the binomial family.

    Parameters
    ----------
    fitted : FittedModel
    rng : Generator
    use_u : bool
        Keep the random effects at their conditional modes; by default they are drawn, too.
    """
    eta = fitted.linear_predictor if use_u else fixed_part(fitted) + _random_part(fitted, rng)
    family = fitted.family
    return family.draw(rng, family.mean(eta), fitted.prior_weights, fitted.dispersion)


def draw_many(
    fitted: FittedModel, rng: np.random.Generator, m: int, use_u: bool = False
) -> NDArray[np.float64]:
    """
    `m` responses as `draw` gives one, shape (n, m), column-major; all random effects are drawn together.

    Parameters
    ----------
    fitted : FittedModel
    rng : Generator
    m : int
    use_u : bool
    """
    if use_u:
        eta = np.broadcast_to(fitted.linear_predictor, (m, fitted.n_obs))
    else:
        eta = _random_parts(fitted, rng, m)
        eta += fixed_part(fitted)
    family = fitted.family
    drawn = family.draw(rng, family.mean(eta), fitted.prior_weights, fitted.dispersion)
    return np.asarray(drawn, dtype=np.float64).T


def as_responses(fitted: FittedModel, drawn: NDArray[np.float64]) -> NDArray[np.float64]:
    """Draws of shape (n, m) as the engine takes them: counts of successes for the binomial family."""
    if not fitted.design.form.binomial:
        return drawn
    return np.round(drawn.T * fitted.design.unit_weights).T


def draw_response(fitted: FittedModel, rng: np.random.Generator) -> Response:
    """A response as `refitted` takes it."""
    design, drawn = fitted.design, draw(fitted, rng)
    if design.form.binomial:
        drawn = np.round(drawn * design.unit_weights)
    return Response(read_only(drawn), design.weights, design.form)


def fixed_part(fitted: FittedModel) -> NDArray[np.float64]:
    """Xβ + offset, shape (n,)."""
    kept = fitted.estimates.kept
    eta = fitted.design.x[:, kept] @ fitted.estimates.beta[kept]
    return eta if fitted.design.offset is None else eta + fitted.design.offset


def _random_part(fitted: FittedModel, rng: np.random.Generator) -> NDArray[np.float64]:
    """Zb with b drawn from its distribution, shape (n,)."""
    total = np.zeros(fitted.n_obs)
    for term, factor in zip(fitted.design.terms, factors(fitted.design, fitted.estimates.theta), strict=True):
        b = rng.standard_normal((len(term.group.levels), len(factor))) @ factor.T
        total += np.einsum("ij,ij->i", term.z, b[term.group.codes])
    return fitted.scale * total


def _random_parts(fitted: FittedModel, rng: np.random.Generator, m: int) -> NDArray[np.float64]:
    """`_random_part` for m draws, shape (m, n)."""
    total = np.zeros((m, fitted.n_obs))
    for term, factor in zip(fitted.design.terms, factors(fitted.design, fitted.estimates.theta), strict=True):
        k, levels = len(factor), len(term.group.levels)
        u = rng.standard_normal((m, levels, k))
        b = (u.reshape(m * levels, k) @ factor.T).reshape(m, levels, k)
        for j in range(k):
            # A column at a time: (m, n, k) values would be many more than the result has.
            values = np.ascontiguousarray(b[:, :, j])[:, term.group.codes]
            if not (term.z[:, j] == 1.0).all():
                values *= term.z[:, j]
            total += values
    total *= fitted.scale
    return total
