"""`glmer`: fit a generalized linear mixed model."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

from numpy.typing import ArrayLike

from ..checks import flag
from ..errors import ArgumentError, MixedModelsWarning
from ..families import Family, Gaussian, as_family
from ..fit.arguments import (
    GeneralizedArguments,
    check_formula_first,
    check_information,
    check_n_agq,
    with_fixed_dispersion,
    with_size,
)
from ..fit.changes import fit_new
from ..fit.control import Control, as_control, check_optimizer
from ..fit.fixed import check_fixed, without_dispersion
from ..fit.update import snapshot
from ..not_here import GLMER_ARGUMENTS
from ..notices import warn_user
from ..public import public_except
from .arguments import Contrasts, Data, Functions, NaAction, Optimizer, Rows
from .generalized import GeneralizedLinearMixedModel
from .linear import LinearMixedModel
from .lmer import lmer


@public_except(GLMER_ARGUMENTS)
def glmer(
    formula: str,
    data: Data,
    family: str | Family | type[Family] | None = None,
    link: str | None = None,
    nAGQ: int = 1,
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
    information: Literal["observed", "expected"] = "observed",
    nb_theta: float | None = None,
) -> GeneralizedLinearMixedModel | LinearMixedModel:
    """
    Fit a generalized linear mixed model by maximum likelihood. R: ``lme4::glmer``.

    Parameters
    ----------
    formula : str
        lme4-style, such as ``"cbind(incidence, size - incidence) ~ period + (1 | herd)"``. For the
        binomial family the response is 0/1, True/False, a factor of two levels (the first is failure),
        ``cbind(successes, failures)``, ``successes / trials``, or a proportion with the numbers of trials as
        `weights`.
    data : data frame
        As for :func:`mixedmodels.lmer`; n rows.
    family : str or object of mixedmodels.families
        "binomial", "poisson", "gaussian", "gamma", "inverse_gaussian", "lognormal", "nbinom2"
        ("negative_binomial"), "nbinom1", "beta".
    link : str, optional
        By default the first link of the family, see :mod:`mixedmodels.families`.
    nAGQ : int, default 1
        1 for the Laplace approximation, up to 100 points of adaptive Gauss-Hermite quadrature (one
        grouping factor with at most three random effects a level); 0 takes the coefficients from the
        conditional modes, which is faster and not maximum likelihood.
    weights : str or array-like of shape (n,), optional
        Numbers of trials for the binomial family. Otherwise prior weights: they divide the variance
        (gaussian, gamma, inverse_gaussian; for lognormal, the variance of log y) or multiply the
        log-likelihood of a row.
    offset : str or array-like of shape (n,), optional
        Known part of the linear predictor, such as ``"log(exposure)"``.
    contrasts, na_action, subset, functions : as for `lmer`, optional
        Coding of factors, missing values, rows to use, and your own functions.
    start : array-like of shape (n_theta,) or dict, optional
        Where the optimisation starts: theta, or a dict with any of ``theta``, ``beta``, ``dispersion``.
    fixed : mapping, optional
        Parameters to hold at a value, as for :func:`mixedmodels.lmer`. ``"dispersion"`` is the parameter of
        the family as ``model.dispersion`` gives it; it also goes by the name that it has in
        :func:`mixedmodels.glance`: ``"size"``, ``"precision"``, or ``"sigma"`` for the families with a scale,
        whose square is the dispersion.
    optimizer : {"trust_region", "bobyqa", "newuoa", "nelder_mead", "cobyla", "sbplx"}, callable or None
        By default "trust_region". None evaluates the model at `start` without optimising.
        A function of yours is called with the objective, its gradient, the start and the bounds of the
        parameters, and returns the parameters at the minimum, or an object with these as ``x``.
    control : Control or dict, optional
        Limits of the optimisation, see :class:`mixedmodels.Control`.
    verbose : bool, default False
        Print the objective after every evaluation, while the fit runs.
    information : {"observed", "expected"}, default "observed"
        Which information weighs the rows in the Laplace approximation. "observed" is the Laplace
        approximation itself, as in glmmTMB; "expected" is what lme4 uses. They are the same for the
        canonical links.
    nb_theta : float, optional
        Holds the size of the negative binomial family (R's theta) fixed;
        ``families.NegativeBinomial(size=...)`` is the same.

    Returns
    -------
    GeneralizedLinearMixedModel
        For the gaussian family with identity link a LinearMixedModel, fitted by :func:`mixedmodels.lmer` with
        ``REML=False``; a warning says so.

    Raises
    ------
    FormulaError
        When the formula cannot be read.
    DataError
        When the data does not suit the model; the message names the column, the row and the value.
    ArgumentError
        When another argument does not fit.
    ModesError
        When the conditional modes cannot be found; the message names the row.

    Warns
    -----
    SingularFitWarning, ConvergenceWarning, RankDeficiencyWarning, SeparationWarning, and before the fit
    LargeModelWarning

    References
    ----------
    Bates, Mächler, Bolker & Walker (2015), Fitting linear mixed-effects models using lme4,
    Journal of Statistical Software 67(1).
    Brooks et al. (2017), glmmTMB balances speed and flexibility among packages for zero-inflated
    generalized linear mixed modeling, The R Journal 9(2).

    Examples
    --------
    >>> from mixedmodels import glmer, load_cbpp
    >>> m = glmer("cbind(incidence, size - incidence) ~ period + (1 | herd)", load_cbpp(), "binomial")
    >>> round(m.objective, 3)
    184.053
    """
    check_formula_first("glmer", formula, data)
    if isinstance(data, str) and family is not None and not isinstance(family, (str, Family)):
        raise ArgumentError(f"glmer: the formula comes first, then the data, then the family ({data!r})")
    fixed = check_fixed(fixed)
    chosen = with_fixed_dispersion(with_size(as_family(family, link), nb_theta), fixed)
    n_agq, kind = check_n_agq(nAGQ), check_information(information, chosen)
    options = as_control(control)
    verbose = flag("verbose", verbose)
    if verbose:
        options = dataclasses.replace(options, verbose=True)
    if isinstance(chosen, Gaussian) and chosen.link == "identity":
        if chosen.dispersion is not None:
            fixed = {**without_dispersion(fixed, chosen), "sigma": chosen.sigma(chosen.dispersion)}
        warn_user(
            "the gaussian family with identity link is a linear mixed model: fitted by lmer(REML=False)",
            MixedModelsWarning,
        )
        return lmer(
            formula,
            data,
            REML=False,
            weights=weights,
            offset=offset,
            contrasts=contrasts,
            na_action=na_action,
            subset=subset,
            functions=functions,
            start=start,
            fixed=fixed,
            optimizer=optimizer,
            control=options,
        )
    arguments = GeneralizedArguments(
        formula=formula,
        data=data,
        family=chosen,
        n_agq=n_agq,
        information=kind,
        weights=snapshot(weights),
        offset=snapshot(offset),
        contrasts=snapshot(contrasts),
        na_action=na_action,
        subset=snapshot(subset),
        functions=snapshot(functions),
        start=snapshot(start),
        fixed=fixed,
        optimizer=check_optimizer(optimizer),
        control=options,
    )
    return GeneralizedLinearMixedModel(fit_new(arguments))
