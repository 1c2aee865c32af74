"""Adjusted predictions with partial residuals, and interactions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..checks import flag
from ..diagnostics.residuals import residuals_used
from ..diagnostics.rows import row_values
from ..errors import ArgumentError
from ..fit.state import FittedModel
from ..means.effects import PredictedEffects, predict_effects
from ..means.scale import axis_label, response_link, response_shown
from ..plot.effects import effect_plots
from ..plot.smoother import thinned

# Between the drawn points a curve is taken as straight.
_FINE = 200
_MOST = 5000


def plot_effects(
    fitted: FittedModel,
    terms: Any,
    ax: Any = None,
    partial: Any = False,
    connected: bool = False,
    **options: Any,
) -> Any:
    """Predictions along one or more predictors, see `MixedModel.plot_effects`."""
    found = predict_effects(fitted, terms, **options)
    points, remark = None, ""
    if flag("partial", partial):
        if options.get("marginal"):
            raise ArgumentError("partial=True: residuals are given the random effects; leave marginal out")
        points, remark = _partial_residuals(fitted, found, options)
    names = list(found.terms)
    return effect_plots(
        found.to_frame(),
        names[0],
        names[1] if len(names) > 1 else None,
        names[2:],
        line=names[0] in found.covariates,
        label=axis_label(found.scale, response_shown(fitted, options.get("type", "response") == "response")),
        points=points,
        connected=connected,
        remark=remark,
        ax=ax,
    )


def _partial_residuals(
    fitted: FittedModel, found: PredictedEffects, options: dict[str, Any]
) -> tuple[pd.DataFrame, str]:
    """
    The predictions at the values of each row plus its working residual, on the scale shown.

    A covariate that is not on the axis takes the nearest of its values.
    """
    rows: dict[str, NDArray[Any]] = {}
    for j, name in enumerate(found.terms):
        values = _of_rows(fitted, name)
        if j and name in found.covariates:
            known = found.labels[name].unique().astype(float)
            values = known[np.abs(values[:, None].astype(float) - known).argmin(axis=1)]
        rows[name] = values
    frame = pd.DataFrame(rows)
    frame["value"] = _linear_predictions(fitted, found, frame, options) + residuals_used(fitted, "working")
    chosen, remark = thinned(frame["value"].to_numpy(), _MOST)
    frame = frame.iloc[chosen]
    link = response_link(fitted)
    if options.get("type", "response") == "response" and link is not None:
        with np.errstate(over="ignore"):
            frame = frame.assign(value=link.inverse(frame["value"].to_numpy()))
    return frame, remark


def _of_rows(fitted: FittedModel, name: str) -> NDArray[Any]:
    found = row_values(fitted, name, "terms")
    if found.values is not None:
        return found.values
    return np.array([*found.levels, None], dtype=object)[found.codes]


def _linear_predictions(
    fitted: FittedModel, found: PredictedEffects, rows: pd.DataFrame, options: dict[str, Any]
) -> NDArray[np.float64]:
    """Predictions of linear predictors at the terms of each row."""
    first, rest = found.terms[0], list(found.terms[1:])
    at = {name: list(found.labels[name].unique()) for name in found.terms if name in found.covariates}
    if first in found.covariates:
        values = rows[first].to_numpy(float)
        distinct = np.unique(values)
        at[first] = list(
            distinct if len(distinct) <= _FINE else np.linspace(distinct[0], distinct[-1], _FINE)
        )
    given = {**(options.get("at") or {}), **at}
    curve = predict_effects(fitted, list(found.terms), **{**options, "type": "link", "at": given})
    table = curve.labels.astype({name: str for name in found.terms if name not in found.covariates})
    keys = rows.astype({name: str for name in found.terms if name not in found.covariates})
    result = np.full(len(rows), np.nan)
    groups = [((), table)] if not rest else list(table.groupby(rest, sort=False, observed=True))
    for key, part in groups:
        mine = np.ones(len(rows), dtype=bool)
        for name, value in zip(rest, key, strict=True):
            mine &= (keys[name] == value).to_numpy()
        fit = curve.estimate[part.index.to_numpy()]
        if first in found.covariates:
            result[mine] = np.interp(keys[first].to_numpy(float)[mine], part[first].to_numpy(float), fit)
        else:
            result[mine] = pd.Series(fit, index=part[first]).reindex(keys[first][mine]).to_numpy()
    return result
