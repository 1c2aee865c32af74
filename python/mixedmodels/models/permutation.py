"""Permutation tests of fixed effects."""

from __future__ import annotations

from typing import Literal

from ..inference.permutation.permutation_test import term_permutation_test
from ..public import public
from ..render.anova_table import AnovaTable
from .arguments import Executor, Rng, Rows, ShowProgress
from .holder import Holder


class PermutationTests(Holder):
    """Tests whose null distribution comes from permutations of the data."""

    __slots__ = ()

    @public
    def permutation_test(
        self,
        term: str,
        nsim: int = 1000,
        *,
        permute: Literal["residuals", "labels"] | None = None,
        units: Rows | None = None,
        within: Rows | None = None,
        rng: Rng = None,
        executor: Executor = None,
        progress: ShowProgress = False,
    ) -> AnovaTable:
        """
        Test a fixed-effects term by permutations of residuals or of labels.

        The statistic is the likelihood ratio of the models with and without the term.

        Residuals: those of the model without the term are multiplied by the inverse square root of their
        covariance matrix, permuted, multiplied by its square root and added to the fitted fixed part; both
        models are fitted again in the engine (Freedman & Lane 1983; Lee & Braun 2012). The test allows for
        other fixed effects and for non-normal errors. It is approximate: the white residuals are
        exchangeable up to the estimation of the smaller model.

        Labels: the values of the term are permuted among the units to which they belong, such as treatments
        among subjects. Where they were assigned at random, the test is exact whatever the distribution of
        the response (Fisher 1935).

        Parameters
        ----------
        term : str
            The fixed-effects term, as in `drop1`; not marginal to others.
        nsim : int, default 1000
            Number of permutations.
        permute : {"residuals", "labels"}, optional
            By default residuals for a linear model, labels for a generalized one and when `units` are given.
        units : str or array-like, optional
            Whose labels are permuted: a grouping factor, a column of the data, or a label for each row. By
            default the coarsest grouping factor within whose levels the term is constant, else rows.
        within : str or array-like, optional
            Permute only within the levels of this factor. Necessary for labels of rows.
        rng : int, Generator or None, optional
            Seed or random number generator.
        executor : Executor, optional
            Where the refits run: any executor with the interface of `concurrent.futures`. By default here.
        progress : bool or callable, default False
            True shows a bar; a function is told the numbers of permutations done and in all.

        Returns
        -------
        AnovaTable
            Columns LRT, Df, Pr(>Chisq), Pr(permutation): the share (count + 1) / (nsim + 1) of permutations
            whose ratio is at least as large.

        Raises
        ------
        ArgumentError
            For an unknown term, residuals of a generalized model (their distribution depends on the mean),
            units within which the term varies, and labels of a variable that other terms use.
        ExecutorError
            When a worker of the executor dies.

        Warns
        -----
        InterruptedWarning
            When the user interrupts: the result rests on the permutations done.

        References
        ----------
        Fisher, R. A. (1935). The Design of Experiments. Oliver & Boyd.

        Freedman, D., & Lane, D. (1983). A nonstochastic interpretation of reported significance levels.
        Journal of Business & Economic Statistics, 1, 292-298.

        Lee, O. E., & Braun, T. M. (2012). Permutation tests for random effects in linear mixed models.
        Biometrics, 68, 486-493.

        Examples
        --------
        >>> from mixedmodels import lmer, load_orthodont
        >>> m = lmer("distance ~ age + Sex + (1 | Subject)", load_orthodont())
        >>> bool(m.permutation_test("Sex", 199, rng=1)["Pr(permutation)"].iloc[0] < 0.05)
        True
        >>> bool(m.permutation_test("Sex", 199, permute="labels", rng=1)["Pr(permutation)"].iloc[0] < 0.05)
        True
        """
        return term_permutation_test(
            self._fitted,
            term,
            nsim,
            permute=permute,
            units=units,
            within=within,
            rng=rng,
            executor=executor,
            progress=progress,
        )
