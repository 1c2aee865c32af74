"""How much a model explains, and which of several models does it best."""

from __future__ import annotations

from typing import Any

from ..fit.state import fitted_of
from ..inference.effect_sizes.observation_variance import Approximation
from ..inference.effect_sizes.term_effect_sizes import effect_size_table
from ..inference.effect_sizes.variance_shares import (
    IntraclassCorrelation,
    RSquared,
    intraclass_correlation,
    r_squared,
)
from ..inference.hypotheses.anova_table import AnovaTable
from ..inference.likelihood.conditional_aic import ConditionalAIC, Method, conditional_aic
from ..inference.likelihood.model_selection import criteria_table, selection_table
from .base import MixedModel


def aic_table(*models: MixedModel, names: Any = None) -> AnovaTable:
    """
    Information criteria of several models of the same response, in the order given.

    REML fits with different fixed effects are refitted by ML; the heading says so.

    Parameters
    ----------
    *models : MixedModel
    names : sequence of str, optional
        Names of the rows; by default ``model 1``, ``model 2``, ...

    Returns
    -------
    AnovaTable
        Columns npar, logLik, AIC, AICc, BIC.

    Raises
    ------
    ArgumentError, DataError
        For models whose likelihoods cannot be compared.

    Examples
    --------
    >>> from mixedmodels import aic_table, lmer, load_sleepstudy
    >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
    >>> aic_table(m, m.update(". ~ . - Days"))["AIC"].round(2).to_dict()
    {'model 1': 1763.94, 'model 2': 1785.48}
    """
    return criteria_table([fitted_of(model) for model in models], names)


def cAIC(model: MixedModel, method: Method = "greven-kneib") -> ConditionalAIC:
    """
    Conditional AIC: of predictions for the groups in the data, not for new ones.

    Parameters
    ----------
    model : MixedModel
        A linear mixed model.
    method : {"greven-kneib", "vaida-blanchard"}
        The degrees of freedom, one for the residual variance included: the trace of the derivative of the
        fitted values in the response, with the variances estimated anew (exact derivatives; Greven & Kneib
        2010), or as if they were known (Vaida & Blanchard 2005). Entries of theta on the boundary count as
        known.

    Returns
    -------
    ConditionalAIC
        A number with ``logLik``, ``df``, ``method`` and ``notes``.

    Raises
    ------
    ArgumentError
        For a generalized model.

    Examples
    --------
    >>> from mixedmodels import cAIC, lmer, load_sleepstudy
    >>> value = cAIC(lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy()))
    >>> round(value, 2), round(value.df, 3)
    (1711.52, 31.253)
    """
    return conditional_aic(fitted_of(model), method)


def epsilon_squared(
    model: Any,
    partial: bool = True,
    ci: float | None = 0.95,
    *,
    type: Any = 3,
    ddf: Any = None,
    vcov: Any = None,
) -> AnovaTable:
    """
    Partial epsilon squared of each term: (F - 1) df1 / (F df1 + df2), zero where that is negative.

    Parameters
    ----------
    model, partial, ci, type, ddf, vcov
        As for :func:`eta_squared`.

    Returns
    -------
    AnovaTable
        Columns F value, NumDF, DenDF, partial epsilon2, and the limits, named by their percentages.

    Raises
    ------
    ArgumentError
        For a generalized model, tests with infinite degrees of freedom, or ``partial=False``.

    Examples
    --------
    >>> from mixedmodels import epsilon_squared, lmer, load_cake
    >>> m = lmer("angle ~ recipe * temperature + (1 | recipe:replicate)", load_cake())
    >>> epsilon_squared(m)["partial epsilon2"].round(3).to_dict()
    {'recipe': 0.0, 'temperature': 0.312, 'recipe:temperature': 0.0}
    """
    return effect_size_table("epsilon", model, partial, ci, type, ddf, vcov)


def eta_squared(
    model: Any,
    partial: bool = True,
    ci: float | None = 0.95,
    *,
    type: Any = 3,
    ddf: Any = None,
    vcov: Any = None,
) -> AnovaTable:
    """
    Partial eta squared of each term: F df1 / (F df1 + df2).

    Parameters
    ----------
    model : LinearMixedModel, or table of F tests
        A model, whose terms are tested by `type` and `ddf`; or the result of ``anova(model)`` or
        ``joint_tests(model)``.
    partial : bool
        True: mixed models have no total sum of squares, and so no other eta squared.
    ci : float or None
        Level of the two-sided confidence limits; None for none. A 90 % interval excludes zero exactly if the
        F test rejects at 5 %.
    type, ddf, vcov
        As for :func:`anova`.

    Returns
    -------
    AnovaTable
        Columns F value, NumDF, DenDF, partial eta2, and the limits, named by their percentages.

    Raises
    ------
    ArgumentError
        For a generalized model, tests with infinite degrees of freedom, or ``partial=False``.

    Notes
    -----
    Eta squared is biased upwards: :func:`omega_squared` and :func:`epsilon_squared` are less so (Olejnik &
    Algina 2003, Psychological Methods 8, 434-447; Okada 2013, Behaviormetrika 40, 129-147). Limits come from
    the noncentral F distribution (Steiger 2004, Psychological Methods 9, 164-182): those of the noncentrality
    over themselves plus df2. For linear mixed models all of this rests on the F distribution with the degrees
    of freedom of the test, and compares terms within a stratum: a term between groups is compared with the
    variation between groups.

    Examples
    --------
    >>> from mixedmodels import eta_squared, lmer, load_cake
    >>> m = lmer("angle ~ recipe * temperature + (1 | recipe:replicate)", load_cake())
    >>> print(eta_squared(m, ci=0.9))
    Partial eta squared of terms
    Type III tests of terms by Satterthwaite's degrees of freedom
    Model: angle ~ recipe * temperature + (1 | recipe:replicate)
                         F value  NumDF   DenDF  partial eta2     5 %    95 %
     recipe               0.2488      2   42.00        0.0117  0.0000  0.0741
     temperature         20.5199      5  210.00        0.3282  0.2362  0.3976
     recipe:temperature   1.0062     10  210.00        0.0457  0.0000  0.0543
    """
    return effect_size_table("eta", model, partial, ci, type, ddf, vcov)


def icc(model: MixedModel, approximation: Approximation = "lognormal") -> IntraclassCorrelation:
    """
    Intraclass correlation: the share of the variance between groups.

    Parameters
    ----------
    model, approximation
        As for :func:`r2`.

    Returns
    -------
    IntraclassCorrelation
        With ``adjusted`` (of the variance that the fixed effects leave), ``unadjusted`` (of all),
        ``by_group`` and ``variances``.

    Raises
    ------
    ArgumentError
        Where the family and link have no variance on the scale of the linear predictor.

    Examples
    --------
    >>> from mixedmodels import icc, lmer, load_sleepstudy
    >>> icc(lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy()))
    ICC adjusted 0.722, unadjusted 0.521
    """
    return intraclass_correlation(fitted_of(model), approximation)


def model_selection(
    *models: MixedModel, formulas: Any = (), criterion: str = "AICc", names: Any = None
) -> AnovaTable:
    """
    Models of the same response by an information criterion, the best first, with Akaike weights.

    Parameters
    ----------
    *models : MixedModel
    formulas : sequence of str, optional
        More candidates, as changes of the first model: ``". ~ . - x"``, or whole formulas.
    criterion : {"AICc", "AIC", "BIC"}
    names : sequence of str, optional
        One for each model and formula; by default ``model 1``, ``model 2``, ... in the order given.

    Returns
    -------
    AnovaTable
        Columns npar, logLik, AIC, AICc, BIC, Delta (distance to the best), Weight: exp(-Delta/2), made to
        sum to one (Burnham & Anderson 2002).

    Raises
    ------
    ArgumentError, DataError
        For models whose likelihoods cannot be compared.

    Examples
    --------
    >>> from mixedmodels import lmer, load_sleepstudy, model_selection
    >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
    >>> table = model_selection(m, formulas=[". ~ . - Days", "Reaction ~ Days + (1 | Subject)"])
    >>> table["Delta"].round(2).to_dict()
    {'model 1': 0.0, 'model 2': 21.4, 'model 3': 37.88}
    """
    changed: list[Any] = []
    if formulas and models:
        texts = [formulas] if isinstance(formulas, str) else list(formulas)
        first: Any = models[0]
        changed = [first.update(text) for text in texts]
    return selection_table([fitted_of(model) for model in (*models, *changed)], criterion, names)


def omega_squared(
    model: Any,
    partial: bool = True,
    ci: float | None = 0.95,
    *,
    type: Any = 3,
    ddf: Any = None,
    vcov: Any = None,
) -> AnovaTable:
    """
    Partial omega squared of each term: (F - 1) df1 / (F df1 + df2 + 1), zero where that is negative.

    Parameters
    ----------
    model, partial, ci, type, ddf, vcov
        As for :func:`eta_squared`.

    Returns
    -------
    AnovaTable
        Columns F value, NumDF, DenDF, partial omega2, and the limits, named by their percentages.

    Raises
    ------
    ArgumentError
        For a generalized model, tests with infinite degrees of freedom, or ``partial=False``.

    Examples
    --------
    >>> from mixedmodels import lmer, load_cake, omega_squared
    >>> m = lmer("angle ~ recipe * temperature + (1 | recipe:replicate)", load_cake())
    >>> omega_squared(m)["partial omega2"].round(3).to_dict()
    {'recipe': 0.0, 'temperature': 0.311, 'recipe:temperature': 0.0}
    """
    return effect_size_table("omega", model, partial, ci, type, ddf, vcov)


def r2(model: MixedModel, approximation: Approximation = "lognormal") -> RSquared:
    """
    Nakagawa and Schielzeth's R²: shares of the variance that fixed, and fixed and random effects explain.

    Variances are on the scale of the linear predictor. That of random slopes is averaged over the
    observations (Johnson 2014); that of single observations depends on family and link (Nakagawa, Johnson &
    Schielzeth 2017). A random effect with a level for each observation counts as residual. A variance
    estimated as zero contributes zero: singular fits have an R² like any other.

    Parameters
    ----------
    model : MixedModel
    approximation : {"lognormal", "trigamma", "delta"}
        How the variance of a response is taken to the scale of a log link. The mean that it is taken at is
        that of the model without predictors, which is fitted for this.

    Returns
    -------
    RSquared
        With ``marginal``, ``conditional`` and ``variances``.

    Raises
    ------
    ArgumentError
        For the cauchit link, whose latent variable has no variance.

    Examples
    --------
    >>> from mixedmodels import glmer, lmer, load_cbpp, load_sleepstudy, r2
    >>> r2(lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy()))
    R² marginal 0.279, conditional 0.799
    >>> r2(glmer("cbind(incidence, size - incidence) ~ period + (1 | herd)", load_cbpp(), "binomial"))
    R² marginal 0.085, conditional 0.187
    """
    return r_squared(fitted_of(model), approximation)
