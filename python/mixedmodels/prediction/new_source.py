"""The source of simulated responses in new data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..design.response import trials_of
from ..design.rows import named_or_given
from ..errors import ArgumentError, DataError
from ..fit.parameters import Parameters
from ..fit.sources import ResponseSource, part_of
from ..fit.state import FittedModel
from ..frame import Frame
from .fixed_part import determined_x
from .rows import argument_offset
from .selection import Selection


@dataclass(frozen=True, eq=False)
class NewRows:
    """
    New rows of data, of which those that are complete have a response.

    Attributes
    ----------
    source : ResponseSource
        Of the complete rows.
    complete : ndarray of bool, shape (n,)
    weights : ndarray, shape (n_complete,), or None
        Numbers of trials or prior weights.
    """

    source: ResponseSource
    complete: NDArray[np.bool_]
    weights: NDArray[np.float64] | None

    def pad(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values of the complete rows, NaN in the others; shape (n, ...)."""
        padded = np.full((len(self.complete), *values.shape[1:]), np.nan)
        padded[self.complete] = values
        return padded


def new_rows(
    fitted: FittedModel, frame: Frame, own: Parameters, kept: Selection, weights: Any, offset: Any
) -> NewRows:
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
    """
    design = fitted.design
    recipe = design.recipe
    recipe.prefetch(frame, range(len(design.terms)))
    eta = determined_x(fitted, frame) @ own.beta
    for values in (recipe.new_offset(frame), argument_offset(fitted, frame, offset, "simulate")):
        if values is not None:
            eta = eta + values
    terms = recipe.random_with_new_levels(frame)
    prior = _new_weights(fitted, frame, weights)
    complete = np.isfinite(eta)
    for term in terms:
        complete &= (term.codes >= 0) & np.isfinite(term.z).all(axis=1)
    if prior is not None:
        complete &= np.isfinite(prior)
        prior = prior[complete]
        check_weights(prior, trials=design.form.binomial)
    parts = [
        part_of(term.codes[complete], term.z[complete], int(term.n_levels or 0), factor, kept.get(t), b)
        for t, (term, factor, b) in enumerate(
            zip(terms, own.factors(design), fitted.estimates.b, strict=True)
        )
    ]
    units = np.ones(int(complete.sum())) if prior is None else prior
    source = ResponseSource(eta[complete], tuple(parts), fitted.family, units, own.dispersion)
    return NewRows(source, complete, prior)


def check_weights(weights: NDArray[np.float64], *, trials: bool) -> None:
    """Refuse weights that are not positive, and numbers of trials that are not whole."""
    good = weights > 0
    if trials:
        good &= weights == np.floor(weights)
    if not good.all():
        wanted = "numbers of trials must be whole numbers of at least 1" if trials else "must be positive"
        raise DataError(f"weights: {wanted}, not {weights[np.argmin(good)]:g}")


def _new_weights(fitted: FittedModel, frame: Frame, weights: Any) -> NDArray[np.float64] | None:
    """Numbers of trials or prior weights of new rows; None for ones."""
    own, functions = fitted.arguments.weights, fitted.design.recipe.functions
    if weights is None and own is None:
        return _new_trials(fitted, frame)
    if weights is None:
        if not isinstance(own, str):
            raise ArgumentError(
                "simulate: the model was fitted with an array as weights, so new data needs one too: give "
                "weights= with one value for each row"
            )
        weights = own
    found = named_or_given(weights, frame, "weights", functions)
    return None if found is None else found[1]


def _new_trials(fitted: FittedModel, frame: Frame) -> NDArray[np.float64] | None:
    """Numbers of trials of a response in two columns."""
    node = fitted.design.formula.response_node
    if fitted.design.form.kind != "counts" or node is None:
        return None
    found = trials_of(node, frame, fitted.design.recipe.functions)
    if found is None:
        raise ArgumentError(
            f"simulate: newdata does not hold the numbers of trials, which {fitted.design.response_name} "
            "reads: add its columns, or give the numbers as weights="
        )
    return found
