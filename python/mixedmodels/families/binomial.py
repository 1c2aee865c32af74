"""Successes in a number of trials; 0/1 data are one trial each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .family import Family, Values, first_bad, log_ratio, register

# Variances of a latent variable of which only the sign is seen: logistic, normal, Gumbel, Cauchy.
_LATENT = {"logit": math.pi**2 / 3, "probit": 1.0, "cloglog": math.pi**2 / 6, "cauchit": math.inf}


@register
@dataclass(frozen=True, repr=False)
class Binomial(Family):
    """
    The binomial family: y is the proportion of successes, the weights are the numbers of trials.

    Parameters
    ----------
    link : {"logit", "probit", "cloglog", "cauchit", "log"}

    Examples
    --------
    >>> from mixedmodels.families import Binomial
    >>> Binomial("probit")
    binomial (probit)
    """

    name: ClassVar[str] = "binomial"
    aliases: ClassVar[tuple[str, ...]] = ("bernoulli",)
    links: ClassVar[tuple[str, ...]] = ("logit", "probit", "cloglog", "cauchit", "log")
    trials: ClassVar[bool] = True
    certain_means: ClassVar[tuple[float, ...]] = (0.0, 1.0)
    mean_name: ClassVar[str] = "prob"
    support: ClassVar = "proportions"

    def latent_variance(self, dispersion: float) -> float | None:
        return _LATENT.get(self.link)

    def variance(self, mu: Values, dispersion: float) -> Values:
        return mu * (1.0 - mu)

    def unit_deviance(self, y: Values, mu: Values, dispersion: float) -> Values:
        return 2.0 * (log_ratio(y, mu) + log_ratio(1.0 - y, 1.0 - mu))

    def check(self, y: Values) -> tuple[int, str] | None:
        return first_bad((y >= 0) & (y <= 1), "between 0 and 1")

    def log_likelihood(self, y: Values, eta: Values, weights: Values, dispersion: float) -> Values:
        from scipy.special import gammaln

        mu, k = self.mean(eta), np.round(y * weights)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            success, failure = _log_probabilities(self.link, np.asarray(eta), mu)
            value = np.where(k > 0, k * success, 0.0) + np.where(k < weights, (weights - k) * failure, 0.0)
        ways = gammaln(weights + 1.0) - gammaln(k + 1.0) - gammaln(weights - k + 1.0)
        # Of links that have probabilities above 1.
        possible = (mu >= 0.0) & (mu <= 1.0)
        return np.where(possible & ~np.isnan(value), value + ways, -np.inf)

    def cumulative(self, y: Values, mu: Values, weights: Values, dispersion: float) -> Values:
        from scipy.special import betaincc

        # Of at most k successes in n trials.
        k = np.floor(np.round(y * weights, 6))
        inside = (k >= 0) & (k < weights)
        left = np.where(inside, weights - k, 1.0)
        return np.where(inside, betaincc(np.where(inside, k + 1.0, 1.0), left, mu), np.where(k < 0, 0.0, 1.0))

    def draw(self, rng: np.random.Generator, mu: Values, weights: Values, dispersion: float) -> Values:
        trials = weights.astype(np.int64)
        return rng.binomial(trials, mu) / trials


def _log_probabilities(link: str, eta: Values, mu: Values) -> tuple[Values, Values]:
    """The logarithms of the probabilities of success and failure, also where one of them rounds to 1."""
    from scipy.special import log_expit, log_ndtr

    if link == "logit":
        return log_expit(eta), log_expit(-eta)
    if link == "probit":
        return log_ndtr(eta), log_ndtr(-eta)
    if link == "cloglog":
        return np.log(-np.expm1(-np.exp(eta))), -np.exp(eta)
    if link == "cauchit":
        # The arctangent of a reciprocal is exact in the tail.
        tail = np.log(np.arctan2(1.0, np.abs(eta)) / np.pi)
        rest = np.log1p(-np.exp(tail))
        return np.where(eta > 0, rest, tail), np.where(eta > 0, tail, rest)
    return np.log(mu), np.log1p(-mu)
