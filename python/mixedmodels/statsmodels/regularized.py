"""`MixedLM.fit_regularized`: the lasso on the fixed effects, at the covariances of the plain fit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .engine import state_at
from .fitting import check_penalty
from .likelihood import evaluate
from .results import MixedLMResults
from .wrapper import MixedLMResultsWrapper


class Regularized:
    """The fit of a :class:`MixedLM` with a penalty on the fixed effects."""

    def fit_regularized(
        self: Any,
        start_params: Any = None,
        method: Any = "l1",
        alpha: ArrayLike = 0,
        ceps: float = 1e-4,
        ptol: float = 1e-6,
        maxit: int = 200,
        **fit_kwargs: Any,
    ) -> MixedLMResultsWrapper:
        """
        Fit the model with a penalty on the fixed effects.

        Parameters
        ----------
        start_params : MixedLMParams or array-like, optional
            As of :meth:`MixedLM.fit`.
        method : "l1" or Penalty, default "l1"
            The lasso by coordinate descent, with the covariances of the fit without a penalty held; or a
            smooth penalty of statsmodels, which goes to ``fit(fe_pen=...)`` with its weights times `alpha`.
        alpha : float or array-like of shape (k_fe,), default 0
            Weights of the absolute coefficients, of which the penalty subtracts the sum from the
            log-likelihood times two.
        ceps : float, default 1e-4
            Coefficients that are smaller in absolute value are zero.
        ptol : float, default 1e-6
            The largest change of a coefficient in the last sweep.
        maxit : int, default 200
            Sweeps at most.
        **fit_kwargs
            Further arguments of :meth:`MixedLM.fit`.

        Returns
        -------
        MixedLMResultsWrapper

        Raises
        ------
        ValueError
            For another method, and weights that are negative or of a wrong number.

        References
        ----------
        Friedman, Hastie & Tibshirani (2010), Regularization paths for generalized linear models via
        coordinate descent, Journal of Statistical Software 33(1).
        """
        if not isinstance(method, str):
            check_penalty("method", method)
            method.alpha = alpha
            return self.fit(start_params=start_params, fe_pen=method, **fit_kwargs)
        if method.lower() != "l1":
            raise ValueError(f"method must be 'l1' or a Penalty, not {method!r}")
        weights = _weights(alpha, self.k_fe)
        free = self.fit(start_params=start_params, **fit_kwargs)
        own = free._results
        found = evaluate(self, own.params_object, profile_fe=True)
        kept = self.kept
        y = found.xvx @ found.fe_params[kept]
        lasso, converged = coordinate_descent(
            found.xvx / free.scale, y / free.scale, weights[kept], found.fe_params[kept], ptol, maxit
        )
        params = own.params_object.copy()
        params.fe_params = np.zeros(self.k_fe)
        params.fe_params[kept] = np.where(np.abs(lasso) < ceps, 0.0, lasso)
        fitted, layout = state_at(self, params, coefficients=True)
        scale = self.get_scale(params.fe_params, params.cov_re, params.vcomp)
        return MixedLMResultsWrapper(
            MixedLMResults(
                self,
                fitted,
                params,
                scale=scale,
                reml=own.reml,
                method=own.method,
                converged=bool(own.converged and converged),
                hist=own.hist,
                freepat=own.freepat,
                cov_pen=self.cov_pen,
                fe_pen=None,
                layout=layout,
            )
        )


def _weights(alpha: Any, k_fe: int) -> NDArray[np.float64]:
    """The argument `alpha`, a weight for each fixed effect."""
    try:
        weights = np.asarray(alpha, dtype=np.float64)
    except (TypeError, ValueError):
        weights = np.array(np.nan)
    if weights.shape not in ((), (1,), (k_fe,)):
        raise ValueError(
            f"alpha must be a number, or {k_fe} numbers for the fixed effects; its shape is {weights.shape}"
        )
    if np.any(weights < 0) or not np.all(np.isfinite(weights)):
        raise ValueError(f"alpha must be finite numbers that are not negative, not {alpha!r}")
    return np.broadcast_to(weights, (k_fe,))


def coordinate_descent(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    weights: NDArray[np.float64],
    start: NDArray[np.float64],
    tolerance: float,
    sweeps: int,
) -> tuple[NDArray[np.float64], bool]:
    """
    The minimum of β'aβ - 2b'β + Σ weights |β|, which is that of the lasso on whitened data.

    Parameters
    ----------
    a : ndarray, shape (p, p)
        X'V⁻¹X.
    b : ndarray, shape (p,)
        X'V⁻¹y.
    weights : ndarray, shape (p,)
    start : ndarray, shape (p,)
    tolerance : float
        The largest change of a coefficient in the last sweep.
    sweeps : int

    Returns
    -------
    beta : ndarray, shape (p,)
    converged : bool
    """
    beta = start.copy()
    if not np.any(weights):
        return beta, True
    for _ in range(sweeps):
        before = beta.copy()
        for j in range(len(beta)):
            rest = b[j] - a[j] @ beta + a[j, j] * beta[j]
            beta[j] = np.sign(rest) * max(abs(rest) - 0.5 * weights[j], 0.0) / a[j, j]
        if np.max(np.abs(beta - before), initial=0.0) < tolerance:
            return beta, True
    return beta, False
