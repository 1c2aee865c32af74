"""
Random effects and coefficients drawn from their distribution given the data and the other parameters.

With such effects data and responses simulated from them are exchangeable if the model is right
(Waagepetersen 2006; Gosselin 2011). Conditional modes are shrunken: data do not look like responses to them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...design.theta import factors
from ...fit.state import FittedModel

Values = NDArray[np.float64]
# Steps by which the draws from a normal approximation reach the exact distribution.
_STEPS = 15
# Steps of 2.4 standard deviations over the root of their number are the most effective (Roberts et al. 1997).
_STEP = 2.4


def predictor_given_data(fitted: FittedModel, generator: np.random.Generator) -> Values:
    """
    Xβ + Zb + offset with β and b drawn given the data, θ and the dispersion, with a flat prior for β.

    The draw is exact for a normal response with identity link. Otherwise it starts from the normal
    approximation at the modes, and Metropolis steps of the effects of each level follow.

    Parameters
    ----------
    fitted : FittedModel
    generator : Generator

    Returns
    -------
    ndarray, shape (n,)
    """
    from scipy.sparse import eye_array, hstack
    from scipy.sparse.linalg import splu

    design, estimates = fitted.design, fitted.estimates
    roots = [fitted.scale * factor for factor in factors(design, estimates.theta)]
    terms = [
        _columns(term.group.codes, term.z @ root, len(term.group.levels))
        for term, root in zip(design.terms, roots, strict=True)
    ]
    z: Any = hstack(terms, format="csr")
    weights = fitted.working_weights()
    weights = np.where(np.isfinite(weights) & (weights > 0), weights, 0.0)
    free = estimates.kept[~np.isin(estimates.kept, list(fitted.held.columns))]
    x = design.x[:, free]
    weighted = (z.multiply(weights[:, None])).tocsr()
    precision = (z.T @ weighted + eye_array(z.shape[1])).tocsc()
    solve: Callable[[Values], Values] = splu(
        precision, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
    ).solve
    # If e has the covariance matrix A, that of A⁻¹e is A⁻¹.
    noise = np.sqrt(weights) * generator.standard_normal(len(weights))
    effects = z.T @ noise + generator.standard_normal(z.shape[1])
    change = np.zeros(len(free))
    if len(free):
        across = weighted.T @ x
        inside = solve(across)
        schur = x.T @ (weights[:, None] * x) - across.T @ inside
        change = np.linalg.lstsq(schur, x.T @ noise - inside.T @ effects, rcond=None)[0]
        effects = effects - across @ change
    moved = solve(effects)
    eta = fitted.linear_predictor + x @ change + z @ moved
    if fitted.exact_likelihood:
        return eta
    u, at = [], 0
    for own, root in zip(estimates.b, roots, strict=True):
        size = own.size
        modes = np.linalg.lstsq(root, own.T, rcond=None)[0].T
        u.append(modes + moved[at : at + size].reshape(own.shape))
        at += size
    return _with_steps(
        fitted, generator, eta, u, [term.z @ r for term, r in zip(design.terms, roots, strict=True)], weights
    )


def _columns(codes: NDArray[np.integer[Any]], z: Values, levels: int) -> Any:
    """The columns of a term, those of each level together; shape (n, levels * k)."""
    from scipy.sparse import csr_array

    n, k = z.shape
    columns = codes.astype(np.int64)[:, None] * k + np.arange(k)
    found = csr_array((z.ravel(), columns.ravel(), np.arange(0, n * k + 1, k)), shape=(n, levels * k))
    found.eliminate_zeros()
    return found


def _with_steps(
    fitted: FittedModel,
    generator: np.random.Generator,
    eta: Values,
    u: list[Values],
    columns: list[Values],
    weights: Values,
) -> Values:
    """The linear predictor after Metropolis steps of the standard normal effects u of each level."""
    family, y, prior, dispersion = fitted.family, fitted.observed, fitted.prior_weights, fitted.dispersion

    def likelihood(eta: Values) -> Values:
        with np.errstate(all="ignore"):
            return np.nan_to_num(family.log_likelihood(y, eta, prior, dispersion), nan=-np.inf)

    now = likelihood(eta)
    if not np.isfinite(now).all():
        return eta
    spreads = [
        _spread(term.group.codes, z, weights, len(own))
        for term, z, own in zip(fitted.design.terms, columns, u, strict=True)
    ]
    for _ in range(_STEPS):
        for t, term in enumerate(fitted.design.terms):
            codes, (levels, k) = term.group.codes, u[t].shape
            step = np.einsum("lij,lj->li", spreads[t], generator.standard_normal((levels, k)))
            step *= _STEP / np.sqrt(k)
            proposed = eta + np.einsum("ij,ij->i", columns[t], step[codes])
            new = likelihood(proposed)
            gain = np.bincount(codes, new - now, levels)
            gain -= 0.5 * (np.square(u[t] + step) - np.square(u[t])).sum(axis=1)
            taken = np.log(generator.random(levels)) < gain
            u[t] = np.where(taken[:, None], u[t] + step, u[t])
            rows = taken[codes]
            eta, now = np.where(rows, proposed, eta), np.where(rows, new, now)
    return eta


def _spread(codes: NDArray[np.integer[Any]], z: Values, weights: Values, levels: int) -> Values:
    """For each level a root of the covariance of its effects given all others, shape (levels, k, k)."""
    k = z.shape[1]
    products = np.empty((levels, k, k))
    for i in range(k):
        for j in range(i + 1):
            products[:, i, j] = products[:, j, i] = np.bincount(codes, weights * z[:, i] * z[:, j], levels)
    root = np.linalg.cholesky(products + np.eye(k))
    return np.asarray(np.swapaxes(np.linalg.inv(root), 1, 2), dtype=np.float64)
