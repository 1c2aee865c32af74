"""Variances that the data do not determine, as the fixed effects explain the random ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..fit.endpoint.undetermined import explained_effects
from .places import Layout

# Shares of the effects of a level that are smaller are rounding.
_NONE = 1e-8


def undetermined(model: Any, fitted: Any, layout: Layout) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """
    Which parameters REML leaves open.

    Where the columns of the fixed effects span those of a random effect, Z = XA, its variance ψ adds ψAA' to
    the covariance matrix of the coefficients, and nothing to the criterion.

    Parameters
    ----------
    model : MixedLM
    fitted : FittedModel
    layout : sequence of (Block, int)

    Returns
    -------
    variances : ndarray of bool, shape (k_fe + k_re2 + k_vc,)
        Variances and covariances that are arbitrary.
    coefficients : ndarray of bool, shape (k_fe + k_re2 + k_vc,)
        Fixed effects whose standard errors depend on them.
    """
    size = model.k_fe + model.k_re2 + model.k_vc
    variances, coefficients = np.zeros(size, dtype=bool), np.zeros(size, dtype=bool)
    if not fitted.restricted:
        return variances, coefficients
    kept = np.asarray(fitted.estimates.kept)
    blocks = {place: block for block, place in layout}
    lower = np.tril_indices(model.k_re)
    for place, column in explained_effects(fitted.design, kept):
        block, term = blocks[place], fitted.design.terms[place]
        if block.component >= 0:
            variances[model.k_fe + model.k_re2 + block.component] = True
        else:
            own = block.columns[column]
            variances[model.k_fe + np.flatnonzero((lower[0] == own) | (lower[1] == own))] = True
        z = np.zeros((len(term.z), len(term.group.levels)))
        z[np.arange(len(z)), term.group.codes] = term.z[:, column]
        shares = np.abs(np.linalg.lstsq(fitted.design.x[:, kept], z, rcond=None)[0])
        coefficients[kept[shares.max(axis=1) > _NONE * shares.max()]] = True
    return variances, coefficients
