"""The linear mixed model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..diagnostics import residuals as _residuals
from ..fit.fit_linear import fit_arguments, refit
from ..fit.fitted_linear import FittedLinear
from ..fit.state import fitted_of
from ..inference.estimates import criteria, fixed_effects, variance_parameters
from ..inference.hypotheses.anova import anova_of
from ..inference.hypotheses.anova_table import AnovaTable
from ..not_here import refuses_arguments
from ..prediction.predict import predict as _predict
from .all_fit import AllFit, all_fit
from .base import MixedModel
from .refitting import UNCHANGED, refit_response, update_arguments


class LinearMixedModel(MixedModel):
    """
    A fitted linear mixed model, made by :func:`mixedmodels.lmer`.

    It is immutable: `refit` and `update` return new models, and what a method returns is a copy or
    closed to writing. It can be pickled, copied and shared between threads. (Never
    unpickle untrusted files.)
    """

    __slots__ = ()
    _fitted: FittedLinear

    @property
    def REML(self) -> bool:
        """Whether the fit is by REML."""
        return self._fitted.reml

    @property
    def sigma(self) -> float:
        """Residual standard deviation, in the unit of the response."""
        return self._fitted.estimates.sigma

    @property
    def se(self) -> pd.Series:
        """Standard errors of the fixed effects by name; NaN for dropped columns."""
        return fixed_effects.standard_errors(self._fitted)

    # Estimates

    def vcov(self, complete: bool = True) -> pd.DataFrame:
        """
        Covariance matrix of the fixed effects, σ²(X'V⁻¹X)⁻¹.

        Parameters
        ----------
        complete : bool
            Include rows and columns of NaN for dropped coefficients.

        Returns
        -------
        DataFrame, shape (p, p)
        """
        return fixed_effects.covariance(self._fitted, complete)

    def hessian(self) -> pd.DataFrame:
        """
        Exact Hessian of the objective (-2 log-likelihood or REML criterion, sigma profiled) in theta.

        R: ``m@optinfo$derivs$Hessian``, which lme4 takes by differences of the objective.

        Returns
        -------
        DataFrame, shape (n_theta, n_theta)

        Examples
        --------
        >>> from mixedmodels import lmer, load_dyestuff
        >>> lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff(), REML=False).hessian().round(3)
                           Batch.(Intercept)
        Batch.(Intercept)             18.515
        """
        return variance_parameters.hessian(self._fitted)

    def vcov_theta(self) -> pd.DataFrame:
        """
        Asymptotic covariance matrix of theta and sigma: twice the inverse of the exact Hessian of the
        objective in both.

        Entries of theta in a column of zeros (a variance estimated as zero) lie on the boundary, where
        the asymptotics do not hold: they are left out of the inverse and NaN. So are entries that the data
        do not determine; a warning names them. All is NaN where the point is no minimum.

        Returns
        -------
        DataFrame, shape (n_theta + 1, n_theta + 1)
            The last row and column are ``sigma``.

        Warns
        -----
        UndeterminedWarning
            When the objective does not change in some direction of theta.

        Examples
        --------
        >>> from mixedmodels import lmer, load_dyestuff
        >>> lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff()).vcov_theta().round(3)
                           Batch.(Intercept)   sigma
        Batch.(Intercept)              0.142  -1.118
        sigma                         -1.118  51.068
        """
        return variance_parameters.covariance(self._fitted)

    # Criteria

    def logLik(self, REML: bool | None = None) -> criteria.LogLik:
        """
        Log-likelihood, restricted for a REML fit; a float with ``df`` and ``nobs``.

        Parameters
        ----------
        REML : bool, optional
            Which one, at the estimated theta; by default that of the fit.
        """
        return criteria.log_likelihood(self._fitted, REML)

    def deviance(self, REML: bool | None = None) -> float:
        """
        The criterion of the fit, -2 log-likelihood or for a REML fit the REML criterion.

        Parameters
        ----------
        REML : bool, optional
            False for -2 log-likelihood at the estimated theta also of a REML fit; True for the REML
            criterion also of an ML fit.
        """
        return criteria.deviance(self._fitted, REML)

    def REMLcrit(self) -> float:
        """REML criterion; ArgumentError for a fit by ML."""
        return criteria.reml_criterion(self._fitted)

    # Fitted values and predictions

    def fitted(self) -> NDArray[np.float64]:
        """Fitted values with the random effects, shape (n,); NaN-padded with ``na_action="exclude"``."""
        return _residuals.fitted_values(self._fitted)

    def residuals(self, type: str = "response", scaled: bool = False) -> NDArray[np.float64]:
        """
        Residuals given the random effects.

        Parameters
        ----------
        type : {"response", "pearson", "working", "deviance"}
            "pearson" and "deviance" are multiplied by the square root of the prior weights.
        scaled : bool
            Divide by sigma.

        Returns
        -------
        ndarray, shape (n,)
        """
        return _residuals.residuals(self._fitted, type, scaled)

    @refuses_arguments
    def predict(
        self,
        newdata: Any = None,
        re_form: Any = None,
        allow_new_levels: bool = False,
        *,
        offset: Any = None,
        type: str = "response",
    ) -> NDArray[np.float64]:
        """
        Predicted means.

        Parameters
        ----------
        newdata : data frame, optional
            By default the fitting data. Transforms keep the constants of the fit.
        re_form : None, str, or one of NaN, False, 0
            None: all random effects; ``"~0"``: none; a formula such as ``"~(1 | Subject)"``: those.
            New data needs the columns of the fixed part and of the random effects asked for.
        allow_new_levels : bool
            Predict levels of grouping factors that were not in the fit from the population
            instead of raising an error.
        offset : str or array-like of shape (n_new,), optional
            Takes the place of the ``offset`` argument of the fit for new data.
        type : {"response", "link"}
            The same for a linear model.

        Returns
        -------
        ndarray, shape (n_new,)
            NaN in rows with a missing predictor, and in those whose fixed part the data of the fit do not
            determine, such as a cell without observations.

        Raises
        ------
        DataError
            For levels that were not in the fit.
        ArgumentError
            When re_form names effects that the model does not have.

        Warns
        -----
        EstimabilityWarning
            Naming the cells or columns that the data of the fit do not determine (Searle 1971, Linear Models,
            section 5.4). R's ``predict`` gives some number there.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> m.predict({"Days": [0, 9]}, re_form="~0").round(2)
        array([251.41, 345.61])
        """
        return _predict(self._fitted, newdata, re_form, allow_new_levels, offset, type)

    # New fits

    def anova(
        self,
        *models: LinearMixedModel,
        refit: bool | None = None,
        names: Any = None,
        type: Any = None,
        ddf: Any = None,
        vcov: Any = None,
        test: Any = None,
    ) -> AnovaTable:
        """Tests of the terms, or a comparison with other models, see :func:`mixedmodels.anova`."""
        return anova_of([self._fitted, *map(fitted_of, models)], refit, names, type, test, ddf, vcov)

    def refit(
        self,
        y: Any = None,
        *,
        REML: Any = UNCHANGED,
        start: Any = UNCHANGED,
        optimizer: Any = UNCHANGED,
        control: Any = UNCHANGED,
    ) -> LinearMixedModel:
        """
        Fit the same design to another response.

        Parameters
        ----------
        y : array-like of shape (n,), optional
            New response, one value for each row used or for each row of the data; the old one by default.
            A pandas Series is matched to the rows by its index.
        REML, start, optimizer, control
            As for :func:`mixedmodels.lmer`; by default those of this fit.

        Returns
        -------
        LinearMixedModel

        Raises
        ------
        DataError
            When `y` has values that are missing or not finite.
        ArgumentError
            When `y` has another number of rows or an index that does not match, and for arguments that
            `lmer` refuses.
        """
        changes = {"reml": REML, "start": start, "optimizer": optimizer, "control": control}
        return type(self)(refit_response(self._fitted, y, changes))

    @refuses_arguments
    def update(
        self,
        formula: Any = UNCHANGED,
        data: Any = UNCHANGED,
        *,
        REML: Any = UNCHANGED,
        weights: Any = UNCHANGED,
        offset: Any = UNCHANGED,
        contrasts: Any = UNCHANGED,
        na_action: Any = UNCHANGED,
        subset: Any = UNCHANGED,
        functions: Any = UNCHANGED,
        start: Any = UNCHANGED,
        fixed: Any = UNCHANGED,
        optimizer: Any = UNCHANGED,
        control: Any = UNCHANGED,
    ) -> LinearMixedModel:
        """
        Fit again with some arguments of :func:`mixedmodels.lmer` changed.

        Parameters
        ----------
        formula : str, optional
            ``.`` stands for the old formula's side: ``". ~ . + x"``, ``". ~ . - (1 | g)"``.
        data, REML, weights, offset, contrasts, na_action, subset, functions, start, fixed, optimizer, control
            New values; those not given stay as they are. ``start`` is not kept when the model changes. New
            columns come from the data frame of the fit as long as it is in memory.

        Returns
        -------
        LinearMixedModel

        Raises
        ------
        MissingColumnError
            When a new column is not at hand: after unpickling, and for data read from a file, a query or a
            stream, the model has the columns that it used; give `data`.
        FormulaError, DataError, ArgumentError
            For whatever `lmer` refuses, such as weights or an offset with an index that does not match.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> m.update(". ~ . - (Days | Subject) + (1 | Subject)").formula
        'Reaction ~ Days + (1 | Subject)'
        """
        changes = {
            "formula": formula,
            "data": data,
            "reml": REML,
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
        return type(self)(fit_arguments(update_arguments(self._fitted, changes)))

    def allFit(
        self, data: Any = None, *, optimizers: Any = None, starts: int = 0, seed: Any = None
    ) -> AllFit:
        """
        Fit with every optimizer, and from random starts, and compare, see :func:`mixedmodels.allFit`.

        Parameters
        ----------
        data : data frame, optional
            Other data; by default the design of this fit is used again.
        optimizers : sequence of str, optional
            All by default.
        starts : int
            Number of random starts; 0 by default.
        seed : int or Generator, optional
            Of the random starts.

        Returns
        -------
        AllFit

        Raises
        ------
        ArgumentError
            If an optimizer is unknown or ``starts`` is not a whole number of at least 0.
        """
        return all_fit(self._fitted, data, optimizers, starts, seed, fit_arguments, refit, type(self))
