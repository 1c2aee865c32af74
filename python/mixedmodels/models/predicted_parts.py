"""Predictions beside the data, and fitted values from some of the terms."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd  # pyright: ignore[reportMissingTypeStubs]
from numpy.typing import NDArray

from ..prediction import partial as _partial, predict as _predict
from ..prediction.parameter_uncertainty import Uncertainty
from ..prediction.rows import NewLevels, check_new_levels
from ..public import public
from .arguments import Data, DdfName, Executor, Names, Rng, Rows, ShowProgress, Vcov
from .holder import Holder


class PartsOfPredictions(Holder):
    """Predictions as a table, and what single terms contribute to fitted values."""

    __slots__ = ()

    @public
    def predictions(
        self,
        newdata: Data | None = None,
        re_form: Any = None,
        allow_new_levels: bool | None = None,
        *,
        new_re_levels: NewLevels | None = None,
        offset: Rows | None = None,
        type: Literal["link", "response"] = "response",
        interval: Literal["confidence", "prediction"] | None = "confidence",
        level: float = 0.95,
        ddf: DdfName | None = None,
        vcov: Vcov | None = None,
        weights: Rows | float | None = None,
        parameter_uncertainty: Literal["none", "delta", "bootstrap"] = "none",
        nsim: int = 500,
        rng: Rng = None,
        executor: Executor = None,
        progress: ShowProgress = False,
    ) -> pd.DataFrame:
        """
        The data with predictions, standard errors and limits beside them.

        The same numbers as those of `predict`, in a tidy data frame.

        Parameters
        ----------
        newdata : data frame, optional
            By default the rows used by the fit.
        re_form : None, str, or one of NaN, False, 0, optional
            Which random effects to include, see `predict`.
        allow_new_levels : bool, optional
            Whether to allow levels that were not in the fit, which is not the default; see `predict`.
        new_re_levels : {"error", "population", "missing"}, optional
            What becomes of rows with such a level, see `predict`.
        offset : str or array-like of shape (n_new,), optional
            Replaces the ``offset`` argument of the fit for new data.
        type : {"link", "response"}, default "response"
            Scale of the predictions. (`predict` has "link" as its default, as lme4.)
        interval : {"confidence", "prediction"} or None, default "confidence"
            Limits for the mean or for a new response; None for no limits.
        level : float, default 0.95
            Probability of the interval.
        ddf : {"satterthwaite", "kenward-roger", "residual", "inf"}, optional
            Degrees of freedom of the limits, see `predict`.
        vcov : RobustCovariance or array-like of shape (rank, rank), optional
            Covariance matrix of the coefficients, for ``re_form="~0"``: from `vcov_cluster`, with its degrees
            of freedom, or a matrix, which goes with normal quantiles unless ``ddf="residual"``; by default
            the model's own.
        weights : str, float, or array-like of shape (n_new,), optional
            Prior weights or numbers of trials of new responses, with ``interval="prediction"``.
        parameter_uncertainty : {"none", "delta", "bootstrap"}, default "none"
            Whether and how standard errors allow for the estimation of the variance parameters.
        nsim : int, default 500
            Number of refits of the bootstrap.
        rng : int, Generator or None, optional
            Seed or random number generator of the bootstrap.
        executor : concurrent.futures.Executor, optional
            Where the bootstrap runs; by default in this process.
        progress : bool or callable, default False
            Show the progress of the bootstrap, or call a function with the numbers of refits done and wanted.

        Returns
        -------
        DataFrame
            The columns of the data, then ``fit``, ``se_fit``, ``lower`` and ``upper``.

        Raises
        ------
        DataError
            For levels that were not in the fit, and when the data have a column of one of these names.
        ArgumentError
            As `predict`.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> m.predictions({"Days": [0, 5, 9]}, re_form="~0").round(1)
           Days    fit  se_fit  lower  upper
        0     0  251.4     6.8  237.0  265.8
        1     5  303.7     9.6  283.5  324.0
        2     9  345.6    14.6  314.7  376.5
        """
        return _predict.predictions(
            self._fitted,
            newdata,
            re_form,
            check_new_levels(allow_new_levels, new_re_levels),
            offset,
            _predict.Wanted(
                type,
                True,
                interval,
                level,
                ddf,
                vcov,
                weights,
                Uncertainty(parameter_uncertainty, nsim, rng, executor, progress),
            ),
        )

    @public
    def partial_fitted(
        self,
        include: Names | None = None,
        exclude: Names | None = None,
        *,
        type: Literal["link", "response"] = "link",
    ) -> NDArray[np.float64]:
        """
        Fitted values from some of the terms, to show an effect with others taken out.

        Parameters
        ----------
        include : str or sequence of str, optional
            The terms to add up, as the formula names them: ``"(Intercept)"`` (or ``"1"``), ``"Days"``,
            ``"a:b"``, ``"offset"``, and random-effects terms such as ``"(Days | Subject)"``, or parts of them
            such as ``"(1 | Subject)"``.
        exclude : str or sequence of str, optional
            The terms to leave out. Give one of both arguments.
        type : {"link", "response"}, default "link"
            The sum, or the mean that belongs to it.

        Returns
        -------
        ndarray, shape (n,)
            With ``na_action="exclude"`` a value for each row of the data, NaN for rows not used.

        Raises
        ------
        ArgumentError
            For a term that the model does not have, or when both arguments are given or none.

        Notes
        -----
        Hohenstein & Kliegl's R package remef calls these values partial effects; those of include= and of the
        same terms as exclude= add up to the linear predictor.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> m.partial_fitted(include=["(Intercept)", "Days"])[:2].round(2)
        array([251.41, 261.87])
        >>> m.partial_fitted(exclude="(Days | Subject)")[:2].round(2)
        array([251.41, 261.87])
        """
        return _partial.partial_fitted(self._fitted, include, exclude, type)
