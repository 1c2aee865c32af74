"""Fitted values, residuals and predictions."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..diagnostics import residuals as _residuals
from ..not_here import PREDICT_ARGUMENTS
from ..prediction import predict as _predict
from ..public import public, public_except
from .arguments import Data, Rows
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
        type: Literal["response", "pearson", "working", "deviance"] | None = None,
        scaled: bool = False,
    ) -> NDArray[np.float64]:
        """
        Residuals given the random effects.

        Parameters
        ----------
        type : {"response", "pearson", "working", "deviance"}, optional
            By default "response" for a linear model and "deviance" for a generalized one. "pearson" and
            "deviance" residuals are multiplied by the square root of the prior weights.
        scaled : bool, default False
            Divide by sigma; for families with a scale only (gaussian, gamma, inverse_gaussian, and
            lognormal except for "response" residuals).

        Returns
        -------
        ndarray, shape (n,)
            With ``na_action="exclude"`` a value for each row of the data, NaN for rows not used.

        Raises
        ------
        ArgumentError
            For an unknown type, or `scaled` with a family that has no scale.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy()).residuals()[:2].round(2)
        array([ -4.1 , -14.63])
        """
        return _residuals.residuals(self._fitted, type, scaled)

    @public_except(PREDICT_ARGUMENTS)
    def predict(
        self,
        newdata: Data | None = None,
        re_form: Any = None,
        allow_new_levels: bool = False,
        *,
        offset: Rows | None = None,
        type: Literal["link", "response"] = "link",
    ) -> NDArray[np.float64]:
        """
        Predictions for the data of the fit or for new data.

        Parameters
        ----------
        newdata : data frame, optional
            By default the data of the fit. It needs the columns of the fixed part and of the random effects
            asked for. Transformations keep the constants of the fit.
        re_form : None, str, or one of NaN, False, 0, optional
            Which random effects to include. None: all; ``"~0"``: none; a formula such as
            ``"~(1 | Subject)"``: these.
        allow_new_levels : bool, default False
            Predict levels of grouping factors that were not in the fit with random effects of zero, instead
            of raising an error.
        offset : str or array-like of shape (n_new,), optional
            Replaces the ``offset`` argument of the fit for new data.
        type : {"link", "response"}, default "link"
            Linear predictor, as in lme4, or mean (probability for a binomial model). For a linear model they
            are the same. Without random effects the mean is the one of a group whose effects are zero, not
            the average over groups.

        Returns
        -------
        ndarray, shape (n_new,)
            NaN in rows with a missing predictor, and in rows whose fixed part the data of the fit do not
            determine, such as an empty cell.

        Raises
        ------
        DataError
            For levels that were not in the fit.
        ArgumentError
            When `re_form` names effects that the model does not have.

        Warns
        -----
        EstimabilityWarning
            For cells or columns that the data of the fit do not determine (Searle 1971, Linear Models,
            section 5.4), where R's ``predict`` returns an arbitrary number.

        Examples
        --------
        >>> from mixedmodels import glmer, lmer, load_cbpp, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> m.predict({"Days": [0, 9]}, re_form="~0").round(2)
        array([251.41, 345.61])
        >>> b = glmer("cbind(incidence, size - incidence) ~ period + (1 | herd)", load_cbpp(), "binomial")
        >>> b.predict({"period": ["1", "4"]}, re_form="~0", type="response").round(3)
        array([0.198, 0.048])
        """
        return _predict.predict(self._fitted, newdata, re_form, allow_new_levels, offset, type=type)
