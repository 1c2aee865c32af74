"""The covariance matrix of all parameters, from the observed information."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .at_fit import Layout, joint_covariance
from .params import MixedLMParams, lower_root
from .undetermined import undetermined

# A variance relative to the residual one, or what is left of one beside others, is zero below this.
_ZERO = 1e-9


def parameter_covariance(
    model: Any,
    params: MixedLMParams,
    freepat: MixedLMParams | None,
    fitted: Any = None,
    layout: Layout | None = None,
) -> NDArray[np.float64]:
    """
    The inverse of minus the Hessian of the log-likelihood, with the residual variance profiled out.

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
    ndarray, shape (k_fe + k_re2 + k_vc, k_fe + k_re2 + k_vc)
        Zero for parameters that were held; NaN for variances on the boundary and those that the data do not
        determine, and coefficients of columns that depend on others, which the other parameters take as they
        are. NaN for coefficients whose standard errors depend on an undetermined variance, too.
    """
    p = model.k_fe + model.k_re2 + model.k_vc
    free = np.ones(p, dtype=bool)
    if freepat is not None:
        free = freepat.get_packed(use_sqrt=False, has_fe=True) != 0
    inner = np.ones(p, dtype=bool)
    inner[np.setdiff1d(np.arange(model.k_fe), model.kept)] = False
    inner[model.k_fe :] = interior(params, model.exog_re, mean_squares(model))
    arbitrary = np.zeros(p, dtype=bool)
    if fitted is not None and layout is not None:
        unknown, arbitrary = undetermined(model, fitted, layout)
        inner &= ~unknown
    used = np.flatnonzero(free & inner)
    found = np.zeros((p, p))
    lost = free & ~inner
    found[lost] = found[:, lost] = np.nan
    known = None
    if fitted is not None and layout is not None and _plain(model, freepat, fitted):
        known = joint_covariance(model, fitted, layout, inner[model.k_fe :])
    if known is not None:
        found[np.ix_(known[1], known[1])] = known[0]
        open_ = np.zeros(p, dtype=bool)
        open_[model.k_fe :] = np.diag(found)[model.k_fe :] * _ZERO > np.square(_sizes(params))
        found[open_] = found[:, open_] = np.nan
    elif len(used):
        hessian, _ = model.hessian(params)
        # The information for a change by the size of the parameter.
        informed = np.ones(p, dtype=bool)
        informed[model.k_fe :] = -np.diag(hessian)[model.k_fe :] * np.square(_sizes(params)) > _ZERO
        told = informed[used]
        found[used[~told]] = found[:, used[~told]] = np.nan
        used = used[told]
        found[np.ix_(used, used)] = _inverse(-hessian[np.ix_(used, used)])
    found[arbitrary] = found[:, arbitrary] = np.nan
    return found


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
        if np.linalg.svd(left / sizes[:, None], compute_uv=False)[-1] ** 2 < _ZERO:
            used[:] = False
    lower = np.tril_indices(k)
    return np.concatenate([used[lower[0]] & used[lower[1]], np.asarray(params.vcomp) * squares[k:] > _ZERO])


def _sizes(params: MixedLMParams) -> NDArray[np.float64]:
    """What variances and covariances are measured by, products of standard deviations."""
    sd = np.sqrt(np.diag(np.asarray(params.cov_re, dtype=np.float64)))
    pairs = np.outer(sd, sd)[np.tril_indices(len(sd))]
    return np.concatenate([pairs, np.asarray(params.vcomp, dtype=np.float64)])


def _inverse(information: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse, of parameters in units of their own; NaN where the information is singular."""
    units = np.sqrt(np.abs(np.diag(information)))
    units[units == 0.0] = 1.0
    try:
        return np.linalg.inv(information / np.outer(units, units)) / np.outer(units, units)
    except np.linalg.LinAlgError:
        return np.full_like(information, np.nan)
