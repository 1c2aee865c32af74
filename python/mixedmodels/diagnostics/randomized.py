"""Quantile residuals given the random effects, from the distribution function of the family."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import ArgumentError
from ..fit.state import FittedModel

# Probabilities as close to 0 or 1 as these have no finite normal quantile.
_LEAST = 1e-12


def randomized_quantiles(
    fitted: FittedModel, generator: np.random.Generator, eta: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """
    Randomized quantile residuals (Dunn & Smyth 1996) of the rows used, given the random effects.

    The normal quantile of the probability of a response of at most y; for counts of a uniform draw between
    the probabilities of less than y and of at most y. With the true parameters they are standard normal.

    Parameters
    ----------
    fitted : FittedModel
    generator : Generator
    eta : ndarray, shape (n,), optional
        The linear predictor; by default that at the conditional modes.

    Returns
    -------
    ndarray, shape (n,)

    Raises
    ------
    ArgumentError
        For a family without a distribution function.
    """
    from scipy.special import ndtri

    family, y = fitted.family, fitted.observed
    mu = fitted.mean if eta is None else family.mean(eta)
    weights, dispersion = fitted.prior_weights, fitted.dispersion
    if not family.support:
        raise ArgumentError(
            f"quantile residuals: the distribution function of family {family.name} is not known; take "
            "type='pearson'"
        )
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        upper = family.cumulative(y, mu, weights, dispersion)
        lower = upper
        if family.support in ("counts", "proportions"):
            step = 1.0 / weights if family.support == "proportions" else 1.0
            lower = family.cumulative(y - step, mu, weights, dispersion)
    share = lower + (upper - lower) * generator.uniform(size=len(y)) if lower is not upper else upper
    return ndtri(np.clip(share, _LEAST, 1.0 - _LEAST))
