"""Predictions for the fitting data or new data, with standard errors and intervals."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..checks import flag, one_of, probability
from ..design.used_rows import as_data_frame, used_data
from ..errors import ArgumentError, DataError, MixedModelsWarning, UndeterminedWarning
from ..fit.state import FittedModel
from ..formula.nodes import variables
from ..inference.basis.choice import Vcov, check_ddf
from ..inference.basis.testable import have_optimum
from ..notices import warn_user
from .errors import PredictionErrors, prediction_errors
from .new_responses import possible_means, response_quantiles
from .new_weights import new_weights
from .parameter_uncertainty import Uncertainty, with_parameters
from .rows import NewLevels, PredictedRows, predicted_rows
from .simulate import warn_of_weights

_TYPES = ("response", "link")
_INTERVALS = ("confidence", "prediction")
_LEVEL = 0.95


@dataclass(frozen=True)
class Wanted:
    """
    The wishes for predictions, as the arguments of `MixedModel.predict` say.

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
    level: float = _LEVEL
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
        if self.interval is None and self.level != _LEVEL:
            raise ArgumentError("predict: level= needs interval='confidence' or 'prediction'")
        self._refuse_idle()
        if self.uncertainty.method != "none" and self.vcov is not None:
            raise ArgumentError(
                "predict: parameter_uncertainty= adds to the model's own standard errors, which vcov= "
                "replaces; leave one of them out"
            )

    def _refuse_idle(self) -> None:
        """Without standard errors and limits nothing would come of the arguments that change them."""
        if self.se_fit or self.interval is not None:
            return
        given = {"ddf": self.ddf is not None, "vcov": self.vcov is not None}
        given["parameter_uncertainty"] = self.uncertainty.method != "none"
        for name, present in given.items():
            if present:
                raise ArgumentError(
                    f"predict: {name}= changes standard errors and limits only: ask for them by se_fit=True "
                    "or interval="
                )


def predict(
    fitted: FittedModel, newdata: Any, re_form: Any, new_levels: NewLevels, offset: Any, wanted: Wanted
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
    _check_uncertainty(fitted, wanted)
    rows = predicted_rows(fitted, newdata, re_form, new_levels, offset)
    if wanted.se_fit or wanted.interval is not None:
        columns, facts = _with_errors(rows, re_form, wanted)
        frame = pd.DataFrame({name: rows.padded(values) for name, values in columns.items()}, rows.labels())
        frame.attrs.update(facts)
        return frame
    eta = rows.padded(_eta(rows, re_form))
    return fitted.family.mean(eta) if wanted.type == "response" else eta


def predictions(
    fitted: FittedModel, newdata: Any, re_form: Any, new_levels: NewLevels, offset: Any, wanted: Wanted
) -> pd.DataFrame:
    """The data with predictions beside them, see `MixedModel.predictions`."""
    _check_scale(fitted, wanted)
    _check_uncertainty(fitted, wanted)
    if newdata is None:
        beside = _data_of_fit(fitted)
    else:
        beside = newdata = as_data_frame(newdata, "newdata")
    rows = predicted_rows(fitted, newdata, re_form, new_levels, offset)
    columns, facts = _with_errors(rows, re_form, wanted)
    taken = [name for name in columns if name in beside]
    if taken:
        raise DataError(
            f"predictions: newdata already has a column {taken[0]!r}; rename it, or use predict(se_fit=True)"
        )
    frame = beside.assign(**columns)
    frame.attrs.update(facts)
    return frame


def _data_of_fit(fitted: FittedModel) -> pd.DataFrame:
    """The columns that the model reads, in the rows used; a refit has a response that is none of them."""
    design = fitted.design
    names = list(design.formula.variables)
    used, node = used_data(design, fitted.arguments), design.formula.response_node
    if not design.new_response or node is None:
        return pd.DataFrame(used.columns(names), index=design.row_labels)
    recipe = design.recipe
    nodes = [*recipe.fixed.nodes, *recipe.formula.offset_nodes]
    nodes += [node for part in recipe.random for half in part for node in half.nodes]
    others = {name for part in nodes for name in variables(part)}
    data = used.columns(name for name in names if name in others)
    return pd.DataFrame({design.response_name: design.observed, **data}, index=design.row_labels)


def _with_errors(
    rows: PredictedRows, re_form: Any, wanted: Wanted
) -> tuple[dict[str, NDArray[np.float64]], dict[str, Any]]:
    """Predictions with standard errors and limits; and how these were made, where there are limits."""
    fitted, eta = rows.fitted, _eta(rows, re_form)
    need_df = wanted.interval == "confidence"
    errors = prediction_errors(rows, ddf=wanted.ddf, vcov=wanted.vcov, need_df=need_df)
    errors = with_parameters(rows, errors, wanted.uncertainty)
    se = np.sqrt(errors.variance)
    columns = {"fit": eta, "se_fit": se}
    on_response = wanted.type == "response"
    if on_response:
        family = fitted.family
        columns = {"fit": family.mean(eta), "se_fit": _times(np.abs(family.functions.slope(eta)), se)}
    if wanted.interval is None:
        return columns, {}
    if not have_optimum(fitted):
        warn_user(
            "predict: NaN for limits, as the likelihood has no finite optimum; the predictions are from the "
            "point where the search stopped",
            UndeterminedWarning,
        )
    if wanted.interval == "confidence":
        half = errors.half_width(wanted.level)
        columns |= _limits(fitted, eta - half, eta + half, on_response)
    elif fitted.exact_likelihood:
        errors = _with_noise(rows, errors, wanted)
        half = errors.half_width(wanted.level)
        columns |= {"lower": eta - half, "upper": eta + half}
    else:
        columns |= _response_limits(rows, eta, errors, wanted)
    return columns, {"interval": wanted.interval, "level": wanted.level, "ddf": errors.label}


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
        known = ~np.isnan(low)
        low, high = fitted.family.mean_limits(low, high)
        _warn_of_means(fitted, known & np.isnan(low))
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


def _check_uncertainty(fitted: FittedModel, wanted: Wanted) -> None:
    if wanted.uncertainty.method == "none" or wanted.vcov is not None:
        return
    if check_ddf(fitted, wanted.ddf) == "kenward-roger":
        raise ArgumentError(
            "predict: ddf='kenward-roger' allows for the estimation of the variances already; leave out "
            "parameter_uncertainty=, or take another ddf"
        )


def _with_noise(rows: PredictedRows, errors: PredictionErrors, wanted: Wanted) -> PredictionErrors:
    """The errors for new responses of a linear model."""
    with np.errstate(divide="ignore"):
        noise = 1.0 / _weights(rows, wanted.weights)
    given = prediction_errors(rows, ddf=wanted.ddf, vcov=wanted.vcov, noise=noise)
    # The uncertainty of the parameters, where it was asked for, is kept.
    return replace(given, variance=errors.variance + rows.fitted.dispersion * noise)


def _response_limits(
    rows: PredictedRows, eta: NDArray[np.float64], errors: PredictionErrors, wanted: Wanted
) -> dict[str, NDArray[np.float64]]:
    """Limits for new responses of a generalized model."""
    fitted, weights = rows.fitted, _weights(rows, wanted.weights)
    warn_of_weights(fitted.family, weights, "limits for new responses")
    _warn_of_means(fitted, ~possible_means(fitted.family, eta) & ~np.isnan(eta))
    se = np.where(np.isnan(errors.df), np.nan, np.sqrt(errors.variance))
    low, high = (
        response_quantiles(fitted.family, eta, se, weights, fitted.dispersion, 0.5 + side * wanted.level / 2)
        for side in (-1.0, 1.0)
    )
    return {"lower": low, "upper": high}


def _warn_of_means(fitted: FittedModel, impossible: NDArray[np.bool_]) -> None:
    if impossible.any():
        warn_user(
            f"predict: NaN for limits in {impossible.sum()} of {len(impossible)} rows, whose predicted means "
            f"family {fitted.family.name} cannot have",
            MixedModelsWarning,
        )


def _weights(rows: PredictedRows, given: Any) -> NDArray[np.float64]:
    """Prior weights or numbers of trials of the rows."""
    fitted, frame = rows.fitted, rows.frame
    if frame is None:
        if given is not None:
            raise ArgumentError("predict: weights= needs newdata; the data of the fit have their own weights")
        return fitted.prior_weights
    found = new_weights(fitted, frame, given, "interval='prediction'")
    return np.ones(len(rows)) if found is None else found
