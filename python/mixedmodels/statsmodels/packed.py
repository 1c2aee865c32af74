"""The optimum of the penalized likelihood, or under any mask: BFGS on the parameters that are free."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from .likelihood import in_factor
from .params import MixedLMParams, lower_root

Array = NDArray[np.float64]


def optimize_packed(
    model: Any, start: MixedLMParams, free: MixedLMParams
) -> tuple[MixedLMParams, bool, dict[str, Any]]:
    """
    Maximize the likelihood of a model, less its penalties.

    Parameters
    ----------
    model : MixedLM
    start : MixedLMParams
        Where to start, and the values of what is held.
    free : MixedLMParams
        The mask.

    Returns
    -------
    params : MixedLMParams
    converged : bool
    record : dict
    """
    space = _Space(model, start, free)
    if not len(space.start):
        params = space.params(space.start)
        params.fe_params = model.get_fe_params(params.cov_re, params.vcomp)[0]
        return params, True, {"fopt": model.loglike(params), "iterations": 0, "converged": True}
    found = minimize(space.value, space.start, jac=space.gradient, method="BFGS", options={"gtol": 1e-7})
    params = space.params(found.x)
    if space.profiled:
        params.fe_params = model.get_fe_params(params.cov_re, params.vcomp)[0]
    # BFGS reports a loss of precision where no step helps; then the gradient decides.
    slope = float(np.max(np.abs(space.gradient(found.x)), initial=0.0))
    converged = bool(found.success or slope < 1e-4 * max(1.0, abs(found.fun)))
    record = {
        "fopt": -float(found.fun) * len(model.endog),
        "iterations": int(found.nit),
        "fcalls": int(found.nfev),
        "converged": converged,
        "message": str(found.message),
    }
    return params, converged, record


class _Space:
    """
    The parameters that are free, as one vector: fixed effects if penalized, covariances, standard deviations.

    Covariances are those of the Cholesky factor when all are free.
    """

    def __init__(self, model: Any, start: MixedLMParams, free: MixedLMParams) -> None:
        self._model, self._first = model, start
        lower = np.tril_indices(start.k_re)
        self._lower = lower
        self._re = np.flatnonzero(np.asarray(free.cov_re)[lower])
        self._vc = np.flatnonzero(free.vcomp)
        self._fe = np.flatnonzero(free.fe_params)
        self.profiled = model.fe_pen is None and len(self._fe) == model.k_fe
        self._rooted = len(self._re) == len(lower[0])
        fe_params = start.fe_params
        if model.fe_pen is not None and not np.any(fe_params):
            fe_params = model.get_fe_params(start.cov_re, start.vcomp)[0]
        cov = lower_root(start.cov_re) if self._rooted else np.asarray(start.cov_re)
        beta = np.zeros(0) if self.profiled else fe_params[self._fe]
        self.start = np.concatenate([beta, cov[lower][self._re], np.sqrt(start.vcomp)[self._vc]])

    def params(self, x: Array) -> MixedLMParams:
        """The parameters at a point."""
        found = self._first.copy()
        found.fe_params, found.vcomp = found.fe_params.astype(float), found.vcomp.astype(float)
        beta = 0 if self.profiled else len(self._fe)
        if beta:
            found.fe_params[self._fe] = x[:beta]
        rows, columns = self._lower[0][self._re], self._lower[1][self._re]
        own = x[beta : beta + len(rows)]
        if self._rooted:
            root = np.zeros_like(found.cov_re)
            root[rows, columns] = own
            found.cov_re = root @ root.T
        else:
            found.cov_re = np.array(found.cov_re, dtype=float)
            found.cov_re[rows, columns] = found.cov_re[columns, rows] = own
        found.vcomp[self._vc] = x[beta + len(rows) :] ** 2
        return found

    def value(self, x: Array) -> float:
        """Minus the likelihood per row; infinite without one."""
        params = self.params(x)
        if not np.all(np.isfinite(x)) or (params.k_re and np.linalg.eigvalsh(params.cov_re)[0] < -1e-12):
            return np.inf
        return -self._model.loglike(params, profile_fe=self.profiled) / len(self._model.endog)

    def gradient(self, x: Array) -> Array:
        """The gradient of `value`."""
        params = self.params(x)
        fixed, re, vc = self._model.score_parts(params, profile_fe=self.profiled, root=False)
        beta = 0 if self.profiled else len(self._fe)
        if self._rooted:
            root = np.zeros_like(params.cov_re)
            root[self._lower] = x[beta : beta + len(self._re)]
            re = in_factor(root, re)
        sds = x[len(x) - len(self._vc) :]
        parts = [fixed[self._fe] if beta else np.zeros(0), re[self._re], 2.0 * sds * vc[self._vc]]
        return -np.concatenate(parts) / len(self._model.endog)
