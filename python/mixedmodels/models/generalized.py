"""The generalized linear mixed model."""

from __future__ import annotations

from typing import Any, Literal, NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..checks import flag, optional_flag
from ..diagnostics import residuals as _residuals
from ..errors import ArgumentError, MixedModelsWarning
from ..families import Family
from ..fit.fit_generalized import fit_generalized_arguments, refit_generalized
from ..fit.fitted_generalized import FittedGeneralized
from ..fit.state import fitted_of
from ..inference.estimates import criteria, fixed_effects, variance_parameters
from ..inference.hypotheses.anova import anova_of
from ..inference.hypotheses.anova_table import AnovaTable
from ..not_here import refuses_arguments
from ..notices import warn_user
from ..prediction.predict import predict as _predict
from ..prediction.simulate import simulate as _simulate
from ..report.head import standard_error_line
from .all_fit import AllFit, all_fit
from .base import MixedModel
from .generalized_refitting import refit_generalized_response
from .generalized_update import update_generalized_arguments
from .refitting import UNCHANGED


class GeneralizedLinearMixedModel(MixedModel):
    """
    A fitted generalized linear mixed model, made by :func:`mixedmodels.glmer`.

    It is immutable: `refit` and `update` return new models, and what a method returns is a copy or
    closed to writing. It can be pickled, copied and shared between threads. (Never
    unpickle untrusted files.)
    """

    __slots__ = ()
    _fitted: FittedGeneralized

    # Family and scale

    @property
    def family(self) -> Family:
        """The family, with its link and, where it was held fixed, its dispersion."""
        return self._fitted.family

    @property
    def link(self) -> str:
        """Name of the link."""
        return self._fitted.family.link

    @property
    def nAGQ(self) -> int:
        """Points of the quadrature; 1 for the Laplace approximation."""
        return self._fitted.arguments.n_agq

    @property
    def information(self) -> str:
        """Which information weighs the rows in the Laplace approximation, "observed" or "expected"."""
        return self._fitted.arguments.information

    @property
    def dispersion(self) -> float:
        """The family's own parameter, estimated by maximum likelihood or held fixed; 1 without one."""
        return self._fitted.dispersion

    @property
    def sigma(self) -> float:
        """
        What glmmTMB calls sigma.

        The residual standard deviation (gaussian), the coefficient of variation (gamma), the root of the
        dispersion (inverse_gaussian), the size (nbinom2), the dispersion (nbinom1), the precision (beta);
        1 for other families.
        """
        return self._fitted.sigma

    @property
    def se(self) -> pd.Series:
        """Standard errors of the fixed effects by name, see `vcov`; NaN for dropped columns."""
        self._warn_of_conditional_errors()
        return fixed_effects.standard_errors(self._fitted)

    # Estimates

    def vcov(self, complete: bool = True, conditional: bool = False) -> pd.DataFrame:
        """
        Covariance matrix of the fixed effects.

        Parameters
        ----------
        complete : bool
            Include rows and columns of NaN for dropped coefficients.
        conditional : bool
            Given theta and the dispersion, leaving their uncertainty out; by default from the Hessian of
            -2 log-likelihood in all parameters, without those on the boundary and directions of theta that
            the data do not determine. R: ``use.hessian``.

        Returns
        -------
        DataFrame, shape (p, p)

        Warns
        -----
        MixedModelsWarning
            When the matrix is conditional though the other one was asked for: for nAGQ = 0, or where the
            Hessian is not positive definite.
        """
        if flag("conditional", conditional):
            return fixed_effects.conditional_covariance(self._fitted, complete)
        self._warn_of_conditional_errors()
        return fixed_effects.covariance(self._fitted, complete)

    def hessian(self) -> pd.DataFrame:
        """
        Hessian of -2 log-likelihood in all parameters: theta, coefficients, log of the dispersion.

        Returns
        -------
        DataFrame, shape (m, m)
            Without the coefficients for nAGQ = 0.
        """
        return variance_parameters.hessian(self._fitted)

    def vcov_parameters(self) -> pd.DataFrame:
        """
        Asymptotic covariance matrix of all parameters: twice the inverse of `hessian`.

        Entries of theta in a column of zeros lie on the boundary, where the asymptotics do not hold: they
        are left out of the inverse and NaN. So are entries of theta that the data do not determine; a warning
        names them. All is NaN where the Hessian is not positive definite.

        Returns
        -------
        DataFrame, shape (m, m)
        """
        return variance_parameters.generalized_covariance(self._fitted)

    def vcov_theta(self) -> pd.DataFrame:
        """The part of `vcov_parameters` that belongs to theta and the logarithm of the dispersion."""
        whole, n_theta = self.vcov_parameters(), len(self.theta)
        last = len(whole) - self._fitted.family.estimates_dispersion
        chosen = [*range(n_theta), *range(last, len(whole))]
        return whole.iloc[chosen, chosen]

    def _warn_of_conditional_errors(self) -> None:
        if not self._fitted.joint:
            warn_user(standard_error_line(self._fitted), MixedModelsWarning)

    # Criteria

    def logLik(self, REML: bool | None = None) -> criteria.LogLik:
        """Log-likelihood; a float with ``df`` and ``nobs``."""
        _no_reml("logLik", REML)
        return criteria.generalized_log_likelihood(self._fitted)

    def deviance(self, REML: bool | None = None) -> float:
        """-2 log-likelihood, as for other models. R's `deviance` leaves the saturated model out of it."""
        _no_reml("deviance", REML)
        return self._fitted.estimates.objective

    def REMLcrit(self) -> NoReturn:
        """ArgumentError: there is no REML criterion."""
        raise ArgumentError("a generalized linear mixed model is fitted by ML and has no REML criterion")

    # Fitted values, predictions, simulations

    def fitted(self) -> NDArray[np.float64]:
        """Means given the random effects (probabilities for a binomial model), shape (n,)."""
        return _residuals.fitted_values(self._fitted)

    def residuals(self, type: str = "deviance", scaled: bool = False) -> NDArray[np.float64]:
        """
        Residuals given the random effects.

        Parameters
        ----------
        type : {"deviance", "pearson", "response", "working"}
        scaled : bool
            Divide by sigma, for the families with a scale: gaussian, gamma and inverse_gaussian.

        Returns
        -------
        ndarray, shape (n,)
            Padded with NaN when the model was fitted with ``na_action="exclude"``.
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
        type: Literal["link", "response"] = "link",
    ) -> NDArray[np.float64]:
        """
        Predicted linear predictors or means.

        Parameters
        ----------
        newdata : data frame, optional
            By default the fitting data. Transforms keep the constants of the fit.
        re_form : None, str, or one of NaN, False, 0
            None: all random effects; ``"~0"``: none; a formula such as ``"~(1 | herd)"``: those.
            New data needs the columns of the fixed part and of the random effects asked for.
        allow_new_levels : bool
            Predict levels of grouping factors that were not in the fit from random effects of zero
            instead of raising an error.
        offset : str or array-like of shape (n_new,), optional
            Takes the place of the ``offset`` argument of the fit for new data.
        type : {"link", "response"}
            Linear predictor, as in lme4 the default, or mean (for a binomial model the probability).
            Without random effects the mean is that of a level with effects of zero, not an average over
            the population.

        Returns
        -------
        ndarray, shape (n_new,)
            NaN in rows with a missing predictor, and in those whose fixed part the data of the fit do not
            determine, such as a cell without observations.

        Warns
        -----
        EstimabilityWarning
            Naming the cells or columns that the data of the fit do not determine.

        Examples
        --------
        >>> from mixedmodels import glmer, load_cbpp
        >>> m = glmer("cbind(incidence, size - incidence) ~ period + (1 | herd)", load_cbpp(), "binomial")
        >>> m.predict({"period": ["1", "4"]}, re_form="~0", type="response").round(3)
        array([0.198, 0.048])
        """
        return _predict(self._fitted, newdata, re_form, allow_new_levels, offset, type)

    def simulate(self, nsim: int = 1, seed: Any = None, *, use_u: bool = False) -> pd.DataFrame:
        """
        Draw new responses from the fitted model.

        Parameters
        ----------
        nsim : int
        seed : int, Generator or None
            For :func:`numpy.random.default_rng`.
        use_u : bool
            Keep the random effects at their conditional modes; by default new ones are drawn.

        Returns
        -------
        DataFrame
            Columns ``sim_1``, ``sim_2``, ... in the form in which the response was given, so that `refit`
            takes each: numbers, labels, proportions of the same numbers of trials; for ``cbind(a, b)``
            two columns each, successes and failures (``sims["sim_1"]``). Prior weights of counts and
            proportions other than binomial ones do not enter the draws.
        """
        return _simulate(self._fitted, nsim, seed, use_u)

    # New fits

    def anova(
        self,
        *models: MixedModel,
        names: Any = None,
        type: Any = None,
        ddf: Any = None,
        vcov: Any = None,
        test: Any = None,
    ) -> AnovaTable:
        """Tests of the terms, or a comparison with other models, see :func:`mixedmodels.anova`."""
        return anova_of([self._fitted, *map(fitted_of, models)], None, names, type, test, ddf, vcov)

    def refit(
        self,
        y: Any = None,
        *,
        REML: Any = UNCHANGED,
        start: Any = UNCHANGED,
        optimizer: Any = UNCHANGED,
        control: Any = UNCHANGED,
    ) -> GeneralizedLinearMixedModel:
        """
        Fit the same design to another response.

        Parameters
        ----------
        y : array-like of shape (n,) or (n, 2), optional
            New response, one value for each row used or for each row of the data; the old one by default.
            A pandas Series is matched to the rows by its index.
            For a binomial model two columns are successes and failures; proportions are of the numbers of
            trials of the fit; labels are its two levels.
        start, optimizer, control
            As for :func:`mixedmodels.glmer`; by default those of this fit.
        REML : bool, optional
            Refused: generalized models are fitted by maximum likelihood.

        Returns
        -------
        GeneralizedLinearMixedModel

        Raises
        ------
        DataError
            When `y` has values that are missing, not finite, or outside the range of the family.
        ArgumentError
            When `y` has another number of rows or an index that does not match, and for arguments that
            `glmer` refuses.
        """
        _no_reml("refit", None if REML is UNCHANGED else REML)
        changes = {"start": start, "optimizer": optimizer, "control": control}
        return type(self)(refit_generalized_response(self._fitted, y, changes))

    @refuses_arguments
    def update(
        self,
        formula: Any = UNCHANGED,
        data: Any = UNCHANGED,
        *,
        family: Any = UNCHANGED,
        link: Any = UNCHANGED,
        nAGQ: Any = UNCHANGED,
        information: Any = UNCHANGED,
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
        nb_theta: Any = UNCHANGED,
    ) -> GeneralizedLinearMixedModel:
        """
        Fit again with some arguments of :func:`mixedmodels.glmer` changed.

        Parameters
        ----------
        formula : str, optional
            ``.`` stands for the old formula's side: ``". ~ . + x"``, ``". ~ . - (1 | g)"``.
        data, family, link, nAGQ, information, weights, offset, contrasts, na_action, subset, functions
            New values; those not given stay as they are. A new family has its own default link.
        start, optimizer, control
            Likewise; ``start`` is not kept when the model changes.
        fixed : mapping or None, optional
            Parameters to hold; None estimates all of them.
        nb_theta : float or None, optional
            Holds the size of the negative binomial family fixed; None estimates it.
        REML : bool, optional
            Refused: generalized models are fitted by maximum likelihood.

        Returns
        -------
        GeneralizedLinearMixedModel

        Raises
        ------
        MissingColumnError
            When a new column is not at hand, see :meth:`LinearMixedModel.update`.
        FormulaError, DataError, ArgumentError
            For whatever `glmer` refuses, such as weights or an offset with an index that does not match.

        Examples
        --------
        >>> from mixedmodels import glmer, load_cbpp
        >>> m = glmer("cbind(incidence, size - incidence) ~ period + (1 | herd)", load_cbpp(), "binomial")
        >>> m.update(link="probit").family
        binomial (probit)
        """
        changes = {
            "formula": formula,
            "data": data,
            "family": family,
            "link": link,
            "n_agq": nAGQ,
            "information": information,
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
            "nb_theta": nb_theta,
        }
        arguments = update_generalized_arguments(self._fitted, changes)
        return type(self)(fit_generalized_arguments(arguments))

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
        return all_fit(
            self._fitted,
            data,
            optimizers,
            starts,
            seed,
            fit_generalized_arguments,
            refit_generalized,
            type(self),
        )


def _no_reml(function: str, value: Any) -> None:
    if optional_flag("REML", value):
        raise ArgumentError(
            f"{function}: REML is for linear mixed models; a generalized one is fitted by maximum likelihood"
        )
