"""Link functions: the linear predictor from the mean, back, and the slope of the way back."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
_TINY = np.finfo(float).tiny


@dataclass(frozen=True)
class Link:
    """
    A link function g with eta = g(mu); all functions take and give arrays.

    Attributes
    ----------
    name : str
    link : callable
        mu to eta.
    inverse : callable
        eta to mu.
    slope : callable
        eta to d mu / d eta.
    huge : float
        A change of the linear predictor that takes the mean from the middle of its range to within 0.0003 of
        a limit; infinite where no limit of the mean lies at infinity.
    ratio : str
        What tables call the exponential of a difference of linear predictors; empty where it is no ratio.
    averages : bool
        Whether the mean over normal linear predictors exists.
    """

    name: str
    link: Callable[[Values], Values]
    inverse: Callable[[Values], Values]
    slope: Callable[[Values], Values]
    huge: float = math.inf
    ratio: str = ""
    averages: bool = True

    def limits(self, low: Values, high: Values, least: float, most: float) -> tuple[Values, Values]:
        """
        Limits of the means that belong to linear predictors between limits.

        Of the means from `least` to `most`; NaN where there are none between the limits.
        """
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            ends = self.inverse(low), self.inverse(high)
        # Some links decrease.
        lower, upper = np.minimum(*ends), np.maximum(*ends)
        # Others turn at 0, or have a pole there.
        around = (low < 0.0) & (high > 0.0)
        if self.name == "sqrt":
            lower = np.where(around, 0.0, lower)
        elif self.name in ("inverse", "1/mu^2"):
            positive = least == 0.0 or self.name == "1/mu^2"
            lower = np.where(around, ends[1] if positive else -np.inf, lower)
            upper = np.where(around, np.inf, upper)
        none = (upper < least) | (lower > most)
        lower, upper = np.maximum(lower, least), np.minimum(upper, most)
        return np.where(none, np.nan, lower), np.where(none, np.nan, upper)


def _logit(mu: Values) -> Values:
    return np.log(mu) - np.log1p(-mu)


def _expit(eta: Values) -> Values:
    # Of the two forms the one without overflow.
    small = np.exp(-np.abs(eta))
    return np.where(eta >= 0, 1.0, small) / (1.0 + small)


def _logit_slope(eta: Values) -> Values:
    small = np.exp(-np.abs(eta))
    return small / (1.0 + small) ** 2


def _probit(mu: Values) -> Values:
    from scipy.special import ndtri

    return ndtri(mu)


def _normal_cdf(eta: Values) -> Values:
    from scipy.special import ndtr

    return ndtr(eta)


def _normal_density(eta: Values) -> Values:
    return np.exp(-0.5 * np.square(eta)) / np.sqrt(2.0 * np.pi)


def _cloglog(mu: Values) -> Values:
    return np.log(-np.log1p(-mu))


def _cloglog_inverse(eta: Values) -> Values:
    return -np.expm1(-_exp(eta))


def _cloglog_slope(eta: Values) -> Values:
    # exp(eta - exp(eta)) in one exponent: the product of its parts would be 0 times infinity.
    return np.exp(eta - _exp(eta))


def _cauchit(mu: Values) -> Values:
    # tan near its poles loses the digits that the distance to 0 or 1 still has.
    return np.where(mu < 0.5, -1.0, 1.0) / np.tan(np.pi * np.minimum(mu, 1.0 - mu))


def _cauchit_inverse(eta: Values) -> Values:
    return np.where(eta < 0, np.arctan2(1.0, -eta), np.pi - np.arctan2(1.0, eta)) / np.pi


def _cauchit_slope(eta: Values) -> Values:
    size = np.hypot(1.0, eta)
    return 1.0 / size / size / np.pi


def _exp(eta: Values) -> Values:
    with np.errstate(over="ignore"):
        return np.exp(eta)


def _same(values: Values) -> Values:
    return np.array(values, dtype=np.float64)


def _reciprocal(values: Values) -> Values:
    return 1.0 / values


LINKS: dict[str, Link] = {
    link.name: link
    for link in (
        Link("logit", _logit, _expit, _logit_slope, huge=8.0, ratio="odds.ratio"),
        Link("probit", _probit, _normal_cdf, _normal_density, huge=3.4),
        Link("cloglog", _cloglog, _cloglog_inverse, _cloglog_slope, huge=2.5),
        Link("cauchit", _cauchit, _cauchit_inverse, _cauchit_slope, huge=1000.0),
        Link("log", np.log, _exp, _exp, huge=8.0, ratio="ratio"),
        Link("identity", _same, _same, np.ones_like),
        Link("sqrt", np.sqrt, np.square, lambda eta: 2.0 * eta),
        Link("inverse", _reciprocal, _reciprocal, lambda eta: -1.0 / np.square(eta), averages=False),
        Link(
            "1/mu^2",
            lambda mu: 1.0 / np.square(mu),
            lambda eta: 1.0 / np.sqrt(eta),
            lambda eta: -0.5 / (eta * np.sqrt(eta)),
            averages=False,
        ),
    )
}


def own_link(name: str, link: Any, inverse: Any, slope: Any) -> Link:
    """A link made of the caller's functions."""
    return Link(name, link, inverse, slope)
