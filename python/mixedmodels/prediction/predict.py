"""Predictions for the fitting data or new data, with standard errors and intervals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..checks import flag, one_of, probability
from ..design.used_rows import as_data_frame, used_data
from ..errors import ArgumentError, DataError
from ..fit.state import FittedModel
from ..inference.basis.choice import Vcov
from .errors import PredictionErrors, prediction_errors
from .new_responses import response_quantiles
from .new_weights import new_weights
from .parameter_uncertainty import Uncertainty, with_parameters
from .rows import PredictedRows, predicted_rows

_TYPES = ("response", "link")
_INTERVALS = ("confidence", "prediction")


@dataclass(frozen=True)
class Wanted:
    """
    What is wanted of predictions, as the arguments of `MixedModel.predict` say.

    Attributes
    ----------
    type, se_fit, interval, level, ddf, vcov, weights
        See there.
    uncertainty : Uncertainty
        That of the parameters.
    """

    type: str = "link"
    se_fit: bool = False
    interval: str | None = None
    level: float = 0.95
    ddf: Any = None
    vcov: Vcov | None = None
    weights: Any = None
    uncertainty: Uncertainty = field(default_factory=Uncertainty)

    def __post_init__(self) -> None:
        one_of("type", self.type, _TYPES)
        flag("se_fit", self.se_fit)
        if self.interval is not None:
            one_of("interval", self.interval, _INTERVALS)
        probability("level", self.level)
        if self.weights is not None and self.interval != "prediction":
            raise ArgumentError(
                "predict: weights= are those of new responses; they need interval='prediction'"
            )


def predict(
    fitted: FittedModel, newdata: Any, re_form: Any, allow_new_levels: Any, offset: Any, wanted: Wanted
) -> NDArray[np.float64] | pd.DataFrame:
    """
    Predictions, see `MixedModel.predict`.

    Returns
    -------
    ndarray, shape (n_new,), or DataFrame
        A frame when standard errors or an interval are wanted, with columns ``fit``, ``se_fit``, ``lower``
        and ``upper``.
    """
    _check_scale(fitted, wanted)
    rows = predicted_rows(fitted, newdata, re_form, flag("allow_new_levels", allow_new_levels), offset)
    if wanted.se_fit or wanted.interval is not None:
        columns = {name: rows.padded(values) for name, values in _with_errors(rows, re_form, wanted).items()}
        return pd.DataFrame(columns, index=rows.labels())
    eta = rows.padded(_eta(rows, re_form))
    return fitted.family.mean(eta) if wanted.type == "response" else eta


def predictions(
    fitted: FittedModel, newdata: Any, re_form: Any, allow_new_levels: Any, offset: Any, wanted: Wanted
) -> pd.DataFrame:
    """The data with predictions beside them, see `MixedModel.predictions`."""
    _check_scale(fitted, wanted)
    if newdata is None:
        frame = used_data(fitted.design, fitted.arguments)
        beside = pd.DataFrame(frame.columns(fitted.design.formula.variables), index=fitted.design.row_labels)
    else:
        beside = newdata = as_data_frame(newdata, "newdata")
    rows = predicted_rows(fitted, newdata, re_form, flag("allow_new_levels", allow_new_levels), offset)
    columns = _with_errors(rows, re_form, wanted)
    taken = [name for name in columns if name in beside]
    if taken:
        raise DataError(
            f"predictions: newdata already has a column {taken[0]!r}; rename it, or use predict(se_fit=True)"
        )
    return beside.assign(**columns)


def _with_errors(rows: PredictedRows, re_form: Any, wanted: Wanted) -> dict[str, NDArray[np.float64]]:
    """Predictions with standard errors and limits."""
    fitted, eta = rows.fitted, _eta(rows, re_form)
    errors = prediction_errors(
        rows, ddf=wanted.ddf, vcov=wanted.vcov, need_df=wanted.interval == "confidence"
    )
    errors = with_parameters(rows, errors, wanted.uncertainty)
    se = np.sqrt(errors.variance)
    columns = {"fit": eta, "se_fit": se}
    on_response = wanted.type == "response"
    if on_response:
        family = fitted.family
        columns = {"fit": family.mean(eta), "se_fit": _times(np.abs(family.functions.slope(eta)), se)}
    if wanted.interval == "confidence":
        half = errors.half_width(wanted.level)
        columns |= _limits(fitted, eta - half, eta + half, on_response)
    elif wanted.interval == "prediction":
        columns |= _response_limits(rows, eta, errors, wanted)
    return columns


def _eta(rows: PredictedRows, re_form: Any) -> NDArray[np.float64]:
    """The linear predictor; of the fit itself to the last digit."""
    if rows.frame is None and (re_form is None or re_form is True):
        return rows.fitted.linear_predictor.copy()
    return rows.linear_predictor()


def _times(slope: NDArray[np.float64], se: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard errors by the delta method; zero where the mean has run into its limit."""
    with np.errstate(invalid="ignore"):
        return np.where(slope == 0.0, np.where(np.isnan(se), np.nan, 0.0), slope * se)


def _limits(
    fitted: FittedModel, low: NDArray[np.float64], high: NDArray[np.float64], on_response: bool
) -> dict[str, NDArray[np.float64]]:
    if on_response:
        low, high = fitted.family.mean(low), fitted.family.mean(high)
        # Some links decrease.
        low, high = np.minimum(low, high), np.maximum(low, high)
    return {"lower": low, "upper": high}


def _check_scale(fitted: FittedModel, wanted: Wanted) -> None:
    if wanted.interval != "prediction" or fitted.exact_likelihood:
        return
    if wanted.type == "link":
        raise ArgumentError(
            "interval='prediction' is for new responses, which have no linear predictor: give type='response'"
        )
    if not fitted.family.support:
        raise ArgumentError(
            "interval='prediction': the distribution function of a family of your own is not known; "
            "simulate() draws new responses"
        )


def _response_limits(
    rows: PredictedRows, eta: NDArray[np.float64], errors: PredictionErrors, wanted: Wanted
) -> dict[str, NDArray[np.float64]]:
    """Limits for new responses."""
    fitted, level = rows.fitted, wanted.level
    weights = _weights(rows, wanted.weights)
    if not fitted.exact_likelihood:
        se = np.where(np.isnan(errors.df), np.nan, np.sqrt(errors.variance))
        low, high = (
            response_quantiles(fitted.family, eta, se, weights, fitted.dispersion, 0.5 + side * level / 2)
            for side in (-1.0, 1.0)
        )
        return {"lower": low, "upper": high}
    with np.errstate(divide="ignore"):
        noise = 1.0 / weights
    given = prediction_errors(rows, ddf=wanted.ddf, vcov=wanted.vcov, noise=noise)
    # The uncertainty of the parameters, where it was asked for, comes on top.
    more = errors.variance - prediction_errors(rows, vcov=wanted.vcov, need_df=False).variance
    half = PredictionErrors(given.variance + more, given.df, given.label).half_width(level)
    return {"lower": eta - half, "upper": eta + half}


def _weights(rows: PredictedRows, given: Any) -> NDArray[np.float64]:
    """Prior weights or numbers of trials of the rows."""
    fitted, frame = rows.fitted, rows.frame
    if frame is None:
        if given is not None:
            raise ArgumentError("predict: weights= needs newdata; the data of the fit have their own weights")
        return fitted.prior_weights
    found = new_weights(fitted, frame, given, "interval='prediction'")
    return np.ones(len(rows)) if found is None else found
