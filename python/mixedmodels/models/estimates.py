"""Estimates of a model: coefficients, random effects, variances, and their covariance matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd  # pyright: ignore[reportMissingTypeStubs]
from numpy.typing import NDArray

from ..inference.estimates import fixed_effects, random_effects, variance_parameters
from ..inference.estimates.random_effects import RandomEffects
from ..public import public
from ..report.varcorr import VarianceComponents, var_corr
from . import components
from .holder import Holder


class Estimates(Holder):
    """Coefficients, random effects and variance parameters."""

    __slots__ = ()

    @property
    def theta(self) -> NDArray[np.float64]:
        """
        Covariance parameters, shape (n_theta,).

        Column by column, the lower triangles of the relative covariance factors of the terms.
        """
        return self._fitted.estimates.theta

    @property
    def beta(self) -> NDArray[np.float64]:
        """Fixed-effects coefficients, shape (p,); NaN for dropped columns."""
        return self._fitted.estimates.beta

    @property
    def se(self) -> pd.Series:
        """Standard errors of the coefficients by name, see `vcov`; NaN for dropped and held ones."""
        fixed_effects.warn_if_conditional(self._fitted)
        return fixed_effects.standard_errors(self._fitted)

    @property
    def rank(self) -> int:
        """Rank of the fixed-effects model matrix."""
        return self._fitted.rank

    @property
    def dropped_columns(self) -> tuple[str, ...]:
        """Columns of the fixed-effects model matrix that are linear combinations of earlier ones."""
        return fixed_effects.dropped_columns(self._fitted)

    @property
    def ngrps(self) -> dict[str, int]:
        """Number of levels of each grouping factor."""
        return random_effects.numbers_of_levels(self._fitted)

    @public
    def fixef(self, add_dropped: bool = True) -> pd.Series:
        """
        Fixed-effects coefficients by name.

        Parameters
        ----------
        add_dropped : bool, default True
            Include columns dropped as linearly dependent, as NaN.

        Returns
        -------
        Series, shape (p,)

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> m.fixef().round(3).to_dict()
        {'(Intercept)': 251.405, 'Days': 10.467}
        """
        return fixed_effects.fixed_effects(self._fitted, add_dropped)

    @public
    def ranef(self, condVar: bool = False, uscale: bool = False) -> RandomEffects:
        """
        Conditional modes of the random effects.

        Parameters
        ----------
        condVar : bool, default False
            Also compute the conditional covariance matrices: attribute ``condvar`` of the result, and
            ``condvar_frame()``.
        uscale : bool, default False
            The spherical effects u with b = Λu, whose variance is sigma² (1 for a generalized model) for all
            effects, instead of b.

        Returns
        -------
        RandomEffects
            Mapping from grouping factor to a data frame of levels by effects; ``to_frame()`` is in long form.

        Raises
        ------
        ArgumentError
            For `condVar` and `uscale` together, and values other than True and False.

        Warnings
        --------
        Conditional variances treat the estimated coefficients and variances as known, and are zero where a
        variance is estimated as zero. In small samples, effect ± 1.96 conditional standard deviations covers
        the true effect in fewer than 95 % of cases: in simulations, 54 to 86 % for five to ten groups of two
        to five rows, and 92 to 94 % for 50 groups of ten rows.

        Examples
        --------
        >>> from mixedmodels import lmer, load_dyestuff
        >>> m = lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff())
        >>> m.ranef()["Batch"].shape
        (6, 1)
        """
        return random_effects.random_effects(self._fitted, condVar, uscale)

    @public
    def coef(self) -> dict[str, pd.DataFrame]:
        """
        Coefficients of each level: the fixed effects plus the level's random effects.

        Returns
        -------
        dict of str to DataFrame
            For each grouping factor, levels by coefficients. A random effect without a fixed counterpart has
            a column of its own.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> m.coef()["Subject"].loc["308"].round(2).to_dict()
        {'(Intercept)': 253.66, 'Days': 19.67}
        """
        return random_effects.group_coefficients(self._fitted)

    @public
    def VarCorr(self) -> VarianceComponents:
        """
        Standard deviations and correlations of the random effects.

        Returns
        -------
        VarianceComponents
            Mapping from grouping factor to ``group, names, sd, corr, cov``. It prints as a table, and
            ``to_frame()`` has the columns of R's ``as.data.frame(VarCorr(m))``.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> m.VarCorr()["Subject"].sd.round(2)
        array([24.74,  5.92])
        """
        return var_corr(self._fitted)

    @public
    def vcov(self, complete: bool = True, conditional: bool = False) -> pd.DataFrame:
        """
        Covariance matrix of the fixed-effects coefficients.

        For a linear model σ²(X'V⁻¹X)⁻¹ at the estimated variances. For a generalized model from the Hessian
        of -2 log-likelihood in all parameters, so that standard errors allow for the uncertainty of theta and
        the dispersion; parameters on the boundary and directions that the data do not determine are left out.

        Parameters
        ----------
        complete : bool, default True
            Include rows and columns of NaN for dropped coefficients.
        conditional : bool, default False
            Treat theta and the dispersion as known (R: ``vcov(m, use.hessian = FALSE)``). A linear model has
            only this matrix.

        Returns
        -------
        DataFrame, shape (p, p)
            Its ``attrs`` identify the model: as ``vcov`` of another model it is refused, also after
            arithmetic such as ``2 * m.vcov()``. An array made from it (``to_numpy()``) cannot be checked.

        Warns
        -----
        MixedModelsWarning
            When a generalized model has only the conditional matrix: for nAGQ = 0, or where the Hessian is
            not positive definite.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> m.vcov().round(3)
                     (Intercept)   Days
        (Intercept)       46.575 -1.451
        Days              -1.451  2.389
        """
        return fixed_effects.covariance_matrix(self._fitted, complete, conditional)

    @public
    def corr_fixef(self, complete: bool = True) -> pd.DataFrame:
        """
        Correlation matrix of the fixed-effects coefficients. R: ``cov2cor(vcov(m))``.

        Parameters
        ----------
        complete : bool, default True
            Include rows and columns of NaN for dropped coefficients.

        Returns
        -------
        DataFrame, shape (p, p)

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> round(float(m.corr_fixef().loc["(Intercept)", "Days"]), 3)
        -0.138
        """
        return fixed_effects.correlation(self._fitted, complete)

    @public
    def hessian(self) -> pd.DataFrame:
        """
        Exact Hessian of the objective at the estimates.

        The objective of a linear model is -2 log-likelihood or the REML criterion as a function of theta,
        with sigma and the coefficients profiled out. For a generalized model it is -2 log-likelihood as a
        function of theta, the coefficients (except with nAGQ = 0) and the log of the dispersion.
        R: ``m@optinfo$derivs$Hessian``, which lme4 computes by finite differences.

        Returns
        -------
        DataFrame, shape (m, m)

        Examples
        --------
        >>> from mixedmodels import lmer, load_dyestuff
        >>> lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff(), REML=False).hessian().round(3)
                           Batch.(Intercept)
        Batch.(Intercept)             18.515
        """
        return variance_parameters.hessian(self._fitted)

    @public
    def vcov_theta(self) -> pd.DataFrame:
        """
        Asymptotic covariance matrix of theta and of sigma, or of the log of the dispersion.

        Part of twice the inverse of the exact Hessian of the objective, see `vcov_parameters`. Parameters on
        the boundary (a variance estimated as zero), where the asymptotics do not hold, are left out of the
        inverse and NaN; so are parameters that the data do not determine. All entries are NaN if the
        estimates are not a minimum.

        Returns
        -------
        DataFrame, shape (n_theta + 1, n_theta + 1)
            For a family without a dispersion parameter, shape (n_theta, n_theta).

        Warns
        -----
        UndeterminedWarning
            When the objective is constant in some direction of theta.

        Examples
        --------
        >>> from mixedmodels import lmer, load_dyestuff
        >>> lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff()).vcov_theta().round(3)
                           Batch.(Intercept)   sigma
        Batch.(Intercept)              0.142  -1.118
        sigma                         -1.118  51.068
        """
        return variance_parameters.theta_covariance(self._fitted)

    @public
    def vcov_parameters(self) -> pd.DataFrame:
        """
        Asymptotic covariance matrix of all parameters of the objective, see `vcov_theta` and `hessian`.

        The coefficients of a linear model are profiled out of its objective, which leaves theta and sigma.

        Returns
        -------
        DataFrame, shape (m, m)

        Warns
        -----
        UndeterminedWarning
            When the objective is constant in some direction of theta.

        Examples
        --------
        >>> from mixedmodels import glmer, load_cbpp
        >>> m = glmer("cbind(incidence, size - incidence) ~ 1 + (1 | herd)", load_cbpp(), "binomial")
        >>> m.vcov_parameters().round(3)
                          herd.(Intercept)  (Intercept)
        herd.(Intercept)             0.038       -0.005
        (Intercept)                 -0.005        0.059
        """
        return variance_parameters.covariance(self._fitted)

    @public
    def getME(self, name: str | Sequence[str]) -> Any:
        """
        A component of the model by the name that lme4 gives it.

        Parameters
        ----------
        name : str or list of str
            For example ``"X"``, ``"Zt"`` (scipy sparse), ``"Lambda"``, ``"theta"`` or ``"devcomp"``;
            ``"ALL"`` for a dict of all of them. ``"A"`` is the cross-product [Z X y]'W[Z X y], without
            dropped columns and with the offset taken from y; ``"L"`` the sparse Cholesky factor with
            ``LL' = (Λ'Z'WZΛ + I)[perm][:, perm]``, ``"perm"`` its order, and ``"RZX"`` and ``"RX"`` the rest
            of the factor. W are the prior weights; for a generalized model W and y are those of a weighted
            least-squares step at the modes, with the expected information. (``"RX"`` and ``"devcomp"`` have
            the information of the fit, which differs from it unless the link is canonical.)

        Returns
        -------
        object
            For several names, a dict.

        Raises
        ------
        ArgumentError
            For an unknown name; the message lists the known ones.

        Examples
        --------
        >>> from mixedmodels import lmer, load_dyestuff
        >>> lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff()).getME("Zt").shape
        (6, 30)
        """
        return components.get_component(self._fitted, name)
