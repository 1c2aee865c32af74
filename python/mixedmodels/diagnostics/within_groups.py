"""What the rows of each group alone say about its random effects."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..fit.state import FittedModel
from .residuals import residuals_used

# Eigenvalues this small in comparison with the largest are zero.
_RANK = 1e-9


def within_group_estimates(fitted: FittedModel, term: int) -> NDArray[np.float64]:
    """
    Weighted least squares for the effects of each level from its own rows.

    All else is as estimated: the coefficients and the other random effects. For a generalized model the
    response and the weights are those of the last step towards the modes. The conditional modes are these
    estimates shrunk towards zero.

    Parameters
    ----------
    fitted : FittedModel
    term : int
        Position of the term.

    Returns
    -------
    ndarray, shape (n_levels, k)
        NaN for levels whose rows do not determine all k effects.
    """
    own = fitted.design.terms[term]
    z, codes, m = own.z, own.group.codes.astype(np.int64), len(own.group.levels)
    weights, rest = fitted.working_weights(), residuals_used(fitted, "working")
    k = z.shape[1]
    cross = np.empty((m, k, k))
    right = np.empty((m, k))
    for i in range(k):
        right[:, i] = np.bincount(codes, weights * z[:, i] * rest, minlength=m)
        for j in range(i + 1):
            cross[:, i, j] = np.bincount(codes, weights * z[:, i] * z[:, j], minlength=m)
            cross[:, j, i] = cross[:, i, j]
    result = np.full((m, k), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = np.sqrt(np.diagonal(cross, axis1=1, axis2=2))
        standard = cross / (scale[:, :, None] * scale[:, None, :])
    usable = np.asarray(np.isfinite(standard).all(axis=(1, 2)) & np.isfinite(right).all(axis=1))
    usable[usable] = np.linalg.eigvalsh(standard[usable])[:, 0] > _RANK
    if usable.any():
        # The residuals hold what is left after the modes, which are added again.
        steps = np.linalg.solve(standard[usable], (right[usable] / scale[usable])[..., None])[..., 0]
        result[usable] = fitted.estimates.b[term][usable] + steps / scale[usable]
    return result
