"""Positive responses with a variance that grows with the cube of the mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .family import Family, Values, first_bad, register


@register
@dataclass(frozen=True, repr=False)
class InverseGaussian(Family):
    """
    The inverse Gaussian family with variance d·mu³; the dispersion is d.

    Parameters
    ----------
    link : {"log", "1/mu^2", "inverse"}
        The default is "log", not the canonical "1/mu^2" of R: it keeps every mean positive.
    dispersion : float, optional
        Holds d fixed.

    Examples
    --------
    >>> from mixedmodels.families import InverseGaussian
    >>> InverseGaussian()
    inverse_gaussian (log)
    """

    name: ClassVar[str] = "inverse_gaussian"
    aliases: ClassVar[tuple[str, ...]] = ("inversegaussian", "ig")
    links: ClassVar[tuple[str, ...]] = ("log", "1/mu^2", "inverse")
    parameter: ClassVar[str] = "dispersion"
    meaning: ClassVar[str] = "variance d·mu³"
    has_scale: ClassVar[bool] = True
    support: ClassVar = "positive"

    def variance(self, mu: Values, dispersion: float) -> Values:
        return dispersion * mu**3

    def relative_variance(self, mu: float, dispersion: float) -> float:
        return dispersion * mu

    def unit_deviance(self, y: Values, mu: Values, dispersion: float) -> Values:
        return np.square((y - mu) / mu) / y

    def sigma(self, dispersion: float) -> float:
        return float(np.sqrt(dispersion))

    def check(self, y: Values) -> tuple[int, str] | None:
        return first_bad(y > 0, "positive")

    def log_likelihood(self, y: Values, eta: Values, weights: Values, dispersion: float) -> Values:
        precision, mu = weights / dispersion, self.mean(eta)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            value = 0.5 * np.log(precision / (2.0 * np.pi * y**3))
            value = value - precision * np.square(y / mu - 1.0) / (2.0 * y)
        return np.where(mu > 0, value, -np.inf)

    def cumulative(self, y: Values, mu: Values, weights: Values, dispersion: float) -> Values:
        from scipy.special import log_ndtr, ndtr

        shape, y = weights / dispersion, np.maximum(y, np.finfo(float).tiny)
        root = np.sqrt(shape / y)
        return ndtr(root * (y / mu - 1.0)) + np.exp(2.0 * shape / mu + log_ndtr(-root * (y / mu + 1.0)))

    def draw(self, rng: np.random.Generator, mu: Values, weights: Values, dispersion: float) -> Values:
        return rng.wald(mu, weights / dispersion)
