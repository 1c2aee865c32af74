"""Fitted values, residuals and predictions."""

from __future__ import annotations

from typing import Any, Literal, overload

import numpy as np
import pandas as pd  # pyright: ignore[reportMissingTypeStubs]
from numpy.typing import NDArray

from ..diagnostics import kinds as _kinds, residuals as _residuals
from ..prediction import predict as _predict
from ..prediction.parameter_uncertainty import Uncertainty
from ..prediction.rows import NewLevels, check_new_levels
from ..public import public
from .arguments import Data, DdfName, Executor, Rng, Rows, ShowProgress, Vcov
from .holder import Holder


class Predictions(Holder):
    """What the model says of the data and of new data."""

    __slots__ = ()

    @public
    def fitted(self) -> NDArray[np.float64]:
        """
        Fitted means given the random effects; probabilities for a binomial model.

        Returns
        -------
        ndarray, shape (n,)
            With ``na_action="exclude"`` a value for each row of the data, NaN for rows not used.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy()).fitted()[:2].round(2)
        array([253.66, 273.33])
        """
        return _residuals.fitted_values(self._fitted)

    @public
    def residuals(
        self,
        type: Literal[
            "response",
            "pearson",
            "working",
            "deviance",
            "standardized",
            "studentized",
            "deletion",
            "whitened",
        ]
        | None = None,
        scaled: bool = False,
        kind: Literal["conditional", "marginal"] | None = None,
    ) -> NDArray[np.float64]:
        """
        Residuals, by default given the random effects.

        Parameters
        ----------
        type : str, optional
            By default "response" for a linear model and "deviance" for a generalized one. "pearson" and
            "deviance" residuals are multiplied by the square root of the prior weights. "standardized":
            as `rstandard`. "studentized": as `rstudent`. "deletion": the error of predicting the
            observation from the others, with the covariance parameters held (approximately for a generalized
            model). "whitened": marginal residuals made uncorrelated with variance 1; each is the error of
            predicting a row from the rows before it, over its standard deviation.
        scaled : bool, default False
            Divide by sigma; for families with a scale only (gaussian, gamma, inverse_gaussian, and
            lognormal except for "response" residuals).
        kind : {"conditional", "marginal"}, optional
            "conditional": given the random effects, the default for all types but "whitened". "marginal": y
            minus the fixed part, of linear models, for the types "response", "standardized" and "whitened".

        Returns
        -------
        ndarray, shape (n,)
            With ``na_action="exclude"`` a value for each row of the data, NaN for rows not used.

        Raises
        ------
        ArgumentError
            For an unknown type, `scaled` with a family that has no scale, marginal residuals of a generalized
            model, and "whitened" residuals of more than 5,000 rows with several grouping factors.

        References
        ----------
        Nobre & Singer (2007), Residual analysis for linear mixed models, Biometrical Journal 49. Houseman,
        Ryan & Coull (2004), Cholesky residuals for assessing normal errors in a linear model with correlated
        outcomes, Journal of the American Statistical Association 99.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy()).residuals()[:2].round(2)
        array([ -4.1 , -14.63])
        """
        return _kinds.residuals(self._fitted, type, scaled, kind)

    @overload
    def predict(
        self,
        newdata: Data | None = None,
        re_form: Any = None,
        allow_new_levels: bool | None = None,
        *,
        new_re_levels: NewLevels | None = None,
        offset: Rows | None = None,
        type: Literal["link", "response"] = "link",
        se_fit: Literal[False] = False,
        interval: None = None,
        level: float = 0.95,
        ddf: DdfName | None = None,
        vcov: Vcov | None = None,
        weights: Rows | float | None = None,
        parameter_uncertainty: Literal["none", "delta", "bootstrap"] = "none",
        nsim: int = 500,
        rng: Rng = None,
        executor: Executor = None,
        progress: ShowProgress = False,
    ) -> NDArray[np.float64]: ...

    @overload
    def predict(
        self,
        newdata: Data | None = None,
        re_form: Any = None,
        allow_new_levels: bool | None = None,
        *,
        new_re_levels: NewLevels | None = None,
        offset: Rows | None = None,
        type: Literal["link", "response"] = "link",
        se_fit: bool,
        interval: Literal["confidence", "prediction"] | None = None,
        level: float = 0.95,
        ddf: DdfName | None = None,
        vcov: Vcov | None = None,
        weights: Rows | float | None = None,
        parameter_uncertainty: Literal["none", "delta", "bootstrap"] = "none",
        nsim: int = 500,
        rng: Rng = None,
        executor: Executor = None,
        progress: ShowProgress = False,
    ) -> pd.DataFrame: ...

    @overload
    def predict(
        self,
        newdata: Data | None = None,
        re_form: Any = None,
        allow_new_levels: bool | None = None,
        *,
        new_re_levels: NewLevels | None = None,
        offset: Rows | None = None,
        type: Literal["link", "response"] = "link",
        se_fit: bool = False,
        interval: Literal["confidence", "prediction"],
        level: float = 0.95,
        ddf: DdfName | None = None,
        vcov: Vcov | None = None,
        weights: Rows | float | None = None,
        parameter_uncertainty: Literal["none", "delta", "bootstrap"] = "none",
        nsim: int = 500,
        rng: Rng = None,
        executor: Executor = None,
        progress: ShowProgress = False,
    ) -> pd.DataFrame: ...

    @public
    def predict(
        self,
        newdata: Data | None = None,
        re_form: Any = None,
        allow_new_levels: bool | None = None,
        *,
        new_re_levels: NewLevels | None = None,
        offset: Rows | None = None,
        type: Literal["link", "response"] = "link",
        se_fit: bool = False,
        interval: Literal["confidence", "prediction"] | None = None,
        level: float = 0.95,
        ddf: DdfName | None = None,
        vcov: Vcov | None = None,
        weights: Rows | float | None = None,
        parameter_uncertainty: Literal["none", "delta", "bootstrap"] = "none",
        nsim: int = 500,
        rng: Rng = None,
        executor: Executor = None,
        progress: ShowProgress = False,
    ) -> NDArray[np.float64] | pd.DataFrame:
        """
        Predictions for the data of the fit or for new data, with standard errors and intervals on request.

        Parameters
        ----------
        newdata : data frame, optional
            By default the data of the fit. It needs the columns of the fixed part and of the random effects
            asked for. Transformations keep the constants of the fit.
        re_form : None, str, or one of NaN, False, 0, optional
            Which random effects to include. None: all; ``"~0"``: none; a formula such as
            ``"~(1 | Subject)"``: these.
        allow_new_levels : bool, optional
            Predict levels of grouping factors that were not in the fit with random effects of zero, instead
            of raising an error. Standard errors allow for the variance of these effects. A row that lacks a
            level is one of a new level. R's name of ``new_re_levels="population"``; False, which is the
            default, is ``new_re_levels="error"``.
        new_re_levels : {"error", "population", "missing"}, optional
            Rows with a level that was not in the fit, or without a level: an error, which is the default,
            random effects of zero, or NaN.
        offset : str or array-like of shape (n_new,), optional
            Replaces the ``offset`` argument of the fit for new data.
        type : {"link", "response"}, default "link"
            Linear predictor, as in lme4, or mean (probability for a binomial model). For a linear model they
            are the same. Without random effects the mean is the one of a group whose effects are zero, not
            the average over groups (see `predict_effects`).
        se_fit : bool, default False
            Return a data frame with standard errors.
        interval : {"confidence", "prediction"}, optional
            Add limits: for the linear predictor or mean, or for a new response. For a generalized model,
            limits for a response need ``type="response"``.
        level : float, default 0.95
            Probability of the interval.
        ddf : {"satterthwaite", "kenward-roger", "residual", "inf"}, optional
            Degrees of freedom of the limits; by default Satterthwaite's for each prediction of a linear
            model, and normal quantiles for a generalized one. "kenward-roger" needs ``re_form="~0"``. Not
            below 1, and the residual ones where the information on the variances is not finite; both with a
            warning.
        vcov : RobustCovariance or array-like of shape (rank, rank), optional
            Covariance matrix of the coefficients, for ``re_form="~0"``: from `vcov_cluster`, with its degrees
            of freedom, or a matrix, which goes with normal quantiles unless ``ddf="residual"``; by default
            the model's own.
        weights : str, float, or array-like of shape (n_new,), optional
            With ``interval="prediction"``: prior weights of the new responses, numbers of trials for a
            binomial model. By default those of the fit, the column of `newdata` that the fit takes them from,
            or 1. Ignored, with a warning, for counts and beta responses, whose weights multiply the
            log-likelihood.
        parameter_uncertainty : {"none", "delta", "bootstrap"}, default "none"
            Standard errors take the variance parameters as known, or allow for their estimation: by the delta
            method (as glmmTMB does) or by parametric bootstrap. Not with `vcov` or "kenward-roger".
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
        ndarray, shape (n_new,), or DataFrame
            With `se_fit` or `interval` a data frame with columns ``fit``, ``se_fit`` and, for an interval,
            ``lower`` and ``upper``; its index is that of `newdata`. NaN in rows with a missing predictor, and
            in rows whose fixed part the data of the fit do not determine, such as an empty cell.

        Raises
        ------
        DataError
            For levels that were not in the fit.
        ArgumentError
            When `re_form` names effects that the model does not have, when `allow_new_levels` and
            `new_re_levels` contradict each other, and for arguments without effect: `level` without
            `interval`; `ddf`, `vcov` and `parameter_uncertainty` without standard errors or limits; `nsim`
            without the bootstrap.

        Warns
        -----
        UndeterminedWarning
            Where limits have less than one degree of freedom or none that can be computed, and when the
            likelihood has no finite optimum and limits are NaN.
        EstimabilityWarning
            For cells or columns that the data of the fit do not determine (Searle 1971, Linear Models,
            section 5.4), where R's ``predict`` returns an arbitrary number.

        Notes
        -----
        ``se_fit`` is the standard error of prediction minus target, from the joint covariance matrix of
        coefficients and conditional modes (Henderson 1975, Biometrics 31, 423-447); for a generalized model
        from the Hessian in both at the modes. On the scale of the response it follows by the delta method,
        and limits are transformed from the linear predictor.

        Limits for new responses add the residual variance of a linear model. For a generalized model they are
        quantiles of the predictive distribution: the linear predictor is normal around its prediction, and
        the response has its family's distribution. Those of counts are whole numbers, those of a binomial
        model proportions. Where a link such as the identity leads to means that the family cannot have, that
        normal distribution is restricted to the others; limits are NaN where the predicted mean is one.
        ``re_form="~0"`` leaves out the variance of the random effects; for a response from a new group give
        it a new level.

        Examples
        --------
        >>> from mixedmodels import glmer, lmer, load_cbpp, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> m.predict({"Days": [0, 9]}, re_form="~0").round(2)
        array([251.41, 345.61])
        >>> new = {"Days": [10, 10], "Subject": ["308", "another"]}
        >>> m.predict(new, allow_new_levels=True, interval="prediction").round(1)
             fit  se_fit  lower  upper
        0  450.3    15.9  390.9  509.8
        1  356.1    67.6  205.1  507.1
        >>> m.predict(new, new_re_levels="missing").round(1)
        array([450.3,   nan])
        >>> b = glmer("cbind(incidence, size - incidence) ~ period + (1 | herd)", load_cbpp(), "binomial")
        >>> b.predict({"period": ["1", "4"]}, re_form="~0", type="response", se_fit=True).round(3)
             fit  se_fit
        0  0.198   0.036
        1  0.048   0.020
        """
        return _predict.predict(
            self._fitted,
            newdata,
            re_form,
            check_new_levels(allow_new_levels, new_re_levels),
            offset,
            _predict.Wanted(
                type,
                se_fit,
                interval,
                level,
                ddf,
                vcov,
                weights,
                Uncertainty(parameter_uncertainty, nsim, rng, executor, progress),
            ),
        )
