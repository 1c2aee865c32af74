"""Leverages, standardised residuals and case deletion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import pandas as pd  # pyright: ignore[reportMissingTypeStubs]
from numpy.typing import ArrayLike, NDArray

from ..case_deletion import run as _run
from ..case_deletion.result import Influence
from ..diagnostics import kinds as _kinds, least_confounded as _least_confounded, leverage as _leverage
from ..public import public
from .arguments import Data, Executor, ShowProgress
from .holder import Holder

Groups = str | ArrayLike | Mapping[Any, Any]
Method = Literal["exact", "one-step"]


class Influences(Holder):
    """What single rows and levels do to the estimates."""

    __slots__ = ()

    @public
    def hatvalues(self, split: bool = False) -> Any:
        """
        Leverages: how far each fitted value follows its own observation, with the covariance parameters held.

        Parameters
        ----------
        split : bool, default False
            Also the parts of the fixed and the random effects.

        Returns
        -------
        ndarray, shape (n,), or DataFrame
            With `split` columns ``overall``, ``fixed`` and ``random``, of which the first is the sum of the
            others. For a generalized model those of the last weighted least-squares step. With
            ``na_action="exclude"`` a value for each row of the data, NaN for rows not used.

        Raises
        ------
        ArgumentError
            When `split` is neither True nor False.

        References
        ----------
        Demidenko & Stukel (2005), Influence analysis for linear mixed-effects models, Statistics in Medicine
        24.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (1 | Subject)", load_sleepstudy())
        >>> m.hatvalues()[:3].round(6)
        array([0.107483, 0.102096, 0.098056])
        """
        return _leverage.hat_values(self._fitted, split)

    @public
    def rstandard(self) -> NDArray[Any]:
        """
        Standardised residuals: residuals given the random effects over their standard deviations σ√(1 - h).

        Returns
        -------
        ndarray, shape (n,)
            Of deviance residuals for a generalized model (Pearson residuals where the family has no
            deviance), of y minus the fitted value for a linear one. NaN where an observation determines its
            own fitted value, and with ``na_action="exclude"`` for rows not used.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> m.rstandard()[:2].round(3)
        array([-0.183, -0.627])
        """
        return _kinds.residuals(self._fitted, "standardized")

    @public
    def rstudent(self) -> NDArray[Any]:
        """
        Studentised residuals: as `rstandard`, with sigma estimated without the observation.

        For a linear model it is the t statistic of a shift of the observation, with the relative covariance
        parameters held. For a generalized one it is the signed root of ``r_d² + h r_p² / (1 - h)``, with the
        deviance and Pearson residuals r_d and r_p: nearly the change of the deviance when the observation is
        deleted.

        Returns
        -------
        ndarray, shape (n,)
            NaN where an observation determines its own fitted value, and with ``na_action="exclude"`` for
            rows not used.

        References
        ----------
        Williams (1987), Generalized linear model diagnostics using the deviance and single case deletions,
        Applied Statistics 36.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> m.rstudent()[:2].round(3)
        array([-0.182, -0.626])
        """
        return _kinds.residuals(self._fitted, "studentized")

    @public
    def least_confounded_residuals(self) -> pd.DataFrame:
        """
        Least-confounded residuals of a linear model: errors with as little of the random effects as possible.

        Conditional residuals mix the errors with the random effects. These are n - p uncorrelated
        combinations of them with variance 1, ordered by the share of their variance that is due to the
        random effects, smallest first. Where this share is small they show the distribution of the errors,
        whatever that of the random effects: draw them in a Q-Q plot.

        Returns
        -------
        DataFrame, n - p rows
            ``residual``, and ``confounding``, the share from 0 to 1. They belong to combinations of rows, not
            to rows. Combinations with the same share are determined up to a rotation.

        Raises
        ------
        ArgumentError
            For a generalized model, and for more than 5,000 rows: the work grows with their cube.

        References
        ----------
        Hilden-Minton (1995), Multilevel diagnostics for mixed and hierarchical linear models, PhD thesis,
        UCLA. Nobre & Singer (2007), Residual analysis for linear mixed models, Biometrical Journal 49.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> found = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy()).least_confounded_residuals()
        >>> len(found), int((found["confounding"] < 1e-8).sum())
        (178, 144)
        """
        return _least_confounded.least_confounded(self._fitted)

    @public
    def influence(
        self,
        data: Data | None = None,
        *,
        groups: Groups | None = None,
        method: Method = "exact",
        executor: Executor = None,
        progress: ShowProgress = False,
    ) -> Influence:
        """
        Estimates without each row, or without each level of a factor, and how far they move.

        Parameters
        ----------
        data : data frame, optional
            The data of the fit, which the model knows; it is only checked.
        groups : str, array-like or mapping, optional
            What is deleted: a grouping factor or column of the data (each level with all its rows), a label
            for each row, or sets of rows by name (positions in the data from 0, or True and False for each
            row). By default, or with "rows", each single row.
        method : {"exact", "one-step"}, default "exact"
            "exact": the model is fitted without each set, from the estimates, in parallel. "one-step": the
            covariance parameters (of a linear model relative to sigma) stay; for a linear model the rest is
            exact and in closed form, for a generalized one it rests on the last weighted least-squares step.
        executor : Executor, optional
            Any executor with the interface of `concurrent.futures`, for "exact". By default the engine works
            here, on all cores.
        progress : bool or callable, default False
            For "exact": True shows a bar; a callable is told how many of how many deletions are done.

        Returns
        -------
        Influence
            With ``cooks_distance``, ``dfbeta``, ``dfbetas``, ``mdffits``, ``covtrace``, ``covratio``,
            ``variance_change``; for rows ``rstudent``, ``dffits`` and ``leverage``; ``to_frame()`` and
            ``plot()``.

        Raises
        ------
        ArgumentError
            For a factor with one level, unknown names, and data of another size.
        ExecutorError
            When a worker of the executor dies; it names the deletions.

        References
        ----------
        Demidenko & Stukel (2005), Influence analysis for linear mixed-effects models, Statistics in Medicine
        24.
        Loy & Hofmann (2014), HLMdiag: A suite of diagnostics for hierarchical linear models in R, Journal of
        Statistical Software 56.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> found = m.influence(groups="Subject")
        >>> found.cooks_distance.nlargest(2).round(3).to_dict()
        {'309': 0.149, '335': 0.129}
        """
        return _run.influence(self._fitted, data, groups, method, executor, progress)

    @public
    def cooks_distance(
        self,
        data: Data | None = None,
        *,
        groups: Groups | None = None,
        method: Method | None = None,
        executor: Executor = None,
        progress: ShowProgress = False,
    ) -> pd.Series:
        """
        Cook's distances of rows, or of the levels of a factor.

        Without `groups` and `method` it is ``r² h / (p (1 - h)²)`` from leverages h and standardised Pearson
        residuals r: how far the fitted values move, random effects included, as in lme4 and in `augment`.
        Otherwise it is ``d'V⁻¹d / p`` for the change d of the fixed effects, see `influence`.

        Parameters
        ----------
        data, groups : as for `influence`, optional
            By default rows.
        method : {"exact", "one-step"}, optional
            For the distances of the fixed effects; "exact" by default when `groups` is given.
        executor, progress : as for `influence`, optional
            For "exact".

        Returns
        -------
        Series
            By level, or by row; with ``na_action="exclude"`` NaN for rows not used.

        Raises
        ------
        ArgumentError
            As for `influence`.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (1 | Subject)", load_sleepstudy())
        >>> round(float(m.cooks_distance().iloc[0]), 6)
        0.127646
        """
        return _run.cooks_distance(self._fitted, data, groups, method, executor, progress)
