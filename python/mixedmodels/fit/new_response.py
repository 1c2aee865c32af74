"""A new response for a fitted model, in any form that its family takes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..design import Response, ResponseForm
from ..design.response import check_values, from_counts, from_proportions
from ..design.rows import subset_mask
from ..design.used_rows import in_used_order
from ..errors import ArgumentError, DataError
from .record import read_only
from .state import FittedModel


def name_of(y: Any) -> str | None:
    """The name that a new response brings along."""
    name = getattr(y, "name", None)
    return name if isinstance(name, str) and name else None


def new_response(fitted: FittedModel, y: Any) -> Response:
    """
    The argument of `refit` as a response.

    Parameters
    ----------
    fitted : FittedModel
    y : array-like of shape (n,) or (n, 2)
        Two columns are successes and failures; labels are the two levels of the fit.

    Raises
    ------
    ArgumentError, DataError
        When the shape or a value does not fit; naming the first such row.
    """
    if isinstance(y, str):
        raise ArgumentError(
            f"refit: y must hold the values of the new response, not a name; try data[{y!r}], or update() "
            "with a new formula"
        )
    y = in_used_order(y, fitted.design, fitted.arguments, "refit: y")
    form, weights = fitted.design.form, fitted.design.weights
    values = y.to_numpy() if isinstance(y, (pd.DataFrame, pd.Series)) else np.asarray(y)
    if values.ndim != 1 and not (form.binomial and values.ndim == 2):
        raise ArgumentError(f"refit: y must have one dimension, not shape {values.shape}")
    if isinstance(getattr(y, "dtype", None), pd.CategoricalDtype) and form.kind != "labels":
        raise DataError(f"refit: y must hold real numbers, not {y.dtype}")
    values = _rows_used(fitted, values)
    if values.ndim == 2:
        return _two_columns(values)
    if form.kind == "labels" and values.dtype.kind not in "biuf":
        numbers = _from_labels(values, form.labels)
    else:
        numbers = _numbers(values)
    _finite_rows(numbers)
    if not form.binomial:
        check_values(numbers, fitted.family, "y", _row)
        return Response(read_only(numbers), weights, form)
    kind = "number" if weights is None else "proportion"
    form = form if form.kind != "counts" else ResponseForm(kind, binomial=True)
    successes, trials = from_proportions(numbers, weights, "y", _row)
    return Response(read_only(successes), trials, form)


def _rows_used(fitted: FittedModel, values: NDArray[Any]) -> NDArray[Any]:
    """The rows of a new response that the model uses, when it has a value for each row of the data."""
    missing = fitted.design.missing
    data, subset = fitted.arguments.data, fitted.arguments.subset
    if subset is not None and len(values) == data.n_rows != fitted.n_obs:
        values = values[subset_mask(fitted.arguments, data)]
    if len(values) == missing.n_total and missing.kept is not None:
        values = values[missing.kept]
    if len(values) != fitted.n_obs:
        total = f" (or {missing.n_total}, one for each row of the data)" if missing.n_dropped else ""
        raise ArgumentError(
            f"refit: y has {len(values)} values, but the model has {fitted.n_obs} rows{total}"
        )
    return values


def _finite_rows(values: NDArray[np.float64]) -> None:
    """Refuse a new response that is missing or infinite in rows that are used."""
    bad = np.flatnonzero(~np.isfinite(values))
    if not len(bad):
        return
    shown = ", ".join(map(str, bad[:5])) + (", ..." if len(bad) > 5 else "")
    raise DataError(
        f"refit: y is not finite in {len(bad)} of the rows used (first: {shown}, counting from 0); "
        "give a finite value for each, or fit the model again without these rows"
    )


def _two_columns(values: NDArray[Any]) -> Response:
    if values.shape[1] != 2:
        raise ArgumentError(
            f"refit: y has shape {values.shape}; a response has one column, or for the binomial family two: "
            "successes and failures"
        )
    numbers = _numbers(values)
    _finite_rows(numbers.sum(axis=1))
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
