"""
The likelihood at given covariance parameters, with its first derivatives.

With Ψ the covariance matrix of all effects of a group, relative to the residual variance, the covariance
matrix of its responses is V = I + ZΨZ'. The Woodbury identities are written without Ψ⁻¹, so that singular
matrices are as good as others: Z'V⁻¹ = (I + Z'ZΨ)⁻¹Z', and log |V| = log |I + Z'ZΨ|.

See Lindstrom & Bates (1988), Newton-Raphson and EM algorithms for linear mixed-effects models, Journal of the
American Statistical Association 83, 1014-1022.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .params import MixedLMParams, lower_root
from .products import Batch, Products

Array = NDArray[np.float64]


class Solved(NamedTuple):
    """
    What V⁻¹ makes of the columns of a matrix W.

    Attributes
    ----------
    z_solved : ndarray, shape (q, c)
        Z'V⁻¹W.
    effects : ndarray, shape (q, c)
        ΨZ'V⁻¹W: the conditional modes of the effects, were W a response.
    rest : ndarray, shape (n, c)
        W - ZΨZ'V⁻¹W = V⁻¹W.
    """

    z_solved: Array
    effects: Array
    rest: Array


class Covariance:
    """V at given covariance parameters: solves and determinants."""

    def __init__(self, products: Products, cov_re: Array, vcomp: Array) -> None:
        self.products = products
        self.cov_re, self.vcomp = np.asarray(cov_re, dtype=np.float64), np.asarray(vcomp, dtype=np.float64)

    def psi(self, batch: Batch) -> Array:
        """Ψ of the groups of a batch, shape (q, q)."""
        k, q = self.products.k_re, len(batch.owner)
        found = np.zeros((q, q))
        found[:k, :k] = self.cov_re
        components = np.arange(k, q)
        found[components, components] = self.vcomp[batch.owner[k:] - k]
        return found

    @cached_property
    def factors(self) -> list[tuple[Batch, Array, Array]]:
        """(I + Z'ZΨ)⁻¹ of the groups, with Ψ."""
        found = []
        for batch, squares in self.products.chunks(1):
            psi = self.psi(batch)
            found.append((batch, psi, np.linalg.inv(np.eye(len(psi)) + squares @ psi)))
        return found

    @cached_property
    def log_det(self) -> float:
        """log |V| of all groups."""
        return -float(sum(np.linalg.slogdet(inverse)[1].sum() for _, _, inverse in self.factors))

    @cached_property
    def proper(self) -> bool:
        """Whether V is positive definite, as it is for indefinite Ψ that are small."""
        if not (np.isfinite(self.cov_re).all() and np.isfinite(self.vcomp).all()):
            return False
        smallest = min(np.min(self.vcomp, initial=0.0), np.min(np.linalg.eigvalsh(self.cov_re), initial=0.0))
        if smallest >= 0.0:
            return True
        # The eigenvalues of V are one and those of I + Z'ZΨ, which are real.
        return all(
            np.linalg.eigvals(np.eye(len(batch.owner)) + squares @ self.psi(batch)).real.min() > 0.0
            for batch, squares in self.products.chunks(1)
        )

    def solve(self, w: Array) -> Solved:
        """What V⁻¹ makes of the columns of W, shape (n, c)."""
        zw = self.products.transposed @ w
        solved, effects = np.zeros_like(zw), np.zeros_like(zw)
        for batch, psi, inverse in self.factors:
            own = inverse @ zw[batch.effects]
            solved[batch.effects] = own
            effects[batch.effects] = psi @ own
        return Solved(solved, effects, w - self.products.z @ effects)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """
    A model at given parameters.

    Attributes
    ----------
    covariance : Covariance
    fe_params : ndarray, shape (k_fe,)
    x, r : Solved
        Of the columns of X that are kept, and of the residuals.
    xvx : ndarray, shape (rank, rank)
        X'V⁻¹X.
    rvr : float
        r'V⁻¹r.
    reml : bool
    df : int
        n, less the rank of X under REML.
    """

    covariance: Covariance
    fe_params: Array
    x: Solved
    r: Solved
    xvx: Array
    rvr: float
    reml: bool
    df: int

    @property
    def loglike(self) -> float:
        """The log-likelihood, restricted under REML, with the residual variance profiled out."""
        df = self.df
        value = -0.5 * (self.covariance.log_det + df * (np.log(2.0 * np.pi * self.rvr / df) + 1.0))
        return value - 0.5 * np.linalg.slogdet(self.xvx)[1] if self.reml else value

    @cached_property
    def score(self) -> tuple[Array, Array, Array]:
        """Derivatives in the fixed effects that are kept, the lower triangle of cov_re, and vcomp."""
        k, products = self.covariance.products.k_re, self.covariance.products
        pairs, own = np.zeros((k, k)), np.zeros(products.k_vc)
        scaled = np.linalg.solve(self.xvx, self.x.z_solved.T) if self.reml else None
        for batch, _, inverse in self.covariance.factors:
            squares = products.squares_of(batch)
            g = inverse @ squares
            h = self.r.z_solved[batch.effects][..., 0]
            total = -g.sum(axis=0) + (self.df / self.rvr) * (h.T @ h)
            if scaled is not None:
                left = self.x.z_solved[batch.effects]
                total += np.einsum("gap,pgb->ab", left, scaled[:, batch.effects], optimize=True)
            pairs += total[:k, :k]
            own += np.bincount(batch.owner[k:] - k, np.diag(total)[k:], minlength=products.k_vc)
        pairs = 0.5 * (pairs + pairs.T)
        lower = np.tril_indices(k)
        fixed = (self.df / self.rvr) * (self.x.rest.T @ self.residuals)
        return fixed, np.where(lower[0] == lower[1], 0.5, 1.0) * pairs[lower], 0.5 * own

    @property
    def residuals(self) -> Array:
        """y - Xβ."""
        return self.r.rest[:, 0] + self.covariance.products.z @ self.r.effects[:, 0]


def evaluate(model: Any, params: MixedLMParams, profile_fe: bool) -> Evaluation:
    """A model at parameters; with `profile_fe` at the best fixed effects for the covariances."""
    covariance = Covariance(model.products, params.cov_re, params.vcomp)
    kept, n = model.kept, len(model.endog)
    exog = np.asarray(model.exog, dtype=np.float64)[:, kept]
    x = covariance.solve(exog)
    # Sums of squares, which lose no digits where the random effects are large.
    xvx = x.rest.T @ x.rest + x.effects.T @ x.z_solved
    xvx = 0.5 * (xvx + xvx.T)
    fe_params = np.zeros(model.k_fe)
    if profile_fe:
        fe_params[kept] = np.linalg.solve(xvx, x.rest.T @ model.endog) if len(kept) else 0.0
    else:
        fe_params[:] = params.fe_params
    residuals = model.endog - model.exog @ fe_params
    r = covariance.solve(residuals[:, None])
    rvr = float(r.rest[:, 0] @ r.rest[:, 0] + np.sum(r.effects * r.z_solved))
    df = n - len(kept) if model.reml else n
    return Evaluation(covariance, fe_params, x, r, xvx, rvr, model.reml, df)


def in_factor(root: Array, re: Array) -> Array:
    """Derivatives in a lower triangular factor of cov_re, from those in its lower triangle."""
    lower = np.tril_indices(len(root))
    gradient = np.zeros_like(root)
    gradient[lower] = np.where(lower[0] == lower[1], 1.0, 0.5) * re
    gradient += np.tril(gradient, -1).T
    return (2.0 * gradient @ root)[lower]


def in_root(params: MixedLMParams, re: Array, vc: Array) -> tuple[Array, Array]:
    """Derivatives in the Cholesky factor and standard deviations, from those in covariances and variances."""
    root = lower_root(np.asarray(params.cov_re, dtype=np.float64))
    return in_factor(root, re), 2.0 * np.sqrt(params.vcomp) * vc
