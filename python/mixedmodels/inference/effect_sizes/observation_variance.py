"""
The variance of an observation on the scale of the linear predictor, given its random effects.

Nakagawa & Schielzeth (2010, 2013); Nakagawa, Johnson & Schielzeth (2017).
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...checks import one_of
from ...errors import ArgumentError
from ...fit.state import FittedModel
from ..estimates.variance_components import variance_components
from ..likelihood.reduced_fits import with_intercept_only

Approximation = Literal["lognormal", "trigamma", "delta"]
APPROXIMATIONS: tuple[Approximation, ...] = ("lognormal", "trigamma", "delta")


def observation_variance(fitted: FittedModel, approximation: Approximation = "lognormal") -> float:
    """
    The variance that belongs to single observations, on the scale of the linear predictor.

    Parameters
    ----------
    fitted : FittedModel
    approximation : {"lognormal", "trigamma", "delta"}
        For a log link, with c² the squared coefficient of variation of the response at its mean:
        log(1 + c²), the trigamma function of 1/c², or c². Other links have the delta method only.

    Returns
    -------
    float
        σ² for a linear mixed model. π²/3, 1 and π²/6 for binomial models with logit, probit and cloglog
        link, the variances of their latent variables.

    Raises
    ------
    ArgumentError
        For the cauchit link: a Cauchy variable has no variance.
    """
    one_of("approximation", approximation, APPROXIMATIONS)
    family, link = fitted.family, fitted.family.link
    latent = family.latent_variance(fitted.dispersion)
    if latent is not None and math.isinf(latent):
        raise ArgumentError(
            f"shares of variance do not exist for the {link} link: its latent variable has no variance"
        )
    if latent is not None:
        return latent
    mean = _overall_mean(fitted)
    variance = float(family.variance(np.array([mean]), fitted.dispersion)[0])
    if link == "log":
        return _on_log_scale(variance / mean**2, approximation)
    # dη/dμ at the mean.
    eta = np.asarray(family.functions.link(np.array([mean])), dtype=float)
    slope = float(np.asarray(family.functions.slope(eta))[0])
    return variance / slope**2


def _on_log_scale(ratio: float, approximation: Approximation) -> float:
    if approximation == "lognormal":
        return math.log1p(ratio)
    if approximation == "delta":
        return ratio
    from scipy.special import polygamma

    return float(polygamma(1, 1.0 / ratio))


def _overall_mean(fitted: FittedModel) -> float:
    """
    The mean of the response over the population.

    For a log link E exp(η) under the model without predictors but with the same random effects, which
    Nakagawa et al. recommend; for other links the mean of the data.
    """
    if fitted.family.link != "log":
        return float(np.average(fitted.observed, weights=fitted.prior_weights))
    null = with_intercept_only(fitted)
    eta = np.full(null.n_obs, float(null.estimates.beta[0])) + 0.5 * random_variances(null)
    return float(np.mean(np.exp(eta if null.design.offset is None else eta + null.design.offset)))


def random_variances(fitted: FittedModel, terms: Any = None) -> NDArray[np.float64]:
    """Variances zΣz' of the random part of the observations over some terms (all by default), shape (n,)."""
    total = np.zeros(fitted.n_obs)
    for t, (term, part) in enumerate(zip(fitted.design.terms, variance_components(fitted), strict=True)):
        if terms is None or t in terms:
            total += np.einsum("ij,jk,ik->i", term.z, part.cov, term.z, optimize=True)
    return total
