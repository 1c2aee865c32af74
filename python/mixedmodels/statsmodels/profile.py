"""Profile likelihoods of variances, by the engine."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import finite_number, whole_number
from ..inference.profiles.base import base_of, is_tied
from ..inference.profiles.walks import constrained
from .places import places_of
from .unpenalised import unpenalised

Array = NDArray[np.float64]
# How many values, and how far from the estimate.
Side = tuple[int, float]


def profile_re(results: Any, re_ix: Any, vtype: str, low: Side, high: Side) -> Array:
    """Values of a variance and log-likelihoods; see `MixedLMResults.profile_re`."""
    for side, (count, distance) in (("low", low), ("high", high)):
        whole_number(f"num_{side}", count, least=0)
        finite_number(f"dist_{side}", distance)
    variance, place = _chosen(results, re_ix, vtype)
    lowest = variance - low[1] if low[0] else variance
    if low[0] and variance == 0.0:
        raise ValueError(
            "profile_re: the estimate of this variance is zero, so there is nothing below it; use num_low=0"
        )
    if low[0] and lowest <= 0.0:
        raise ValueError(
            f"dist_low is too large: {variance:.6g} - {low[1]:.6g} is no positive variance; give less, or "
            "num_low=0"
        )
    below = np.linspace(lowest, variance, low[0] + 1)
    above = np.linspace(variance, variance + high[1], high[0] + 1)
    return np.vstack([_held(results, place, below), _held(results, place, above)[1:]])


def _chosen(results: Any, re_ix: Any, vtype: str) -> tuple[float, int]:
    """The estimate of a variance, and its place among random effects and variance components."""
    model = results.model
    if vtype == "re":
        positions = range(results.k_re)
        if re_ix not in positions:
            raise ValueError(
                f"re_ix must be one of the {results.k_re} random effects from 0 on, not {re_ix!r}"
            )
        return float(np.asarray(results.cov_re)[re_ix, re_ix]), int(re_ix)
    if vtype == "vc":
        names = list(model.exog_vc.names)
        if re_ix not in names:
            raise ValueError(f"re_ix must name a variance component, one of {names}, not {re_ix!r}")
        at = names.index(re_ix)
        return float(results.vcomp[at]), results.k_re + at
    raise ValueError(f"vtype must be 're' or 'vc', not {vtype!r}")


def _held(results: Any, place: int, variances: Array) -> Array:
    """Values and log-likelihoods, each search from the optimum at the value before, nearest first."""
    fitted = unpenalised(results, "profile_re")
    row = places_of(fitted, results._layout, results.k_re).deviations.get(place)
    if row is None or not row.free or is_tied(fitted, row):
        raise ValueError("profile_re: the fit holds this variance, or one of its term")
    base = base_of(fitted, results.reml)
    outwards = np.argsort(np.abs(variances - row.estimate**2), kind="stable")
    points = [[float(np.sqrt(v))] for v in variances[outwards]]
    found = constrained(base, [row], [points])[0]
    result = np.empty((len(variances), 2))
    result[:, 0] = variances
    result[outwards, 1] = -0.5 * np.asarray(found["objective"])
    return result
