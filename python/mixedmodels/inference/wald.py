"""Tests and intervals from estimates and their standard errors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import ArgumentError
from ..fitted_generalized import FittedGeneralized
from ..fitted_model import FittedModel
from . import fixed_effects
from .random_effects import unique_names
from .variance_components import variance_components


def two_sided_p(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """The probability of a standard normal variable at least as far from zero."""
    from scipy.special import erfc

    return erfc(np.abs(z) / math.sqrt(2.0))


def confidence_intervals(fitted: FittedModel, level: float = 0.95, method: str = "wald") -> pd.DataFrame:
    """
    Confidence limits of the parameters.

    Parameters
    ----------
    fitted : FittedModel
    level : float
    method : {"wald"}
        Estimate ± normal quantile times standard error.

    Returns
    -------
    DataFrame
        The limits in two columns named by their percentages. Rows ``sd_...`` and ``cor_...`` of the
        random effects and ``sigma`` are NaN: Wald intervals do not suit variances. Then the coefficients.
    """
    if method != "wald":
        raise ArgumentError(f"confint: unknown method {method!r}; there is 'wald'")
    if isinstance(level, bool) or not isinstance(level, (int, float)) or not 0 < level < 1:
        raise ArgumentError(f"level must be a number between 0 and 1, not {level!r}")
    from scipy.special import ndtri

    estimate = fixed_effects.fixed_effects(fitted).to_numpy()
    half = float(ndtri(0.5 + level / 2)) * fixed_effects.standard_errors(fitted).to_numpy()
    variances = _variance_names(fitted)
    limits = np.full((len(variances) + len(estimate), 2), np.nan)
    limits[len(variances) :] = np.column_stack([estimate - half, estimate + half])
    columns = [f"{100 * share:.4g} %" for share in ((1 - level) / 2, (1 + level) / 2)]
    index = pd.Index([*variances, *fitted.design.x_names], dtype=object)
    return pd.DataFrame(limits, index=index, columns=columns)


def _variance_names(fitted: FittedModel) -> list[str]:
    """Names of standard deviations, correlations and the scale, as lme4 writes them on request."""
    names: list[str] = []
    for part in variance_components(fitted):
        names += [f"sd_{name}|{part.group}" for name in part.names]
        if not part.independent:
            names += [
                f"cor_{part.names[i]}.{part.names[j]}|{part.group}"
                for j in range(len(part.names))
                for i in range(j + 1, len(part.names))
            ]
    names = unique_names(names)
    return [*names, "sigma"] if _has_sigma(fitted) else names


def _has_sigma(fitted: Any) -> bool:
    return not isinstance(fitted, FittedGeneralized) or bool(fitted.family.parameter)
