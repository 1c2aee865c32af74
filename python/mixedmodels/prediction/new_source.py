"""The source of simulated responses in new data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..fit.parameters import Parameters
from ..fit.sources import ResponseSource, part_of
from ..fit.state import FittedModel
from ..frame import Frame
from .new_weights import new_weights
from .rows import new_rows
from .selection import Selection


@dataclass(frozen=True, eq=False)
class NewResponses:
    """
    Responses in new rows of data, of which those that are complete have one.

    Attributes
    ----------
    source : ResponseSource
        Of the complete rows.
    fixed : ndarray, shape (n_complete,)
        Xβ without an offset.
    complete : ndarray of bool, shape (n,)
    weights : ndarray, shape (n_complete,), or None
        Numbers of trials or prior weights.
    """

    source: ResponseSource
    fixed: NDArray[np.float64]
    complete: NDArray[np.bool_]
    weights: NDArray[np.float64] | None

    def pad(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values of the complete rows, NaN in the others; shape (n, ...)."""
        padded = np.full((len(self.complete), *values.shape[1:]), np.nan)
        padded[self.complete] = values
        return padded


def new_responses(
    fitted: FittedModel,
    frame: Frame,
    own: Parameters,
    kept: Selection,
    weights: Any,
    offset: Any,
    function: str = "simulate",
    unknown_levels: bool = False,
) -> NewResponses:
    """
    The source of responses in new rows.

    Parameters
    ----------
    fitted : FittedModel
    frame : Frame
    own : Parameters
    kept : mapping of int to ndarray of int
        Effects that stay at their conditional modes, for levels that were in the fit.
    weights, offset : str or array-like of shape (n,), optional
        See :meth:`mixedmodels.MixedModel.simulate`.
    function : str
        For messages.
    unknown_levels : bool
        Whether rows that lack a level have a response, each with effects of its own, as predictions have.
    """
    terms = fitted.design.terms
    data = "newdata" if function == "simulate" else "data"
    all_effects = {t: np.arange(len(term.names)) for t, term in enumerate(terms)}
    rows = new_rows(
        fitted, frame, all_effects, offset, lambda recipe: recipe.random_with_new_levels(frame), function
    )
    prior = new_weights(fitted, frame, weights, f"{function}: {data}")
    complete = ~rows.missing
    if not unknown_levels:
        for part in rows.parts:
            complete &= part.codes >= 0
    if prior is not None:
        complete &= np.isfinite(prior)
        prior = prior[complete]
    parts = []
    for part, factor in zip(rows.parts, own.factors(fitted.design), strict=True):
        codes, t = part.codes[complete], part.term
        levels = max(len(terms[t].group.levels), int(codes.max(initial=-1)) + 1)
        unknown = codes < 0
        codes = np.where(unknown, levels + np.cumsum(unknown) - 1, codes)
        levels += int(unknown.sum())
        modes = fitted.estimates.b[t]
        parts.append(part_of(codes, part.z[complete], levels, factor, kept.get(t), modes))
    fixed = eta = rows.x[complete] @ own.beta
    if rows.offset is not None:
        eta = fixed + rows.offset[complete]
    units = np.ones(len(eta)) if prior is None else prior
    source = ResponseSource(eta, tuple(parts), fitted.family, units, own.dispersion)
    return NewResponses(source, fixed, complete, prior)
