"""Single measures of influence."""

from __future__ import annotations

import pandas as pd  # pyright: ignore[reportMissingTypeStubs]

from ..case_deletion import run as _run
from ..public import public
from .arguments import Data, Executor, ShowProgress
from .holder import Holder
from .influences import Groups, Method


class Deletions(Holder):
    """How far the fixed effects and their precision move without each row or level."""

    __slots__ = ()

    @public
    def dfbeta(
        self,
        data: Data | None = None,
        *,
        groups: Groups | None = None,
        method: Method = "exact",
        executor: Executor = None,
        progress: ShowProgress = False,
    ) -> pd.DataFrame:
        """
        Changes of the fixed effects: without each row or level, less with it.

        Parameters
        ----------
        data, groups, method, executor, progress : as for `influence`, optional
            By default exact, by row.

        Returns
        -------
        DataFrame
            A row for each row or level, a column for each coefficient.

        Raises
        ------
        ArgumentError
            As for `influence`.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> m.dfbeta(groups="Subject").round(3).loc["309"].tolist()
        [2.726, 0.483]
        """
        return _run.influence(self._fitted, data, groups, method, executor, progress).dfbeta

    @public
    def dfbetas(
        self,
        data: Data | None = None,
        *,
        groups: Groups | None = None,
        method: Method = "exact",
        executor: Executor = None,
        progress: ShowProgress = False,
    ) -> pd.DataFrame:
        """
        Changes of the fixed effects, as `dfbeta`, in standard errors of the fit without the row or level.

        Parameters
        ----------
        data, groups, method, executor, progress : as for `influence`, optional
            By default exact, by row.

        Returns
        -------
        DataFrame
            A row for each row or level, a column for each coefficient.

        Raises
        ------
        ArgumentError
            As for `influence`.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> m.dfbetas(groups="Subject").shape
        (18, 2)
        """
        return _run.influence(self._fitted, data, groups, method, executor, progress).dfbetas

    @public
    def dffits(
        self,
        data: Data | None = None,
        *,
        method: Method = "exact",
        executor: Executor = None,
        progress: ShowProgress = False,
    ) -> pd.Series:
        """
        Changes of the fitted values in their standard errors, without each row: ``rstudent √(h / (1 - h))``.

        Parameters
        ----------
        data, method, executor, progress : as for `influence`, optional
            By default exact. Levels have several fitted values: their measure is `mdffits`.

        Returns
        -------
        Series
            By row.

        Raises
        ------
        ArgumentError
            As for `influence`.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> len(m.dffits(method="one-step"))
        180
        """
        return _run.influence(self._fitted, data, None, method, executor, progress).dffits

    @public
    def mdffits(
        self,
        data: Data | None = None,
        *,
        groups: Groups | None = None,
        method: Method = "exact",
        executor: Executor = None,
        progress: ShowProgress = False,
    ) -> pd.Series:
        """
        Like Cook's distances with the covariance of the fit without the row or level: ``d'V₍ᵢ₎⁻¹d / p``.

        Parameters
        ----------
        data, groups, method, executor, progress : as for `influence`, optional
            By default exact, by row.

        Returns
        -------
        Series
            By row or level.

        Raises
        ------
        ArgumentError
            As for `influence`.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> m.mdffits(groups="Subject").idxmax()
        '309'
        """
        return _run.influence(self._fitted, data, groups, method, executor, progress).mdffits

    @public
    def covratio(
        self,
        data: Data | None = None,
        *,
        groups: Groups | None = None,
        method: Method = "exact",
        executor: Executor = None,
        progress: ShowProgress = False,
    ) -> pd.Series:
        """
        Change of the precision of the fixed effects: ``|V₍ᵢ₎| / |V|`` of their covariance, 1 for none.

        Parameters
        ----------
        data, groups, method, executor, progress : as for `influence`, optional
            By default exact, by row.

        Returns
        -------
        Series
            By row or level.

        Raises
        ------
        ArgumentError
            As for `influence`.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> m.covratio(groups="Subject").shape
        (18,)
        """
        return _run.influence(self._fitted, data, groups, method, executor, progress).covratio

    @public
    def covtrace(
        self,
        data: Data | None = None,
        *,
        groups: Groups | None = None,
        method: Method = "exact",
        executor: Executor = None,
        progress: ShowProgress = False,
    ) -> pd.Series:
        """
        Change of the precision of the fixed effects: ``|tr(V⁻¹V₍ᵢ₎) - p|`` of their covariance, 0 for none.

        Parameters
        ----------
        data, groups, method, executor, progress : as for `influence`, optional
            By default exact, by row.

        Returns
        -------
        Series
            By row or level.

        Raises
        ------
        ArgumentError
            As for `influence`.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> m.covtrace(groups="Subject").shape
        (18,)
        """
        return _run.influence(self._fitted, data, groups, method, executor, progress).covtrace
