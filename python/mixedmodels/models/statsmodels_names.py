"""Attributes of a model by the names that users of statsmodels know."""

from __future__ import annotations

import numpy as np
import pandas as pd  # pyright: ignore[reportMissingTypeStubs]
from numpy.typing import NDArray

from ..diagnostics import kinds as _kinds, residuals as _residuals
from ..inference.estimates import criteria, fixed_effects
from ..inference.hypotheses.coefficient_tests import p_values, t_values
from ..inference.hypotheses.confidence_limits import interval
from ..public import public
from .arguments import DdfName, Vcov
from .holder import Holder


class StatsmodelsNames(Holder):
    """Synonyms; the documentation lists them beside lme4's names."""

    __slots__ = ()

    @property
    def params(self) -> pd.Series:
        """Coefficients by name: `fixef`."""
        return fixed_effects.fixed_effects(self._fitted)

    @property
    def bse(self) -> pd.Series:
        """Standard errors of the coefficients by name: `se`."""
        fixed_effects.warn_if_conditional(self._fitted)
        return fixed_effects.standard_errors(self._fitted)

    @property
    def tvalues(self) -> pd.Series:
        """Coefficients divided by their standard errors, by name."""
        return t_values(self._fitted)

    @property
    def pvalues(self) -> pd.Series:
        """P-values of the coefficients: by Satterthwaite's t tests, for a generalized model by z tests."""
        return p_values(self._fitted)

    @property
    def llf(self) -> float:
        """Log-likelihood, restricted for a fit by REML: `logLik`."""
        return float(criteria.log_likelihood(self._fitted))

    @property
    def aic(self) -> float:
        """Akaike's information criterion: `AIC`."""
        return criteria.aic(self._fitted)

    @property
    def bic(self) -> float:
        """Schwarz's Bayesian information criterion: `BIC`."""
        return criteria.bic(self._fitted)

    @property
    def df_resid(self) -> int:
        """Number of observations minus rank of the fixed-effects model matrix; R's is `df_residual`."""
        return self._fitted.n_obs - self._fitted.rank

    @property
    def fittedvalues(self) -> NDArray[np.float64]:
        """Fitted means given the random effects, shape (n,): `fitted`."""
        return _residuals.fitted_values(self._fitted)

    @property
    def resid(self) -> NDArray[np.float64]:
        """Residuals of the model's default type, shape (n,): `residuals`."""
        return _kinds.residuals(self._fitted)

    @public
    def cov_params(self) -> pd.DataFrame:
        """
        Covariance matrix of the coefficients: `vcov`.

        Returns
        -------
        DataFrame, shape (p, p)

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> round(float(m.cov_params().loc["Days", "Days"]), 3)
        2.389
        """
        return fixed_effects.covariance_matrix(self._fitted)

    @public
    def conf_int(
        self, alpha: float = 0.05, ddf: DdfName | None = None, vcov: Vcov | None = None
    ) -> pd.DataFrame:
        """
        Confidence limits of the coefficients in columns 0 and 1: `confint` without variance parameters.

        Parameters
        ----------
        alpha : float, default 0.05
            One minus the confidence level.
        ddf : {"satterthwaite", "kenward-roger", "residual", "inf"}, optional
            Degrees of freedom of the t quantiles; by default Satterthwaite's, for a generalized model "inf".
        vcov : RobustCovariance or array-like of shape (rank, rank), optional
            Covariance matrix of the coefficients: from `vcov_cluster`, with its degrees of freedom, or a
            matrix, which goes with normal and χ² distributions unless ``ddf="residual"``; by default the
            model's own.

        Returns
        -------
        DataFrame, shape (p, 2)

        Raises
        ------
        ArgumentError
            For an `alpha` outside (0, 1), and a covariance matrix of another model.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> m.conf_int().round(2).loc["Days"].to_list()
        [7.21, 13.73]
        """
        return interval(self._fitted, alpha, ddf=ddf, vcov=vcov)
