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
from .degrees_of_freedom import DegreesOfFreedom, degrees_of_freedom
from .random_effects import unique_names
from .variance_components import variance_components


def two_sided_p(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """The probability of a standard normal variable at least as far from zero."""
    from scipy.special import erfc

    return erfc(np.abs(z) / math.sqrt(2.0))


def confidence_intervals(
    fitted: FittedModel, level: float = 0.95, method: str | DegreesOfFreedom = "wald"
) -> pd.DataFrame:
    """
    Confidence limits of the parameters.

    Parameters
    ----------
    fitted : FittedModel
    level : float
    method : {"wald", "satterthwaite", "kenward-roger", "residual"} or DegreesOfFreedom
        Estimate ± normal quantile times standard error, or by t distributions with the degrees of freedom
        (for "kenward-roger" also the standard errors) of that method.

    Returns
    -------
    DataFrame
        The limits in two columns named by their percentages. Rows ``sd_...`` and ``cor_...`` of the
        random effects and ``sigma`` are NaN: such intervals do not suit variances. Then the coefficients.
    """
    if isinstance(level, bool) or not isinstance(level, (int, float)) or not 0 < level < 1:
        raise ArgumentError(f"level must be a number between 0 and 1, not {level!r}")
    from scipy.special import ndtri, stdtrit

    basis = _basis(fitted, method)
    df = basis.df(np.eye(fitted.rank))
    share = 0.5 + level / 2
    half = np.where(np.isinf(df), ndtri(share), stdtrit(df, share)) * np.sqrt(np.diag(basis.covariance))
    variances = _variance_names(fitted)
    limits = np.full((len(variances) + len(fitted.design.x_names), 2), np.nan)
    limits[len(variances) + fitted.estimates.kept] = np.column_stack([basis.beta - half, basis.beta + half])
    columns = [f"{100 * share:.4g} %" for share in ((1 - level) / 2, (1 + level) / 2)]
    index = pd.Index([*variances, *fitted.design.x_names], dtype=object)
    return pd.DataFrame(limits, index=index, columns=columns)


def _basis(fitted: FittedModel, method: str | DegreesOfFreedom) -> DegreesOfFreedom:
    if isinstance(method, str) and method.lower() == "wald":
        return degrees_of_freedom(fitted, "inf")
    if isinstance(method, DegreesOfFreedom):
        return degrees_of_freedom(fitted, method)
    try:
        return degrees_of_freedom(fitted, "unknown" if method is None else method)
    except ArgumentError as error:
        raise ArgumentError(f"confint: method {method!r}: 'wald', or {error}") from None


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
