"""A family made of the caller's own functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from ..errors import ArgumentError
from .family import Family, Values, first_bad
from .links import LINKS, Link, own_link

Density = Callable[[Values, Values, Values], Values]

# Step of the differences and what may remain of their error, relative to the size of the derivative.
_STEP = 1e-4
_AGREEMENT = 1e-5


@dataclass(frozen=True, repr=False, kw_only=True)
class UserFamily(Family):
    """A family of the caller's own; made by :func:`user`."""

    log_density: Density
    score: Density
    information: Density
    third: Density
    own: Link
    own_variance: Callable[[Values], Values] | None = None
    own_draw: Callable[..., Any] | None = None
    links: tuple[str, ...] = field(default=(), init=False)  # type: ignore[misc]

    name: ClassVar[str] = "user"
    has_deviance: ClassVar[bool] = False
    sequential: ClassVar[bool] = True
    has_expected_information: ClassVar[bool] = False
    support: ClassVar = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "link", self.own.name)

    @property
    def functions(self) -> Link:
        return self.own

    def for_engine(self) -> dict[str, Any]:
        return {
            "name": "user",
            "link": self.link,
            "dispersion": None,
            "log_density": _quiet(self.log_density),
            "score": _quiet(self.score),
            "information": _quiet(self.information),
            "slope": _quiet(self.third),
        }

    def variance(self, mu: Values, dispersion: float) -> Values:
        if self.own_variance is None:
            raise ArgumentError("the family has no variance function: pass variance= to families.user()")
        return np.asarray(self.own_variance(mu), dtype=np.float64)

    def with_link(self, link: str) -> Family:
        raise ArgumentError(
            f"link={link!r}: the functions of a family of your own are written for its link; create it again "
            "with families.user(..., link=...)"
        )

    def unit_deviance(self, y: Values, mu: Values, dispersion: float) -> Values:
        raise ArgumentError(
            "a family of your own has no deviance; use type='response', 'pearson' or 'working'"
        )

    def check(self, y: Values) -> tuple[int, str] | None:
        return first_bad(np.isfinite(y), "finite")

    def log_likelihood(self, y: Values, eta: Values, weights: Values, dispersion: float) -> Values:
        return np.asarray(self.log_density(*np.broadcast_arrays(y, eta, weights)), dtype=np.float64)

    def cumulative(self, y: Values, mu: Values, weights: Values, dispersion: float) -> Values:
        raise ArgumentError("a family of your own has no distribution function")

    def draw(self, rng: np.random.Generator, mu: Values, weights: Values, dispersion: float) -> Values:
        if self.own_draw is None:
            raise ArgumentError("simulate() needs to draw responses: pass draw= to families.user()")
        if mu.ndim > 1:
            # The user's function draws a response of n values.
            return np.stack([self.draw(rng, row, weights, dispersion) for row in mu])
        return np.asarray(self.own_draw(rng, mu, weights), dtype=np.float64)

    def draw_many(self, rng: np.random.Generator, mu: Values, weights: Values, dispersion: float) -> Values:
        # The caller's function is for one response of each row.
        return np.array([self.draw(rng, row, weights, dispersion) for row in mu])

    def pearson(self, y: Values, eta: Values, weights: Values, dispersion: float) -> Values:
        """With the variance when it is known; otherwise the score over the root of the information."""
        if self.own_variance is not None:
            return super().pearson(y, eta, weights, dispersion)
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.score(y, eta, weights) / np.sqrt(self.information(y, eta, weights))


def user(
    log_density: Density,
    score: Density,
    information: Density,
    third: Density,
    *,
    link: str = "identity",
    inverse_link: Callable[[Values], Values] | None = None,
    link_function: Callable[[Values], Values] | None = None,
    inverse_slope: Callable[[Values], Values] | None = None,
    variance: Callable[[Values], Values] | None = None,
    draw: Callable[..., Any] | None = None,
    check_y: Sequence[float] = (0.0, 1.0),
    check_eta: Sequence[float] = (-1.5, -0.4, 0.3, 1.2),
) -> UserFamily:
    """
    A family of your own, from the log-density of an observation and its derivatives.

    Parameters
    ----------
    log_density, score, information, third : callable
        Functions of (y, eta, weights), arrays of one length, that give as many values: the log-density l,
        dl/d eta, -d²l/d eta², and the derivative of that, -d³l/d eta³. They are called many times and
        from one thread at a time.
    link : str
        Name of the link; one of those of the other families, or any name with the functions below.
    inverse_link, link_function, inverse_slope : callable, optional
        eta to the mean, the mean to eta, and the derivative of the former, for a link of your own.
    variance : callable, optional
        The variance of an observation of weight one from its mean: for Pearson residuals.
    draw : callable, optional
        Function of (rng, mean, weights) that draws a response for each: for `simulate`.
    check_y, check_eta : sequence of float
        Responses and linear predictors at which the derivatives are compared with differences.

    Raises
    ------
    ArgumentError
        When a derivative does not fit its function, naming it and the place.

    Examples
    --------
    >>> import numpy as np
    >>> from mixedmodels.families import user
    >>> poisson = user(
    ...     lambda y, eta, w: w * (y * eta - np.exp(eta)),
    ...     lambda y, eta, w: w * (y - np.exp(eta)),
    ...     lambda y, eta, w: w * np.exp(eta),
    ...     lambda y, eta, w: w * np.exp(eta),
    ...     link="log",
    ... )
    >>> poisson
    user (log)
    """
    functions = {
        "log_density": log_density,
        "score": score,
        "information": information,
        "third": third,
    }
    for name, function in functions.items():
        if not callable(function):
            raise ArgumentError(f"families.user: {name} must be a function of (y, eta, weights)")
    _check_derivatives(functions, check_y, check_eta)
    own = _link(link, link_function, inverse_link, inverse_slope)
    return UserFamily(
        log_density=log_density,
        score=score,
        information=information,
        third=third,
        own=own,
        own_variance=variance,
        own_draw=draw,
    )


def _quiet(function: Density) -> Density:
    """The function without numpy's warnings: on its way the engine tries linear predictors far out."""

    def quiet(y: Values, eta: Values, weights: Values) -> Values:
        with np.errstate(all="ignore"):
            return function(y, eta, weights)

    return quiet


def _link(name: str, link: Any, inverse: Any, slope: Any) -> Link:
    if inverse is None and slope is None and link is None:
        if name not in LINKS:
            raise ArgumentError(
                f"families.user: unknown link {name!r}; choose one of {', '.join(LINKS)}, or give "
                "inverse_link= and inverse_slope="
            )
        return LINKS[name]
    if not callable(inverse) or not callable(slope):
        raise ArgumentError("families.user: a link of your own needs inverse_link= and inverse_slope=")
    return own_link(name, link, inverse, slope)


def _check_derivatives(
    functions: dict[str, Density], check_y: Sequence[float], check_eta: Sequence[float]
) -> None:
    """Compare each function with the differences of the one before."""
    y, eta = (a.ravel() for a in np.meshgrid(np.asarray(check_y, float), np.asarray(check_eta, float)))
    weights = np.ones_like(y)
    names = list(functions)
    with np.errstate(all="ignore"):
        possible = np.isfinite(_values(functions, "log_density", y, eta, weights))
        if not possible.any():
            raise ArgumentError(
                "families.user: log_density is not finite at any point of check_y and check_eta; "
                "give responses that the family can have by check_y="
            )
        y, eta, weights = y[possible], eta[possible], weights[possible]
        # What comes out as information is minus the second derivative.
        for above, name, sign in zip(names, names[1:], (1.0, -1.0, 1.0), strict=False):
            got = _values(functions, name, y, eta, weights)
            wanted = sign * _difference(functions, above, y, eta, weights)
            size = np.maximum(np.abs(wanted), np.abs(got)).max(initial=0.0)
            bad = ~(np.abs(got - wanted) <= _AGREEMENT * (1.0 + size))
            if bad.any():
                i, minus = int(np.argmax(bad)), "minus " if sign < 0 else ""
                raise ArgumentError(
                    f"families.user: {name} is not {minus}the derivative of {above}: at "
                    f"y = {y[i]:g}, eta = {eta[i]:g} it is {got[i]:.6g}, and differences give {wanted[i]:.6g}"
                )


def _difference(functions: dict[str, Density], name: str, y: Values, eta: Values, weights: Values) -> Values:
    """Central differences of fourth order."""
    near = [_values(functions, name, y, eta + k * _STEP, weights) for k in (-2, -1, 1, 2)]
    return (near[0] - 8.0 * near[1] + 8.0 * near[2] - near[3]) / (12.0 * _STEP)


def _values(functions: dict[str, Density], name: str, y: Values, eta: Values, weights: Values) -> Values:
    try:
        result = np.asarray(functions[name](y, eta, weights), dtype=np.float64)
    except Exception as error:
        raise ArgumentError(f"families.user: {name} raised {type(error).__name__}: {error}") from error
    if result.shape != y.shape:
        raise ArgumentError(
            f"families.user: {name} must give one value for each row; it gave shape {result.shape} "
            f"for {y.shape}"
        )
    return result
