"""Conditional modes and covariance matrices of the random effects of each group."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .likelihood import Covariance
from .params import MixedLMParams


def conditional_effects(
    model: Any, params: MixedLMParams, scale: float
) -> dict[Any, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """
    Modes and covariance matrices of the random effects given the response.

    Coefficients come first, then the columns of each variance component. Ψ need not be invertible.

    Parameters
    ----------
    model : MixedLM
    params : MixedLMParams
    scale : float
        Residual variance.

    Returns
    -------
    dict
        For each label of a group the modes, shape (q,), and their covariance matrix, shape (q, q).
    """
    covariance = Covariance(model.products, params.cov_re, params.vcomp)
    residuals = model.endog - model.exog @ params.fe_params
    modes = covariance.solve(residuals[:, None]).effects[:, 0]
    found: dict[Any, Any] = {}
    for batch, psi, inverse in covariance.factors:
        groups = model.products.group[batch.effects[:, 0]]
        own = scale * (psi @ inverse)
        own = 0.5 * (own + own.swapaxes(1, 2))
        for place, g in enumerate(groups.tolist()):
            found[model.group_labels[g]] = modes[batch.effects[place]], own[place]
    nothing = np.zeros(0), np.zeros((0, 0))
    return {label: found.get(label, nothing) for label in model.group_labels}


def fitted_values(model: Any, params: MixedLMParams, scale: float, fitted: Any) -> NDArray[np.float64]:
    """Means given the random effects, shape (n,)."""
    fixed = model.exog @ params.fe_params
    covariance = Covariance(model.products, params.cov_re, params.vcomp)
    return fixed + model.products.z @ covariance.solve((model.endog - fixed)[:, None]).effects[:, 0]


def effect_names(model: Any, label: Any) -> list[str]:
    """
    Names of the random effects of a group.

    Parameters
    ----------
    model : MixedLM
    label : object
        Of the group.
    """
    names = list(model.data.exog_re_names)
    if model.components:
        group = model.groups_of_rows.numbers[label]
        for part in model.components:
            names += [f"{part.name}[{column}]" for column in part.labels(group)]
    return names
