"""Dispersions that have run into a limit: an unbounded likelihood, or a simpler family."""

from __future__ import annotations

import numpy as np

from ...errors import MixedModelsWarning
from ...families import FAMILIES, Family
from ..fitted_generalized import GeneralizedEstimates
from .verdict import Notice

# A standard deviation of this share of the mean: the digits that rounding left of a response.
_REPRODUCED = 1e-7
# A larger one is no optimum either where -2 log-likelihood still falls by this with the logarithm of the
# dispersion, and a larger one yet where rounding has lost the value that a search had found.
_NEARLY_REPRODUCED, _LOST, _FALLING = 1e-5, 1e-2, 1.0
# Variance beyond that of the limit, as a share of it.
_NO_EXCESS = 1e-6


def unbounded_likelihood(family: Family, estimates: GeneralizedEstimates, slope: float, least: float) -> str:
    """
    What to say when the means reproduce a continuous response; empty when they do not.

    Parameters
    ----------
    family, estimates
        Of the fit.
    slope : float
        Derivative of the objective in the logarithm of the dispersion, at its end.
    least : float
        The least objective that the search has met.
    """
    relative = relative_residual_sd(family, estimates)
    if relative is None or not relative < _LOST:
        return ""
    falls = relative < _NEARLY_REPRODUCED and slope * towards_zero(family) < -_FALLING
    if not (relative < _REPRODUCED or falls or estimates.objective > least + _FALLING):
        return ""
    return (
        "not converged: the means reproduce the response, so the likelihood is unbounded in the "
        f"{family.parameter} ({estimates.dispersion:.3g}); there are as many coefficients as "
        "observations, or the response is a function of the predictors"
    )


def relative_residual_sd(family: Family, estimates: GeneralizedEstimates) -> float | None:
    """The standard deviation of an observation as a share of its mean; None without an estimate of it."""
    if not family.estimates_dispersion or family.discrete:
        return None
    means = np.abs(family.mean(estimates.eta))
    largest = float(means.max())
    if not np.isfinite(largest):
        return None
    # Squares of means overflow before the means do.
    size = largest * float(np.sqrt(np.mean(np.square(means / largest)))) if largest > 0.0 else 0.0
    return float(np.sqrt(family.relative_variance(size, estimates.dispersion)))


def towards_zero(family: Family) -> float:
    """The sign by which the logarithm of the dispersion goes where the residual variance falls."""
    return 1.0 if family.precision else -1.0


def limit_notices(family: Family, estimates: GeneralizedEstimates) -> list[Notice]:
    """A note when a distribution has reached its limit, as the negative binomial the Poisson."""
    if not family.estimates_dispersion or not family.limit:
        return []
    mean = np.array([np.mean(family.mean(estimates.eta))])
    least = FAMILIES[family.limit](family.link).variance(mean, 1.0)
    if not family.variance(mean, estimates.dispersion)[0] / least[0] - 1.0 < _NO_EXCESS:
        return []
    text = (
        f"given the random effects, the response varies no more than under family={family.limit!r}: the "
        f"{family.parameter} ({estimates.dispersion:.3g}) has reached its limit, where both models "
        f"coincide; {family.limit!r} has one fewer parameter"
    )
    return [(MixedModelsWarning, text)]
