"""The likelihood of a model as methods, with the penalties of its last fit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ArgumentError
from .distribution import Distribution
from .engine import state_at
from .hessian import hessian
from .likelihood import Covariance, Evaluation, evaluate, in_root
from .params import MixedLMParams, as_params, check_sizes

Array = NDArray[np.float64]
# With more effects in a group than this, the engine's sparse factor is faster than dense matrices.
_LARGE = 500


class LikelihoodMethods:
    """The likelihood of a :class:`MixedLM` at any parameters; the scale is always profiled out."""

    k_fe: int
    k_re: int
    k_re2: int
    k_vc: int
    use_sqrt: bool
    reml: bool
    fe_pen: Any
    cov_pen: Any
    _freepat: Any
    groups_of_rows: Any
    products: Any
    largest: int
    kept: NDArray[np.intp]

    def unpacked(self, params: MixedLMParams | ArrayLike, has_fe: bool, use_sqrt: bool | None = None) -> Any:
        """Parameters as an object: packed ones have fixed effects if `has_fe`, or if their number says so."""
        if self.groups_of_rows is None:
            raise ArgumentError("remove_data() has removed the data; the likelihood needs them")
        given = as_params(params)
        if given is not None:
            return check_sizes(given, self, "params")
        packed = np.asarray(params, dtype=np.float64).ravel()
        few = self.k_re2 + self.k_vc
        if len(packed) not in (few, few + self.k_fe):
            raise ValueError(
                f"params has {len(packed)} entries; the model has {few} covariance parameters, and "
                f"{few + self.k_fe} with the fixed effects"
            )
        has_fe = has_fe if self.k_fe == 0 else len(packed) == few + self.k_fe
        root = self.use_sqrt if use_sqrt is None else use_sqrt
        return MixedLMParams.from_packed(packed, self.k_fe, self.k_re, root, has_fe)

    def loglike(self, params: MixedLMParams | ArrayLike, profile_fe: bool = True) -> float:
        """
        Log-likelihood, restricted under REML, less the penalties of the last fit.

        Parameters
        ----------
        params : MixedLMParams or array-like of shape (k_re2 + k_vc,) or (k_fe + k_re2 + k_vc,)
            Covariance parameters relative to the residual variance, packed as the model's `use_sqrt` says.
        profile_fe : bool, default True
            Whether the best fixed effects replace those of `params`.

        Returns
        -------
        float
            -inf where the covariance matrix of the responses is not positive definite.
        """
        own = self.unpacked(params, has_fe=False)
        if not self.covariance(own.cov_re, own.vcomp).proper:
            return -np.inf
        penalized = self.fe_pen is not None or self.cov_pen is not None
        if self.largest > _LARGE and profile_fe and not penalized:
            return -0.5 * float(state_at(self, own, coefficients=False)[0].estimates.objective)
        found = evaluate(self, own, profile_fe)
        value = found.loglike
        if self.fe_pen is not None:
            value -= float(self.fe_pen.func(found.fe_params))
        if self.cov_pen is not None and self.k_re:
            cov = np.asarray(own.cov_re, dtype=np.float64)
            value -= float(self.cov_pen.func(cov, np.linalg.pinv(cov)))
        return float(value)

    def score(self, params: MixedLMParams | ArrayLike, profile_fe: bool = True) -> Array:
        """
        Derivatives of the log-likelihood in the packed parameters, as the model's `use_sqrt` says.

        They are zero for what the last fit held by a mask, as in statsmodels.

        Parameters
        ----------
        params : MixedLMParams or array-like
            As for :meth:`loglike`.
        profile_fe : bool, default True
            Whether the best fixed effects replace those of `params`.

        Returns
        -------
        ndarray, shape (k_re2 + k_vc,), or (k_fe + k_re2 + k_vc,) without `profile_fe`
        """
        fixed, re, vc = self.score_parts(params, profile_fe, root=self.use_sqrt)
        if self._freepat is not None:
            fixed = fixed * self._freepat.fe_params
            re, vc = re * self._freepat.cov_re[self._freepat._ix], vc * self._freepat.vcomp
        return np.concatenate([re, vc] if profile_fe else [fixed, re, vc])

    def score_full(
        self, params: MixedLMParams | ArrayLike, calc_fe: bool = True
    ) -> tuple[Array, Array, Array]:
        """
        Derivatives in fixed effects, covariances and variances at given fixed effects.

        Parameters
        ----------
        params : MixedLMParams or array-like
            As for :meth:`loglike`, with fixed effects.
        calc_fe : bool, default True
            Whether to return the first; it is zero otherwise.

        Returns
        -------
        tuple of ndarray, shapes (k_fe,), (k_re2,), (k_vc,)
        """
        fixed, re, vc = self.score_parts(params, profile_fe=False, root=False)
        return fixed if calc_fe else np.zeros(self.k_fe), re, vc

    def score_sqrt(
        self, params: MixedLMParams | ArrayLike, calc_fe: bool = True
    ) -> tuple[Array, Array, Array]:
        """
        Derivatives in fixed effects, Cholesky factor and standard deviations at given fixed effects.

        Parameters
        ----------
        params : MixedLMParams or array-like
            As for :meth:`loglike`, with fixed effects.
        calc_fe : bool, default True
            Whether to return the first; it is zero otherwise.

        Returns
        -------
        tuple of ndarray, shapes (k_fe,), (k_re2,), (k_vc,)
        """
        fixed, re, vc = self.score_parts(params, profile_fe=False, root=True)
        return fixed if calc_fe else np.zeros(self.k_fe), re, vc

    def hessian(self, params: MixedLMParams | ArrayLike) -> tuple[Array, bool]:
        """
        Hessian of the log-likelihood in fixed effects, covariances and variances (not their roots).

        Parameters
        ----------
        params : MixedLMParams or array-like
            As for :meth:`loglike`, with fixed effects.

        Returns
        -------
        hessian : ndarray, shape (k_fe + k_re2 + k_vc, k_fe + k_re2 + k_vc)
        singular : bool
            Whether the covariance matrix is singular. The Hessian is exact there, too.
        """
        own = self.unpacked(params, has_fe=True)
        inner = hessian(evaluate(self, own, profile_fe=False))
        size = self.k_fe + self.k_re2 + self.k_vc
        places = np.concatenate([self.kept, np.arange(self.k_fe, size)])
        found = np.zeros((size, size))
        found[np.ix_(places, places)] = inner
        return found, is_singular(own)

    def information(self, params: MixedLMParams | ArrayLike) -> Array:
        """
        Observed information: minus the Hessian.

        Parameters
        ----------
        params : MixedLMParams or array-like
            As for :meth:`loglike`, with fixed effects.

        Returns
        -------
        ndarray, shape (k_fe + k_re2 + k_vc, k_fe + k_re2 + k_vc)
        """
        return -self.hessian(params)[0]

    def get_fe_params(self, cov_re: ArrayLike, vcomp: ArrayLike, tol: float = 1e-10) -> tuple[Array, bool]:
        """
        Generalized least squares estimates of the fixed effects.

        Parameters
        ----------
        cov_re : array-like of shape (k_re, k_re)
            Covariance matrix relative to the residual variance; it may be singular.
        vcomp : array-like of shape (k_vc,)
            Variance components relative to the residual variance; they may be zero.
        tol : float, default 1e-10
            The variance below which the second value is True. The estimates do not depend on it.

        Returns
        -------
        fe_params : ndarray, shape (k_fe,)
            Zero for columns of `exog` that depend on others.
        singular : bool
        """
        own = MixedLMParams.from_components(np.zeros(self.k_fe), cov_re=cov_re, vcomp=vcomp)
        return evaluate(self, own, profile_fe=True).fe_params, is_singular(own, tol)

    def get_scale(self, fe_params: ArrayLike, cov_re: ArrayLike, vcomp: ArrayLike) -> float:
        """
        Estimate of the residual variance.

        Parameters
        ----------
        fe_params : array-like of shape (k_fe,)
            Fixed effects.
        cov_re : array-like of shape (k_re, k_re)
            Covariance matrix relative to the residual variance.
        vcomp : array-like of shape (k_vc,)
            Variance components relative to the residual variance.

        Returns
        -------
        float
        """
        own = MixedLMParams.from_components(fe_params, cov_re=cov_re, vcomp=vcomp)
        found = evaluate(self, own, profile_fe=False)
        return found.rvr / found.df

    def get_distribution(
        self, params: ArrayLike, scale: float, exog: ArrayLike | None = None
    ) -> Distribution:
        """
        The distribution of the response, to draw from.

        Parameters
        ----------
        params : array-like of shape (k_fe + k_re2 + k_vc,)
            Packed fixed effects, covariances and variances, the last two relative to `scale`.
        scale : float
            Residual variance.
        exog : array-like of shape (n, k_fe), optional
            Fixed-effects columns; by default those of the model.

        Returns
        -------
        object
            Its method ``rvs(n, rng=None)`` draws a response, shape (n,), with new random effects.
        """
        own = self.unpacked(params, has_fe=True, use_sqrt=False)
        return Distribution(self, own, float(scale), exog)

    def covariance(self, cov_re: ArrayLike, vcomp: ArrayLike) -> Covariance:
        """The covariance matrix of the responses, relative to the residual variance."""
        return Covariance(self.products, np.atleast_2d(cov_re), np.asarray(vcomp))

    def score_parts(self, params: Any, profile_fe: bool, root: bool) -> tuple[Array, Array, Array]:
        """Derivatives in fixed effects, cov_re and vcomp, or with `root` in their roots."""
        own = self.unpacked(params, has_fe=not profile_fe)
        found: Evaluation = evaluate(self, own, profile_fe)
        inner, re, vc = found.score
        fixed = np.zeros(self.k_fe)
        fixed[self.kept] = inner
        if self.fe_pen is not None:
            fixed -= self.fe_pen.deriv(found.fe_params)
        if self.cov_pen is not None and self.k_re:
            cov = np.asarray(own.cov_re, dtype=np.float64)
            re = re - self.cov_pen.deriv(cov, np.linalg.pinv(cov))
        if root:
            re, vc = in_root(own, re, vc)
        return fixed, re, vc


def is_singular(params: MixedLMParams, tol: float = 1e-10) -> bool:
    """Whether a variance, or one of a linear combination of effects, is zero."""
    smallest = np.linalg.eigvalsh(params.cov_re).min() if params.k_re else np.inf
    return bool(min(smallest, np.min(params.vcomp, initial=np.inf)) < tol)
