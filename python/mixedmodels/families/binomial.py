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
