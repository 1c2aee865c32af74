"""The parameters of a model, and their packing into one vector."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


class MixedLMParams:
    """
    Parameters of a :class:`MixedLM`: fixed effects, a covariance matrix, variance components.

    Variances are relative to the residual variance (`scale`), which the likelihood profiles out. A mask for
    the argument ``free`` of :meth:`MixedLM.fit` is an object of this class with ones for what is estimated
    and zeros for what is held.

    Parameters
    ----------
    k_fe : int
        Number of fixed effects.
    k_re : int
        Number of correlated random coefficients.
    k_vc : int
        Number of variance components.

    Attributes
    ----------
    fe_params : ndarray, shape (k_fe,)
        Fixed effects.
    cov_re : ndarray, shape (k_re, k_re)
        Covariance matrix of the random coefficients, divided by the residual variance.
    vcomp : ndarray, shape (k_vc,)
        Variance components, divided by the residual variance.
    k_re2 : int
        Number of covariance parameters, ``k_re (k_re + 1) / 2``.
    k_tot : int
        Number of all parameters.

    Examples
    --------
    >>> import numpy as np
    >>> from mixedmodels.statsmodels import MixedLMParams
    >>> p = MixedLMParams.from_components([1.0], cov_re=np.array([[4.0, 2.0], [2.0, 5.0]]))
    >>> p.get_packed(use_sqrt=False, has_fe=True)
    array([1., 4., 2., 5.])
    >>> p.get_packed(use_sqrt=True)
    array([2., 1., 2.])
    """

    def __init__(self, k_fe: int, k_re: int, k_vc: int) -> None:
        self.k_fe, self.k_re, self.k_vc = int(k_fe), int(k_re), int(k_vc)
        self.k_re2 = self.k_re * (self.k_re + 1) // 2
        self.k_tot = self.k_fe + self.k_re2 + self.k_vc
        self.fe_params: NDArray[np.float64] = np.zeros(self.k_fe)
        self.cov_re: NDArray[np.float64] = np.zeros((self.k_re, self.k_re))
        self.vcomp: NDArray[np.float64] = np.zeros(self.k_vc)

    def __repr__(self) -> str:
        return f"MixedLMParams(fe_params={self.fe_params}, cov_re={self.cov_re}, vcomp={self.vcomp})"

    @property
    def _ix(self) -> tuple[Any, ...]:
        return np.tril_indices(self.k_re)

    @staticmethod
    def from_components(
        fe_params: ArrayLike | None = None,
        cov_re: ArrayLike | None = None,
        cov_re_sqrt: ArrayLike | None = None,
        vcomp: ArrayLike | None = None,
    ) -> MixedLMParams:
        """
        Parameters from their parts.

        Parameters
        ----------
        fe_params : array-like of shape (k_fe,), optional
            Fixed effects; none by default.
        cov_re : array-like of shape (k_re, k_re), optional
            Covariance matrix; none by default.
        cov_re_sqrt : array-like of shape (k_re, k_re), optional
            Its lower triangular square root, instead of `cov_re`.
        vcomp : array-like of shape (k_vc,), optional
            Variance components; none by default.

        Returns
        -------
        MixedLMParams

        Raises
        ------
        ValueError
            When the covariance matrix is not square.
        """
        fe = np.zeros(0) if fe_params is None else np.asarray(fe_params)
        vc = np.zeros(0) if vcomp is None else np.asarray(vcomp)
        if cov_re_sqrt is not None:
            root = np.atleast_2d(np.asarray(cov_re_sqrt))
            cov = root @ root.T
        else:
            cov = np.zeros((0, 0)) if cov_re is None else np.atleast_2d(np.asarray(cov_re))
        if cov.ndim != 2 or cov.shape[0] != cov.shape[1]:
            raise ValueError(f"cov_re must be a square matrix, not of shape {cov.shape}")
        found = MixedLMParams(len(fe), len(cov), len(vc))
        found.fe_params, found.cov_re, found.vcomp = fe, cov, vc
        return found

    @staticmethod
    def from_packed(params: ArrayLike, k_fe: int, k_re: int, use_sqrt: bool, has_fe: bool) -> MixedLMParams:
        """
        Parameters from one vector.

        Parameters
        ----------
        params : array-like of shape (k_fe + k_re2 + k_vc,) or (k_re2 + k_vc,)
            Fixed effects if `has_fe`, then the lower triangle row by row, then the variance components.
        k_fe : int
            Number of fixed effects.
        k_re : int
            Number of correlated random coefficients.
        use_sqrt : bool
            Whether the vector has the Cholesky factor and standard deviations instead of covariances and
            variances.
        has_fe : bool
            Whether the vector has the fixed effects; they are zero otherwise.

        Returns
        -------
        MixedLMParams

        Raises
        ------
        ValueError
            When the vector is too short.
        """
        packed = np.asarray(params, dtype=np.float64).ravel()
        first = k_fe if has_fe else 0
        k_re2 = k_re * (k_re + 1) // 2
        k_vc = len(packed) - first - k_re2
        if k_vc < 0:
            raise ValueError(f"params has {len(packed)} entries, but needs {first + k_re2} at least")
        found = MixedLMParams(k_fe, k_re, k_vc)
        if has_fe:
            found.fe_params = packed[:k_fe].copy()
        lower = np.zeros((k_re, k_re))
        lower[found._ix] = packed[first : first + k_re2]
        vcomp = packed[first + k_re2 :].copy()
        found.cov_re = lower @ lower.T if use_sqrt else lower + np.tril(lower, -1).T
        found.vcomp = vcomp**2 if use_sqrt else vcomp
        return found

    def get_packed(self, use_sqrt: bool, has_fe: bool = False) -> NDArray[np.float64]:
        """
        All parameters in one vector.

        Parameters
        ----------
        use_sqrt : bool
            Whether to pack the Cholesky factor and standard deviations instead of covariances and variances.
        has_fe : bool, default False
            Whether the fixed effects come first.

        Returns
        -------
        ndarray, shape (k_fe + k_re2 + k_vc,) or (k_re2 + k_vc,)
        """
        cov = np.asarray(self.cov_re, dtype=np.float64)
        vcomp = np.asarray(self.vcomp, dtype=np.float64)
        if use_sqrt:
            cov, vcomp = lower_root(cov), np.sqrt(vcomp)
        parts = [cov[self._ix], vcomp]
        return np.concatenate([np.asarray(self.fe_params, dtype=np.float64), *parts] if has_fe else parts)

    def copy(self) -> MixedLMParams:
        """
        A copy that shares nothing with the original.

        Returns
        -------
        MixedLMParams
        """
        other = MixedLMParams(self.k_fe, self.k_re, self.k_vc)
        other.fe_params = np.array(self.fe_params)
        other.cov_re = np.array(self.cov_re)
        other.vcomp = np.array(self.vcomp)
        return other


def as_params(given: Any) -> MixedLMParams | None:
    """Parameters as ours, those of statsmodels' own class too; None for what is no such object."""
    if isinstance(given, MixedLMParams):
        return given
    if not hasattr(given, "get_packed"):
        return None
    return MixedLMParams.from_components(given.fe_params, given.cov_re, vcomp=given.vcomp)


def check_sizes(given: MixedLMParams, model: Any, name: str) -> MixedLMParams:
    """Parameters, if there are as many as the model has; the message calls them `name`."""
    own, wanted = (given.k_fe, given.k_re, given.k_vc), (model.k_fe, model.k_re, model.k_vc)
    if own != wanted:
        raise ValueError(
            f"{name} has {own[0]} fixed effects, {own[1]} random coefficients and {own[2]} variance "
            f"components, but the model has {wanted[0]}, {wanted[1]} and {wanted[2]}"
        )
    return given


def lower_root(cov: NDArray[np.float64]) -> NDArray[np.float64]:
    """The lower triangular L with LL' equal to the covariance matrix, singular or not."""
    if not len(cov):
        return cov
    try:
        return np.asarray(np.linalg.cholesky(cov), dtype=np.float64)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(cov)
        upper: Any = np.linalg.qr((vectors * np.sqrt(values.clip(0.0))).T, mode="r")
        return np.asarray(upper.T * np.where(np.diag(upper) < 0.0, -1.0, 1.0), dtype=np.float64)
