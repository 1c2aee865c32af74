"""What penalties add to the curvature of the likelihood."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .params import MixedLMParams

Array = NDArray[np.float64]
# Steps of central differences, relative to the size of the parameters.
_STEP = 1e-5


def curvature_of_penalties(model: Any, params: MixedLMParams) -> Array:
    """
    Second derivatives of the penalties of a fit in all parameters, shape (p, p).

    Penalties of statsmodels know their first derivatives; the second ones are central differences of them.

    Parameters
    ----------
    model : MixedLM
    params : MixedLMParams
        The estimates.
    """
    k_fe, k_re2 = model.k_fe, model.k_re2
    found = np.zeros((k_fe + k_re2 + model.k_vc,) * 2)
    if model.fe_pen is not None and k_fe:
        fixed = np.asarray(params.fe_params, dtype=np.float64)
        found[:k_fe, :k_fe] = _slopes(model.fe_pen.deriv, fixed, np.maximum(np.abs(fixed), 1e-3))
    if model.cov_pen is not None and k_re2:
        lower = np.tril_indices(model.k_re)
        cov = np.asarray(params.cov_re, dtype=np.float64)
        sd = np.sqrt(np.diag(cov))

        def derivative(packed: Array) -> Array:
            whole = np.zeros_like(cov)
            whole[lower] = packed
            whole = whole + np.tril(whole, -1).T
            return np.asarray(model.cov_pen.deriv(whole, np.linalg.pinv(whole)), dtype=np.float64)

        units = np.outer(sd, sd)[lower]
        found[k_fe : k_fe + k_re2, k_fe : k_fe + k_re2] = _slopes(
            derivative, cov[lower], np.where(units > 0.0, units, 1.0)
        )
    return found


def _slopes(derivative: Callable[[Array], Any], at: Array, units: Array) -> Array:
    columns = []
    for j, unit in enumerate(_STEP * units):
        ends = []
        for sign in (1.0, -1.0):
            point = at.copy()
            point[j] += sign * unit
            ends.append(np.asarray(derivative(point), dtype=np.float64))
        columns.append((ends[0] - ends[1]) / (2.0 * unit))
    whole = np.column_stack(columns)
    return 0.5 * (whole + whole.T)
