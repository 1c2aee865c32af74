"""Responses drawn from a fitted model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..design import Response
from .record import read_only
from .sources import ResponseSource, source_of
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
    return _source(fitted, use_u).draw(rng)


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
    return _source(fitted, use_u).draw_many(rng, m)


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


def _source(fitted: FittedModel, use_u: bool) -> ResponseSource:
    return fitted.derived(_conditional_source if use_u else source_of)


def _conditional_source(fitted: FittedModel) -> ResponseSource:
    columns = {t: np.arange(len(term.names)) for t, term in enumerate(fitted.design.terms)}
    return source_of(fitted, kept=columns)
