"""Marginal means and trends of a fitted model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..checks import flag, one_of, probability
from ..errors import ArgumentError, DataError
from ..fit.state import FittedModel
from ..inference.basis.choice import DdfName, Vcov
from .emmeans import Emmeans
from .empty_cells import not_estimable
from .grid import (
    WEIGHTS,
    ReferenceGrid,
    averaged,
    check_weights,
    grid_of,
    interacting,
    model_terms,
    reference_grid,
)
from .linear_functions import space_of
from .scale import Scale, response_link, response_scale
from .specs import Specs, read_specs, show
from .table import check_infer
from .variables import STEP


def emmeans(
    fitted: FittedModel,
    specs: Any,
    by: Any = None,
    *,
    at: Mapping[str, Any] | None = None,
    weights: str = "equal",
    type: str = "link",
    bias_adjust: bool = False,
    offset: float | None = None,
    level: float = 0.95,
    cov_reduce: Any = None,
    infer: Any = None,
    ddf: DdfName | None = None,
    vcov: Vcov | None = None,
) -> Emmeans:
    """Marginal means of a fit, see :func:`mixedmodels.emmeans`."""
    grid = reference_grid(fitted, at, offset, cov_reduce)
    wanted = read_specs(specs, by, grid.variables)
    weights = check_weights(weights)
    link = response_link(fitted)
    response = check_type(type) == "response" and link is not None
    labels, functions = averaged(grid, space_of(fitted, ddf, vcov), wanted, weights)
    if flag("bias_adjust", bias_adjust) and type != "response":
        raise ArgumentError("bias_adjust=True needs type='response': it averages responses")
    on_response = None if link is None else response_scale(fitted, link, bias_adjust)
    scale = on_response if response and on_response else Scale("emmean")
    notes = [*functions.space.basis.notes, *grid_notes(grid, wanted, weights)]
    terms = model_terms(fitted)
    if interacting(terms, set(wanted.all), set(varying(grid, wanted))):
        notes.append(
            "These variables interact with some that were averaged over: the means of the cells may differ"
        )
    return Emmeans(
        labels,
        wanted.by,
        functions,
        scale,
        link if response else None,
        level=probability("level", level),
        notes=tuple(notes),
        response=on_response,
        predictor="" if link is None or response else link.name,
        not_estimable=not_estimable(fitted, grid, functions, wanted, weights),
        infer=None if infer is None else check_infer(infer),
    )


def emtrends(
    fitted: FittedModel,
    specs: Any,
    var: str,
    by: Any = None,
    *,
    at: Mapping[str, Any] | None = None,
    weights: str = "equal",
    level: float = 0.95,
    cov_reduce: Any = None,
    infer: Any = None,
    ddf: DdfName | None = None,
    vcov: Vcov | None = None,
) -> Emmeans:
    """Marginal means of the slopes in a covariate, see :func:`mixedmodels.emtrends`."""
    grid = reference_grid(fitted, at, cov_reduce=cov_reduce)
    wanted = read_specs(specs, by, grid.variables)
    weights = check_weights(weights)
    slopes = replace(grid, x=_slopes(fitted, grid, var), offset=0.0)
    labels, functions = averaged(slopes, space_of(fitted, ddf, vcov), wanted, weights)
    notes = [*functions.space.basis.notes, *grid_notes(slopes, wanted, weights)]
    link = response_link(fitted)
    if link is not None:
        notes.append(f"Trends are on the {link.name} scale, not the response scale")
    return Emmeans(
        labels,
        wanted.by,
        functions,
        Scale(f"{var}.trend"),
        None,
        level=probability("level", level),
        notes=tuple(notes),
        not_estimable=not_estimable(fitted, slopes, functions, wanted, weights),
        infer=None if infer is None else check_infer(infer),
    )


def check_type(type: Any) -> str:
    """The ``type`` argument."""
    return one_of("type", type, ("link", "response"))


def varying(grid: ReferenceGrid, specs: Specs) -> list[str]:
    """The variables averaged over."""
    return [name for name, v in grid.variables.items() if name not in specs.all and len(v.values) > 1]


def grid_notes(grid: ReferenceGrid, specs: Specs, weights: str) -> list[str]:
    """Notes on variables that were averaged over or held fixed."""
    others = {name: v for name, v in grid.variables.items() if name not in specs.all}
    over = varying(grid, specs)
    fixed = [name for name, v in others.items() if len(v.values) == 1]
    notes = []
    if over:
        notes.append(f"Averaged over the levels of {', '.join(over)}, {WEIGHTS[weights]}")
    if fixed:
        listed = ", ".join(f"{name} = {show(grid.variables[name].values[0])}" for name in fixed)
        notes.append(f"At {listed}")
    if grid.offset:
        notes.append(f"With an offset of {grid.offset:.4g}")
    return notes


def _slopes(fitted: FittedModel, grid: ReferenceGrid, var: Any) -> Any:
    """Derivatives of the rows of the grid in a covariate, in the shape of the grid's rows."""
    if not isinstance(var, str) or var not in grid.variables:
        known = ", ".join(map(repr, grid.variables)) or "none"
        raise ArgumentError(f"var: the model has no predictor {var!r}; it has {known}")
    variable = grid.variables[var]
    if not variable.spread:
        raise ArgumentError(
            f"var: {var!r} is not a number, or has the same value everywhere: it has no slope"
        )
    step = STEP * variable.spread
    values = np.array(variable.values, dtype=float)
    sides = []
    for moved in (values + step, values - step):
        changed = replace(variable, values=tuple(moved.tolist()))
        try:
            sides.append(grid_of(fitted, {**grid.variables, var: changed}, 0.0).x)
        except DataError as error:
            raise ArgumentError(f"var: the slope in {var!r} cannot be computed: {error}") from error
    return (sides[0] - sides[1]) / (2.0 * step)
