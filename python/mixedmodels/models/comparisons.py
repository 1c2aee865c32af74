"""Comparisons of models, and tests of random effects."""

from __future__ import annotations

from typing import Literal

from ..checks import several_texts
from ..fit.state import fitted_of
from ..fit.update import updated
from ..inference.hypotheses.smaller_models import kenward_roger_comparison
from ..inference.likelihood.exact_tests import exact_likelihood_test, exact_restricted_test
from ..inference.likelihood.model_selection import criteria_table, selection_table
from ..inference.likelihood.parametric_bootstrap import bootstrap_comparison
from ..inference.likelihood.ranova import random_term_table
from ..public import public, renamed
from ..render.anova_table import AnovaTable
from .arguments import Executor, Names, Rng, ShowProgress
from .holder import Holder


class Comparisons(Holder):
    """Likelihood-ratio tests by simulation, tests of random effects, information criteria."""

    __slots__ = ()

    @public
    def ranova(self) -> AnovaTable:
        """
        Test the random effects by leaving out one term at a time, by (restricted) likelihood ratios.

        ``(1 | g)`` is left out altogether. From ``(a + b | g)`` first a is left out, then b, but never the
        intercept; from a double bar each column, the intercept included. ``(0 + f | g)`` with a factor f
        becomes ``(1 | g)``. From a term with a covariance structure, such as ``ar1(0 + f | g)``, first the
        correlations are left out, with standard deviations as they are, then the whole term. A model without
        any random effects is compared as a regression.

        Returns
        -------
        AnovaTable
            Columns npar, logLik, AIC, LRT, Df, Pr(>Chisq), and Pr(mixture): for a single random effect, whose
            variance is on the boundary under the hypothesis, by the equal mixture of χ² distributions with
            Df - 1 and Df degrees of freedom (Self & Liang 1987).

        Raises
        ------
        ArgumentError
            When the fit holds covariance parameters.

        Examples
        --------
        >>> from mixedmodels import lmer, load_penicillin
        >>> m = lmer("diameter ~ 1 + (1 | plate) + (1 | sample)", load_penicillin())
        >>> m.ranova()["LRT"].round(2).to_dict()
        {'<none>': nan, '(1 | plate)': 105.06, '(1 | sample)': 282.4}
        """
        return random_term_table(self._fitted)

    @renamed(seed="rng")
    @public
    def exact_rlrt(self, term: str | None = None, nsim: int = 10_000, *, rng: Rng = None) -> AnovaTable:
        """
        Test a variance component by the finite-sample distribution of the restricted likelihood ratio.

        The distribution for a variance of zero depends only on the design and is simulated from its
        eigenvalues, without refitting. With one variance component it is exact (Crainiceanu & Ruppert 2004).
        With others the statistic compares the model with the one without the tested term, and the
        distribution is that of the model with the tested term alone, as if the other random effects were
        known (Greven et al. 2008).

        Parameters
        ----------
        term : str, optional
            The random-effects term to test, such as ``"(1 | g)"`` or ``"(0 + x | g)"``; it has one variance,
            and no correlation with other terms. By default the only one.
        nsim : int, default 10000
            Number of simulations.
        rng : int, Generator or None, optional
            Seed or random number generator.

        Returns
        -------
        AnovaTable
            Columns RLRT, Pr(>RLRT), the share (count + 1) / (nsim + 1) of simulated ratios that are at least
            as large.

        Raises
        ------
        ArgumentError
            For a generalized model, fixed parameters, and a term with correlations or several variances.

        References
        ----------
        Crainiceanu, C. M., & Ruppert, D. (2004). Likelihood ratio tests in linear mixed models with one
        variance component. Journal of the Royal Statistical Society B, 66, 165-185.

        Greven, S., Crainiceanu, C. M., Küchenhoff, H., & Peters, A. (2008). Restricted likelihood ratio
        testing for zero variance components in linear mixed models. Journal of Computational and Graphical
        Statistics, 17, 870-891.

        Examples
        --------
        >>> from mixedmodels import lmer, load_dyestuff, load_sleepstudy
        >>> m = lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff())
        >>> bool(m.exact_rlrt(rng=1)["Pr(>RLRT)"].iloc[0] < 0.01)
        True
        >>> m = lmer("Reaction ~ Days + (Days || Subject)", load_sleepstudy())
        >>> m.exact_rlrt("(0 + Days | Subject)", rng=1)["RLRT"].round(2).to_dict()
        {'(0 + Days | Subject)': 42.8}
        """
        return exact_restricted_test(self._fitted, term, nsim, rng)

    @public
    def exact_lrt(self, drop: Names = (), nsim: int = 10_000, *, rng: Rng = None) -> AnovaTable:
        """
        Test the only variance component together with fixed effects by their exact likelihood ratio.

        Under the hypothesis the variance is zero and the dropped terms have no effect: the model is a linear
        regression. The distribution of the likelihood ratio is simulated from eigenvalues of the design,
        without refitting (Crainiceanu & Ruppert 2004). For the variance alone `exact_rlrt` has more power.

        Parameters
        ----------
        drop : str or sequence of str, optional
            Fixed-effects terms that are left out under the hypothesis; none by default.
        nsim : int, default 10000
            Number of simulations.
        rng : int, Generator or None, optional
            Seed or random number generator.

        Returns
        -------
        AnovaTable
            Columns LRT, Pr(>LRT), the share (count + 1) / (nsim + 1) of simulated ratios that are at least as
            large.

        Raises
        ------
        ArgumentError
            Unless the model is linear with one variance component and without fixed parameters, and for
            unknown terms or terms marginal to others that stay.

        References
        ----------
        Crainiceanu, C. M., & Ruppert, D. (2004). Likelihood ratio tests in linear mixed models with one
        variance component. Journal of the Royal Statistical Society B, 66, 165-185.

        Examples
        --------
        >>> from mixedmodels import lmer, load_orthodont
        >>> m = lmer("distance ~ age + Sex + (1 | Subject)", load_orthodont())
        >>> bool(m.exact_lrt("Sex", rng=1)["Pr(>LRT)"].iloc[0] < 0.001)
        True
        """
        return exact_likelihood_test(self._fitted, drop, nsim, rng)

    @public
    def kr_compare(self, reduced: Holder) -> AnovaTable:
        """
        F test of a smaller fixed part by Kenward and Roger's method.

        Parameters
        ----------
        reduced : MixedModel
            A linear model of the same response whose fixed part is contained in the fixed part of this one;
            only its fixed part matters.

        Returns
        -------
        AnovaTable
            Columns F value (scaled), NumDF, DenDF, F scaling, Pr(>F).

        Raises
        ------
        ArgumentError, DataError
            When the fixed parts are not nested, or the responses, weights or offsets differ. An offset that
            the coefficients of the full model can make up for is part of the hypothesis.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> m.kr_compare(m.update(". ~ . - Days"))[["F value", "NumDF", "DenDF"]].round(3)
                 F value  NumDF  DenDF
        reduced   45.853      1   17.0
        """
        return kenward_roger_comparison(self._fitted, fitted_of(reduced))

    @renamed(seed="rng")
    @public
    def pb_compare(
        self,
        reduced: Holder,
        nsim: int = 1000,
        *,
        rng: Rng = None,
        executor: Executor = None,
        progress: ShowProgress = False,
    ) -> AnovaTable:
        """
        Likelihood-ratio test by parametric bootstrap (Halekoh & Højsgaard 2014).

        Responses are drawn from the reduced model, and the engine fits both models to each of them, starting
        at their estimates. The simulations are the same for any number of threads and any executor. Prior
        weights of counts, and of proportions other than binomial ones, do not affect the draws, see
        `simulate`.

        Parameters
        ----------
        reduced : MixedModel
            A model of the same response that is nested in this one. REML fits are refitted by ML.
        nsim : int, default 1000
            Number of simulated responses.
        rng : int, Generator or None, optional
            Seed or random number generator.
        executor : Executor, optional
            Where the refits run: any executor with the interface of `concurrent.futures`. By default here, in
            the threads of the engine.
        progress : bool or callable, default False
            True shows a bar; a function is told the numbers of simulations done and in all.

        Returns
        -------
        AnovaTable
            Columns statistic, Df, DenDF, Pr(>statistic). Rows: LRT, by χ²; PBtest, the share
            (count + 1) / (n + 1) of simulated ratios that are at least as large; Bartlett, the ratio scaled
            to its mean under χ²; Gamma and F, by distributions with the simulated mean (and variance).

        Raises
        ------
        ArgumentError, DataError
            When the models are not nested: other responses, weights, offsets or families.
        ExecutorError
            When a worker of the executor dies.

        Warns
        -----
        InterruptedWarning
            When the user interrupts: the result rests on the simulations done.

        References
        ----------
        Halekoh, U., & Højsgaard, S. (2014). A Kenward-Roger approximation and parametric bootstrap methods
        for tests in linear mixed models. Journal of Statistical Software, 59(9).

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (1 | Subject)", load_sleepstudy(), REML=False)
        >>> table = m.pb_compare(m.update(". ~ . - Days"), nsim=19, rng=1)
        >>> float(table.loc["PBtest", "Pr(>statistic)"])
        0.05
        """
        return bootstrap_comparison(
            self._fitted, fitted_of(reduced), nsim, rng=rng, executor=executor, progress=progress
        )

    @public
    def aic_table(self, *models: Holder, names: Names | None = None) -> AnovaTable:
        """
        Information criteria of this model and others of the same response, in the order given.

        REML fits with different fixed effects are refitted by ML; the heading says so.

        Parameters
        ----------
        *models : MixedModel
            Other models of the same response.
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
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> m.aic_table(m.update(". ~ . - Days"))["AIC"].round(2).to_dict()
        {'model 1': 1763.94, 'model 2': 1785.48}
        """
        return criteria_table([self._fitted, *map(fitted_of, models)], names)

    @public
    def model_selection(
        self,
        *models: Holder,
        formulas: Names = (),
        criterion: Literal["AICc", "AIC", "BIC"] = "AICc",
        names: Names | None = None,
    ) -> AnovaTable:
        """
        Rank models of the same response by an information criterion, with Akaike weights.

        Parameters
        ----------
        *models : MixedModel
            Other candidates.
        formulas : sequence of str, optional
            More candidates, as changes of this model: ``". ~ . - x"``, or whole formulas.
        criterion : {"AICc", "AIC", "BIC"}, default "AICc"
            What the models are ranked by, the smallest first.
        names : sequence of str, optional
            One for each model and formula; by default ``model 1``, ``model 2``, ... in the order given.

        Returns
        -------
        AnovaTable
            The best model first. Columns npar, logLik, AIC, AICc, BIC, Delta (difference from the best) and
            Weight: exp(-Delta/2), scaled to sum to one (Burnham & Anderson 2002).

        Raises
        ------
        ArgumentError, DataError
            For models whose likelihoods cannot be compared.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> table = m.model_selection(formulas=[". ~ . - Days", "Reaction ~ Days + (1 | Subject)"])
        >>> table["Delta"].round(2).to_dict()
        {'model 1': 0.0, 'model 2': 21.4, 'model 3': 37.88}
        """
        texts = several_texts("formulas", formulas)
        changed = [updated(self._fitted, {"formula": text}) for text in texts]
        return selection_table([self._fitted, *map(fitted_of, models), *changed], criterion, names)
