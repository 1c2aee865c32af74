"""Parametric bootstrap replicates in the parameters of statsmodels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import whole_number
from ..inference.estimates.parameter_rows import parameter_rows
from ..models.linear import LinearMixedModel
from .places import places_of
from .unpenalised import unpenalised

Array = NDArray[np.float64]


def replicates(results: Any, n: int, rng: Any) -> Array:
    """Estimates from n responses drawn from the model, shape (n, p) in the order of `params`."""
    fitted = unpenalised(results, "bootstrap")
    boot = LinearMixedModel(fitted).bootstrap(whole_number("nrep", n, least=1), rng=rng)
    at = {row.name: i for i, row in enumerate(parameter_rows(fitted))}
    deviations, correlations, scale = places_of(fitted, results._layout, results.k_re)
    residual = np.square(boot.values[:, at[scale.name]])
    none = np.zeros(len(residual))
    sd = [
        boot.values[:, at[deviations[i].name]] if i in deviations else none
        for i in range(results.k_re + results.k_vc)
    ]
    parts = [boot.values[:, np.array(boot.kinds) == "coefficient"].T]
    for i in range(results.k_re):
        for j in range(i):
            row = correlations.get((i, j))
            # A correlation with an effect without variance is NaN; the covariance is zero.
            cor = none if row is None else np.nan_to_num(boot.values[:, at[row.name]])
            parts.append((cor * sd[i] * sd[j] / residual)[None])
        parts.append((sd[i] ** 2 / residual)[None])
    parts += [(own**2 / residual)[None] for own in sd[results.k_re :]]
    return np.vstack(parts).T
