"""Normal responses around a mean that is not linear in the predictor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .family import Family, Values, first_bad, register


@register
@dataclass(frozen=True, repr=False)
class Gaussian(Family):
    """
    The normal family; the dispersion is the residual variance σ² of an observation of weight one.

    Parameters
    ----------
    link : {"identity", "log", "inverse", "sqrt"}
        With "identity" the model is a linear one, which `glmer` hands over to `lmer`.
    dispersion : float, optional
        Holds σ² fixed.

    Examples
    --------
    >>> from mixedmodels.families import Gaussian
    >>> Gaussian("log")
    gaussian (log)
    """

    name: ClassVar[str] = "gaussian"
    aliases: ClassVar[tuple[str, ...]] = ("normal",)
    links: ClassVar[tuple[str, ...]] = ("identity", "log", "inverse", "sqrt")
    parameter: ClassVar[str] = "residual variance"
    meaning: ClassVar[str] = "variance d"
    has_scale: ClassVar[bool] = True

    def latent_variance(self, dispersion: float) -> float | None:
        return dispersion if self.link == "identity" else None

    def variance(self, mu: Values, dispersion: float) -> Values:
        return np.full_like(mu, dispersion)

    def unit_deviance(self, y: Values, mu: Values, dispersion: float) -> Values:
        return np.square(y - mu)

    def sigma(self, dispersion: float) -> float:
        return float(np.sqrt(dispersion))

    def check(self, y: Values) -> tuple[int, str] | None:
        return first_bad(np.isfinite(y), "finite")

    def impossible(self, y: Values) -> str:
        if self.link == "identity" or (y > 0).any():
            return ""
        return f"has no value above 0, but with link {self.link!r} every mean is positive"

    def log_likelihood(self, y: Values, eta: Values, weights: Values, dispersion: float) -> Values:
        variance = dispersion / weights
        return -0.5 * (np.log(2.0 * np.pi * variance) + np.square(y - self.mean(eta)) / variance)

    def cumulative(self, y: Values, mu: Values, weights: Values, dispersion: float) -> Values:
        from scipy.special import ndtr

        return ndtr((y - mu) / np.sqrt(dispersion / weights))

    def draw(self, rng: np.random.Generator, mu: Values, weights: Values, dispersion: float) -> Values:
        return rng.normal(mu, np.sqrt(dispersion / weights))
