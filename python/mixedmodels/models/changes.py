"""New fits from an old one: another response, other arguments, other optimizers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar

from numpy.typing import ArrayLike

from ..families import Family
from ..fit.control import Control
from ..fit.update import UNCHANGED, Unchanged, refit_response, updated
from ..not_here import FIT_ARGUMENTS
from ..public import public, public_except, renamed
from .all_fit import AllFit, all_fit
from .arguments import (
    Contrasts,
    Data,
    Executor,
    Functions,
    NaAction,
    Optimizer,
    OptimizerName,
    Rng,
    Rows,
    ShowProgress,
)
from .holder import Holder

Own = TypeVar("Own", bound=Holder)


class Changes(Holder):
    """Methods that return new models; a model itself never changes."""

    __slots__ = ()

    @public
    def refit(
        self: Own,
        y: ArrayLike | None = None,
        *,
        REML: bool | Unchanged = UNCHANGED,
        start: ArrayLike | Mapping[str, Any] | Unchanged | None = UNCHANGED,
        optimizer: Optimizer | Unchanged | None = UNCHANGED,
        control: Control | Mapping[str, Any] | Unchanged | None = UNCHANGED,
    ) -> Own:
        """
        Fit the same design to another response.

        Parameters
        ----------
        y : array-like of shape (n,) or (n, 2), optional
            New response, one value for each row used or for each row of the data; by default the old one. A
            pandas Series is matched to the rows by its index. For a binomial model two columns are successes
            and failures, proportions refer to the numbers of trials of the fit, and labels are its two
            levels.
        REML : bool, optional
            Restricted or ordinary maximum likelihood; linear models only.
        start, optimizer, control : as for `lmer`
            As for `lmer`; by default those of this fit.

        Returns
        -------
        MixedModel
            A new model of the same class.

        Raises
        ------
        DataError
            When `y` has values that are missing, not finite, or outside the range of the family.
        ArgumentError
            When `y` has another number of rows or an index that does not match, and for arguments that `lmer`
            or `glmer` refuses.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> sleep = load_sleepstudy()
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", sleep)
        >>> m.refit(sleep["Reaction"] / 1000).fixef().round(4).to_dict()
        {'(Intercept)': 0.2514, 'Days': 0.0105}
        """
        changes = {"REML": REML, "start": start, "optimizer": optimizer, "control": control}
        return type(self)(refit_response(self._fitted, y, changes))

    @public
    def refitML(self: Own) -> Own:
        """
        The model fitted by maximum likelihood; the model itself if it already is.

        Returns
        -------
        MixedModel

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> round(m.refitML().objective, 3)
        1751.939
        """
        return (
            type(self)(refit_response(self._fitted, None, {"REML": False}))
            if self._fitted.restricted
            else self
        )

    @public_except(FIT_ARGUMENTS)
    def update(
        self: Own,
        formula: str | Unchanged = UNCHANGED,
        data: Data | Unchanged = UNCHANGED,
        *,
        REML: bool | Unchanged = UNCHANGED,
        family: str | Family | type[Family] | Unchanged = UNCHANGED,
        link: str | Unchanged = UNCHANGED,
        nAGQ: int | Unchanged = UNCHANGED,
        information: Literal["observed", "expected"] | Unchanged = UNCHANGED,
        nb_theta: float | Unchanged | None = UNCHANGED,
        weights: Rows | Unchanged | None = UNCHANGED,
        offset: Rows | Unchanged | None = UNCHANGED,
        contrasts: Contrasts | Unchanged | None = UNCHANGED,
        na_action: NaAction | Unchanged = UNCHANGED,
        subset: Rows | Unchanged | None = UNCHANGED,
        functions: Functions | Unchanged | None = UNCHANGED,
        start: ArrayLike | Mapping[str, Any] | Unchanged | None = UNCHANGED,
        fixed: Mapping[Any, Any] | Unchanged | None = UNCHANGED,
        optimizer: Optimizer | Unchanged | None = UNCHANGED,
        control: Control | Mapping[str, Any] | Unchanged | None = UNCHANGED,
    ) -> Own:
        """
        Fit again with some arguments of `lmer` or `glmer` changed.

        Parameters
        ----------
        formula : str, optional
            ``.`` stands for the same side of the old formula: ``". ~ . + x"``, ``". ~ . - (1 | g)"``.
        data : data frame, optional
            New data. Otherwise new columns come from the data frame of the fit, as long as it is in memory.
        REML : bool, optional
            Linear models only.
        family, link, nAGQ, information, nb_theta : as for `glmer`, optional
            Generalized models only. A new family has its own default link; ``nb_theta=None`` estimates the
            size of the negative binomial family.
        weights, offset, contrasts, na_action, subset : as for `lmer`, optional
            By default unchanged; None removes weights, offset, contrasts or subset.
        functions, start, fixed, optimizer, control : as for `lmer`, optional
            By default unchanged, except that `start` is not kept when the model changes.
            ``fixed=None`` estimates all parameters.

        Returns
        -------
        MixedModel
            A new model of the same class.

        Raises
        ------
        MissingColumnError
            When a new column is not available: after unpickling, and for data read from a file, a query or a
            stream, the model holds only the columns that it used; pass `data`.
        FormulaError, DataError, ArgumentError
            For whatever `lmer` or `glmer` refuses, and for arguments of the other kind of model.

        Examples
        --------
        >>> from mixedmodels import glmer, lmer, load_cbpp, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> m.update(". ~ . - (Days | Subject) + (1 | Subject)").formula
        'Reaction ~ Days + (1 | Subject)'
        >>> b = glmer("cbind(incidence, size - incidence) ~ period + (1 | herd)", load_cbpp(), "binomial")
        >>> b.update(link="probit").family
        binomial (probit)
        """
        changes = {
            "formula": formula,
            "data": data,
            "REML": REML,
            "family": family,
            "link": link,
            "nAGQ": nAGQ,
            "information": information,
            "nb_theta": nb_theta,
            "weights": weights,
            "offset": offset,
            "contrasts": contrasts,
            "na_action": na_action,
            "subset": subset,
            "functions": functions,
            "start": start,
            "fixed": fixed,
            "optimizer": optimizer,
            "control": control,
        }
        return type(self)(updated(self._fitted, changes))

    @renamed(seed="rng")
    @public
    def allFit(
        self,
        data: Data | None = None,
        *,
        optimizers: OptimizerName | Sequence[OptimizerName] | None = None,
        starts: int = 0,
        rng: Rng = None,
        executor: Executor = None,
        progress: ShowProgress = False,
    ) -> AllFit:
        """
        Fit the model with every optimizer, and from random starts, and compare the optima.

        Parameters
        ----------
        data : data frame, optional
            Other data to fit to; by default the design of this model is used again.
        optimizers : sequence of str, optional
            By default all.
        starts : int, default 0
            Number of further fits from random covariance parameters, by the first of the optimizers. They
            show whether the objective has several optima.
        rng : int, Generator or None, optional
            Seed or random number generator of the random starts.
        executor : Executor, optional
            Where the fits run: any executor with the interface of `concurrent.futures`. By default here.
        progress : bool or callable, default False
            True shows a bar; a function is told the numbers of fits done and in all.

        Returns
        -------
        AllFit
            With ``fits`` (by optimizer or ``"start 1"``, ``"start 2"``, ...), ``table``, and ``summary()``,
            which says whether they agree.

        Raises
        ------
        ArgumentError
            For an unknown optimizer, or when `starts` is not a whole number of at least 0.
        ExecutorError
            When a worker of the executor dies.

        Warns
        -----
        InterruptedWarning
            When the user interrupts: the result holds the fits done.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> table = m.allFit(optimizers="trust_region", starts=3, rng=1).table
        >>> list(table.index)
        ['trust_region', 'start 1', 'start 2', 'start 3']
        >>> bool(table["excess"].max() < 1e-6)
        True
        >>> m.allFit(optimizers=["trust_region", "bobyqa"]).summary().agree
        True
        """
        return all_fit(self._fitted, data, optimizers, starts, rng, executor, progress, type(self))
