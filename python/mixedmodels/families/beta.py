"""Proportions that are measured, not counted: strictly between 0 and 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .family import Family, Values, first_bad, register


@register
@dataclass(frozen=True, repr=False)
class Beta(Family):
    """
    The beta family; the dispersion is its precision φ, of variance mu (1 - mu)/(1 + φ).

    Parameters
    ----------
    link : {"logit"}
    dispersion : float, optional
        Holds φ fixed.

    Notes
    -----
    The deviance of an observation is the absolute difference of its log-density at the means y and
    mu, twice (Espinheira, Ferrari & Cribari-Neto 2008): the mean y does not maximise the density of y.

    Examples
    --------
    >>> from mixedmodels.families import Beta
    >>> Beta()
    beta (logit)
    """

    name: ClassVar[str] = "beta"
    aliases: ClassVar[tuple[str, ...]] = ("betafamily",)
    links: ClassVar[tuple[str, ...]] = ("logit",)
    parameter: ClassVar[str] = "precision"
    precision: ClassVar[bool] = True
    support: ClassVar = "unit"
    meaning: ClassVar[str] = "variance mu (1 - mu)/(1 + d)"
    weighted_draws: ClassVar[bool] = False

    def variance(self, mu: Values, dispersion: float) -> Values:
        return mu * (1.0 - mu) / (1.0 + dispersion)

    def relative_variance(self, mu: float, dispersion: float) -> float:
        # That at a mean of 1/2, the same for the complement.
        return 1.0 / (1.0 + dispersion)

    def unit_deviance(self, y: Values, mu: Values, dispersion: float) -> Values:
        return 2.0 * np.abs(_mean_part(y, y, dispersion) - _mean_part(y, mu, dispersion))

    def check(self, y: Values) -> tuple[int, str] | None:
        return first_bad((y > 0) & (y < 1), "strictly between 0 and 1")

    def log_likelihood(self, y: Values, eta: Values, weights: Values, dispersion: float) -> Values:
        mu = self.mean(eta)
        with np.errstate(divide="ignore", invalid="ignore"):
            value = _mean_part(y, mu, dispersion) - np.log(y) - np.log1p(-y)
        return np.where((mu > 0) & (mu < 1), weights * value, -np.inf)

    def cumulative(self, y: Values, mu: Values, weights: Values, dispersion: float) -> Values:
        from scipy.special import betainc

        return betainc(mu * dispersion, (1.0 - mu) * dispersion, np.clip(y, 0.0, 1.0))

    def draw(self, rng: np.random.Generator, mu: Values, weights: Values, dispersion: float) -> Values:
        # Rounding may reach 0 or 1, which no beta variable is.
        least = np.finfo(float).tiny
        drawn = rng.beta(mu * dispersion, (1.0 - mu) * dispersion)
        return np.clip(drawn, least, 1.0 - np.finfo(float).epsneg)


def _mean_part(y: Values, mu: Values, precision: float) -> Values:
    """The part of the log-density that depends on the mean."""
    from scipy.special import betaln

    a, b = mu * precision, (1.0 - mu) * precision
    return a * np.log(y) + b * np.log1p(-y) - betaln(a, b)
