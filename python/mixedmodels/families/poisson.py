"""Counts whose variance is their mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .family import Family, Values, first_bad, log_ratio, register


@register
@dataclass(frozen=True, repr=False)
class Poisson(Family):
    """
    The Poisson family.

    Parameters
    ----------
    link : {"log", "identity", "sqrt"}

    Examples
    --------
    >>> from mixedmodels.families import Poisson
    >>> Poisson()
    poisson (log)
    """

    name: ClassVar[str] = "poisson"
    links: ClassVar[tuple[str, ...]] = ("log", "identity", "sqrt")
    certain_means: ClassVar[tuple[float, ...]] = (0.0,)
    weighted_draws: ClassVar[bool] = False
    mean_name: ClassVar[str] = "rate"
    support: ClassVar = "counts"

    def variance(self, mu: Values, dispersion: float) -> Values:
        return mu

    def unit_deviance(self, y: Values, mu: Values, dispersion: float) -> Values:
        return 2.0 * (log_ratio(y, mu) - (y - mu))

    def check(self, y: Values) -> tuple[int, str] | None:
        return check_counts(y)

    def log_likelihood(self, y: Values, eta: Values, weights: Values, dispersion: float) -> Values:
        from scipy.special import gammaln, xlogy

        mu = self.mean(eta)
        with np.errstate(divide="ignore", invalid="ignore"):
            value = weights * (xlogy(y, mu) - mu - gammaln(y + 1.0))
        return np.where(mu >= 0, value, -np.inf)

    def cumulative(self, y: Values, mu: Values, weights: Values, dispersion: float) -> Values:
        from scipy.special import pdtr

        return np.where(y < 0, 0.0, pdtr(np.maximum(np.floor(y), 0.0), mu))

    def draw(self, rng: np.random.Generator, mu: Values, weights: Values, dispersion: float) -> Values:
        return rng.poisson(mu).astype(np.float64)


def check_counts(y: Values) -> tuple[int, str] | None:
    """The first response that is no count."""
    return first_bad((y >= 0) & (y == np.floor(y)), "a whole number, 0 or more")
