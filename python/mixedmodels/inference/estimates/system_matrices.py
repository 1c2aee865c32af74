"""The matrices of the penalised least-squares problem, in the units of the user and as scipy holds them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...design import theta as theta_layout
from ...errors import ConvergenceError
from ...fit.state import FittedModel


class SparseFactor(NamedTuple):
    """
    L with LL' = P(Λ'Z'WZΛ + I)P'.

    Attributes
    ----------
    factor : scipy CSC matrix, shape (q, q)
        L, lower triangular.
    order : ndarray of int, shape (q,)
        The random effect at each row of L.
    """

    factor: Any
    order: NDArray[np.int64]


def term_matrices(fitted: FittedModel) -> list[Any]:
    """The columns of Z of each term as scipy CSR matrices."""
    from scipy import sparse

    n, result = fitted.n_obs, []
    for term in fitted.design.terms:
        k = len(term.names)
        columns = term.group.codes.astype(np.int64)[:, None] * k + np.arange(k)
        starts = np.arange(0, n * k + 1, k)
        shape = (n, k * len(term.group.levels))
        result.append(sparse.csr_matrix((term.z.ravel().copy(), columns.ravel(), starts), shape=shape))
    return result


def z_matrix(fitted: FittedModel) -> Any:
    """The random-effects model matrix as scipy CSC matrix, shape (n, q): by term, then level, then effect."""
    from scipy import sparse

    return sparse.hstack(term_matrices(fitted), format="csc")


def lambda_matrix(fitted: FittedModel) -> Any:
    """The relative covariance factor Λ as scipy CSC matrix, shape (q, q)."""
    from scipy import sparse

    factors = theta_layout.factors(fitted.design, fitted.estimates.theta)
    blocks = [
        sparse.kron(sparse.identity(len(term.group.levels)), factor)
        for term, factor in zip(fitted.design.terms, factors, strict=True)
    ]
    return sparse.block_diag(blocks, format="csc")


def cross_products(fitted: FittedModel) -> Any:
    """
    A = [Z X y]'W[Z X y] as scipy CSC matrix, shape (q + rank + 1, q + rank + 1).

    X without dropped columns, y less the offset, W the prior weights. For a generalized model y and W are
    the working response and the working weights of the last step towards the modes.
    """
    from scipy import sparse

    roots = np.sqrt(_weights(fitted))
    dense = roots[:, None] * np.column_stack([_x(fitted), _response(fitted)])
    columns = sparse.hstack([sparse.diags(roots) @ z_matrix(fitted), sparse.csc_matrix(dense)], format="csr")
    return (columns.T @ columns).tocsc()


def sparse_factor(fitted: FittedModel) -> SparseFactor:
    """
    The engine's sparse factor of the penalised system.

    Raises
    ------
    ConvergenceError
        When rounding leaves the system not positive definite.
    MemoryLimitError
        When the factor is larger than the memory that is free.
    """
    from scipy import sparse

    from ..._engine import sparse_cholesky

    scaled = _scaled_z(fitted)
    system = (scaled.T @ scaled).tocsc()
    system.sort_indices()
    q = system.shape[0]
    found = sparse_cholesky(
        system.indptr.astype(np.int64), system.indices.astype(np.uint32), system.data.astype(np.float64)
    )
    if found is None:
        raise ConvergenceError("Λ'Z'WZΛ + I is not positive definite to rounding error at these estimates")
    starts, rows, values, order = found
    factor = sparse.csc_matrix((values, rows.astype(np.int64), starts), shape=(q, q))
    return SparseFactor(factor, order.astype(np.int64))


def mixed_factor(fitted: FittedModel) -> NDArray[np.float64]:
    """RZX with L RZX = PΛ'Z'WX, shape (q, rank)."""
    from scipy.sparse.linalg import spsolve_triangular

    factor, order = sparse_factor(fitted)
    right = _scaled_z(fitted).T @ (np.sqrt(_weights(fitted))[:, None] * _x(fitted))
    return np.asarray(spsolve_triangular(factor.tocsr(), right[order], lower=True), dtype=np.float64)


def _scaled_z(fitted: FittedModel) -> Any:
    """√W ZΛ."""
    from scipy import sparse

    return (sparse.diags(np.sqrt(_weights(fitted))) @ z_matrix(fitted) @ lambda_matrix(fitted)).tocsr()


def _x(fitted: FittedModel) -> NDArray[np.float64]:
    return fitted.design.x[:, fitted.estimates.kept]


def _weights(fitted: FittedModel) -> NDArray[np.float64]:
    """Weights relative to σ², shape (n,)."""
    return fitted.scale**2 * fitted.working_weights()


def _response(fitted: FittedModel) -> NDArray[np.float64]:
    """The working response without the offset, which is y for a linear model; shape (n,)."""
    eta, offset = fitted.linear_predictor, fitted.design.offset
    response = eta + fitted.family.working(fitted.observed, eta)
    return response if offset is None else response - offset
