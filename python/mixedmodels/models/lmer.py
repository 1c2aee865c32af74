"""`lmer`: fit a linear mixed model."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from numpy.typing import ArrayLike

from ..checks import flag
from ..fit.arguments import FitArguments, check_formula_first, check_reml
from ..fit.changes import fit_new
from ..fit.control import Control, as_control, check_optimizer
from ..fit.fixed import check_fixed
from ..fit.update import snapshot
from ..not_here import FIT_ARGUMENTS
from ..public import public_except
from .arguments import Contrasts, Data, Functions, NaAction, Optimizer, Rows
from .linear import LinearMixedModel


@public_except(FIT_ARGUMENTS)
def lmer(
    formula: str,
    data: Data,
    REML: bool = True,
    *,
    weights: Rows | None = None,
    offset: Rows | None = None,
    contrasts: Contrasts | None = None,
    na_action: NaAction = "omit",
    subset: Rows | None = None,
    functions: Functions | None = None,
    start: ArrayLike | Mapping[str, Any] | None = None,
    fixed: Mapping[Any, Any] | None = None,
    optimizer: Optimizer | None = "trust_region",
    control: Control | Mapping[str, Any] | None = None,
    verbose: bool = False,
) -> LinearMixedModel:
    """
    Fit a linear mixed model by REML or maximum likelihood. R: ``lme4::lmer``.

    Parameters
    ----------
    formula : str
        lme4-style, such as ``"Reaction ~ Days + (Days | Subject)"``: names are columns, functions are
        those that the documentation lists.
    data : data frame
        pandas, polars (eager or lazy), pyarrow, a dict of arrays, or anything narwhals takes; n rows.
    REML : bool, default True
        Restricted maximum likelihood (True) or maximum likelihood (False).
    weights : str or array-like of shape (n,), optional
        Prior weights: the variance of an observation is sigma² over its weight. A pandas Series is matched to
        the rows by its index, an array goes by position; so are `offset` and `subset`.
    offset : str or array-like of shape (n,), optional
        Known part of the linear predictor, in the unit of the response.
    contrasts : mapping or str, optional
        Coding by factor, such as ``{"treatment": "sum"}``, or one for all factors, such as ``"sum"``: a name,
        a name with a base level or with the levels in order, ``("hypothesis", weights)``, or a matrix.
        Contrasts for one part of the formula are in a mapping of their own,
        ``{"fixed": {"treatment": "sum"}}``; parts are "fixed", "random", grouping factors and random-effects
        terms.
    na_action : {"omit", "exclude", "fail"}, default "omit"
        Leave rows with missing values out; the same, with results padded by NaN; or refuse them.
    subset : str or array-like of bool of shape (n,), optional
        Rows to use, such as ``"age > 30"``.
    functions : mapping, optional
        Your own functions for the formula; trusted code.
    start : array-like of shape (n_theta,) or dict, optional
        Where the optimisation starts: theta, or ``{"theta": theta}``.
    fixed : mapping, optional
        Parameters to hold at a value instead of estimating them, by their names in :func:`mixedmodels.tidy`:

        - ``"sigma"``, the residual standard deviation, such as ``{"sigma": 1.0}`` for a meta-analysis with
          known sampling variances in ``weights=1/v``;
        - ``"sd__Days"``, ``"cor__(Intercept).Days"``: standard deviations and correlations of random effects.
          Where two terms have the same name, put the group before it: ``("Subject", "sd__(Intercept)")``
          or ``"Subject.sd__(Intercept)"``;
        - ``"theta[1]"``, or ``"theta": [None, 0.2, None]`` with None for entries to estimate;
        - ``"Days"``: a coefficient, or ``("fixed", "Days")``.

        Held parameters count neither in degrees of freedom nor in AIC and BIC; tests and standard errors take
        them as known.
    optimizer : {"trust_region", "bobyqa", "newuoa", "nelder_mead", "cobyla", "sbplx"}, callable or None
        By default "trust_region". None evaluates the model at `start` without optimising.
        A function of yours is called with the objective, its gradient, the start and the bounds of the
        parameters, and returns the parameters at the minimum, or an object with these as ``x``.
    control : Control or dict, optional
        Limits of the optimisation, see :class:`mixedmodels.Control`.
    verbose : bool, default False
        Print the objective after every evaluation, while the fit runs.

    Returns
    -------
    LinearMixedModel

    Raises
    ------
    FormulaError
        When the formula cannot be read.
    DataError
        When the data does not suit the model; the message names the column.
    ArgumentError
        When another argument does not fit.

    Warns
    -----
    SingularFitWarning, ConvergenceWarning, RankDeficiencyWarning, and before the fit LargeModelWarning

    References
    ----------
    Bates, Mächler, Bolker & Walker (2015), Fitting linear mixed-effects models using lme4,
    Journal of Statistical Software 67(1).

    Examples
    --------
    >>> from mixedmodels import lmer, load_sleepstudy
    >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
    >>> round(m.objective, 4)
    1743.6283
    """
    check_formula_first("lmer", formula, data)
    options = as_control(control)
    verbose = flag("verbose", verbose)
    if verbose:
        options = dataclasses.replace(options, verbose=True)
    arguments = FitArguments(
        formula=formula,
        data=data,
        reml=check_reml(REML),
        weights=snapshot(weights),
        offset=snapshot(offset),
        contrasts=snapshot(contrasts),
        na_action=na_action,
        subset=snapshot(subset),
        functions=snapshot(functions),
        start=snapshot(start),
        fixed=check_fixed(fixed),
        optimizer=check_optimizer(optimizer),
        control=options,
    )
    return LinearMixedModel(fit_new(arguments))
