"""Marginal means and trends of a fitted model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..checks import flag, one_of, probability
from ..errors import ArgumentError
from ..fit.state import fitted_of
from ..inference.basis.choice import DdfName, Vcov
from .averages import WEIGHTS, averaged, check_weights
from .estimability import not_estimable
from .estimates import Emmeans
from .functions_of_beta import space_of
from .grid import ReferenceGrid, reference_grid
from .scale import Scale, mean_name, random_spread, response_link
from .specs import Specs, read_specs
from .table import show
from .tabulate import check_infer
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


def eff_size(means: Any, sigma: float, edf: float, method: Any = "pairwise") -> Emmeans:
    """
    Standardized effect sizes: contrasts of marginal means in units of a standard deviation (Cohen's d).

    Parameters
    ----------
    means : Emmeans
        Means, or contrasts, which are taken as they are.
    sigma : float
        The standard deviation, on the scale of the linear predictor. Models with random effects have several:
        that of the residuals, of single observations (all variances added up), or of some group.
    edf : float
        The degrees of freedom that `sigma` was estimated with; ``math.inf`` for a known one.
    method : str, mapping or array-like
        The contrasts of means, see `Emmeans.contrast`.

    Returns
    -------
    Emmeans
        Column effect.size. The squared standard error of d is SE²/sigma² + d²/(2 edf), SE that of the
        contrast; degrees of freedom are those of the contrast.

    Raises
    ------
    ArgumentError
        When `sigma` or `edf` is not positive.

    Notes
    -----
    The variance of the logarithm of a standard deviation with edf degrees of freedom is about 1/(2 edf)
    (Hedges & Olkin 1985, Statistical Methods for Meta-Analysis). R: ``emmeans::eff_size``, which takes the
    smallest degrees of freedom of the means.

    Examples
    --------
    >>> from mixedmodels import eff_size, emmeans, lmer, load_machines
    >>> m = lmer("score ~ Machine + (1 | Worker)", load_machines())
    >>> eff_size(emmeans(m, "~ Machine"), sigma=m.sigma, edf=46)
     contrast  effect.size      SE  df  lower.CL  upper.CL
     A - B          -2.520  0.4244  46   -3.3741   -1.6655
     A - C          -4.402  0.5672  46   -5.5434   -3.2600
     B - C          -1.882  0.3868  46   -2.6605   -1.1034
    <BLANKLINE>
    Satterthwaite's degrees of freedom
    Confidence level: 0.95
    Intervals are not adjusted for their number
    In units of sigma = 3.162, known with 46 degrees of freedom
    """
    return _emmeans(means).eff_size(sigma, edf, method)


def contrast(
    means: Emmeans,
    method: Any = "eff",
    adjust: Any = None,
    by: Any = None,
    *,
    ref: Any = None,
    reverse: bool = False,
    interaction: Any = False,
    simple: Any = None,
    infer: Any = None,
    ddf: DdfName | None = None,
    vcov: Vcov | None = None,
) -> Any:
    """
    Contrasts of marginal means or slopes.

    Parameters
    ----------
    means : Emmeans
        Made by :func:`emmeans` or :func:`emtrends`.
    method, adjust, by, ref, reverse, interaction, simple, infer, ddf, vcov
        See the method ``contrast`` of the means; by default "eff": each minus the mean of all.

    Returns
    -------
    Emmeans
        With ``simple="each"`` a mapping of variables to Emmeans.

    Raises
    ------
    ArgumentError
        For anything but means, an unknown method or variable, or groups with nothing to compare.

    Examples
    --------
    >>> from mixedmodels import contrast, emmeans, lmer, load_machines
    >>> means = emmeans(lmer("score ~ Machine + (1 | Worker/Machine)", load_machines()), "~ Machine")
    >>> contrast(means, "trt.vs.ctrl", ref="C").to_frame()[["contrast", "estimate"]].round(3)
      contrast  estimate
    0    A - C   -13.917
    1    B - C    -5.950
    """
    return _emmeans(means).contrast(
        method,
        adjust,
        by,
        ref=ref,
        reverse=reverse,
        interaction=interaction,
        simple=simple,
        infer=infer,
        ddf=ddf,
        vcov=vcov,
    )


def pairs(
    means: Emmeans,
    adjust: Any = "tukey",
    by: Any = None,
    *,
    reverse: bool = False,
    simple: Any = None,
    infer: Any = None,
    ddf: DdfName | None = None,
    vcov: Vcov | None = None,
) -> Any:
    """
    All pairwise differences (or ratios) of marginal means or slopes within each group.

    Parameters
    ----------
    means : Emmeans
        Made by :func:`emmeans` or :func:`emtrends`.
    adjust, by, reverse, simple, infer, ddf, vcov
        See the method ``pairs`` of the means; by default Tukey's adjustment.

    Returns
    -------
    Emmeans
        With ``simple="each"`` a mapping of variables to Emmeans.

    Raises
    ------
    ArgumentError
        For anything but means, an unknown adjustment or variable, or groups with nothing to compare.

    Examples
    --------
    >>> from mixedmodels import emmeans, lmer, load_machines, pairs
    >>> means = emmeans(lmer("score ~ Machine + (1 | Worker/Machine)", load_machines()), "~ Machine")
    >>> pairs(means, reverse=True).to_frame()[["contrast", "estimate"]].round(3)
      contrast  estimate
    0    B - A     7.967
    1    C - A    13.917
    2    C - B     5.950
    """
    return _emmeans(means).pairs(adjust, by, reverse=reverse, simple=simple, infer=infer, ddf=ddf, vcov=vcov)


def _emmeans(value: Any) -> Emmeans:
    if isinstance(value, Emmeans):
        return value
    raise ArgumentError(f"means made by emmeans() or emtrends() are needed here, not {type(value).__name__}")
