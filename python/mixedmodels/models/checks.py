"""Checks of a model."""

from __future__ import annotations

from typing import Literal

from ..assessment import (
    distribution_checks,
    fit_checks,
    influence_checks,
    model_checks,
    predictor_checks,
    variance_check,
)
from ..assessment.applied import applied
from ..assessment.model_checks import ModelChecks
from ..checks import one_of
from ..diagnostics.check import Check
from ..public import public
from .holder import Holder


class Checks(Holder):
    """Each check returns a number, a verdict and what to do."""

    __slots__ = ()

    @public
    def check_model(self) -> ModelChecks:
        """
        All checks of a model that need no simulation.

        Returns
        -------
        ModelChecks
            A `Check` for each row, by name: ``checks["overdispersion"]``. As a condition, true if none needs
            attention. Those that do not apply to the model say why.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> checks = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy()).check_model()
        >>> [check.name for check in checks.attention]
        ['heteroscedasticity', 'normality of residuals']
        """
        return model_checks.check_model(self._fitted)

    @public
    def check_convergence(self, tol: float = 1e-6) -> Check:
        """
        Check whether the fit is at its optimum, by the exact gradient and Hessian.

        Parameters
        ----------
        tol : float, default 1e-6
            Largest remaining fall of the objective, in units of -2 log-likelihood, that passes.

        Returns
        -------
        Check
            `value` is the fall that the derivatives predict. ``checkConv()`` shows the derivatives.

        Raises
        ------
        ArgumentError
            For a tolerance that is not positive.

        Examples
        --------
        >>> from mixedmodels import lmer, load_dyestuff
        >>> lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff()).check_convergence().verdict
        'ok'
        """
        return fit_checks.check_convergence(self._fitted, tol)

    @public
    def check_singularity(self, tol: float = 1e-5) -> Check:
        """
        Check for directions of the random effects without variance, and name the next simpler model.

        Parameters
        ----------
        tol : float, default 1e-5
            A direction with a smaller standard deviation, relative to sigma, counts as singular.

        Returns
        -------
        Check
            `value` is the least relative standard deviation of a direction, `table` has one for each term.
            For a singular fit `text` names the directions, and `advice` the next simpler formula with its
            likelihood-ratio test.

        Raises
        ------
        ArgumentError
            For a tolerance that is not positive.

        References
        ----------
        Bates, Kliegl, Vasishth & Baayen (2015), Parsimonious mixed models, arXiv:1506.04967.

        Examples
        --------
        >>> from mixedmodels import lmer, load_dyestuff2
        >>> check = lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff2()).check_singularity()
        >>> check.verdict, check.value
        ('attention', 0.0)
        """
        return fit_checks.check_singularity(self._fitted, tol)

    @public
    def check_separation(self) -> Check:
        """
        Check whether predictors separate the outcomes, so that coefficients are infinite.

        Returns
        -------
        Check
            `value` is the number of coefficients that the data do not bound.

        Examples
        --------
        >>> from mixedmodels import glmer, load_cbpp
        >>> m = glmer("cbind(incidence, size - incidence) ~ period + (1 | herd)", load_cbpp(), "binomial")
        >>> m.check_separation().verdict
        'ok'
        """
        return applied("separation", fit_checks.check_separation, self._fitted)

    @public
    def check_collinearity(self) -> Check:
        """
        Check the variance inflation of the terms of the fixed part.

        Returns
        -------
        Check
            `value` is the largest inflation of a coefficient's variance: of a term with several columns, the
            generalized factor to the power of 1/Df. From 5 on the model needs attention. `table` has a row
            for each term, with VIF (generalized), SE factor and tolerance.

        References
        ----------
        Fox & Monette (1992), Generalized collinearity diagnostics, JASA 87.

        Examples
        --------
        >>> from mixedmodels import lmer, load_orthodont
        >>> check = lmer("distance ~ age * Sex + (age | Subject)", load_orthodont()).check_collinearity()
        >>> check.table["VIF"].round(2).tolist()
        [1.69, 4.44, 5.13]
        """
        return applied("collinearity", predictor_checks.check_collinearity, self._fitted)

    @public
    def check_group_sizes(self) -> Check:
        """
        Check the numbers of levels of the grouping factors, and of rows in each level.

        Returns
        -------
        Check
            `value` is the least number of levels. Fewer than 5 need attention, and levels with one row each.

        Examples
        --------
        >>> from mixedmodels import lmer, load_penicillin
        >>> m = lmer("diameter ~ 1 + (1 | plate) + (1 | sample)", load_penicillin())
        >>> m.check_group_sizes().table["levels"].tolist()
        [24, 6]
        """
        return applied("group sizes", predictor_checks.check_group_sizes, self._fitted)

    @public
    def check_overdispersion(self) -> Check:
        """
        Check Pearson's statistic over its degrees of freedom, for families that state their variance.

        Returns
        -------
        Check
            `value` is the ratio, above 1 for overdispersion. The residuals are those at the conditional
            modes, which follow the rows, so that the test is conservative, most of all with small groups.
            ``quantile_residuals(conditional=True).test_dispersion()`` allows for that.

        Examples
        --------
        >>> from mixedmodels import glmer, load_cbpp
        >>> m = glmer("cbind(incidence, size - incidence) ~ period + (1 | herd)", load_cbpp(), "binomial")
        >>> round(m.check_overdispersion().value, 3)
        1.237
        """
        return applied("overdispersion", distribution_checks.check_overdispersion, self._fitted)

    @public
    def check_zeroinflation(self) -> Check:
        """
        Compare the zeros observed with those that the model expects; for counts.

        Returns
        -------
        Check
            `value` is the ratio of zeros predicted at the conditional modes to those observed, below 1 for
            zero inflation. Modes follow the rows and are shrunken, so that they predict too few or too many.
            The p-value is by random effects drawn once from their distribution given the data, with a fixed
            seed, and the normal approximation to the number of zeros.

        Examples
        --------
        >>> from mixedmodels import glmer, load_epil
        >>> m = glmer("y ~ lbase * trt + lage + V4 + (1 | subject)", load_epil(), "poisson")
        >>> round(m.check_zeroinflation().value, 3)
        0.525
        """
        return applied("zero inflation", distribution_checks.check_zeroinflation, self._fitted)

    @public
    def check_heteroscedasticity(self) -> Check:
        """
        Test whether the residual variance changes with the fitted value, by a score test.

        Returns
        -------
        Check
            `value` is the statistic, χ² with one degree of freedom: that of squared residuals, relative to
            their mean, on fitted values. It is for families with a scale. For linear models the residuals are
            those at the conditional modes; heavy tails are significant, too. For others they are normal
            quantile residuals with random effects drawn once from their distribution given the data, with a
            fixed seed, and the statistic is studentized.

        References
        ----------
        Cook & Weisberg (1983), Diagnostics for heteroscedasticity in regression, Biometrika 70. Koenker
        (1981), A note on studentizing a test for heteroscedasticity, Journal of Econometrics 17.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> round(m.check_heteroscedasticity().value, 2)
        20.1
        """
        return applied("heteroscedasticity", variance_check.check_heteroscedasticity, self._fitted)

    @public
    def check_normality(self, effects: Literal["residuals", "random"] = "residuals") -> Check:
        """
        Test whether residuals or random effects are normal, by the test of Shapiro and Wilk.

        Parameters
        ----------
        effects : {"residuals", "random"}, default "residuals"
            "residuals": scaled residuals given the random effects, for normal responses. "random": the
            conditional modes, each in units of the standard deviation that the model gives it; several
            effects are adjusted by Bonferroni.

        Returns
        -------
        Check
            `value` is W. Of more than 5,000 values that many quantiles are tested. In large samples small
            deviations are significant; `table` has skewness and excess kurtosis.

        Raises
        ------
        ArgumentError
            For an unknown name.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> m.check_normality("random").verdict
        'ok'
        """
        if one_of("effects", effects, ("residuals", "random")) == "random":
            own = distribution_checks.check_normality_of_effects
            return applied("normality of random effects", own, self._fitted)
        return applied("normality of residuals", distribution_checks.check_normality, self._fitted)

    @public
    def check_outliers(self) -> Check:
        """
        Check for rows that pull the fitted values: Cook's distance above the median of F(t, n - t).

        Here t is the trace of the hat matrix, the effective number of parameters: fitted values depend on
        random effects, too.

        Returns
        -------
        Check
            `value` is the largest distance. `table` has the rows, at most ten.

        References
        ----------
        Cook & Weisberg (1982), Residuals and Influence in Regression.

        Examples
        --------
        >>> from mixedmodels import lmer, load_dyestuff
        >>> lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff()).check_outliers().verdict
        'ok'
        """
        return applied("outliers", distribution_checks.check_outliers, self._fitted)

    @public
    def check_influence(self) -> Check:
        """
        Check for levels of grouping factors that pull the coefficients, by one-step Cook's distances.

        Returns
        -------
        Check
            `value` is the largest distance of a level of any grouping factor: the squared change of the
            coefficients without its rows, over their covariance matrix and their number p. Above 1 the
            coefficients move by more than a standard error (in the mean square over all directions) and the
            check asks for attention. `table` has the most influential levels. ``influence()`` has all of
            them, and exact refits.

        References
        ----------
        Cook & Weisberg (1982), Residuals and Influence in Regression, Chapman & Hall. Demidenko & Stukel
        (2005), Influence analysis for linear mixed-effects models, Statistics in Medicine 24.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> check = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy()).check_influence()
        >>> check.verdict, check.table["level"][0]
        ('ok', '309')
        """
        return applied("influential levels", influence_checks.check_influence, self._fitted)
