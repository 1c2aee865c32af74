"""Positive responses whose logarithms are normal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from .family import Family, Values, first_bad, register

# Of larger numbers the exponential is infinite.
_LARGEST = 700.0


@register
@dataclass(frozen=True, repr=False)
class LogNormal(Family):
    """
    The log-normal family: log y is normal around the linear predictor, with variance d over the weight.

    The model is the linear mixed model of log y with the likelihood of y, so AIC compares it with other
    families. The inverse link gives the *median* of an observation, exp(eta), which replaces
    the mean in fitted values, predictions and marginal means; the mean of an observation of weight one is
    exp(eta + d/2).

    Parameters
    ----------
    link : {"log"}
    dispersion : float, optional
        Holds d, the residual variance of log y, fixed.

    Notes
    -----
    Pearson, deviance and working residuals are residuals of log y.

    Examples
    --------
    >>> from mixedmodels.families import LogNormal
    >>> LogNormal()
    lognormal (log)
    """

    name: ClassVar[str] = "lognormal"
    links: ClassVar[tuple[str, ...]] = ("log",)
    parameter: ClassVar[str] = "residual variance"
    meaning: ClassVar[str] = "variance d of log y"
    has_scale: ClassVar[bool] = True
    mean_name: ClassVar[str] = "median"
    support: ClassVar = "positive"
    center: ClassVar[Literal["mean", "median"]] = "median"

    def variance(self, mu: Values, dispersion: float) -> Values:
        with np.errstate(over="ignore"):
            return np.exp(dispersion) * np.expm1(dispersion) * np.square(mu)

    def relative_variance(self, mu: float, dispersion: float) -> float:
        return float(np.expm1(min(dispersion, _LARGEST)))

    def latent_variance(self, dispersion: float) -> float | None:
        return dispersion

    def expected_information(self, eta: Values, dispersion: float) -> Values:
        return np.full_like(eta, 1.0 / dispersion)

    def unit_deviance(self, y: Values, mu: Values, dispersion: float) -> Values:
        return np.square(np.log(y / mu))

    def pearson(self, y: Values, eta: Values, weights: Values, dispersion: float) -> Values:
        return (np.log(y) - eta) * np.sqrt(weights / dispersion)

    def working(self, y: Values, eta: Values) -> Values:
        return np.log(y) - eta

    def sigma(self, dispersion: float) -> float:
        return float(np.sqrt(dispersion))

    def check(self, y: Values) -> tuple[int, str] | None:
        return first_bad(y > 0, "positive")

    def log_likelihood(self, y: Values, eta: Values, weights: Values, dispersion: float) -> Values:
        variance = dispersion / weights
        log_y = np.log(y)
        return -log_y - 0.5 * (np.log(2.0 * np.pi * variance) + np.square(log_y - eta) / variance)

    def cumulative(self, y: Values, mu: Values, weights: Values, dispersion: float) -> Values:
        from scipy.special import ndtr

        with np.errstate(divide="ignore"):
            return ndtr((np.log(np.maximum(y, 0.0)) - np.log(mu)) / np.sqrt(dispersion / weights))

    def draw(self, rng: np.random.Generator, mu: Values, weights: Values, dispersion: float) -> Values:
        return rng.lognormal(np.log(mu), np.sqrt(dispersion / weights))
