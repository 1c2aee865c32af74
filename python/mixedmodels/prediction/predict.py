"""Predictions for the fitting data or new data."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import flag, one_of
from ..design.rows import named_or_given
from ..design.used_rows import naming_left_out
from ..errors import ArgumentError
from ..fit.state import FittedModel
from ..frame import Frame
from .fixed_part import determined_x
from .selection import select_effects

_TYPES = ("response", "link")


def predict(
    fitted: FittedModel,
    newdata: Any = None,
    re_form: Any = None,
    allow_new_levels: bool = False,
    offset: Any = None,
    *,
    type: str,
) -> NDArray[np.float64]:
    """
    Predicted means or linear predictors, see `MixedModel.predict`.

    Returns
    -------
    ndarray, shape (n_new,)
        In the row order of the data; NaN in rows with a missing predictor, and in those whose fixed part the
        data of the fit do not determine.
    """
    one_of("type", type, _TYPES)
    eta = _linear_predictor(fitted, newdata, re_form, allow_new_levels, offset)
    return fitted.family.mean(eta) if type == "response" else eta


def _linear_predictor(
    fitted: FittedModel, newdata: Any, re_form: Any, allow_new_levels: bool, offset: Any
) -> NDArray[np.float64]:
    flag("allow_new_levels", allow_new_levels)
    if newdata is None:
        if offset is not None:
            raise ArgumentError(
                "predict: offset= needs newdata; predictions for the data of the fit use its own offset"
            )
        return fitted.design.missing.pad(_predict_old(fitted, re_form))
    frame = Frame.from_any(newdata, what="newdata")
    with naming_left_out(fitted.design, fitted.arguments):
        return _predict_new(fitted, frame, re_form, allow_new_levels, offset)


def _predict_old(fitted: FittedModel, re_form: Any) -> NDArray[np.float64]:
    if re_form is None or re_form is True:
        return fitted.linear_predictor.copy()
    design, estimates = fitted.design, fitted.estimates
    total = design.x[:, estimates.kept] @ estimates.beta[estimates.kept]
    for t, columns in select_effects(fitted, re_form).items():
        term = design.terms[t]
        total += np.einsum("ij,ij->i", term.z[:, columns], estimates.b[t][:, columns][term.group.codes])
    return total if design.offset is None else total + design.offset


def _predict_new(
    fitted: FittedModel, frame: Frame, re_form: Any, allow_new_levels: bool, offset: Any
) -> NDArray[np.float64]:
    design, estimates = fitted.design, fitted.estimates
    selection = select_effects(fitted, re_form)
    design.recipe.prefetch(frame, selection)
    total = determined_x(fitted, frame)[:, estimates.kept] @ estimates.beta[estimates.kept]
    chosen = {t: columns.tolist() for t, columns in selection.items()}
    parts = design.recipe.new_random(frame, allow_new_levels, chosen) if selection else ()
    for (t, columns), part in zip(selection.items(), parts, strict=True):
        # The row after the last level is for new levels: their expected effect is zero.
        b = np.vstack([estimates.b[t][:, columns], np.zeros(len(columns))])
        total += np.einsum("ij,ij->i", part.z, b[part.codes])
    for values in (design.recipe.new_offset(frame), argument_offset(fitted, frame, offset)):
        if values is not None:
            total += values
    return total


def argument_offset(
    fitted: FittedModel, frame: Frame, offset: Any, function: str = "predict"
) -> NDArray[np.float64] | None:
    """The counterpart of the ``offset`` argument of the fit; `function` is named in messages."""
    fitted_with = fitted.arguments.offset
    if offset is None:
        if fitted_with is None:
            return None
        if not isinstance(fitted_with, str):
            raise ArgumentError(
                f"{function}: the model was fitted with an array as offset, so new data needs one too: "
                "give offset= with one value for each row (zeros for none)"
            )
        offset = fitted_with
    found = named_or_given(offset, frame, "offset", fitted.design.recipe.functions)
    return None if found is None else found[1]
