"""Solves with V = W⁻¹ + ZΛΛ'Z' by way of the sparse q by q matrix Λ'Z'WZΛ + I, never by n by n ones."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..fitted_model import Fitted, FittedModel
from ..theta import factors

# Numbers in a dense block of right-hand sides.
_BLOCK = 4_000_000


class PenalizedSystem:
    """
    The weighted least-squares problem that gives coefficients and random effects at the estimates.

    In the units of the relative covariance factors: for a linear mixed model V times σ² is the covariance
    matrix of the response, for a generalized one that of the working response at the modes.

    Parameters
    ----------
    fitted : FittedModel

    Attributes
    ----------
    weights : ndarray, shape (n,)
        Prior weights, or the weights of the expected information at the modes.
    x : ndarray, shape (n, rank)
    """

    def __init__(self, fitted: FittedModel) -> None:
        self._fitted = fitted
        self.weights = working_weights(fitted)
        self.x = fitted.design.x[:, fitted.estimates.kept]
        self._z = _z_matrix(fitted)
        self._zl = (self._z @ _block_factor(fitted, fitted.estimates.theta)).tocsr()

    @cached_property
    def _solver(self) -> Any:
        from scipy import sparse
        from scipy.sparse.linalg import splu

        matrix = self._zl.T @ sparse.diags(self.weights) @ self._zl + sparse.identity(self._zl.shape[1])
        # Positive definite: pivots may stay on the diagonal, which keeps the factor symmetric and sparse.
        return splu(
            matrix.tocsc(), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
        )

    @cached_property
    def adjusted_x(self) -> NDArray[np.float64]:
        """X minus its penalised regression on ZΛ, shape (n, rank); W times it is V⁻¹X."""
        return self.x - self._smooth(self.x)

    @cached_property
    def unscaled_covariance(self) -> NDArray[np.float64]:
        """(X'V⁻¹X)⁻¹, shape (rank, rank)."""
        return np.linalg.inv(self.x.T @ (self.weights[:, None] * self.adjusted_x))

    def project(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """P v with P = V⁻¹ - V⁻¹X(X'V⁻¹X)⁻¹X'V⁻¹, shape (n,)."""
        solved = self.weights * (values - self._smooth(values))
        return solved - self.weights * (self.adjusted_x @ (self.unscaled_covariance @ (self.x.T @ solved)))

    def slope_of_v(self, index: int, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """(∂V/∂θ) v for one entry of theta, shape (n,)."""
        unit = np.zeros(len(self._fitted.estimates.theta))
        unit[index] = 1.0
        moved = (self._z @ _block_factor(self._fitted, unit)).tocsr()
        return moved @ (self._zl.T @ values) + self._zl @ (moved.T @ values)

    def leverages(self) -> NDArray[np.float64]:
        """The diagonal of the matrix that takes the (working) response to its fitted values, shape (n,)."""
        n, q = self._zl.shape
        result = np.einsum("ij,jk,ik->i", self.adjusted_x, self.unscaled_covariance, self.adjusted_x)
        step = max(1, _BLOCK // q)
        for start in range(0, n, step):
            rows = self._zl[start : start + step]
            solved = self._solver.solve(rows.T.toarray())
            result[start : start + step] += np.asarray(rows.multiply(solved.T).sum(axis=1)).ravel()
        return self.weights * result

    def _smooth(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """ZΛ(Λ'Z'WZΛ + I)⁻¹Λ'Z'W v."""
        weights = self.weights if values.ndim == 1 else self.weights[:, None]
        return self._zl @ self._solver.solve(self._zl.T @ (weights * values))


def working_weights(fitted: FittedModel) -> NDArray[np.float64]:
    """Prior weights of a linear mixed model; weights of the expected information of a generalized one."""
    design: Any = fitted.design
    if isinstance(fitted, Fitted):
        return np.ones(fitted.n_obs) if design.weights is None else design.weights
    generalized: Any = fitted
    eta, family = generalized.estimates.eta, generalized.family
    slope = family.functions.slope(eta)
    return design.unit_weights * np.square(slope) / family.variance(family.mean(eta), generalized.dispersion)


def _z_matrix(fitted: FittedModel) -> Any:
    """The random-effects model matrix, by term, then level, then effect."""
    from scipy import sparse

    parts = []
    for term in fitted.design.terms:
        n, k = term.z.shape
        columns = term.group.codes.astype(np.int64)[:, None] * k + np.arange(k)
        shape = (n, k * len(term.group.levels))
        parts.append(
            sparse.csr_matrix((term.z.ravel(), columns.ravel(), np.arange(0, n * k + 1, k)), shape=shape)
        )
    return sparse.hstack(parts, format="csr")


def _block_factor(fitted: FittedModel, theta: NDArray[np.float64]) -> Any:
    """Λ for a value of theta."""
    from scipy import sparse

    blocks = [
        sparse.kron(sparse.identity(len(term.group.levels)), factor)
        for term, factor in zip(fitted.design.terms, factors(fitted.design, theta), strict=True)
    ]
    return sparse.block_diag(blocks, format="csr")
