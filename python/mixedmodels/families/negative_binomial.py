"""Counts with a variance above their mean: quadratic (NB2) or linear (NB1) in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .family import Family, Values, log_ratio, register
from .poisson import check_counts


@register
@dataclass(frozen=True, repr=False, init=False)
class NegativeBinomial(Family):
    """
    The negative binomial family with variance mu + mu²/size (NB2).

    Parameters
    ----------
    link : {"log", "sqrt", "identity"}
    size : float, optional
        Holds the size (R's theta) fixed instead of estimating it.

    Examples
    --------
    >>> from mixedmodels.families import NegativeBinomial
    >>> NegativeBinomial(size=7.5)
    nbinom2 (log, size held at 7.5)
    """

    name: ClassVar[str] = "nbinom2"
    aliases: ClassVar[tuple[str, ...]] = (
        "negativebinomial",
        "negbinomial",
        "negbin",
        "nb",
        "nb2",
        "negativebinomial2",
    )
    links: ClassVar[tuple[str, ...]] = ("log", "sqrt", "identity")
    parameter: ClassVar[str] = "size"
    meaning: ClassVar[str] = "variance mu + mu²/d"
    precision: ClassVar[bool] = True
    limit: ClassVar[str] = "poisson"
    certain_means: ClassVar[tuple[float, ...]] = (0.0,)
    weighted_draws: ClassVar[bool] = False
    mean_name: ClassVar[str] = "rate"
    support: ClassVar = "counts"

    def __init__(self, link: str = "", size: float | None = None) -> None:
        object.__setattr__(self, "link", link)
        object.__setattr__(self, "dispersion", size)
        self.__post_init__()

    def held(self) -> dict[str, float]:
        return {} if self.dispersion is None else {"size": self.dispersion}

    def variance(self, mu: Values, dispersion: float) -> Values:
        return mu + np.square(mu) / dispersion

    def unit_deviance(self, y: Values, mu: Values, dispersion: float) -> Values:
        return 2.0 * (log_ratio(y, mu) - (y + dispersion) * np.log1p((y - mu) / (mu + dispersion)))

    def check(self, y: Values) -> tuple[int, str] | None:
        return check_counts(y)

    def log_likelihood(self, y: Values, eta: Values, weights: Values, dispersion: float) -> Values:
        from scipy.special import gammaln, xlogy

        mu, k = self.mean(eta), dispersion
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            ways = gammaln(y + k) - gammaln(k) - gammaln(y + 1.0)
            value = weights * (ways - k * np.log1p(mu / k) + xlogy(y, mu / (mu + k)))
        return np.where(mu >= 0, value, -np.inf)

    def cumulative(self, y: Values, mu: Values, weights: Values, dispersion: float) -> Values:
        return _cumulative(y, np.asarray(dispersion), dispersion / (dispersion + mu))

    def draw(self, rng: np.random.Generator, mu: Values, weights: Values, dispersion: float) -> Values:
        return rng.poisson(mu * rng.gamma(dispersion, 1.0 / dispersion, size=mu.shape)).astype(np.float64)


@register
@dataclass(frozen=True, repr=False)
class NegativeBinomial1(Family):
    """
    The negative binomial family with variance mu (1 + d) (NB1).

    Parameters
    ----------
    link : {"log"}
    dispersion : float, optional
        Holds d fixed.

    Notes
    -----
    The mean y does not maximise the density of y, so that the deviance of an observation is the
    absolute difference of its log-density at the means y and mu, twice.

    Examples
    --------
    >>> from mixedmodels.families import NegativeBinomial1
    >>> NegativeBinomial1()
    nbinom1 (log)
    """

    name: ClassVar[str] = "nbinom1"
    aliases: ClassVar[tuple[str, ...]] = ("nb1", "negativebinomial1")
    links: ClassVar[tuple[str, ...]] = ("log",)
    parameter: ClassVar[str] = "dispersion"
    meaning: ClassVar[str] = "variance mu (1 + d)"
    limit: ClassVar[str] = "poisson"
    certain_means: ClassVar[tuple[float, ...]] = (0.0,)
    weighted_draws: ClassVar[bool] = False
    mean_name: ClassVar[str] = "rate"
    support: ClassVar = "counts"
    has_expected_information: ClassVar[bool] = False

    def variance(self, mu: Values, dispersion: float) -> Values:
        return mu * (1.0 + dispersion)

    def unit_deviance(self, y: Values, mu: Values, dispersion: float) -> Values:
        return 2.0 * np.abs(_mean_part(y, y, dispersion) - _mean_part(y, mu, dispersion))

    def check(self, y: Values) -> tuple[int, str] | None:
        return check_counts(y)

    def log_likelihood(self, y: Values, eta: Values, weights: Values, dispersion: float) -> Values:
        from scipy.special import gammaln

        mu = self.mean(eta)
        constant = y * np.log(dispersion / (1.0 + dispersion)) - gammaln(y + 1.0)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return weights * (_mean_part(y, mu, dispersion) + constant)

    def cumulative(self, y: Values, mu: Values, weights: Values, dispersion: float) -> Values:
        return _cumulative(y, mu / dispersion, np.asarray(1.0 / (1.0 + dispersion)))

    def draw(self, rng: np.random.Generator, mu: Values, weights: Values, dispersion: float) -> Values:
        return rng.poisson(rng.gamma(mu / dispersion, dispersion)).astype(np.float64)


def _cumulative(y: Values, size: Values, probability: Values) -> Values:
    """The probability of at most y failures before so many successes of this probability."""
    from scipy.special import betainc

    return np.where(y < 0, 0.0, betainc(size, np.maximum(np.floor(y), 0.0) + 1.0, probability))


def _mean_part(y: Values, mu: Values, dispersion: float) -> Values:
    """The part of the NB1 log-density that depends on the mean; 0 for a count of 0 with mean 0."""
    from scipy.special import gammaln

    size = np.where(mu > 0, mu, 1.0) / dispersion
    value = gammaln(y + size) - gammaln(size) - size * np.log1p(dispersion)
    return np.where(mu > 0, value, np.where(y > 0, -np.inf, 0.0))
