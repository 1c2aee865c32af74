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
