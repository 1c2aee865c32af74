"""Fits as data frames and as tables for publications."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ..fit.state import fitted_of
from ..render.numbers import PStyle
from ..render.result_table import ResultTable
from ..report.augment import augmented_data
from ..report.glance import glance_table
from ..report.model_cells import CellStyle
from ..report.model_table import ModelTable, compare_models
from ..report.tidy import tidy_table
from .base import MixedModel


def augment(model: MixedModel, data: Any = None, *, influence: bool = False) -> pd.DataFrame:
    """
    The data of a fit with fitted values and residuals, on request with leverages and Cook's distances.

    Column names are those of R's broom.mixed.

    Parameters
    ----------
    model : MixedModel
    data : data frame, optional
        What to add the columns to: a row for each row used, or for each row of the fitting data (those not
        used get NaN). By default the variables of the formula in the rows used.
    influence : bool
        Add ``.hat`` and ``.cooksd``, which may take longer than the fit where grouping factors with thousands
        of levels are crossed.

    Returns
    -------
    DataFrame, shape (n, ...)
        ``.fitted`` the linear predictor, ``.resid`` residuals of the model's default type (Pearson
        residuals for a family of your own), ``.hat`` leverages
        given the variances (of a generalized model: in the last weighted least-squares step), ``.cooksd``
        Cook's distances from one step, ``.fixed`` the fixed part with offsets, ``.mu`` the mean, ``.offset``.
        NaN for leverages where separation leaves the coefficients without information.

    Raises
    ------
    DataError
        When the rows do not match, or the data already has such a column.
    ArgumentError
        When `influence` is neither True nor False.

    Examples
    --------
    >>> from mixedmodels import augment, lmer, load_sleepstudy
    >>> m = lmer("Reaction ~ Days + (1 | Subject)", load_sleepstudy())
    >>> augment(m, influence=True)[[".fitted", ".resid", ".hat", ".cooksd"]].head(2).round(4)
        .fitted   .resid    .hat  .cooksd
    0  292.1888 -42.6288  0.1075   0.1276
    1  302.6561 -43.9514  0.1021   0.1273
    """
    return augmented_data(fitted_of(model), data, influence)


def glance(model: MixedModel) -> ResultTable:
    """
    A fit in one row, with the columns of R's broom.mixed.

    Returns
    -------
    ResultTable, shape (1, 7)
        nobs, sigma, logLik, AIC, BIC, REMLcrit (a fit by REML) or deviance (-2 log-likelihood), df.residual.
        In place of sigma ``size``, ``dispersion`` or ``precision`` of a family whose parameter is that.

    Examples
    --------
    >>> from mixedmodels import glance, lmer, load_sleepstudy
    >>> row = glance(lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())).round(2).iloc[0]
    >>> row[["nobs", "sigma", "REMLcrit", "df.residual"]].to_dict()
    {'nobs': 180.0, 'sigma': 25.59, 'REMLcrit': 1743.63, 'df.residual': 174.0}
    """
    return glance_table(fitted_of(model))


def model_table(
    *models: MixedModel,
    format: str = "text",
    names: Any = None,
    show: Any = "std.error",
    ddf: Any = None,
    vcov: Any = None,
    level: float = 0.95,
    stars: Any = False,
    exponentiate: bool = False,
    coefficients: Any = None,
    random: bool = True,
    facts: Any = None,
    digits: int = 3,
    p_style: PStyle = "exact",
) -> ModelTable:
    """
    Several models side by side, for publications.

    Parameters
    ----------
    *models : MixedModel
        One or more, of any kind.
    format : {"text", "html", "latex", "markdown"}
        How the table prints; LaTeX needs the package booktabs.
    names : sequence of str, optional
        Names of the columns; by default ``model 1``, ``model 2``, ...
    show : {"std.error", "conf.int", "p.value"} or sequence of them
        What is shown beside the coefficients: standard errors, confidence limits, p-values; ``()`` for
        nothing.
    ddf : {"satterthwaite", "kenward-roger", "residual", "inf"}, optional
        Degrees of freedom of limits and p-values, named in the notes; by default Satterthwaite's, for a
        generalized model "inf".
    vcov : RobustCovariance or array-like, or sequence of these, optional
        Covariance matrices of the coefficients, one for each model (None for the model's own), see
        :func:`vcov_cluster`.
    level : float
        Of the confidence limits.
    stars : bool or mapping of str to float
        Mark small p-values; by default ``{"***": 0.001, "**": 0.01, "*": 0.05}``.
    exponentiate : bool
        Show exponentials of coefficients and limits (odds ratios, ratios of means, hazard ratios), with
        standard errors by the delta method; for the links log, logit and cloglog.
    coefficients : sequence of str, or mapping of str to str, optional
        Which coefficients, in which order; a mapping gives them other names. By default all.
    random : bool
        Show standard deviations and correlations.
    facts : sequence of {"nobs", "groups", "family", "logLik", "AIC", "AICc", "BIC", "R2", "ICC"}, optional
        Which facts about the fits, in which order; by default nobs, groups, family (where a model is a
        generalized one), logLik, AIC, BIC. R2 is Nakagawa's, see :func:`r2`; ICC the adjusted one, see
        :func:`icc`.
    digits : int
        Decimals; significant digits of very small and large numbers.
    p_style : {"exact", "apa"}
        P-values to four significant digits, or as APA style writes them: ``.012``, ``< .001``.

    Returns
    -------
    ModelTable
        With ``frame``, ``notes``, ``to_text()``, ``to_html()``, ``to_latex()`` and ``to_markdown()``.

    Raises
    ------
    ArgumentError
        For an unknown format, coefficient or fact, for more or fewer names than models, and for
        ``exponentiate`` under another link.

    Examples
    --------
    >>> from mixedmodels import lmer, load_sleepstudy, model_table
    >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy(), REML=False)
    >>> model_table(m, m.update(". ~ . - Days"), names=["slope", "none"])
                                               slope             none
    -----------------------------------------------------------------
     (Intercept)                     251.405 (6.632)  257.762 (6.569)
     Days                             10.467 (1.502)
    -----------------------------------------------------------------
     SD (Intercept) | Subject                 23.781           24.616
     SD Days | Subject                         5.717           11.927
     COR (Intercept).Days | Subject            0.081           -0.189
     SD residual                              25.592           25.592
    -----------------------------------------------------------------
     Observations                                180              180
     Groups of Subject                            18               18
     Log-likelihood                          -875.97          -887.74
     AIC                                     1763.94          1785.48
     BIC                                     1783.10          1801.44
    Estimates with standard errors in parentheses
    >>> from mixedmodels import glmer, load_cbpp
    >>> b = glmer("cbind(incidence, size - incidence) ~ period + (1 | herd)", load_cbpp(), "binomial")
    >>> model_table(
    ...     b,
    ...     names=["infection"],
    ...     show="conf.int",
    ...     stars=True,
    ...     exponentiate=True,
    ...     coefficients={"period[T.2]": "period 2", "period[T.3]": "period 3", "period[T.4]": "period 4"},
    ...     random=False,
    ...     facts=["nobs", "R2", "ICC"],
    ... )
                                   infection
    ----------------------------------------
     period 2         0.371** [0.203, 0.676]
     period 3        0.323*** [0.171, 0.614]
     period 4        0.206*** [0.089, 0.476]
    ----------------------------------------
     Observations                         56
     R² marginal                       0.085
     R² conditional                    0.187
     ICC                               0.111
    Odds ratios with 95 % confidence limits in brackets; *** p < 0.001, ** p < 0.01, * p < 0.05
    Tests by infinite degrees of freedom
    """
    style = CellStyle.of(show, stars, level, exponentiate, digits, p_style)
    fits = [fitted_of(model) for model in models]
    return compare_models(fits, names, format, ddf, vcov, coefficients, random, facts, style)


def tidy(
    model: MixedModel,
    effects: Any = "fixed",
    conf_int: bool = False,
    conf_level: float = 0.95,
    ddf: Any = None,
    vcov: Any = None,
    exponentiate: bool = False,
) -> ResultTable:
    """
    Estimates as a data frame with the column names of R's broom.mixed.

    Parameters
    ----------
    model : MixedModel
    effects : {"fixed", "ran_pars", "ran_vals", "all"} or sequence of them
        Coefficients; standard deviations (``sd__...``) and correlations (``cor__...``); conditional modes of
        the random effects with their conditional standard deviations.
    conf_int : bool
        Add ``conf.low`` and ``conf.high``: t quantiles with the degrees of freedom of column ``df`` for
        coefficients, normal ones for random effects (too short in small samples, see
        :meth:`LinearMixedModel.ranef`), NaN for standard deviations and correlations.
    conf_level : float
    ddf : {"satterthwaite", "kenward-roger", "residual", "inf"}, optional
        Degrees of freedom of the coefficients; by default Satterthwaite's, for a generalized model "inf".
    vcov : RobustCovariance or array-like of shape (rank, rank), optional
        Their covariance matrix, see :func:`vcov_cluster`; by default the model's own.
    exponentiate : bool
        Give exponentials of coefficients and their limits: odds ratios (logit), ratios of means (log) or
        hazard ratios (cloglog), with standard errors by the delta method. Statistics and p-values stay those
        of the coefficients.

    Returns
    -------
    ResultTable
        A data frame, printed in full.
        Columns effect, group, (level,) term, estimate, std.error, statistic, df, p.value (, conf.low,
        conf.high), those that the effects asked for have. ``p.value`` is from a t distribution with ``df``
        degrees of freedom, a normal one where that is infinite.

    Raises
    ------
    ArgumentError
        For unknown effects or levels, or ``exponentiate`` under another link.

    Examples
    --------
    >>> from mixedmodels import lmer, load_sleepstudy, tidy
    >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
    >>> tidy(m)[["term", "estimate", "std.error", "df"]].round(3)
              term  estimate  std.error    df
    0  (Intercept)   251.405      6.825  17.0
    1         Days    10.467      1.546  17.0
    >>> from mixedmodels import glmer, load_cbpp
    >>> b = glmer("cbind(incidence, size - incidence) ~ period + (1 | herd)", load_cbpp(), "binomial")
    >>> odds = tidy(b, conf_int=True, exponentiate=True)
    >>> odds[["term", "estimate", "std.error", "conf.low", "conf.high"]].round(3)
              term  estimate  std.error  conf.low  conf.high
    0  (Intercept)     0.247      0.057     0.157      0.389
    1  period[T.2]     0.371      0.114     0.203      0.676
    2  period[T.3]     0.323      0.106     0.171      0.614
    3  period[T.4]     0.206      0.088     0.089      0.476
    >>> tidy(m, "ran_pars")[["group", "term", "estimate"]].round(2)
          group                   term  estimate
    0   Subject        sd__(Intercept)     24.74
    1   Subject               sd__Days      5.92
    2   Subject  cor__(Intercept).Days      0.07
    3  Residual        sd__Observation     25.59
    """
    fitted = fitted_of(model)
    return tidy_table(fitted, effects, conf_int, conf_level, ddf, vcov, exponentiate)
