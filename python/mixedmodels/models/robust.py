"""Robust covariance matrices, tests that use them, and collinearity."""

from __future__ import annotations

from typing import Any

from ..fit.state import fitted_of
from ..inference.basis.headings import by_method
from ..inference.basis.robust import RobustCovariance, robust_covariance
from ..inference.hypotheses.anova_table import AnovaTable, anova_table
from ..inference.hypotheses.coefficient_tests import coefficient_tests
from ..inference.hypotheses.collinearity import condition_number_of, variance_inflation
from ..render.result_table import ResultTable
from .base import MixedModel


def coef_test(model: MixedModel, vcov: Any = None, ddf: Any = None) -> AnovaTable:
    """
    Test every coefficient, with a covariance matrix of choice.

    Parameters
    ----------
    model : MixedModel
    vcov : RobustCovariance or array-like of shape (rank, rank), optional
        From :func:`vcov_cluster`, with its degrees of freedom, or a matrix; by default the model's own.
    ddf : {"satterthwaite", "kenward-roger", "residual", "inf"}, optional
        Degrees of freedom for the model's own matrix, or "residual" or "inf" (the default) for a given one.

    Returns
    -------
    AnovaTable
        A row for each coefficient, with columns Estimate, Std. Error, df, t value, Pr(>|t|), or for infinite
        degrees of freedom Estimate, Std. Error, z value, Pr(>|z|).

    Raises
    ------
    ArgumentError
        When vcov belongs to another model or does not go with ddf.

    Examples
    --------
    >>> from mixedmodels import coef_test, lmer, load_sleepstudy, vcov_cluster
    >>> m = lmer("Reaction ~ Days + (1 | Subject)", load_sleepstudy())
    >>> coef_test(m, vcov_cluster(m)).round(3)
                 Estimate  Std. Error    df  t value  Pr(>|t|)
    (Intercept)   251.405       6.825  17.0   36.838       0.0
    Days           10.467       1.546  17.0    6.771       0.0
    """
    fitted = fitted_of(model)
    tests = coefficient_tests(fitted, ddf, vcov)
    heading = [] if tests.basis is None else [by_method("Coefficients", tests.basis)]
    columns = {str(name): tests.table[name].to_numpy() for name in tests.table}
    return anova_table(columns, fitted.design.x_names, heading, tests.notes)


def condition_number(model: MixedModel) -> float:
    """
    Condition number of the fixed-effects model matrix, its columns scaled to length one.

    Above about 30 columns nearly determine each other (Belsley, Kuh & Welsch 1980).

    Raises
    ------
    ArgumentError
        When the model has no fixed effects.

    Examples
    --------
    >>> from mixedmodels import condition_number, lmer, load_machines
    >>> round(condition_number(lmer("score ~ Machine + (1 | Worker)", load_machines())), 3)
    3.146
    """
    return condition_number_of(fitted_of(model))


def vcov_cluster(model: MixedModel, cluster: Any = None, type: str = "CR2") -> RobustCovariance:
    """
    Cluster-robust covariance matrix of the coefficients of a linear mixed model.

    It holds when the model's variances and correlations within the clusters are wrong; clusters must be
    independent of each other. Results of this function go into ``vcov=`` of tests.

    Parameters
    ----------
    model : MixedModel
    cluster : str or array-like, optional
        A grouping factor, a column of the data, or a label for each row (a pandas Series is matched by its
        index). Every group that has random effects must lie within one cluster. By default the grouping
        factor that contains all others.
    type : {"CR2", "CR1", "CR0"}
        CR0: the sum over clusters of the outer products of their scores. CR1: times m/(m - 1) for m clusters.
        CR2: residuals adjusted so that the matrix is unbiased if the model is right (Bell & McCaffrey 2002;
        Pustejovsky & Tipton 2018).

    Returns
    -------
    RobustCovariance
        With ``covariance``, ``to_frame()`` and degrees of freedom: Satterthwaite's for single functions of
        the coefficients, those of Hotelling's T² matched to the matrix's variance for joint tests.

    Raises
    ------
    ArgumentError
        For generalized models, or clusters that share random effects (such as crossed grouping factors).

    Examples
    --------
    >>> from mixedmodels import linear_hypothesis, lmer, load_sleepstudy, vcov_cluster
    >>> m = lmer("Reaction ~ Days + (1 | Subject)", load_sleepstudy())
    >>> robust = vcov_cluster(m)
    >>> robust.to_frame().round(2)
                 (Intercept)  Days
    (Intercept)        46.57 -1.45
    Days               -1.45  2.39
    >>> linear_hypothesis(m, "Days = 0", vcov=robust).round(3)
                F value  NumDF  DenDF  Pr(>F)
    hypothesis   45.853      1   17.0     0.0
    """
    return robust_covariance(fitted_of(model), cluster, type)


def vif(model: MixedModel) -> ResultTable:
    """
    Variance inflation factors of the terms, generalized ones where a term has several columns.

    By how much the (joint) confidence region of a term's coefficients is larger than if it were uncorrelated
    with the other terms (Fox & Monette 1992), from the covariance matrix of the estimates.

    Returns
    -------
    ResultTable
        A data frame with columns GVIF, Df, GVIF^(1/(2*Df)), which can be compared between terms.

    Raises
    ------
    ArgumentError
        For a model with fewer than two terms besides the intercept.

    Examples
    --------
    >>> from mixedmodels import lmer, load_dietox, vif
    >>> vif(lmer("Weight ~ Time + Cu + (1 | Pig)", load_dietox())).round(2)
          GVIF  Df  GVIF^(1/(2*Df))
    Time   1.0   1              1.0
    Cu     1.0   2              1.0
    """
    return variance_inflation(fitted_of(model))
