"""Marginal means and trends of a fitted model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..checks import flag, one_of, probability
from ..fit.state import fitted_of
from ..inference.basis.choice import DdfName, Vcov
from .averages import WEIGHTS, averaged, check_weights
from .estimability import not_estimable
from .estimates import Emmeans
from .functions_of_beta import space_of
from .grid import ReferenceGrid, reference_grid
from .scale import Scale, mean_name, random_spread, response_link
from .specs import Specs, read_specs
from .table import check_infer, show
from .terms import interacting, model_terms


def emmeans(
    model: Any,
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
    """
    Estimated marginal means: predictions averaged over a grid of the predictors.

    Random effects are zero. Factors, and covariates with one or two values, have all their levels in the
    grid; other covariates are at their means. Transformed terms are computed from these values.

    Parameters
    ----------
    model : MixedModel
    specs : str or sequence of str
        The variables whose combinations are wanted: ``"~ A"``, ``"~ A * B"``, ``"~ A | B"`` for A within
        each level of B, or a list of names. ``"~ 1"`` for the overall mean.
    by : str or sequence of str, optional
        Variables that make groups, as those after the bar.
    at : mapping of str to values, optional
        Values of covariates, any numbers, instead of their means; or some levels of factors.
    weights : {"equal", "proportional", "outer", "cells", "flat"}
        How to average over the other factors: equally; by the frequencies in the data of the combinations of
        their levels, or (outer) as if these were independent; by those of the cells of each mean; or equally
        over the cells that have data.
    type : {"link", "response"}
        Show results as linear predictors, or transformed to the scale of the response, with standard errors
        by the delta method. Averages, tests and intervals are made on the scale of the linear predictor; the
        contrasts of logarithms and logits become ratios. Also for a linear model of log(y) or sqrt(y).
    bias_adjust : bool
        With ``type="response"``: average the transformed means over the random effects, which are taken as
        normal, instead of setting these to zero (for a linear model, over the residuals as well). The means
        are then those of the population.
    offset : float, optional
        The offset of all predictions; by default the mean offset of the fit. 0 for rates per unit of
        exposure.
    level : float
        Confidence level.
    cov_reduce : str, callable, False, or mapping of str to these, optional
        What takes the place of the mean of covariates with more than two values: ``"mean"``, ``"median"``,
        ``"range"``, a function of the column's values that returns one or several numbers, or False for all
        values in the data. A mapping holds for the covariates that it names, whatever their number of values.
    infer : bool or (bool, bool), optional
        Whether the printed table has confidence limits and tests; by default only limits.
    ddf : {"satterthwaite", "kenward-roger", "residual", "inf"}, optional
        Degrees of freedom; by default Satterthwaite's, for a generalized model "inf". Kenward and Roger's
        method adjusts the covariance matrix, too.
    vcov : RobustCovariance or array-like of shape (rank, rank), optional
        Covariance matrix of the coefficients, see :func:`vcov_cluster`; by default the model's own.

    Returns
    -------
    Emmeans
        With methods ``pairs``, ``contrast``, ``summary``, ``confint``, ``test``, ``joint``, ``cld``,
        ``regrid``, ``eff_size``, ``plot``, ``to_frame``.

    Raises
    ------
    ArgumentError
        For variables that are not predictors, unknown levels, and grids of more than 10,000 cells.

    Notes
    -----
    Searle, Speed & Milliken (1980), The American Statistician 34, 216-221. Names and conventions are those
    of the R package emmeans.

    Examples
    --------
    >>> from mixedmodels import emmeans, lmer, load_machines
    >>> m = lmer("score ~ Machine + (1 | Worker/Machine)", load_machines())
    >>> emmeans(m, "~ Machine", ddf="kenward-roger")
     Machine  emmean     SE    df  lower.CL  upper.CL
     A         52.36  2.486  8.52    46.684    58.027
     B         60.32  2.486  8.52    54.650    65.994
     C         66.27  2.486  8.52    60.600    71.944
    <BLANKLINE>
    Kenward and Roger's degrees of freedom and covariance matrix
    Confidence level: 0.95
    """
    fitted = fitted_of(model)
    grid = reference_grid(fitted, at, offset, cov_reduce)
    wanted = read_specs(specs, by, grid.variables)
    weights = check_weights(weights)
    link = response_link(fitted)
    response = check_type(type) == "response" and link is not None
    labels, functions = averaged(grid, space_of(fitted, ddf, vcov), wanted, weights)
    adjusted = flag("bias_adjust", bias_adjust) and link is not None and response
    spread = random_spread(fitted, link) if adjusted and link is not None else 0.0
    on_response = None if link is None else Scale(mean_name(fitted), link, spread)
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


def check_type(type: Any) -> str:
    """The ``type`` argument."""
    return one_of("type", type, ("link", "response"))


def varying(grid: ReferenceGrid, specs: Specs) -> list[str]:
    """What is averaged over."""
    return [name for name, v in grid.variables.items() if name not in specs.all and len(v.values) > 1]


def grid_notes(grid: ReferenceGrid, specs: Specs, weights: str) -> list[str]:
    """What was averaged over and what was held fixed."""
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
