"""The interface of families of distributions."""

from __future__ import annotations

import math
import numbers
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..checks import shown
from ..errors import ArgumentError
from .links import LINKS, Link

Values = NDArray[np.float64]
F = TypeVar("F", bound="type[Family]")

# The means that a family can have, by its support.
_MEANS = {
    "positive": (0.0, math.inf),
    "counts": (0.0, math.inf),
    "unit": (0.0, 1.0),
    "proportions": (0.0, 1.0),
}

# By the engine's names; each family enters itself.
FAMILIES: dict[str, type[Family]] = {}


def register(family: F) -> F:
    """Enter a family among those that `glmer` takes by name."""
    FAMILIES[family.name] = family
    return family


@dataclass(frozen=True, repr=False)
class Family(ABC):
    """
    A family of distributions with its link; the engine knows it by name.

    Parameters
    ----------
    link : str, optional
        By default the first of `links`.
    dispersion : float, optional
        Holds the family's own parameter at this value instead of estimating it.

    Attributes
    ----------
    name : str
        As the engine spells it.
    aliases : tuple of str
        Other names, in lower case without blanks, dots, hyphens and underscores.
    links : tuple of str
        The default first.
    parameter : str
        The name of the dispersion parameter d; empty for a family without one.
    meaning : str
        The variance of an observation in terms of d and the mean.
    precision : bool
        Whether d grows as the variance falls.
    limit : str
        The family without a parameter to which this one tends at a limit of its own; empty for none.
    has_scale : bool
        Whether `sigma` is a scale that belongs in a table of variances.
    has_deviance : bool
        Whether the deviance of an observation is known.
    has_expected_information : bool
        Whether the expected information has a formula.
    trials : bool
        Whether the response counts successes in a number of trials. Then observations are proportions, and
        their weights the numbers of trials.
    certain_means : tuple of float
        Limits of the mean at which a response of this value is certain. Estimates may run off towards them.
    weighted_draws : bool
        Whether `draw` takes prior weights into account. A weight that only multiplies the log-likelihood of a
        row, as of a count, belongs to no distribution of the row.
    sequential : bool
        Whether the family may be used by one thread at a time only.
    mean_name : str
        What tables of means call a mean.
    support : {"real", "positive", "unit", "counts", "proportions"}
        The values of a response: numbers, positive ones, those between 0 and 1; whole numbers, or these
        divided by the weight. Empty where the distribution function is not known.
    center : {"mean", "median"}
        What the inverse link gives, which other methods call ``mu`` and "mean".
    """

    link: str = ""
    dispersion: float | None = None

    name: ClassVar[str] = ""
    aliases: ClassVar[tuple[str, ...]] = ()
    links: ClassVar[tuple[str, ...]] = ()
    parameter: ClassVar[str] = ""
    meaning: ClassVar[str] = ""
    precision: ClassVar[bool] = False
    limit: ClassVar[str] = ""
    has_scale: ClassVar[bool] = False
    has_deviance: ClassVar[bool] = True
    has_expected_information: ClassVar[bool] = True
    trials: ClassVar[bool] = False
    certain_means: ClassVar[tuple[float, ...]] = ()
    weighted_draws: ClassVar[bool] = True
    sequential: ClassVar[bool] = False
    mean_name: ClassVar[str] = "response"
    support: ClassVar[Literal["real", "positive", "unit", "counts", "proportions", ""]] = "real"
    center: ClassVar[Literal["mean", "median"]] = "mean"

    def __post_init__(self) -> None:
        object.__setattr__(self, "link", check_link(self.link, self.name, self.links))
        if self.dispersion is None:
            return
        if not self.parameter:
            raise ArgumentError(f"family {self.name} has no dispersion parameter to hold fixed")
        object.__setattr__(self, "dispersion", positive(self.dispersion, f"{self.name}: {self.parameter}"))

    def __repr__(self) -> str:
        fixed = "" if self.dispersion is None else f", {self.parameter} held at {self.dispersion:g}"
        return f"{self.name} ({self.link}{fixed})"

    @property
    def functions(self) -> Link:
        """The link functions."""
        return LINKS[self.link]

    @property
    def estimates_dispersion(self) -> bool:
        """Whether the dispersion parameter is estimated with the others."""
        return bool(self.parameter) and self.dispersion is None

    @property
    def discrete(self) -> bool:
        """Whether an observation can be certain, see `certain_means`."""
        return bool(self.certain_means)

    @property
    def scale_name(self) -> str:
        """The name of `sigma` in tables: "sigma" where it is a scale, else the family's own parameter."""
        return "sigma" if self.has_scale or not self.parameter else self.parameter

    def holding(self, dispersion: float | None) -> Family:
        """The family with its parameter held at a value, or free again."""
        return type(self)(self.link, dispersion)

    def held(self) -> dict[str, float]:
        """The arguments that hold the dispersion fixed."""
        return {} if self.dispersion is None else {"dispersion": self.dispersion}

    def with_link(self, link: str) -> Family:
        """The family with another link."""
        return type(self)(link=link, **self.held())

    def for_engine(self) -> dict[str, Any]:
        """The family as the engine takes it."""
        return {"name": self.name, "link": self.link, "dispersion": self.dispersion}

    def mean(self, eta: Values) -> Values:
        """The mean of the response (of a binomial one: the probability) at linear predictors."""
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            return self.functions.inverse(np.asarray(eta, dtype=np.float64))

    @property
    def mean_range(self) -> tuple[float, float]:
        """The limits of the means that the family can have."""
        return _MEANS.get(self.support, (-math.inf, math.inf))

    def mean_limits(self, low: Values, high: Values) -> tuple[Values, Values]:
        """
        Limits of the mean where the linear predictor lies between limits.

        Of the means that the family can have; NaN where there are none between the limits.
        """
        return self.functions.limits(low, high, *self.mean_range)

    @abstractmethod
    def variance(self, mu: Values, dispersion: float) -> Values:
        """The variance of an observation of weight one at its mean."""

    @abstractmethod
    def unit_deviance(self, y: Values, mu: Values, dispersion: float) -> Values:
        """Twice the log-density at the mean y above that at mu, for observations of weight one."""

    def relative_variance(self, mu: float, dispersion: float) -> float:
        """The squared coefficient of variation of an observation of weight one."""
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            return float(self.variance(np.array([mu]), dispersion)[0] / np.float64(mu) ** 2)

    def latent_variance(self, dispersion: float) -> float | None:
        """
        The variance of an observation on the scale of the linear predictor, where that is known exactly.

        Infinite for a latent variable without variance; None where it follows from `variance` approximately.
        """
        return None

    def expected_information(self, eta: Values, dispersion: float) -> Values:
        """The expected information in the linear predictor of an observation of weight one."""
        slope = self.functions.slope(eta)
        variance = self.variance(self.mean(eta), dispersion)
        # Where a mean has run into its limit nothing varies and there is no information.
        return np.divide(np.square(slope), variance, out=np.zeros_like(slope), where=variance > 0)

    def impossible(self, y: Values) -> str:
        """What is wrong with the response as a whole, as a predicate; empty when nothing is."""
        return ""

    def sigma(self, dispersion: float) -> float:
        """Sigma in the sense of glmmTMB; 1 for a family without a dispersion parameter."""
        return dispersion if self.parameter else 1.0

    @abstractmethod
    def check(self, y: Values) -> tuple[int, str] | None:
        """The first row with an invalid response, and the requirement that it violates; or None."""

    @abstractmethod
    def draw(self, rng: np.random.Generator, mu: Values, weights: Values, dispersion: float) -> Values:
        """One random response of each mean."""

    def draw_many(self, rng: np.random.Generator, mu: Values, weights: Values, dispersion: float) -> Values:
        """Responses for several rows of means, shape (m, n), with the same weights (n,) in each."""
        return self.draw(rng, mu, weights, dispersion)

    @abstractmethod
    def log_likelihood(self, y: Values, eta: Values, weights: Values, dispersion: float) -> Values:
        """
        The log-density of a response at its linear predictor, normalized, as the engine has it.

        The weight of a count or of a beta response multiplies it. Minus infinity where y is impossible; the
        arrays are broadcast.
        """

    @abstractmethod
    def cumulative(self, y: Values, mu: Values, weights: Values, dispersion: float) -> Values:
        """The probability of a response of at most y, at its mean; the arrays are broadcast."""

    def pearson(self, y: Values, eta: Values, weights: Values, dispersion: float) -> Values:
        """(y - mu) √weight / √variance."""
        mu = self.mean(eta)
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            scaled = (y - mu) / np.sqrt(self.variance(mu, dispersion) / weights)
        # At the limits of the mean the variance is 0.
        return np.where(y == mu, 0.0, scaled)

    def working(self, y: Values, eta: Values) -> Values:
        """(y - mu) d eta / d mu."""
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            return (y - self.mean(eta)) / self.functions.slope(eta)

    def deviance(self, y: Values, eta: Values, weights: Values, dispersion: float) -> Values:
        """The signed square root of the deviance of each observation."""
        mu = self.mean(eta)
        with np.errstate(divide="ignore", invalid="ignore"):
            unit = self.unit_deviance(y, mu, dispersion)
        return np.sign(y - mu) * np.sqrt(np.maximum(weights * unit, 0.0))


def check_link(link: Any, family: str, known: tuple[str, ...]) -> str:
    """The link of a family by name; the default for an empty one."""
    if link is None or (isinstance(link, str) and not link):
        return known[0]
    name = link.strip().lower() if isinstance(link, str) else ""
    if name in known:
        return name
    raise ArgumentError(
        f"family {family} has no link {shown(link)}; its links: {', '.join(known)} (the first is the default)"
    )


def positive(value: Any, what: str) -> float:
    """A positive finite number."""
    good = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not good or not 0.0 < float(value) < math.inf:
        raise ArgumentError(f"{what} must be a positive finite number, not {value!r}")
    return float(value)


def first_bad(good: NDArray[np.bool_], wanted: str) -> tuple[int, str] | None:
    """The first row that is not good."""
    return None if good.all() else (int(np.argmin(good)), wanted)


def log_ratio(y: Values, mu: Values) -> Values:
    """y log(y/mu), 0 where y is."""
    from scipy.special import xlogy

    return xlogy(y, y) - xlogy(y, mu)
