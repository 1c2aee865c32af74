"""Second derivatives of the likelihood in fixed effects, covariances and variances."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .likelihood import Evaluation
from .products import Batch

Array = NDArray[np.float64]


def hessian(found: Evaluation) -> Array:
    """
    The Hessian of the log-likelihood with the residual variance profiled out.

    Parameters
    ----------
    found : Evaluation

    Returns
    -------
    ndarray, shape (rank + k_re2 + k_vc, rank + k_re2 + k_vc)
        In the fixed effects that are kept, the lower triangle of cov_re, and vcomp.
    """
    products = found.covariance.products
    rank = len(found.xvx)
    m = products.k_re * (products.k_re + 1) // 2 + products.k_vc
    traces, quadratic = np.zeros((m, m)), np.zeros((m, m))
    first, mixed = np.zeros(m), np.zeros((m, rank))
    x_first, x_second = np.zeros((m, rank, rank)), np.zeros((m, m))
    c = np.linalg.inv(found.xvx) if rank else np.zeros((0, 0))
    df, rvr = found.df, found.rvr
    # Squares of r'V⁻¹r may be too large, or too small, for a number.
    unit = np.sqrt(rvr)
    for batch, squares in products.chunks(m + 1):
        psi = found.covariance.psi(batch)
        g = np.linalg.solve(np.eye(len(psi)) + squares @ psi, squares)
        g = 0.5 * (g + g.swapaxes(1, 2))
        d = directions(batch, products.k_re, products.k_vc)
        gd = np.einsum("gab,jbc->gjac", g, d, optimize=True)
        traces += np.einsum("gjab,gkba->jk", gd, gd, optimize=True)
        h = found.r.z_solved[batch.effects][..., 0] / unit
        x = found.x.z_solved[batch.effects]
        dh = np.einsum("jab,gb->gja", d, h, optimize=True)
        dx = np.einsum("jab,gbp->gjap", d, x, optimize=True)
        first += np.einsum("ga,gja->j", h, dh, optimize=True)
        mixed += np.einsum("gap,gja->jp", x, dh, optimize=True)
        quadratic += np.einsum("gja,gab,gkb->jk", dh, g, dh, optimize=True)
        if found.reml and rank:
            x_first += np.einsum("gap,gjar->jpr", x, dx, optimize=True)
            gdx = np.einsum("gab,gkbp->gkap", g, dx, optimize=True)
            x_second += np.einsum("gjap,gkar,rp->jk", dx, gdx, c, optimize=True)
    variances = 0.5 * traces - 0.5 * df * (2.0 * quadratic - np.outer(first, first))
    if found.reml and rank:
        inner = np.einsum("pr,jrs->jps", c, x_first)
        variances += 0.5 * np.einsum("jps,ksp->jk", inner, inner) - 0.5 * (x_second + x_second.T)
    xvr = found.x.rest.T @ found.residuals / rvr
    between = df * (np.outer(first, xvr) - mixed / unit)
    fixed = df * (2.0 * np.outer(xvr, xvr) - found.xvx / rvr)
    return np.block([[fixed, between.T], [between, variances]])


def directions(batch: Batch, k_re: int, k_vc: int) -> Array:
    """The derivatives of Ψ in the lower triangle of cov_re and in vcomp, shape (k_re2 + k_vc, q, q)."""
    q = len(batch.owner)
    found = []
    for a, b in zip(*np.tril_indices(k_re), strict=True):
        one = np.zeros((q, q))
        one[a, b] = one[b, a] = 1.0
        found.append(one)
    found += [np.diag((batch.owner == k_re + j).astype(np.float64)) for j in range(k_vc)]
    return np.array(found).reshape(-1, q, q)
