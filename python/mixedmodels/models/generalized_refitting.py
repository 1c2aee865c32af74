"""New responses for a fitted generalized model, in any form the family takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..design import Response, ResponseForm
from ..design.response import check_values, from_counts, from_proportions
from ..design.used_rows import in_used_order
from ..errors import ArgumentError, DataError
from ..fit.control import as_control
from ..fit.fit_generalized import refit_generalized
from ..fit.fitted_generalized import FittedGeneralized
from ..fit.record import read_only
from .refitting import UNCHANGED, finite_rows, name_of, rows_used


def refit_generalized_response(
    fitted: FittedGeneralized, y: Any, changes: Mapping[str, Any]
) -> FittedGeneralized:
    """Fit the design of a model to another response."""
    given = {key: value for key, value in changes.items() if value is not UNCHANGED}
    if "control" in given:
        given["control"] = as_control(given["control"])
    response = None if y is None else new_generalized_response(fitted, y)
    return refit_generalized(fitted, response=response, response_name=name_of(y), changes=given)


def new_generalized_response(fitted: FittedGeneralized, y: Any) -> Response:
    """
    The argument of `refit` as a response.

    Parameters
    ----------
    fitted : FittedGeneralized
    y : array-like of shape (n,) or (n, 2)
        Two columns are successes and failures; labels are those of the fit.

    Raises
    ------
    ArgumentError, DataError
        When the shape or a value does not suit; naming the first such row.
    """
    if isinstance(y, str):
        raise ArgumentError(
            f"refit: y must hold the values of the new response, not a name; try data[{y!r}], or update() "
            "with a new formula"
        )
    y = in_used_order(y, fitted.design, fitted.arguments, "refit: y")
    values = y.to_numpy() if isinstance(y, (pd.DataFrame, pd.Series)) else np.asarray(y)
    values = rows_used(fitted, values)
    if values.ndim == 2:
        return _two_columns(fitted, values)
    form, weights = fitted.design.form, fitted.design.weights
    if form.kind == "labels" and values.dtype.kind not in "biuf":
        numbers = _from_labels(values, form.labels)
    else:
        numbers = _numbers(values)
    finite_rows(numbers)
    if not form.binomial:
        check_values(numbers, fitted.family, "y", _row)
        return Response(read_only(numbers), weights, form)
    kind = "number" if weights is None else "proportion"
    form = form if form.kind != "counts" else ResponseForm(kind, binomial=True)
    successes, trials = from_proportions(numbers, weights, "y", _row)
    return Response(read_only(successes), trials, form)


def _two_columns(fitted: FittedGeneralized, values: NDArray[Any]) -> Response:
    if not fitted.design.form.binomial or values.shape[1] != 2:
        raise ArgumentError(
            f"refit: y has shape {values.shape}; a response has one column, or for the binomial family two: "
            "successes and failures"
        )
    numbers = _numbers(values)
    finite_rows(numbers.sum(axis=1))
    y, trials = from_counts(numbers[:, 0], numbers[:, 1], "y", _row)
    weights = None if trials is None else read_only(trials)
    return Response(read_only(y), weights, ResponseForm("counts", binomial=True))


def _from_labels(values: NDArray[Any], labels: tuple[Any, ...]) -> NDArray[np.float64]:
    known = {str(label): float(i) for i, label in enumerate(labels)}
    result = np.array([known.get(str(value), np.nan) for value in values.tolist()])
    strange = np.isnan(result) & ~pd.isna(values)
    if strange.any():
        i = int(np.argmax(strange))
        raise DataError(f"refit: y is {values[i]!r} in {_row(i)}; the levels of the fit are {labels!r}")
    return result


def _numbers(values: NDArray[Any]) -> NDArray[np.float64]:
    try:
        if values.dtype.kind == "c":
            raise TypeError
        return values.astype(np.float64)
    except (TypeError, ValueError):
        raise DataError(f"refit: y must hold numbers, not {values.dtype}") from None


def _row(i: int) -> str:
    return f"row {i} (counting from 0 among the rows used)"
