"""Tests of fitted models, as functions."""

from __future__ import annotations

from typing import Any

from ..fit.state import fitted_of
from ..inference.hypotheses.anova import anova_of
from ..inference.hypotheses.anova_table import AnovaTable
from ..inference.hypotheses.drop1 import drop_terms
from ..inference.hypotheses.kr_comparison import kenward_roger_comparison
from ..inference.hypotheses.linear_hypothesis import joint_test, single_tests
from ..inference.likelihood.exact_rlrt import exact_restricted_test
from ..inference.likelihood.parametric_bootstrap import bootstrap_comparison
from ..inference.likelihood.ranova import random_term_table
from .base import MixedModel


def anova(
    *models: MixedModel,
    refit: bool | None = None,
    names: Any = None,
    type: Any = None,
    ddf: Any = None,
    vcov: Any = None,
    test: Any = None,
) -> AnovaTable:
    """
    Tests of the terms of one model, or likelihood-ratio tests of several nested ones.

    Parameters
    ----------
    *models : MixedModel
        One, or several fitted to the same response, in any order.
    refit : bool, optional
        For several models: refit by ML those that were fitted by REML (the default); the heading says
        so. REML criteria as they are (False) can be compared between models with the same fixed effects only.
    names : sequence of str, optional
        For several models: names of the rows; by default ``model 1``, ``model 2``, ... in the order given.
    type : {3, 2, 1}, optional
        For one model: which hypothesis each term is tested for. 1: the term after those before it. 2: after
        all that do not contain it. 3 (the default): the term itself, averaged over the levels of the factors
        that it interacts with. The definitions are Goodnight's and do not depend on the contrasts.
    ddf : {"satterthwaite", "kenward-roger", "residual", "inf"}, optional
        For one linear mixed model: denominator degrees of freedom; by default Satterthwaite's.
    vcov : RobustCovariance or array-like of shape (rank, rank), optional
        For one model: the covariance matrix of the coefficients, see :func:`vcov_cluster`; by default the
        model's own.
    test : {"F", "Chisq"}, optional
        For one model: F tests (linear mixed models, the default), or Wald χ² tests (the default of
        generalized models). For type 2 a term contains another in F tests if it has more factors and the same
        numeric variables, as in SAS, in χ² tests if it has more variables.

    Returns
    -------
    AnovaTable
        For one model, by term: Sum Sq, Mean Sq, NumDF, DenDF, F value, Pr(>F), or Chisq, Df, Pr(>Chisq). Mean
        Sq is F (not yet scaled, for Kenward and Roger's method) times the residual variance. For several
        models, by number of parameters: npar, AIC, BIC, logLik, -2*log(L), Chisq, Df, Pr(>Chisq). The p-value
        of models with as many parameters as the one above is NaN. Where a single random effect is tested, a
        line of the heading has the p-value by the mixture for a variance on its boundary.

    Raises
    ------
    ArgumentError, DataError
        For arguments that the number or kind of models does not allow, and for models of different
        responses or rows.

    Examples
    --------
    >>> from mixedmodels import anova, lmer, load_machines, load_sleepstudy
    >>> table = anova(lmer("score ~ Machine + (1 | Worker/Machine)", load_machines()))
    >>> table[["NumDF", "DenDF", "F value"]].round(3)
             NumDF  DenDF  F value
    Machine      2   10.0   20.576
    >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy(), REML=False)
    >>> table = anova(m.update(". ~ . - (Days | Subject) + (1 | Subject)"), m)
    >>> round(float(table["Chisq"].iloc[1]), 3)
    42.139
    """
    return anova_of([fitted_of(model) for model in models], refit, names, type, test, ddf, vcov)


def anova_type3(model: MixedModel, ddf: Any = None, test: Any = None, vcov: Any = None) -> AnovaTable:
    """
    Type III tests of the terms of a model: :func:`anova` with ``type=3``.

    Examples
    --------
    >>> from mixedmodels import anova_type3, glmer, load_cbpp
    >>> m = glmer("cbind(incidence, size - incidence) ~ period + (1 | herd)", load_cbpp(), "binomial")
    >>> anova_type3(m).round(3)
             Chisq  Df  Pr(>Chisq)
    period  24.949   3         0.0
    """
    return anova_of([fitted_of(model)], None, None, 3, test, ddf, vcov)


def drop1(model: MixedModel, test: Any = "Chisq", ddf: Any = None, vcov: Any = None) -> AnovaTable:
    """
    Leave out each fixed-effects term that is not marginal to others, one at a time.

    Parameters
    ----------
    model : MixedModel
    test : {"Chisq", "F"}
        Likelihood-ratio tests (of fits by ML), or for linear mixed models F tests without any new fit.
    ddf : {"satterthwaite", "kenward-roger", "residual", "inf"}, optional
        For F tests: denominator degrees of freedom; by default Satterthwaite's.
    vcov : RobustCovariance or array-like of shape (rank, rank), optional
        For F tests: the covariance matrix of the coefficients, see :func:`vcov_cluster`; by default the
        model's own.

    Returns
    -------
    AnovaTable
        Columns npar, AIC, LRT, Pr(>Chisq), the model itself in the first row; or those of `anova`.

    Raises
    ------
    ArgumentError
        When there is no such term, or for F tests of a generalized model.

    Examples
    --------
    >>> from mixedmodels import drop1, lmer, load_sleepstudy
    >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy(), REML=False)
    >>> round(float(drop1(m).loc["Days", "LRT"]), 3)
    23.537
    """
    return drop_terms(fitted_of(model), test, ddf, vcov)


def exact_rlrt(model: MixedModel, nsim: int = 10_000, seed: Any = None) -> AnovaTable:
    """
    Test the only variance component by the exact distribution of the restricted likelihood ratio.

    The distribution under a variance of zero depends on the design only and is simulated from its
    eigenvalues, without fits (Crainiceanu & Ruppert 2004).

    Parameters
    ----------
    model : MixedModel
        A linear mixed model with a single random effect, such as ``(1 | g)``.
    nsim : int
    seed : int or Generator, optional

    Returns
    -------
    AnovaTable
        Columns RLRT, Pr(>RLRT).

    Raises
    ------
    ArgumentError
        For other models.

    Examples
    --------
    >>> from mixedmodels import exact_rlrt, lmer, load_dyestuff
    >>> m = lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff())
    >>> bool(exact_rlrt(m, seed=1)["Pr(>RLRT)"].iloc[0] < 0.01)
    True
    """
    return exact_restricted_test(fitted_of(model), nsim, seed)


def kr_compare(full: MixedModel, reduced: MixedModel) -> AnovaTable:
    """
    F test of a smaller fixed part by Kenward and Roger's method.

    Parameters
    ----------
    full, reduced : MixedModel
        Linear mixed models of the same response. Of the reduced one only the fixed part matters; it must be
        contained in that of the full one.

    Returns
    -------
    AnovaTable
        Columns F value (scaled), NumDF, DenDF, F scaling, Pr(>F).

    Raises
    ------
    ArgumentError, DataError
        When the fixed parts are not nested, or the responses differ.

    Examples
    --------
    >>> from mixedmodels import kr_compare, lmer, load_sleepstudy
    >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
    >>> kr_compare(m, m.update(". ~ . - Days"))[["F value", "NumDF", "DenDF"]].round(3)
             F value  NumDF  DenDF
    reduced   45.853      1   17.0
    """
    return kenward_roger_comparison(fitted_of(full), fitted_of(reduced))


def linear_hypothesis(
    model: MixedModel, hypotheses: Any, rhs: Any = None, ddf: Any = None, vcov: Any = None
) -> AnovaTable:
    """
    Test linear hypotheses Lβ = rhs, all at once.

    Parameters
    ----------
    model : MixedModel
    hypotheses : str, sequence of str, mapping of str to float, or array-like of shape (m, p) or (p,)
        Texts such as ``"Days = 10"`` or ``"2*a - b = 0"`` (R's ``period2`` for ``period[T.2]`` is
        understood), weights of coefficients by name, or the matrix L. Names mean the coefficients of the
        summary; L multiplies all columns of the model matrix, those that were dropped included.
    rhs : float or array-like of shape (m,), optional
        With a matrix or weights: what Lβ is supposed to be, zero by default.
    ddf : {"satterthwaite", "kenward-roger", "residual", "inf"}, optional
        Denominator degrees of freedom; by default Satterthwaite's, for a generalized model "inf".
    vcov : RobustCovariance or array-like of shape (rank, rank), optional
        From :func:`vcov_cluster`, with its degrees of freedom, or a matrix; by default the model's own.

    Returns
    -------
    AnovaTable
        One row with columns F value, NumDF, DenDF, Pr(>F), or Chisq, Df, Pr(>Chisq).

    Raises
    ------
    ArgumentError
        For names that are not there or of dropped coefficients, or hypotheses that contradict each other.

    Warns
    -----
    EstimabilityWarning
        For rows of L that the data do not determine, such as the mean of an empty cell: the result is NaN.

    Examples
    --------
    >>> from mixedmodels import linear_hypothesis, lmer, load_machines
    >>> m = lmer("score ~ Machine + (1 | Worker/Machine)", load_machines())
    >>> linear_hypothesis(m, ["MachineB = MachineC", "MachineB = 5"]).round(3)
                F value  NumDF  DenDF  Pr(>F)
    hypothesis    8.701      2   10.0   0.006
    """
    fitted = fitted_of(model)
    return joint_test(fitted, hypotheses, rhs, ddf, vcov)


def pb_compare(full: MixedModel, reduced: MixedModel, nsim: int = 1000, seed: Any = None) -> AnovaTable:
    """
    Likelihood-ratio test by parametric bootstrap (Halekoh & Højsgaard 2014).

    Responses are drawn from the fit of the reduced model, and both models are fitted to each.

    Parameters
    ----------
    full, reduced : MixedModel
        Nested models of the same response; REML fits are refitted by ML.
    nsim : int
    seed : int or Generator, optional

    Returns
    -------
    AnovaTable
        Columns statistic, Df, DenDF, Pr(>statistic). Rows: LRT, by χ²; PBtest, the share
        (count + 1) / (n + 1) of simulated ratios that are no smaller; Bartlett, the ratio scaled to its mean
        under χ²; Gamma and F, by distributions with the simulated mean (and variance).

    Raises
    ------
    ArgumentError, DataError
        When the models cannot be compared.

    Examples
    --------
    >>> from mixedmodels import lmer, load_sleepstudy, pb_compare
    >>> m = lmer("Reaction ~ Days + (1 | Subject)", load_sleepstudy(), REML=False)
    >>> table = pb_compare(m, m.update(". ~ . - Days"), nsim=19, seed=1)
    >>> float(table.loc["PBtest", "Pr(>statistic)"])
    0.05
    """
    return bootstrap_comparison(fitted_of(full), fitted_of(reduced), nsim, seed)


def ranova(model: MixedModel) -> AnovaTable:
    """
    Leave out random effects, one term at a time, and compare likelihoods (restricted ones for a REML fit).

    ``(1 | g)`` is left out altogether. Of ``(a + b | g)`` first a is left out, then b, the intercept
    never; of a double bar each column, the intercept too. ``(0 + f | g)`` with a factor f becomes
    ``(1 | g)``. Of a term with a covariance structure, such as ``ar1(0 + f | g)``, first the correlations are
    left out, its standard deviations as they are, then all of the term. A linear mixed model without random
    effects is compared as a linear model.

    Parameters
    ----------
    model : MixedModel

    Returns
    -------
    AnovaTable
        Columns npar, logLik, AIC, LRT, Df, Pr(>Chisq), and Pr(mixture): for a single random effect, whose
        variance lies on the boundary, by the half-half mixture of χ² with Df - 1 and Df degrees of freedom.

    Raises
    ------
    ArgumentError
        For a generalized model with a single random effect.

    Examples
    --------
    >>> from mixedmodels import lmer, load_penicillin, ranova
    >>> ranova(lmer("diameter ~ 1 + (1 | plate) + (1 | sample)", load_penicillin()))["LRT"].round(2).to_dict()
    {'<none>': nan, '(1 | plate)': 105.06, '(1 | sample)': 282.4}
    """
    return random_term_table(fitted_of(model))


def t_test(
    model: MixedModel, hypotheses: Any, rhs: Any = None, ddf: Any = None, vcov: Any = None
) -> AnovaTable:
    """
    Test linear hypotheses, each by itself.

    Parameters
    ----------
    model, hypotheses, rhs, ddf, vcov
        As for :func:`linear_hypothesis`.

    Returns
    -------
    AnovaTable
        A row for each, with columns Estimate, Std. Error, df, t value, Pr(>|t|), or for infinite degrees of
        freedom Estimate, Std. Error, z value, Pr(>|z|).

    Examples
    --------
    >>> from mixedmodels import lmer, load_sleepstudy, t_test
    >>> t_test(lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy()), "Days = 10").round(3)
               Estimate  Std. Error    df  t value  Pr(>|t|)
    Days = 10    10.467       1.546  17.0    0.302     0.766
    """
    fitted = fitted_of(model)
    return single_tests(fitted, hypotheses, rhs, ddf, vcov)
