"""Separation: coefficients that run off to infinity because predictors tell the outcomes apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .design import GeneralizedDesign
from .errors import SeparationWarning
from .families import Family
from .fitted_generalized import GeneralizedEstimates
from .verdict import Notice

# A mean as near to its limit as a logit of 15 is.
_NUMERICALLY_ZERO = 1.0 / (1.0 + np.exp(15.0))
# On the linear predictor: an effect of this size is beyond what odds or ratios are in any data.
_HUGE_EFFECT = 8.0
# A standard error of that size says that the data do not bound the coefficient.
_HUGE_ERROR = 5.0
_DISCRETE = frozenset({"binomial", "poisson", "nbinom1", "nbinom2"})
_WITHOUT_LIMIT = frozenset({"identity", "sqrt"})


def separation_notices(
    design: GeneralizedDesign, family: Family, estimates: GeneralizedEstimates
) -> list[Notice]:
    """
    A warning when means have run into their limits along coefficients that the data do not bound.

    The sizes of effects and errors are those of the whole range of a column.
    """
    if family.name not in _DISCRETE or family.link in _WITHOUT_LIMIT:
        return []
    mu = family.mean(estimates.eta)
    at_limit = mu < _NUMERICALLY_ZERO
    if family.name == "binomial":
        at_limit |= 1.0 - mu < _NUMERICALLY_ZERO
    if not at_limit.any():
        return []
    kept = estimates.kept
    ranges = _ranges(design.x[:, kept])
    effects = np.abs(estimates.beta[kept]) * ranges
    with np.errstate(invalid="ignore"):
        errors = np.sqrt(np.diag(estimates.conditional_covariance)) * ranges
    # A curvature that has vanished altogether has no error to show.
    running = (effects > _HUGE_EFFECT) & ~(errors < _HUGE_ERROR)
    if not running.any():
        return []
    names = [design.x_names[j] for j in kept[running]]
    shown = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
    rows = int(np.count_nonzero(at_limit))
    text = (
        f"the fitted mean is numerically {'0 or 1' if family.name == 'binomial' else '0'} in {rows} "
        f"row{'s' if rows > 1 else ''}, and the data do not bound the coefficient"
        f"{'s' if len(names) > 1 else ''} of {shown}: predictors separate the outcomes, so that the "
        "estimates are as large as the optimizer let them get and their standard errors mean nothing"
    )
    return [(SeparationWarning, text)]


def _ranges(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The range of each column; of a constant one its value."""
    spread = x.max(axis=0) - x.min(axis=0)
    return np.where(spread > 0, spread, np.abs(x).max(axis=0))
