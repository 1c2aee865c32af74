"""Positive responses whose standard deviation is in proportion to the mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .family import Family, Values, first_bad, register


@register
@dataclass(frozen=True, repr=False)
class Gamma(Family):
    """
    The gamma family; the dispersion is 1/shape, the squared coefficient of variation.

    Parameters
    ----------
    link : {"log", "inverse", "identity"}
        The default is "log", not the canonical "inverse" of R: it keeps every mean positive.
    dispersion : float, optional
        Holds 1/shape fixed.

    Examples
    --------
    >>> from mixedmodels.families import Gamma
    >>> Gamma()
    gamma (log)
    """

    name: ClassVar[str] = "gamma"
    links: ClassVar[tuple[str, ...]] = ("log", "inverse", "identity")
    parameter: ClassVar[str] = "dispersion"
    meaning: ClassVar[str] = "variance d·mu²"
    has_scale: ClassVar[bool] = True
    support: ClassVar = "positive"

    def variance(self, mu: Values, dispersion: float) -> Values:
        return dispersion * np.square(mu)

    def relative_variance(self, mu: float, dispersion: float) -> float:
        return dispersion

    def unit_deviance(self, y: Values, mu: Values, dispersion: float) -> Values:
        return 2.0 * ((y - mu) / mu - np.log(y / mu))

    def sigma(self, dispersion: float) -> float:
        return float(np.sqrt(dispersion))

    def check(self, y: Values) -> tuple[int, str] | None:
        return first_bad(y > 0, "positive")

    def log_likelihood(self, y: Values, eta: Values, weights: Values, dispersion: float) -> Values:
        from scipy.special import gammaln

        shape, mu = weights / dispersion, self.mean(eta)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            value = shape * (np.log(shape * y / mu) - y / mu) - np.log(y) - gammaln(shape)
        return np.where(mu > 0, value, -np.inf)

    def cumulative(self, y: Values, mu: Values, weights: Values, dispersion: float) -> Values:
        from scipy.special import gammainc

        shape = weights / dispersion
        return gammainc(shape, np.maximum(y, 0.0) * shape / mu)

    def draw(self, rng: np.random.Generator, mu: Values, weights: Values, dispersion: float) -> Values:
        return rng.gamma(weights / dispersion, mu * dispersion / weights)
