"""Cross-validation of models."""

from __future__ import annotations

from ..prediction.validation.cross_validate import cross_validation
from ..prediction.validation.result import CrossValidation
from ..public import public
from .arguments import Executor, Rng, Rows, ShowProgress
from .holder import Holder


class Validation(Holder):
    """How well a model predicts data that it was not fitted to."""

    __slots__ = ()

    @public
    def cross_validate(
        self,
        folds: int | None = 5,
        by: Rows = "rows",
        *,
        rng: Rng = None,
        executor: Executor = None,
        progress: ShowProgress = False,
    ) -> CrossValidation:
        """
        Fit the model without each fold of the data, and predict the fold.

        Each fit builds the design of its rows anew. With ``by="rows"`` a held-out row usually belongs to
        groups whose other rows are in the fit: its prediction uses their random effects. With the name of a
        factor whole levels are held out: the random effects of a new group are integrated out.

        The log score is the logarithm of the predictive density: of each row, or of all rows of a level
        jointly. The density is at the estimated variance parameters and allows for the errors of the
        coefficients and of the predicted random effects, as does ``predict(interval="prediction")``. For a
        linear model it is normal. For a generalized one the linear predictor, taken for normal, is integrated
        out: by adaptive quadrature for a row, by importance sampling around the mode for a level, whose Monte
        Carlo error is about 0.005 and reported in ``units``. Errors
        (rmse, mae, r2) are of the mean of the predictive distribution (the median of a lognormal one),
        weighted by prior weights or trials.

        Parameters
        ----------
        folds : int or None, default 5
            Number of folds, made at random and as equal as possible; None leaves out each row or level by
            itself.
        by : str or array-like, default "rows"
            ``"rows"``, or what is held out as a whole: a grouping factor, a column of the data, or a label
            for each row.
        rng : int, Generator or None, optional
            Seed or random number generator of the folds, and of the simulated log scores of levels in
            generalized models. The same whole number gives models of the same rows the same folds.
        executor : Executor, optional
            Where the fits run: any executor with the interface of `concurrent.futures`. By default here.
        progress : bool or callable, default False
            True shows a bar; a function is told the numbers of folds done and in all.

        Returns
        -------
        CrossValidation
            With ``folds``, ``totals``, ``units``, ``rows`` and ``compare()``. Rows with a level of a
            predictor that the other folds do not have, or whose fixed part these do not determine, are left
            out, and notes count them; a fold without a fit has no scores, and a note says why.

        Raises
        ------
        ArgumentError
            When there are fewer rows or levels than folds, a level has more than 5,000 rows, or no fit
            succeeds.
        ExecutorError
            When a worker of the executor dies.

        Warns
        -----
        InterruptedWarning
            When the user interrupts: the result holds the folds done.

        References
        ----------
        Gneiting, T., & Raftery, A. E. (2007). Strictly proper scoring rules, prediction, and estimation.
        Journal of the American Statistical Association, 102, 359-378.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> known = m.cross_validate(10, rng=1)
        >>> new = m.cross_validate(9, by="Subject", rng=1)
        >>> bool(known.totals.loc["rmse", "estimate"] < new.totals.loc["rmse", "estimate"])
        True
        >>> smaller = m.update("Reaction ~ Days + (1 | Subject)").cross_validate(10, rng=1)
        >>> known.compare(smaller, names=["slopes", "intercepts"]).index.tolist()
        ['slopes', 'intercepts']
        """
        return cross_validation(self._fitted, folds, by, rng=rng, executor=executor, progress=progress)
