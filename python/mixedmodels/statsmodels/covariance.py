"""The covariance matrix of all parameters, from the observed information."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .at_fit import Layout, joint_covariance
from .conditioned import Conditioned, dependent, repeated
from .engine import state_at
from .hessian import hessian
from .likelihood import evaluate
from .params import MixedLMParams, lower_root
from .penalties import curvature_of_penalties
from .undetermined import undetermined

Array = NDArray[np.float64]
# A variance relative to the residual one, or what is left of one beside others, is zero below this.
_ZERO = 1e-9


@dataclass(frozen=True, eq=False)
class Joint:
    """
    The covariance matrix C of all parameters, and what of it standard errors of functions need.

    S, shape (m, p), has the derivatives of the m parameters of the conditioned model in those as written. A
    function with the gradient g in the former has the covariances CS'g with the parameters, and the variance
    g'SCS'g.

    Attributes
    ----------
    matrix : ndarray, shape (p, p)
        Zero for parameters that were held; NaN for what has no standard error.
    conditioned : Conditioned
    link : ndarray, shape (p, m)
        CS'.
    spread : ndarray, shape (m, m)
        SCS'.
    """

    matrix: Array
    conditioned: Conditioned
    link: Array
    spread: Array


def parameter_covariance(
    model: Any,
    params: MixedLMParams,
    freepat: MixedLMParams | None,
    fitted: Any = None,
    layout: Layout | None = None,
) -> Joint:
    """
    The inverse of minus the Hessian of the penalized log-likelihood, with the residual variance profiled out.

    Parameters
    ----------
    model : MixedLM
    params : MixedLMParams
        The estimates.
    freepat : MixedLMParams or None
        Ones for what was estimated.
    fitted : FittedModel, optional
        The state of the fit, which knows the information unless parameters are held or penalized.
    layout : sequence of (Block, int), optional
        The blocks of the model with the places of their terms in the state.

    Returns
    -------
    Joint
        Zero for parameters that were held; NaN for variances on the boundary and those that the data do not
        determine, for coefficients that a penalty made zero, and for those of columns that depend on others,
        which the other parameters take as they are. NaN for coefficients whose standard errors depend on an
        undetermined variance, too.
    """
    k_fe, p = model.k_fe, model.k_fe + model.k_re2 + model.k_vc
    free = np.ones(p, dtype=bool)
    if freepat is not None:
        free = freepat.get_packed(use_sqrt=False, has_fe=True) != 0
    plain = fitted is not None and _plain(model, freepat, fitted)
    inner = np.ones(p, dtype=bool)
    inner[np.setdiff1d(np.arange(k_fe), model.kept)] = False
    if fitted is not None and not plain:
        # The lasso's active set.
        inner[:k_fe] &= np.asarray(params.fe_params) != 0.0
    inner[k_fe:] = interior(params, model.exog_re, mean_squares(model))
    lower = np.tril_indices(model.k_re)
    alike, spare = _dependences(model, inner[k_fe + np.flatnonzero(lower[0] == lower[1])])
    inner[k_fe : k_fe + model.k_re2] &= ~(spare[lower[0]] | spare[lower[1]])
    arbitrary = np.zeros(p, dtype=bool)
    if fitted is not None and layout is not None:
        unknown, arbitrary = undetermined(model, fitted, layout)
        inner &= ~unknown
    re = inner[k_fe : k_fe + model.k_re2]
    estimated = np.intersect1d(model.kept, np.flatnonzero(free[:k_fe]))
    own = Conditioned(model, np.isin(np.arange(model.k_re), lower[0][re]), estimated)
    twin = own.twin(params)
    places, turn, back = own.places, own.turn, own.back
    link, spread = np.zeros((p, len(places))), np.zeros((len(places), len(places)))
    found = np.zeros((p, p))
    lost = free & ~inner
    lost[k_fe : k_fe + model.k_re2] |= (alike[lower[0]] | alike[lower[1]]) & free[k_fe : k_fe + model.k_re2]
    known = None
    if plain and layout is not None and not spare.any():
        state, order = fitted, layout
        if not own.written:
            state, order = state_at(twin, own.params(params), coefficients=False)
        known = joint_covariance(twin, state, order, inner[k_fe:])
    if known is not None:
        spread[np.ix_(known[1], known[1])] = known[0]
        link[places] = back @ spread
        found[np.ix_(places, places)] = back @ spread @ back.T
        open_ = np.zeros(p, dtype=bool)
        open_[k_fe:] = np.diag(found)[k_fe:] * _ZERO > np.square(_sizes(params))
        lost |= open_
    else:
        used = np.flatnonzero((free & inner)[places])
        information = -hessian(evaluate(twin, own.params(params), profile_fe=False))
        bent = curvature_of_penalties(model, params)[np.ix_(places, places)]
        information += back.T @ bent @ back
        told = _informed(information, turn[:, used], np.append(np.ones(k_fe), _sizes(params))[places[used]])
        told |= places[used] < k_fe
        lost[places[used[~told]]] = True
        used = used[told]
        matrix, linked, spread = inverse_of_part(information, turn[:, used])
        link[places[used]] = linked
        found[np.ix_(places[used], places[used])] = matrix
    found[lost | arbitrary] = found[:, lost | arbitrary] = np.nan
    return Joint(found, own, link, spread)


def _dependences(model: Any, moving: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """
    The random coefficients whose columns are linearly dependent, and those to leave out, shape (k_re,) each.

    Of dependent columns the variances of some say all that the data tell of those of all.
    """
    alike, spare = np.zeros(model.k_re, dtype=bool), np.zeros(model.k_re, dtype=bool)
    if model.k_re:
        alike = dependent(model.exog_re)
        spare[moving] = repeated(model.exog_re[:, moving])
    return alike, spare


def _informed(information: Array, chosen: Array, sizes: Array) -> NDArray[np.bool_]:
    """Whether a change of a parameter by its size changes the likelihood."""
    return np.einsum("ij,ik,kj->j", chosen, information, chosen) * np.square(sizes) > _ZERO


def inverse_of_part(information: Array, chosen: Array) -> tuple[Array, Array, Array]:
    """
    C = (S'IS)⁻¹ for a matrix I and directions S, shape (m, u), with CS' and SCS'.

    With I = LL' and L'S = QR they are R⁻¹R⁻ᵀ, R⁻¹Q'L⁻¹ and L⁻ᵀQQ'L⁻¹, which lose no digits to large S. NaN
    where the information is singular.
    """
    # Outside the span of S the information may be singular, or negative.
    whole, reached = information.shape[0], np.flatnonzero(chosen.any(axis=1))
    information, chosen = information[np.ix_(reached, reached)], chosen[reached]
    units = np.sqrt(np.abs(np.diag(information)))
    units[units == 0.0] = 1.0
    scaled, own = information / np.outer(units, units), units[:, None] * chosen
    lengths = np.linalg.norm(own, axis=0)
    lengths[lengths == 0.0] = 1.0
    own = own / lengths
    try:
        lower = np.linalg.cholesky(scaled)
        q, r = np.linalg.qr(lower.T @ own)
        half = np.linalg.inv(r)
        turned = np.linalg.solve(lower.T, q)
        matrix, link, spread = half @ half.T, half @ turned.T, turned @ turned.T
    except np.linalg.LinAlgError:
        # No maximum, but one in some of the parameters perhaps.
        try:
            matrix = np.linalg.inv(own.T @ scaled @ own)
        except np.linalg.LinAlgError:
            matrix = np.full((own.shape[1],) * 2, np.nan)
        link = matrix @ own.T
        spread = own @ link
    links, spreads = np.zeros((len(lengths), whole)), np.zeros((whole, whole))
    links[:, reached] = link / np.outer(lengths, units)
    spreads[np.ix_(reached, reached)] = spread / np.outer(units, units)
    return matrix / np.outer(lengths, lengths), links, spreads


def _plain(model: Any, freepat: MixedLMParams | None, fitted: Any) -> bool:
    """
    Whether the state knows the information: nothing is held or penalized.

    It is more precise than products of columns far from zero, such as years, and needs less memory.
    """
    if freepat is not None or len(fitted.estimates.held):
        return False
    return model.fe_pen is None and model.cov_pen is None


def mean_squares(model: Any) -> NDArray[np.float64]:
    """Of the columns of the random coefficients, then of the rows of each component; shape (k_re + k_vc,)."""
    columns = [] if model.exog_re is None else np.mean(np.square(model.exog_re), axis=0)
    components = [np.sum(part.z.data**2) / model.nobs for part in model.components]
    return np.concatenate([columns, components])


def interior(
    params: MixedLMParams, columns: NDArray[np.float64] | None, squares: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """
    Which covariances and variances are off the boundary, shape (k_re2 + k_vc,).

    Parameters
    ----------
    params : MixedLMParams
    columns : ndarray, shape (n, k_re), or None
        Of the random coefficients. What counts is the variance that an effect gives the rows, whatever the
        units and origin of its column are.
    squares : ndarray, shape (k_re + k_vc,)
        Mean squares of the columns, and of the rows of each component.
    """
    cov, k = np.asarray(params.cov_re, dtype=np.float64), params.k_re
    used = np.diag(cov) * squares[:k] > _ZERO
    if used.any() and columns is not None:
        root = np.linalg.qr(columns[:, used], mode="r") / np.sqrt(len(columns))
        left = root @ lower_root(cov[np.ix_(used, used)])
        sizes = np.linalg.norm(left, axis=1)
        # Rows of zeros tell of dependent columns.
        left, sizes = left[sizes > 0.0], sizes[sizes > 0.0]
        if np.linalg.svd(left / sizes[:, None], compute_uv=False)[-1] ** 2 < _ZERO:
            used[:] = False
    lower = np.tril_indices(k)
    return np.concatenate([used[lower[0]] & used[lower[1]], np.asarray(params.vcomp) * squares[k:] > _ZERO])


def _sizes(params: MixedLMParams) -> NDArray[np.float64]:
    """What variances and covariances are measured by, products of standard deviations."""
    sd = np.sqrt(np.diag(np.asarray(params.cov_re, dtype=np.float64)))
    pairs = np.outer(sd, sd)[np.tril_indices(len(sd))]
    return np.concatenate([pairs, np.asarray(params.vcomp, dtype=np.float64)])
