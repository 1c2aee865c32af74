"""
What the engine knows at the estimates of a fit, in the order of the model's own effects and parameters.

Unlike the likelihood at any parameters, nothing here is a dense matrix over all effects of a group, of which
there may be thousands where a single group holds crossed factors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..design import theta as theta_layout
from .params import MixedLMParams
from .plan import Block

Array = NDArray[np.float64]
# Information with a larger condition number leaves some parameters open.
_MOST = 1e15
Layout = Sequence[tuple[Block, int]]


def loglike(model: Any, params: MixedLMParams, freepat: MixedLMParams | None, fitted: Any) -> float:
    """
    The log-likelihood at the estimates, less the penalties of the fit.

    Parameters
    ----------
    model : MixedLM
    params : MixedLMParams
        The estimates.
    freepat : MixedLMParams or None
        Ones for what was estimated.
    fitted : FittedModel
        The state of the fit.
    """
    masked = 0 if freepat is None else np.count_nonzero(np.asarray(freepat.fe_params)[model.kept] == 0)
    # A lasso and penalized fits hold their coefficients, too.
    if len(fitted.estimates.held) != masked or model.fe_pen is not None or model.cov_pen is not None:
        return float(model.loglike(params, profile_fe=False))
    return -0.5 * float(fitted.estimates.objective)


def modes(model: Any, fitted: Any, layout: Layout) -> dict[Any, Array]:
    """
    The conditional modes of the random effects by group: coefficients, then the columns of each component.

    Parameters
    ----------
    model : MixedLM
    fitted : FittedModel
    layout : sequence of (Block, int)
        The blocks of the model with the places of their terms.
    """
    products, groups = model.products, model.groups_of_rows
    found = np.zeros(products.z.shape[1])
    offsets = _offsets(products)
    for block, place in layout:
        b, levels = fitted.estimates.b[place], np.asarray(fitted.design.terms[place].group.levels)
        if block.component < 0:
            for j, column in enumerate(block.columns):
                found[levels.astype(np.intp) * products.k_re + column] = b[:, j]
            continue
        part = model.components[block.component]
        start = offsets[block.component]
        if part.single is not None:
            found[start + levels.astype(np.intp)] = b[:, 0]
            continue
        for j in range(b.shape[1]):
            own = part.starts[:-1] + j < part.starts[1:]
            found[start + part.starts[:-1][own] + j] = b[own, j]
    order = np.argsort(products.group, kind="stable")
    sizes = np.bincount(products.group, minlength=len(groups.labels))
    return dict(zip(groups.labels, np.split(found[order], np.cumsum(sizes)[:-1]), strict=True))


def joint_covariance(
    model: Any, fitted: Any, layout: Layout, interior: NDArray[np.bool_]
) -> tuple[Array, NDArray[np.intp]] | None:
    """
    The joint covariance matrix of fixed effects, covariances and variances; the scale is profiled out.

    With C the inverse information of the covariance parameters γ and J the derivatives of the best fixed
    effects in γ, it is the block matrix of var(β | γ) + JCJ', JC and C.

    Parameters
    ----------
    model : MixedLM
    fitted : FittedModel
        Without parameters that are held.
    layout : sequence of (Block, int)
    interior : ndarray of bool, shape (k_re2 + k_vc,)
        The covariances and variances off the boundary; the others are taken as they are.

    Returns
    -------
    covariance : ndarray, shape (m, m)
    places : ndarray of int, shape (m,)
        Its parameters among all. None instead of both where some parameters of a block are on the boundary,
        or the information is singular.
    """
    theta, kept = fitted.estimates.theta, np.asarray(fitted.estimates.kept)
    slopes, places = _slopes(model, fitted, layout)
    rows = interior[places - model.k_fe]
    moving = np.any(slopes[rows] != 0.0, axis=0)
    slopes, places = slopes[np.ix_(rows, moving)], places[rows]
    if slopes.shape[0] != slopes.shape[1]:
        return None
    moved = np.linalg.inv(slopes)
    information = 0.5 * moved.T @ fitted.hessian()[np.ix_(moving, moving)] @ moved
    units = np.sqrt(np.abs(np.diag(information)))
    if np.any(units == 0.0):
        return None
    if len(units) and np.linalg.cond(information / np.outer(units, units)) > _MOST:
        return None
    c = np.linalg.inv(0.5 * (information + information.T))
    own = fitted.sigma**2 * fitted.estimates.unscaled_covariance
    changes = [_change(fitted, theta, int(i)) for i in np.flatnonzero(moving)]
    j = np.reshape(changes, (len(changes), len(kept))).T @ moved
    return np.block([[own + j @ c @ j.T, j @ c], [(j @ c).T, c]]), np.concatenate([kept, places])


def _slopes(model: Any, fitted: Any, layout: Layout) -> tuple[Array, NDArray[np.intp]]:
    """Derivatives of the covariances and variances that are free in theta, and their places."""
    theta = fitted.estimates.theta
    parts = [part for _, part in theta_layout.slices(fitted.design)]
    factors = theta_layout.factors(fitted.design, theta)
    lower = [(a, b) for a in range(model.k_re) for b in range(a + 1)]
    number = {pair: model.k_fe + i for i, pair in enumerate(lower)}
    rows, places = [], []
    for block, place in layout:
        slopes = fitted.design.terms[place].structure.factor_slopes(theta[parts[place]])
        changes = slopes @ factors[place].T
        changes = changes + changes.transpose(0, 2, 1)
        if block.component >= 0:
            pairs = [(0, 0)]
            places.append(model.k_fe + model.k_re2 + block.component)
        else:
            k = len(block.columns)
            pairs = [(a, b) for a in range(k) for b in range(a + 1) if a == b or block.structure == "us"]
            own = [(block.columns[a], block.columns[b]) for a, b in pairs]
            places += [number[max(pair), min(pair)] for pair in own]
        for a, b in pairs:
            row = np.zeros(len(theta))
            row[parts[place]] = changes[:, a, b]
            rows.append(row)
    return np.array(rows), np.array(places, dtype=np.intp)


def _change(fitted: Any, theta: Array, i: int) -> Array:
    """The derivative of the best fixed effects in an entry of theta, by central differences."""
    step = 1e-4 * max(1.0, abs(theta[i]))
    ends = []
    for sign in (1.0, -1.0):
        point = np.array(theta)
        point[i] += sign * step
        ends.append(np.asarray(fitted.engine.evaluate(point, fitted.restricted)["beta"]))
    return (ends[0] - ends[1]) / (2.0 * step)


def _offsets(products: Any) -> NDArray[np.intp]:
    """The first column of each component."""
    counts = np.bincount(products.owner, minlength=products.k_re + products.k_vc)
    before = np.concatenate([[0], np.cumsum(counts)])
    return before[products.k_re : products.k_re + products.k_vc].astype(np.intp)
