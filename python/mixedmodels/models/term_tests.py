"""Confidence limits and tests of the terms of the fixed part."""

from __future__ import annotations

from typing import Any, Literal

from ..errors import ArgumentError
from ..fit.data_of_fit import check_data_of_fit
from ..inference.basis.model_basis import DDF_NAMES
from ..inference.basis.robust import Kind, RobustCovariance, robust_covariance
from ..inference.hypotheses.confidence_limits import confidence_intervals
from ..inference.hypotheses.smaller_models import drop_terms
from ..inference.hypotheses.term_tests import anova_of
from ..inference.likelihood.without_random_effects import comparable
from ..notices import warn_deprecated
from ..public import public
from ..render.anova_table import AnovaTable
from ..render.result_table import ResultTable
from ..resampling.intervals import IntervalKind
from ..resampling.run import bootstrap_limits
from .arguments import Data, DdfName, Executor, Names, Rng, Rows, ShowProgress, Vcov
from .holder import Holder


class TermTests(Holder):
    """Confidence limits, tests of terms, and robust covariance matrices for all tests."""

    __slots__ = ()

    @public
    def confint(
        self,
        level: float = 0.95,
        method: str = "wald",
        *,
        parm: Names | None = None,
        ddf: DdfName | None = None,
        vcov: Vcov | None = None,
        nsim: int | None = None,
        kind: IntervalKind | None = None,
        rng: Rng = None,
        executor: Executor = None,
        progress: ShowProgress = False,
    ) -> ResultTable:
        """
        Confidence limits of the parameters.

        Parameters
        ----------
        level : float, default 0.95
            Confidence level.
        method : {"wald", "profile", "boot"}, default "wald"
            "wald": estimate ± quantile times standard error, for the coefficients. "profile": the values at
            which a likelihood-ratio test of a parameter, all others estimated again, has the p-value
            ``1 - level``; for every parameter. The likelihood is that of ML also for a model fitted by REML,
            as in R. See `profile` for the curves behind the limits. "boot": limits from a parametric
            bootstrap, for every parameter; `bootstrap` has other types and keeps the replicates.
        parm : str or sequence of str, optional
            Names of parameters, as the rows of the result have them, or patterns such as ``"sd_*"``;
            ``"theta_"`` stands for all variance parameters and ``"beta_"`` for all coefficients. By default
            all.
        ddf : {"satterthwaite", "kenward-roger", "residual", "inf"}, optional
            Degrees of freedom of the t quantiles; by default Satterthwaite's, as in `summary`, and for a
            generalized model "inf": normal quantiles, which R's ``confint(m, method = "Wald")`` uses for
            every model.
        vcov : RobustCovariance or array-like of shape (rank, rank), optional
            Covariance matrix of the coefficients: from `vcov_cluster`, with its degrees of freedom, or a
            matrix, which goes with normal and χ² distributions unless ``ddf="residual"``; by default the
            model's own. `ddf` and `vcov` are for "wald".
        nsim : int, optional
            For "boot": number of replicates, by default 1000.
        kind : {"percentile", "basic", "normal", "bca", "shortest"}, optional
            For "boot": the kind of limits, see :meth:`Bootstrap.confint`; by default "percentile".
        rng : int, Generator or None, default None
            For "boot": seed or generator of random numbers.
        executor : Executor, optional
            For "boot": where the refits run; by default here.
        progress : bool or callable, default False
            For "profile" and "boot": True shows a bar; a function is called with the numbers of parameters or
            replicates done and in all.

        Returns
        -------
        ResultTable
            Two columns named by their percentages; ``notes`` state the degrees of freedom, and limits that
            are one-sided or do not exist. A limit on the boundary is exactly 0 (-1 or 1 for a correlation).
            Rows of standard deviations and correlations, for which Wald intervals are unsuitable, are NaN
            with "wald". The row of the scale is named ``sigma``, or after the parameter of the family:
            ``size``, ``dispersion``, ``precision``.

        Raises
        ------
        ArgumentError
            For an unknown method, parameter or degrees of freedom, and a covariance matrix of another model.

        Warns
        -----
        MixedModelsWarning
            When a profile comes below the optimum of the fit.

        Examples
        --------
        >>> from mixedmodels import lmer, load_dyestuff
        >>> lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff()).confint().round(1)
                                 2.5 %  97.5 %
        sd_(Intercept)|Batch       NaN     NaN
        sigma                      NaN     NaN
        (Intercept)             1477.7  1577.3
        >>> lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff()).confint(method="profile").round(1)
                                 2.5 %  97.5 %
        sd_(Intercept)|Batch      12.2    84.1
        sigma                     38.2    67.7
        (Intercept)             1486.5  1568.5
        """
        # Anything may come in place of a text, arrays too.
        if isinstance(method, str) and method in DDF_NAMES:  # pyright: ignore[reportUnnecessaryIsInstance]
            warn_deprecated(f"confint: method={method!r} is now ddf={method!r}")
            if ddf is not None:
                raise ArgumentError(f"confint: method={method!r} is the old way to say ddf=; give only ddf")
            method, ddf = "wald", method
        return confidence_intervals(
            self._fitted,
            level,
            method,
            parm=parm,
            ddf=ddf,
            vcov=vcov,
            methods={"boot": bootstrap_limits},
            nsim=nsim,
            kind=kind,
            rng=rng,
            executor=executor,
            progress=progress,
        )

    @public
    def anova(
        self,
        *models: Holder | str | Any,
        refit: bool | None = None,
        names: Names | None = None,
        type: Literal[1, 2, 3] | None = None,
        test: Literal["F", "Chisq"] | None = None,
        ddf: DdfName | None = None,
        vcov: Vcov | None = None,
    ) -> AnovaTable:
        """
        Test the terms of the model, or compare it with other models by likelihood-ratio tests.

        Parameters
        ----------
        *models : MixedModel, str, or results of statsmodels
            Other models of the same response, in any order; without any, the terms are tested. A formula is
            fitted by maximum likelihood to the rows that the model used, with its other arguments; it needs
            no random effects, and then is a regression. So are results of statsmodels: OLS, WLS and GLM
            (Gaussian) for a linear model, GLM (binomial, Poisson, negative binomial), Logit, Probit and
            Poisson for a generalized one.
        refit : bool, optional
            For several models: refit REML fits by ML (the default; the heading says so). With False REML
            criteria are compared as they are, which requires the same fixed effects in all models.
        names : sequence of str, optional
            For several models: names of the rows; by default ``model 1``, ``model 2``, ... in this order.
        type : {3, 2, 1}, optional
            For one model: the hypothesis tested for each term. 1: the term after those before it. 2: after
            all terms that do not contain it. 3 (the default): the term averaged over the levels of the
            factors that it interacts with. The definitions are Goodnight's and do not depend on the coding.
        test : {"F", "Chisq"}, optional
            For one model: F tests (linear models only, the default there) or Wald χ² tests (the default for
            generalized models). For type 2 a term contains another in F tests if it has more factors and the
            same numeric variables, as in SAS; in χ² tests if it has more variables.
        ddf : {"satterthwaite", "kenward-roger", "residual", "inf"}, optional
            For one linear model: denominator degrees of freedom; by default Satterthwaite's.
        vcov : RobustCovariance or array-like of shape (rank, rank), optional
            For one model, covariance matrix of the coefficients: from `vcov_cluster`, with its degrees of
            freedom, or a matrix, which goes with normal and χ² distributions unless ``ddf="residual"``; by
            default its own.

        Returns
        -------
        AnovaTable
            For one model, by term: Sum Sq, Mean Sq, NumDF, DenDF, F value, Pr(>F), or Chisq, Df, Pr(>Chisq).
            Mean Sq is F (before scaling, for Kenward and Roger's method) times the residual variance. For
            several models, ordered by number of parameters: npar, AIC, BIC, logLik, -2*log(L), Chisq, Df,
            Pr(>Chisq). The p-value is NaN for a model with as many parameters as the one above, and where the
            one above is no special case of it: columns of X that it does not span, covariance matrices that
            its random effects do not give, other families, weights or offsets. Where a
            single random effect is tested, the heading also has the p-value by the mixture for a variance on
            its boundary.

        Raises
        ------
        ArgumentError, DataError
            For arguments that the number or kind of models does not allow, and for models of different
            responses or rows.

        Examples
        --------
        >>> from mixedmodels import lmer, load_machines, load_sleepstudy
        >>> table = lmer("score ~ Machine + (1 | Worker/Machine)", load_machines()).anova()
        >>> table[["NumDF", "DenDF", "F value"]].round(3)
                 NumDF  DenDF  F value
        Machine      2   10.0   20.576
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy(), REML=False)
        >>> table = m.anova(m.update(". ~ . - (Days | Subject) + (1 | Subject)"))
        >>> round(float(table["Chisq"].iloc[1]), 3)
        42.139
        """
        others = [comparable(self._fitted, other) for other in models]
        return anova_of([self._fitted, *others], refit, names, type, test, ddf=ddf, vcov=vcov)

    @public
    def anova_type3(
        self,
        test: Literal["F", "Chisq"] | None = None,
        ddf: DdfName | None = None,
        vcov: Vcov | None = None,
    ) -> AnovaTable:
        """
        Type III tests of the terms: `anova` with ``type=3``.

        Parameters
        ----------
        test, ddf, vcov : as for `anova`
            As for `anova`.

        Returns
        -------
        AnovaTable

        Examples
        --------
        >>> from mixedmodels import glmer, load_cbpp
        >>> m = glmer("cbind(incidence, size - incidence) ~ period + (1 | herd)", load_cbpp(), "binomial")
        >>> m.anova_type3().round(3)
                 Chisq  Df  Pr(>Chisq)
        period  24.949   3         0.0
        """
        return anova_of([self._fitted], None, None, 3, test, ddf=ddf, vcov=vcov)

    @public
    def drop1(
        self,
        data: Data | Literal["Chisq", "F"] | None = None,
        test: Literal["Chisq", "F"] = "Chisq",
        ddf: DdfName | None = None,
        vcov: Vcov | None = None,
    ) -> AnovaTable:
        """
        Test each fixed-effects term that is not marginal to another by leaving it out.

        Parameters
        ----------
        data : data frame, optional
            The data of the fit, which the model knows; it is only checked. The name of a test is taken as
            `test`.
        test : {"Chisq", "F"}, default "Chisq"
            Likelihood-ratio tests of fits by ML, or for linear models F tests, which need no new fit.
        ddf : {"satterthwaite", "kenward-roger", "residual", "inf"}, optional
            For F tests: denominator degrees of freedom; by default Satterthwaite's.
        vcov : RobustCovariance or array-like of shape (rank, rank), optional
            For F tests, covariance matrix of the coefficients: from `vcov_cluster`, with its degrees of
            freedom, or a matrix, which goes with normal and χ² distributions unless ``ddf="residual"``; by
            default its own.

        Returns
        -------
        AnovaTable
            Columns npar, AIC, LRT, Pr(>Chisq), with the model itself in the first row; for F tests the
            columns of `anova`.

        Raises
        ------
        ArgumentError
            When there is no such term, for data of another size, for F tests of a generalized model, and for
            `ddf` or `vcov` with likelihood-ratio tests.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy(), REML=False)
        >>> round(float(m.drop1().loc["Days", "LRT"]), 3)
        23.537
        """
        named: Any = test
        if isinstance(data, str) and test == "Chisq":
            data, named = None, data
        check_data_of_fit(self._fitted, data, "drop1", "tests are test='Chisq' or 'F'")
        return drop_terms(self._fitted, named, ddf=ddf, vcov=vcov)

    @public
    def vcov_cluster(self, cluster: Rows | None = None, type: Kind = "CR2") -> RobustCovariance:
        """
        Cluster-robust covariance matrix of the coefficients of a linear model.

        It is valid even if the variances and correlations within clusters are misspecified; clusters must be
        independent of each other. Pass the result as ``vcov=`` to tests and intervals.

        Parameters
        ----------
        cluster : str or array-like of shape (n,), optional
            A grouping factor, a column of the data, or a label for each row (a pandas Series is matched by
            its index). Each level of every grouping factor must lie within one cluster. By default the
            grouping factor that contains all others.
        type : {"CR2", "CR1", "CR0"}, default "CR2"
            CR0: the sum over clusters of outer products of their scores. CR1: CR0 times m/(m - 1) for m
            clusters. CR2: with residuals adjusted so that the matrix is unbiased if the model is correct
            (Bell & McCaffrey 2002; Pustejovsky & Tipton 2018).

        Returns
        -------
        RobustCovariance
            With ``covariance``, ``to_frame()`` and degrees of freedom: Satterthwaite's for single functions
            of the coefficients, and for joint tests Hotelling's T² matched to the variance of the matrix.

        Raises
        ------
        ArgumentError
            For a generalized model, and for clusters that share random effects (as with crossed grouping
            factors).

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (1 | Subject)", load_sleepstudy())
        >>> robust = m.vcov_cluster()
        >>> robust.to_frame().round(2)
                     (Intercept)  Days
        (Intercept)        46.57 -1.45
        Days               -1.45  2.39
        >>> m.linear_hypothesis("Days = 0", vcov=robust).round(3)
                    F value  NumDF  DenDF  Pr(>F)
        hypothesis   45.853      1   17.0     0.0
        """
        return robust_covariance(self._fitted, cluster, type)
