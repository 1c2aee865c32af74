"""The likelihood of a model at its estimates, and how well the optimisation ended."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..checks import positive_number
from ..fit.endpoint.certificate import TOLERANCE as CONVERGENCE_TOLERANCE
from ..fit.endpoint.singularity import TOLERANCE as SINGULAR_TOLERANCE
from ..fit.record import Convergence
from ..inference.estimates import criteria
from ..inference.estimates.convergence import ConvergenceCheck, check_convergence, is_singular
from ..inference.estimates.criteria import LogLik
from ..inference.likelihood.conditional_aic import ConditionalAIC, Method, conditional_aic
from ..public import public
from .holder import Holder


class Likelihood(Holder):
    """Log-likelihood, information criteria and checks of convergence."""

    __slots__ = ()

    @property
    def objective(self) -> float:
        """The minimised criterion: the REML criterion, or -2 log-likelihood."""
        return self._fitted.estimates.objective

    @property
    def nobs(self) -> int:
        """Number of observations used."""
        return self._fitted.n_obs

    @property
    def df(self) -> int:
        """Number of estimated parameters: coefficients, covariance parameters, dispersion."""
        return self._fitted.n_parameters

    @property
    def df_residual(self) -> int:
        """Number of observations minus `df`. R: ``df.residual(m)``."""
        return self._fitted.n_obs - self._fitted.n_parameters

    @property
    def convergence(self) -> Convergence:
        """How the optimisation ended: status, gradient at the end, messages, log of all evaluations."""
        return self._fitted.convergence

    @property
    def converged(self) -> bool:
        """Whether the estimates are an optimum, see `convergence`; False if nothing was optimised."""
        return self._fitted.convergence.converged

    @property
    def n_evaluations(self) -> int:
        """Number of evaluations of the objective by the optimizer."""
        return self._fitted.convergence.n_evaluations

    @public
    def logLik(self, REML: bool | None = None) -> LogLik:
        """
        Log-likelihood; restricted for a fit by REML.

        Parameters
        ----------
        REML : bool, optional
            Which of the two, at the estimated theta; by default the one of the fit. Linear models only.

        Returns
        -------
        LogLik
            A float with attributes ``df`` and ``nobs``.

        Raises
        ------
        ArgumentError
            When `REML` is given for a generalized model.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy()).logLik()
        -871.8141 (restricted log-likelihood, df = 6, nobs = 180)
        """
        return criteria.log_likelihood(self._fitted, REML)

    @public
    def deviance(self, REML: bool | None = None) -> float:
        """
        -2 log-likelihood, or the REML criterion of a fit by REML.

        The deviance of a generalized model is not relative to the saturated model, unlike R's ``deviance``.

        Parameters
        ----------
        REML : bool, optional
            True for the REML criterion, False for -2 log-likelihood, at the estimated theta; by default the
            criterion of the fit. Linear models only.

        Returns
        -------
        float

        Raises
        ------
        ArgumentError
            When `REML` is given for a generalized model.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> round(m.deviance(), 3), round(m.deviance(REML=False), 3)
        (1743.628, 1751.986)
        """
        return criteria.deviance(self._fitted, REML)

    @public
    def REMLcrit(self) -> float:
        """
        REML criterion of a fit by REML.

        Returns
        -------
        float

        Raises
        ------
        ArgumentError
            For a fit by maximum likelihood.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> round(lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy()).REMLcrit(), 3)
        1743.628
        """
        return criteria.reml_criterion(self._fitted)

    @public
    def AIC(self) -> float:
        """
        Akaike's information criterion; from the restricted likelihood for a fit by REML.

        Returns
        -------
        float

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> round(lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy(), REML=False).AIC(), 2)
        1763.94
        """
        return criteria.aic(self._fitted)

    @public
    def AICc(self) -> float:
        """
        Akaike's information criterion with the correction for small samples (Hurvich & Tsai 1989).

        Returns
        -------
        float
            Infinite unless there are at least two more observations than parameters.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> round(lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy(), REML=False).AICc(), 2)
        1764.42
        """
        return criteria.aicc(self._fitted)

    @public
    def BIC(self) -> float:
        """
        Schwarz's Bayesian information criterion, with the number of observations as sample size.

        Returns
        -------
        float

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> round(lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy(), REML=False).BIC(), 2)
        1783.1
        """
        return criteria.bic(self._fitted)

    @public
    def cAIC(self, method: Method = "greven-kneib") -> ConditionalAIC:
        """
        Conditional AIC, for predictions of the groups in the data rather than of new groups.

        Parameters
        ----------
        method : {"greven-kneib", "vaida-blanchard"}, default "greven-kneib"
            How the effective degrees of freedom allow for the estimation of the variances: the trace of the
            exact derivative of the fitted values with respect to the response, with variances re-estimated
            (Greven & Kneib 2010), or with variances treated as known (Vaida & Blanchard 2005). Both add one
            for the residual variance. Entries of theta on the boundary are treated as known.

        Returns
        -------
        ConditionalAIC
            A float with attributes ``logLik``, ``df``, ``method`` and ``notes``.

        Raises
        ------
        ArgumentError
            For a generalized model.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> c = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy()).cAIC()
        >>> round(float(c), 2), round(c.df, 3)
        (1711.52, 31.253)
        """
        return conditional_aic(self._fitted, method)

    @public
    def is_singular(
        self, tol: float = SINGULAR_TOLERANCE, theta: Sequence[float] | NDArray[np.float64] | None = None
    ) -> bool:
        """
        Whether some covariance matrix of random effects is singular.

        Parameters
        ----------
        tol : float, default 1e-5
            Smallest standard deviation that counts as positive, in any direction of the random effects of a
            term: relative to sigma on the scale of the response, for a generalized model on the scale of
            the linear predictor.
        theta : array-like of shape (n_theta,), optional
            Covariance parameters; by default the estimates.

        Returns
        -------
        bool

        Raises
        ------
        ArgumentError
            For a `tol` that is not positive, and a `theta` of another length or outside its bounds.

        Examples
        --------
        >>> from mixedmodels import lmer, load_dyestuff
        >>> lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff()).is_singular()
        False
        """
        return is_singular(self._fitted, positive_number("tol", tol), theta)

    isSingular = is_singular

    @public
    def checkConv(self, tol: float = CONVERGENCE_TOLERANCE) -> ConvergenceCheck:
        """
        Check the optimum by the exact gradient g and Hessian H of the objective.

        Parameters
        ----------
        tol : float, default 1e-5
            Largest predicted decrease g'H⁻¹g/2 of the objective that passes, in units of -2 log-likelihood.
            It does not depend on the units of the data.

        Returns
        -------
        ConvergenceCheck
            With ``ok``, ``messages``, ``gradient``, ``hessian``, ``hessian_eigenvalues`` and
            ``predicted_fall``.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy()).checkConv().ok
        True
        """
        return check_convergence(self._fitted, tol)
