"""A model in tables: summary, tidy data frames, tables for publications."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import pandas as pd  # pyright: ignore[reportMissingTypeStubs]

from ..fit.block_costs import BlockDescription, describe_engine
from ..fit.state import fitted_of
from ..public import public, renamed
from ..render.numbers import DIGITS, PStyle
from ..render.result_table import ResultTable
from ..report.augment import augmented_data
from ..report.model_cells import CellStyle
from ..report.model_table import ModelTable, compare_models
from ..report.summarize import summarize
from ..report.summary import Summary
from ..report.tidy import glance_table, tidy_table
from .arguments import Data, DdfName, Names, Vcov
from .holder import Holder

Effects = Literal["fixed", "ran_pars", "ran_vals", "all"]
Show = Literal["std.error", "conf.int", "p.value"]
Fact = Literal["nobs", "groups", "family", "logLik", "AIC", "AICc", "BIC", "R2", "ICC"]


class Reports(Holder):
    """Summaries and tables."""

    __slots__ = ()

    @public
    def summary(
        self,
        correlation: bool | None = None,
        ddf: DdfName | None = None,
        vcov: Vcov | None = None,
        *,
        digits: int = DIGITS,
        p_style: PStyle = "exact",
    ) -> Summary:
        """
        Summary of the fit: text when printed, a page in notebooks, numbers as attributes.

        Parameters
        ----------
        correlation : bool, optional
            Show the correlations of the fixed effects; by default if there are at most 12 coefficients.
        ddf : {"satterthwaite", "kenward-roger", "residual", "inf"}, optional
            Degrees of freedom of the tests; by default Satterthwaite's, for a generalized model "inf".
        vcov : RobustCovariance or array-like of shape (rank, rank), optional
            Covariance matrix of the coefficients: from `vcov_cluster`, with its degrees of freedom, or a
            matrix, which goes with normal and χ² distributions unless ``ddf="residual"``; by default the
            model's own.
        digits : int, default 5
            Significant digits of the smallest number in a column of estimates, from 1 to 15; other printed
            numbers follow. Attributes of the result keep all digits.
        p_style : {"exact", "apa"}, default "exact"
            P-values to ``digits - 1`` significant digits, or in APA style: ``.012``, ``< .001``.

        Returns
        -------
        Summary
            Also with ``to_latex()`` and ``to_markdown()``.

        Raises
        ------
        ArgumentError
            For unknown degrees of freedom or styles, and a covariance matrix of another model.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> print(str(m.summary(digits=3, p_style="apa")).split("Fixed effects:")[1].split(" t tests")[0])
        <BLANKLINE>
                      Estimate  Std. Error    df  t value  Pr(>|t|)
         (Intercept)     251.4        6.82  17.0    36.84    < .001
         Days             10.5        1.55  17.0     6.77    < .001
        <BLANKLINE>
        """
        return summarize(self._fitted, correlation, ddf=ddf, vcov=vcov, digits=digits, p_style=p_style)

    @renamed(conf_level="level")
    @public
    def tidy(
        self,
        effects: Effects | Sequence[Effects] = "fixed",
        conf_int: bool = False,
        level: float = 0.95,
        ddf: DdfName | None = None,
        vcov: Vcov | None = None,
        exponentiate: bool = False,
    ) -> ResultTable:
        """
        Estimates as a data frame with the column names of R's broom.mixed.

        Parameters
        ----------
        effects : {"fixed", "ran_pars", "ran_vals", "all"} or sequence of them, default "fixed"
            Coefficients; standard deviations (``sd__...``) and correlations (``cor__...``); conditional modes
            of the random effects with their conditional standard deviations.
        conf_int : bool, default False
            Add ``conf.low`` and ``conf.high``: by t quantiles with the degrees of freedom of column ``df``
            for coefficients, by normal quantiles for random effects (too short in small samples, see
            `ranef`), NaN for standard deviations and correlations.
        level : float, default 0.95
            Confidence level.
        ddf : {"satterthwaite", "kenward-roger", "residual", "inf"}, optional
            Degrees of freedom of the coefficients; by default Satterthwaite's, for a generalized model "inf".
        vcov : RobustCovariance or array-like of shape (rank, rank), optional
            Covariance matrix of the coefficients: from `vcov_cluster`, with its degrees of freedom, or a
            matrix, which goes with normal and χ² distributions unless ``ddf="residual"``; by default the
            model's own.
        exponentiate : bool, default False
            Exponentiate coefficients and their limits: odds ratios (logit), ratios of means (log) or hazard
            ratios (cloglog), with standard errors by the delta method. Statistics and p-values remain those
            of the coefficients.

        Returns
        -------
        ResultTable
            Columns effect, group, (level,) term, estimate, std.error, statistic, df, p.value (, conf.low,
            conf.high), as far as the chosen effects have them. ``p.value`` is from the t distribution with
            ``df`` degrees of freedom, or the normal distribution if ``df`` is infinite.

        Raises
        ------
        ArgumentError
            For unknown effects, an invalid level, ``exponentiate`` with another link, and a covariance matrix
            of another model.

        Examples
        --------
        >>> from mixedmodels import glmer, lmer, load_cbpp, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> m.tidy()[["term", "estimate", "std.error", "df"]].round(3)
                  term  estimate  std.error    df
        0  (Intercept)   251.405      6.825  17.0
        1         Days    10.467      1.546  17.0
        >>> m.tidy("ran_pars")[["group", "term", "estimate"]].round(2)
              group                   term  estimate
        0   Subject        sd__(Intercept)     24.74
        1   Subject               sd__Days      5.92
        2   Subject  cor__(Intercept).Days      0.07
        3  Residual        sd__Observation     25.59
        >>> b = glmer("cbind(incidence, size - incidence) ~ period + (1 | herd)", load_cbpp(), "binomial")
        >>> odds = b.tidy(conf_int=True, exponentiate=True)
        >>> odds[["term", "estimate", "std.error", "conf.low", "conf.high"]].round(3)
                  term  estimate  std.error  conf.low  conf.high
        0  (Intercept)     0.247      0.057     0.157      0.389
        1  period[T.2]     0.371      0.114     0.203      0.676
        2  period[T.3]     0.323      0.106     0.171      0.614
        3  period[T.4]     0.206      0.088     0.089      0.476
        """
        return tidy_table(
            self._fitted, effects, conf_int, level, ddf=ddf, vcov=vcov, exponentiate=exponentiate
        )

    @public
    def glance(self) -> ResultTable:
        """
        The fit in one row, with the column names of R's broom.mixed.

        Returns
        -------
        ResultTable, shape (1, 7)
            nobs, sigma, logLik, AIC, BIC, REMLcrit (for a fit by REML) or deviance (-2 log-likelihood),
            df.residual. For a family with another parameter ``size``, ``dispersion`` or ``precision``
            replaces sigma.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> row = m.glance().round(2).iloc[0]
        >>> row[["nobs", "sigma", "REMLcrit", "df.residual"]].to_dict()
        {'nobs': 180.0, 'sigma': 25.59, 'REMLcrit': 1743.63, 'df.residual': 174.0}
        """
        return glance_table(self._fitted)

    @public
    def augment(self, data: Data | None = None, *, influence: bool = False) -> pd.DataFrame:
        """
        The data with fitted values and residuals, and on request leverages and Cook's distances.

        Column names are those of R's broom.mixed.

        Parameters
        ----------
        data : data frame, optional
            The data frame to add the columns to, with a row for each row used, or for each row of the data of
            the fit (rows not used get NaN). By default the variables of the formula in the rows used.
        influence : bool, default False
            Add ``.hat`` and ``.cooksd``. This may take longer than the fit when grouping factors with
            thousands of levels are crossed.

        Returns
        -------
        DataFrame, shape (n, ...)
            ``.fitted`` linear predictor; ``.resid`` residuals of the model's default type (Pearson residuals
            for a user's own family); ``.hat`` leverages given the variances (for a generalized model in the
            last weighted least-squares step); ``.cooksd`` one-step Cook's distances; ``.fixed`` fixed part
            with offset; ``.mu`` mean; ``.offset``. Leverages are NaN where separation leaves coefficients
            without information.

        Raises
        ------
        DataError
            When the rows do not match, or the data already have such a column.
        ArgumentError
            When `influence` is neither True nor False.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (1 | Subject)", load_sleepstudy())
        >>> m.augment(influence=True)[[".fitted", ".resid", ".hat", ".cooksd"]].head(2).round(4)
            .fitted   .resid    .hat  .cooksd
        0  292.1888 -42.6288  0.1075   0.1276
        1  302.6561 -43.9514  0.1021   0.1273
        """
        return augmented_data(self._fitted, data, influence)

    @public
    def model_table(
        self,
        *models: Holder,
        format: Literal["text", "html", "latex", "markdown"] = "text",
        names: Names | None = None,
        show: Show | Sequence[Show] = "std.error",
        level: float = 0.95,
        ddf: DdfName | None = None,
        vcov: Vcov | Sequence[Vcov | None] | None = None,
        stars: bool | Mapping[str, float] = False,
        exponentiate: bool = False,
        coefficients: Names | Mapping[str, str] | None = None,
        random: bool = True,
        facts: Fact | Sequence[Fact] | None = None,
        digits: int = 3,
        p_style: PStyle = "exact",
    ) -> ModelTable:
        """
        Models side by side, for publications.

        Parameters
        ----------
        *models : MixedModel
            Other models, of any kind.
        format : {"text", "html", "latex", "markdown"}, default "text"
            How the table prints; LaTeX requires the package booktabs.
        names : sequence of str, optional
            Column headings; by default ``model 1``, ``model 2``, ...
        show : {"std.error", "conf.int", "p.value"} or sequence of them, default "std.error"
            What to show next to the coefficients: standard errors, confidence limits, p-values; ``()`` for
            nothing.
        level : float, default 0.95
            Confidence level.
        ddf : {"satterthwaite", "kenward-roger", "residual", "inf"}, optional
            Degrees of freedom of limits and p-values, stated in the notes; by default Satterthwaite's, for a
            generalized model "inf".
        vcov : RobustCovariance or array-like, or sequence of them, optional
            Covariance matrix of the coefficients: one for a single model, or one (or None) for each model. A
            matrix goes with normal distributions unless ``ddf="residual"``.
        stars : bool or mapping of str to float, default False
            Mark small p-values; True means ``{"***": 0.001, "**": 0.01, "*": 0.05}``.
        exponentiate : bool, default False
            Show exponentials of coefficients and limits (odds ratios, ratios of means, hazard ratios), with
            standard errors by the delta method; for the links log, logit and cloglog.
        coefficients : sequence of str, or mapping of str to str, optional
            Which coefficients to show, in this order; a mapping renames them. By default all.
        random : bool, default True
            Show standard deviations and correlations.
        facts : sequence of str, optional
            Which facts about the fits to show, in this order, from "nobs", "groups", "family", "logLik",
            "AIC", "AICc", "BIC", "R2" and "ICC"; by default nobs, groups, family (if a model is
            generalized), logLik, AIC, BIC. R2 is Nakagawa's, see `r2`; ICC is the adjusted one, see `icc`.
        digits : int, default 3
            Decimals; significant digits for very small and large numbers.
        p_style : {"exact", "apa"}, default "exact"
            P-values to four significant digits, or in APA style: ``.012``, ``< .001``.

        Returns
        -------
        ModelTable
            With ``frame``, ``notes``, ``to_text()``, ``to_html()``, ``to_latex()`` and ``to_markdown()``.

        Raises
        ------
        ArgumentError
            For an unknown format, coefficient or fact, a wrong number of names, ``exponentiate`` with another
            link, and a covariance matrix of another model.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy(), REML=False)
        >>> m.model_table(m.update(". ~ . - Days"), names=["slope", "none"])
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
        >>> b.model_table(
        ...     names=["infection"],
        ...     show="conf.int",
        ...     stars=True,
        ...     exponentiate=True,
        ...     coefficients={"period[T.2]": "period 2", "period[T.3]": "period 3"},
        ...     random=False,
        ...     facts=["nobs", "R2", "ICC"],
        ... )
                                       infection
        ----------------------------------------
         period 2         0.371** [0.203, 0.676]
         period 3        0.323*** [0.171, 0.614]
        ----------------------------------------
         Observations                         56
         R² marginal                       0.085
         R² conditional                    0.187
         ICC                               0.111
        Odds ratios with 95 % confidence limits in brackets; *** p < 0.001, ** p < 0.01, * p < 0.05
        Tests by infinite degrees of freedom
        """
        style = CellStyle.of(show, stars, level, exponentiate, digits, p_style)
        fits = [self._fitted, *map(fitted_of, models)]
        return compare_models(
            fits,
            names,
            format,
            ddf=ddf,
            vcov=vcov,
            coefficients=coefficients,
            random=random,
            facts=facts,
            style=style,
        )

    @public
    def describe_blocks(self) -> BlockDescription:
        """
        Blocks of the model's sparse Cholesky factor: kinds, sizes, memory and operations.

        The function ``describe_blocks(formula, data)`` gives the same without a fit.

        Returns
        -------
        BlockDescription

        Examples
        --------
        >>> from mixedmodels import lmer, load_dyestuff
        >>> lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff()).describe_blocks().memory > 0
        True
        """
        return describe_engine(self._fitted.engine, self._fitted.design)
