"""Numbers of trials and prior weights of responses in new data."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..design.response import trials_of
from ..design.rows import columns_of, named_or_given
from ..errors import ArgumentError, DataError
from ..fit.state import FittedModel
from ..frame import Frame


def new_weights(fitted: FittedModel, frame: Frame, given: Any, what: str) -> NDArray[np.float64] | None:
    """
    The weights of new responses, shape (n,), NaN where they are missing; None for ones.

    Parameters
    ----------
    fitted : FittedModel
    frame : Frame
        The new data.
    given : str, float or array-like of shape (n,), optional
        By default the column that the fit has its weights from, if the data have it, and numbers of trials
        from the columns of a response such as ``cbind(a, b)``.
    what : str
        What needs the weights, for messages.

    Raises
    ------
    ArgumentError
        When numbers of trials are not known.
    DataError
        For weights that are not positive, and numbers of trials that are not whole.
    """
    functions = fitted.design.recipe.functions
    if given is None:
        own = fitted.arguments.weights
        if isinstance(own, str) and _has_columns(own, fitted, frame):
            given = own
        else:
            return _trials(fitted, frame, what)
    if np.ndim(given) == 0 and not isinstance(given, str):
        given = np.full(frame.n_rows, given)
    found = named_or_given(given, frame, "weights", functions)
    return None if found is None else checked_weights(found[1], trials=fitted.family.trials)


def checked_weights(values: NDArray[np.float64], *, trials: bool) -> NDArray[np.float64]:
    """Weights that are positive, or whole numbers of trials, where they are not missing."""
    known = ~np.isnan(values)
    good = np.isfinite(values) & (values > 0)
    if trials:
        good &= values == np.floor(values)
    if (known & ~good).any():
        wanted = "whole numbers of trials" if trials else "positive finite numbers"
        raise DataError(f"weights must be {wanted}, not {values[known & ~good][0]:g}")
    return values


def _has_columns(text: str, fitted: FittedModel, frame: Frame) -> bool:
    own = fitted.arguments
    return all(name in frame for name in columns_of(text, own.data, own.functions or {}))


def _trials(fitted: FittedModel, frame: Frame, what: str) -> NDArray[np.float64] | None:
    """Numbers of trials from the columns of the response; None where there is one each, or no trials."""
    design = fitted.design
    node = design.formula.response_node
    if design.form.kind == "counts" and node is not None:
        found = trials_of(node, frame, design.recipe.functions)
        if found is not None:
            return checked_weights(found, trials=True)
    if fitted.family.trials and design.has_weights:
        raise ArgumentError(
            f"{what} needs the numbers of trials of the new responses: give weights= (1 for single trials)"
            + (f", or the columns of {design.response_name}" if design.form.kind == "counts" else "")
        )
    return None
