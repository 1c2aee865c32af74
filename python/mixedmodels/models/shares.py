"""How much a model explains: R², intraclass correlation, effect sizes, collinearity."""

from __future__ import annotations

from typing import Literal

from ..inference.effect_sizes.observation_variance import Approximation
from ..inference.effect_sizes.term_effect_sizes import effect_size_table
from ..inference.effect_sizes.variance_shares import (
    IntraclassCorrelation,
    RSquared,
    intraclass_correlation,
    r_squared,
)
from ..inference.hypotheses.collinearity import condition_number_of, variance_inflation
from ..public import public, renamed
from ..render.anova_table import AnovaTable
from ..render.result_table import ResultTable
from .arguments import DdfName, Vcov
from .holder import Holder


class EffectSizes(Holder):
    """Shares of variance and effect sizes."""

    __slots__ = ()

    @public
    def r2(self, approximation: Approximation = "lognormal") -> RSquared:
        """
        Nakagawa and Schielzeth's R²: the share of variance explained by fixed, and by all effects.

        Variances are on the scale of the linear predictor. The variance of random slopes is averaged over
        the observations (Johnson 2014); the variance of single observations depends on family and link
        (Nakagawa, Johnson & Schielzeth 2017). A random effect with a level for each observation counts as
        residual. A variance estimated as zero contributes zero: singular fits have an R² like any other.

        Parameters
        ----------
        approximation : {"lognormal", "trigamma", "delta"}, default "lognormal"
            How the variance of the response is transformed to the scale of a log link. It is evaluated at the
            mean of the model without predictors, which is fitted for this purpose.

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
        >>> from mixedmodels import glmer, lmer, load_cbpp, load_sleepstudy
        >>> lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy()).r2()
        R² marginal 0.279, conditional 0.799
        >>> b = glmer("cbind(incidence, size - incidence) ~ period + (1 | herd)", load_cbpp(), "binomial")
        >>> b.r2()
        R² marginal 0.085, conditional 0.187
        """
        return r_squared(self._fitted, approximation)

    @public
    def icc(self, approximation: Approximation = "lognormal") -> IntraclassCorrelation:
        """
        Intraclass correlation: the share of the variance that is between groups.

        Parameters
        ----------
        approximation : {"lognormal", "trigamma", "delta"}, default "lognormal"
            As for `r2`.

        Returns
        -------
        IntraclassCorrelation
            With ``adjusted`` (share of the variance not explained by the fixed effects), ``unadjusted``
            (share of the total variance), ``by_group`` and ``variances``.

        Raises
        ------
        ArgumentError
            For the cauchit link, whose latent variable has no variance.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy()).icc()
        ICC adjusted 0.722, unadjusted 0.521
        """
        return intraclass_correlation(self._fitted, approximation)

    @renamed(ci="level")
    @public
    def eta_squared(
        self,
        partial: bool = True,
        level: float | None = 0.95,
        *,
        type: Literal[1, 2, 3] = 3,
        ddf: DdfName | None = None,
        vcov: Vcov | None = None,
    ) -> AnovaTable:
        """
        Partial eta squared of each term: F df1 / (F df1 + df2).

        Parameters
        ----------
        partial : bool, default True
            Only True: mixed models have no total sum of squares, and hence no other eta squared.
        level : float or None, default 0.95
            Level of the two-sided confidence limits; None for no limits. A 90 % interval excludes zero
            exactly if the F test rejects at 5 %.
        type, ddf, vcov : as for `anova`, optional
            How the terms are tested. The function ``eta_squared(table)`` also takes the F
            tests themselves: the result of ``anova(model)`` or ``joint_tests(model)``.

        Returns
        -------
        AnovaTable
            Columns F value, NumDF, DenDF, partial eta2, and the limits, named by their percentages.

        Raises
        ------
        ArgumentError
            For a generalized model, tests with infinite degrees of freedom, and ``partial=False``.

        Notes
        -----
        Eta squared is biased upwards; `omega_squared` and `epsilon_squared` are less so (Olejnik & Algina
        2003, Psychological Methods 8, 434-447; Okada 2013, Behaviormetrika 40, 129-147). Limits come from
        limits λ of the noncentrality of the F distribution, as λ/(λ + df2) (Steiger 2004, Psychological
        Methods 9, 164-182). For linear mixed models all of this relies on the F distribution with the degrees
        of freedom of the test, and compares terms within a stratum: a term that varies between groups is
        compared with the variation between groups.

        Examples
        --------
        >>> from mixedmodels import lmer, load_cake
        >>> m = lmer("angle ~ recipe * temperature + (1 | recipe:replicate)", load_cake())
        >>> print(m.eta_squared(level=0.9))
        Partial eta squared of terms
        Type III tests of terms by Satterthwaite's degrees of freedom
        Model: angle ~ recipe * temperature + (1 | recipe:replicate)
                             F value  NumDF   DenDF  partial eta2     5 %    95 %
         recipe               0.2488      2   42.00        0.0117  0.0000  0.0741
         temperature         20.5199      5  210.00        0.3282  0.2362  0.3976
         recipe:temperature   1.0062     10  210.00        0.0457  0.0000  0.0543
        """
        return effect_size_table("eta", self._fitted, partial, level, type, ddf=ddf, vcov=vcov)

    @renamed(ci="level")
    @public
    def omega_squared(
        self,
        partial: bool = True,
        level: float | None = 0.95,
        *,
        type: Literal[1, 2, 3] = 3,
        ddf: DdfName | None = None,
        vcov: Vcov | None = None,
    ) -> AnovaTable:
        """
        Partial omega squared of each term: (F - 1) df1 / (F df1 + df2 + 1), zero if that is negative.

        Parameters
        ----------
        partial, level, type, ddf, vcov : as for `eta_squared`, optional
            Partial effect sizes only, the confidence level, and how the terms are tested.

        Returns
        -------
        AnovaTable
            Columns F value, NumDF, DenDF, partial omega2, and the limits, named by their percentages.

        Raises
        ------
        ArgumentError
            For a generalized model, tests with infinite degrees of freedom, and ``partial=False``.

        Examples
        --------
        >>> from mixedmodels import lmer, load_cake
        >>> m = lmer("angle ~ recipe * temperature + (1 | recipe:replicate)", load_cake())
        >>> m.omega_squared()["partial omega2"].round(3).to_dict()
        {'recipe': 0.0, 'temperature': 0.311, 'recipe:temperature': 0.0}
        """
        return effect_size_table("omega", self._fitted, partial, level, type, ddf=ddf, vcov=vcov)

    @renamed(ci="level")
    @public
    def epsilon_squared(
        self,
        partial: bool = True,
        level: float | None = 0.95,
        *,
        type: Literal[1, 2, 3] = 3,
        ddf: DdfName | None = None,
        vcov: Vcov | None = None,
    ) -> AnovaTable:
        """
        Partial epsilon squared of each term: (F - 1) df1 / (F df1 + df2), zero if that is negative.

        Parameters
        ----------
        partial, level, type, ddf, vcov : as for `eta_squared`, optional
            Partial effect sizes only, the confidence level, and how the terms are tested.

        Returns
        -------
        AnovaTable
            Columns F value, NumDF, DenDF, partial epsilon2, and the limits, named by their percentages.

        Raises
        ------
        ArgumentError
            For a generalized model, tests with infinite degrees of freedom, and ``partial=False``.

        Examples
        --------
        >>> from mixedmodels import lmer, load_cake
        >>> m = lmer("angle ~ recipe * temperature + (1 | recipe:replicate)", load_cake())
        >>> m.epsilon_squared()["partial epsilon2"].round(3).to_dict()
        {'recipe': 0.0, 'temperature': 0.312, 'recipe:temperature': 0.0}
        """
        return effect_size_table("epsilon", self._fitted, partial, level, type, ddf=ddf, vcov=vcov)

    @public
    def vif(self) -> ResultTable:
        """
        Variance inflation factors of the terms; generalized ones for terms with several columns.

        The factor by which the (joint) confidence region of a term's coefficients is larger than if they were
        uncorrelated with the other terms (Fox & Monette 1992), from the covariance matrix of the estimates.

        Returns
        -------
        ResultTable
            Columns GVIF, Df, and GVIF^(1/(2*Df)), which can be compared between terms.

        Raises
        ------
        ArgumentError
            For a model with fewer than two terms besides the intercept.

        Examples
        --------
        >>> from mixedmodels import lmer, load_dietox
        >>> lmer("Weight ~ Time + Cu + (1 | Pig)", load_dietox()).vif().round(2)
              GVIF  Df  GVIF^(1/(2*Df))
        Time   1.0   1              1.0
        Cu     1.0   2              1.0
        """
        return variance_inflation(self._fitted)

    @public
    def condition_number(self) -> float:
        """
        Condition number of the fixed-effects model matrix with columns scaled to unit length.

        Above about 30 some columns are nearly linear combinations of others (Belsley, Kuh & Welsch 1980).

        Returns
        -------
        float

        Raises
        ------
        ArgumentError
            When the model has no fixed effects.

        Examples
        --------
        >>> from mixedmodels import lmer, load_machines
        >>> round(lmer("score ~ Machine + (1 | Worker)", load_machines()).condition_number(), 3)
        3.146
        """
        return condition_number_of(self._fitted)
