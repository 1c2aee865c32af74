"""Means as quantities of their own on another scale than the linear predictor."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..checks import one_of
from ..errors import ArgumentError
from ..families.links import LINKS
from .estimates import Emmeans
from .functions_of_beta import LinearFunctions
from .scale import Scale

_TRANSFORMS = ("response", "log", "logit", "sqrt", "none")


def regridded(means: Emmeans, transform: Any) -> Emmeans:
    """The rows linearized on another scale, see `Emmeans.regrid`."""
    one_of("transform", transform, _TRANSFORMS)
    if transform == "none":
        name = means.predictor if means.scale.link is None else means.scale.link.name
        scale = Scale("estimate" if means.contrasts else "emmean")
        return replace(means, scale=scale, link=None, predictor=name)
    scale = means.response or means.scale if means.scale.link is None else means.scale
    if scale.link is None and transform == "response":
        return means
    # Rows without another scale than their own are on the scale of the response.
    shown = means.scale.link is not None or means.response is None
    functions = means.functions
    eta = functions.estimate
    values, slope = scale.shown(eta), scale.slope(eta)
    note = [scale.spread_note] if scale.spread_note else []
    link, target, predictor = None, Scale(scale.name), ""
    if transform != "response":
        link = LINKS[transform]
        with np.errstate(divide="ignore", invalid="ignore"):
            moved = link.link(values)
            slope = slope / link.slope(moved)
        refused = np.isfinite(values) & ~np.isfinite(moved)
        if refused.any():
            raise ArgumentError(
                f"regrid: the {transform} of {values[refused][0]:.4g} does not exist; take 'response'"
            )
        values = moved
        if shown:
            target = Scale(scale.name, link)
        else:
            target, predictor = Scale("emmean"), link.name
    return replace(
        means,
        functions=_linearized(functions, slope, values),
        scale=target,
        link=link if shown else None,
        predictor=predictor,
        response=None if link is None else Scale(scale.name, link),
        notes=(*means.notes, *note),
    )


def _linearized(functions: LinearFunctions, slope: Any, values: Any) -> LinearFunctions:
    """Functions with these values and slopes in the ones given (delta method)."""
    rows = slope[:, None] * functions.rows
    constants = values - slope * (functions.estimate - functions.constants)
    return LinearFunctions(rows, constants, functions.space)
