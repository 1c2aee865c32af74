"""Marginal means of slopes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..checks import probability
from ..errors import ArgumentError, DataError
from ..fit.state import FittedModel, fitted_of
from ..inference.basis.choice import DdfName, Vcov
from .averages import averaged, check_weights
from .estimability import not_estimable
from .estimates import Emmeans
from .functions import grid_notes
from .functions_of_beta import space_of
from .grid import ReferenceGrid, grid_of, reference_grid
from .scale import Scale, response_link
from .specs import read_specs
from .table import check_infer
from .variables import STEP


def emtrends(
    model: Any,
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
    """
    Estimated marginal means of trends: the slope of the linear predictor in a covariate.

    The slope is a difference quotient around each value of the covariate, which is exact for polynomials
    up to the second degree.

    Parameters
    ----------
    model : MixedModel
    specs, by, at, weights, level, cov_reduce, infer, ddf, vcov
        As for :func:`emmeans`. A slope that depends on the covariate itself is taken at its mean, or at
        the values in `at`.
    var : str
        The covariate.

    Returns
    -------
    Emmeans
        The column of estimates is called ``<var>.trend``.

    Raises
    ------
    ArgumentError
        When `var` is no numeric predictor, or for arguments that :func:`emmeans` refuses.

    Examples
    --------
    >>> from mixedmodels import emtrends, lmer, load_orthodont
    >>> m = lmer("distance ~ age * Sex + (age | Subject)", load_orthodont())
    >>> emtrends(m, "~ Sex", "age")
     Sex     age.trend       SE  df  lower.CL  upper.CL
     Male       0.7844  0.08600  25    0.60726   0.96149
     Female     0.4795  0.10372  25    0.26593   0.69316
    <BLANKLINE>
    Satterthwaite's degrees of freedom
    Confidence level: 0.95
    At age = 11
    """
    fitted = fitted_of(model)
    grid = reference_grid(fitted, at, cov_reduce=cov_reduce)
    wanted = read_specs(specs, by, grid.variables)
    weights = check_weights(weights)
    slopes = replace(grid, x=_slopes(fitted, grid, var), offset=0.0)
    labels, functions = averaged(slopes, space_of(fitted, ddf, vcov), wanted, weights)
    notes = [*functions.space.basis.notes, *grid_notes(slopes, wanted, weights)]
    link = response_link(fitted)
    if link is not None:
        notes.append(f"Trends are on the {link.name} scale, not that of the response")
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
