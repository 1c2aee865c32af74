"""
Limits for new responses of a generalized model: quantiles of their predictive distribution.

The linear predictor is normal around its prediction, and the response has its family's distribution around
the mean that belongs to it. With links such as the identity of a count some linear predictors have a mean
that the family cannot have: the normal distribution is restricted to the others. The distribution function
of the mixture is a sum over points of the linear predictor that lie close enough for the family's own spread,
and is inverted numerically: nothing is simulated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..families import Family

Values = NDArray[np.float64]

# The points reach so many standard errors to each side,
_REACH = 8.0
# and lie closer than this share of the family's spread on the scale of the linear predictor, the smallest
# within some standard errors.
_CLOSE = 1.0
_WITHIN = 3.0
# A spread that is a smaller share of the standard error makes no difference.
_NARROW = 0.05
_NUMBERS = 4_000_000
_DOUBLINGS = 200
_STEPS = 200
_PRECISION = 1e-10
# Where a coordinate without a bound of its own ends.
_FAR = 700.0
# Probabilities have finite normal quantiles between these.
_LEAST, _MOST = 1e-300, 1.0 - 1e-16


def response_quantiles(
    family: Family,
    eta: Values,
    error: Values,
    weights: Values,
    dispersion: float,
    probability: float,
) -> Values:
    """
    Quantiles of new responses, the smallest value that a response exceeds with at most the other probability.

    Parameters
    ----------
    family : Family
    eta, error : ndarray, shape (n,)
        Linear predictors and their standard errors.
    weights : ndarray, shape (n,)
        Prior weights or numbers of trials.
    dispersion : float
    probability : float

    Returns
    -------
    ndarray, shape (n,)
        Proportions for the binomial family; NaN where an argument is, and where the family cannot have the
        mean.
    """
    out = np.full(len(eta), np.nan)
    known = possible_means(family, eta) & np.isfinite(eta) & np.isfinite(error) & np.isfinite(weights)
    rows, places = np.unique(np.column_stack([eta, error, weights])[known], axis=0, return_inverse=True)
    found = np.empty(len(rows))
    counts = _points(family, rows, dispersion)
    for count in np.unique(counts):
        chosen = np.flatnonzero(counts == count)
        size = max(1, _NUMBERS // int(count))
        for part in (chosen[i : i + size] for i in range(0, len(chosen), size)):
            found[part] = _Mixture(family, rows[part], dispersion, int(count)).quantile(probability)
    out[known] = found[places.reshape(-1)]
    return out


def possible_means(family: Family, eta: Values) -> NDArray[np.bool_]:
    """Whether the family can have the means that belong to linear predictors."""
    low, high = family.mean_range
    mean = family.mean(eta)
    return (mean >= low) & (mean <= high)


def _points(family: Family, rows: Values, dispersion: float) -> NDArray[np.int64]:
    """How many points of the linear predictor each row needs, one of a few numbers."""
    eta, error, weights = rows.T
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        units = weights if family.support in ("proportions", "real", "positive") else np.ones_like(weights)
        places = [
            family.expected_information(eta + side * error, dispersion) for side in (-_WITHIN, 0, _WITHIN)
        ]
        spread = 1.0 / np.sqrt(units * np.fmax.reduce(places))
        ratio = np.nan_to_num(spread / error, nan=np.inf, posinf=np.inf)
    step = _CLOSE * np.clip(ratio, _NARROW, 1.0)
    needed = 2.0 * _REACH / step
    return np.where(
        error > 0, np.take([33, 65, 129, 257, 513], np.searchsorted([33, 65, 129, 257], needed)), 1
    )


class _Mixture:
    """Predictive distributions of rows (eta, error, weight)."""

    def __init__(self, family: Family, rows: Values, dispersion: float, count: int) -> None:
        self.family, self.dispersion = family, dispersion
        eta, error, self.weights = rows.T
        z = np.linspace(-_REACH, _REACH, count) if count > 1 else np.zeros(1)
        at = eta[:, None] + error[:, None] * z
        share = np.exp(-0.5 * z**2) * possible_means(family, at)
        self.shares = share / share.sum(axis=1, keepdims=True)
        self.means = family.mean(at)
        self.centre = family.mean(eta)

    def quantile(self, probability: float) -> Values:
        if self.family.support in ("counts", "proportions"):
            return self._whole(probability)
        return self._continuous(probability)

    def cumulative(self, y: Values, rows: Any = slice(None)) -> Values:
        """The probability of a response of at most y, of some rows."""
        with np.errstate(all="ignore"):
            found = self.family.cumulative(
                y[:, None], self.means[rows], self.weights[rows, None], self.dispersion
            )
        return np.einsum("ij,ij->i", np.nan_to_num(found), self.shares[rows])

    def _whole(self, probability: float) -> Values:
        """By bisection over whole numbers, of which `high` is large enough and `low` is not."""
        trials = self.family.support == "proportions"
        unit = self.weights if trials else np.ones_like(self.weights)
        low, high = np.full(len(unit), -1.0), unit.copy() if trials else np.ones_like(unit)
        for _ in range(0 if trials else _DOUBLINGS):
            small = self.cumulative(high) < probability
            if not small.any():
                break
            low = np.where(small, high, low)
            high = np.where(small, 2.0 * high, high)
        while (high - low > 1.0).any():
            middle = np.floor((low + high) / 2.0)
            # Numbers so large have no neighbours.
            stuck = (middle <= low) | (middle >= high)
            enough = self.cumulative(middle / unit) >= probability
            high = np.where(enough & ~stuck, middle, high)
            low = np.where(stuck, high, np.where(enough, low, middle))
        return high / unit

    def _continuous(self, probability: float) -> Values:
        """
        In a coordinate that takes every value.

        The normal quantile of the distribution function is close to a line there.
        """
        from scipy.special import ndtri

        to, back, slope = _COORDINATES[self.family.support]
        target = ndtri(probability)

        def excess(t: Values, rows: Any = slice(None)) -> Values:
            return ndtri(np.clip(self.cumulative(back(t), rows), _LEAST, _MOST)) - target

        with np.errstate(all="ignore"):
            start, means = (
                np.nan_to_num(to(mean), posinf=_FAR, neginf=-_FAR) for mean in (self.centre, self.means)
            )
            width = self._width(means - start[:, None], slope(self.centre))
        return back(_roots(excess, *_bracket(excess, start, width)))

    def _width(self, means: Values, slope: Values) -> Values:
        """About the standard deviation of the coordinate, from that of the means' and of a response."""
        between = np.einsum("ij,ij->i", np.square(means), self.shares)
        within = self.family.variance(self.centre, self.dispersion) / self.weights * np.square(slope)
        width = np.sqrt(between + within)
        if self.family.support != "real":
            width = np.minimum(width, _FAR)
        return np.where(width > 0.0, width, 1.0)


def _roots(
    excess: Callable[[Values, NDArray[np.intp]], Values], a: Values, fa: Values, b: Values, fb: Values
) -> Values:
    """
    The roots of increasing functions of the rows between two points.

    By inverse quadratic interpolation where it is safe, else by halving (Chandrupatla 1997, Advances in
    Engineering Software 28, 145-149).
    """
    found = np.where(np.abs(fa) < np.abs(fb), a, b)
    active, t = np.arange(len(a)), np.full(len(a), 0.5)
    with np.errstate(all="ignore"):
        # From the first two points along their line.
        line = fa / (fa - fb)
        t = np.where((line > 0.0) & (line < 1.0), line, t)
        for _ in range(_STEPS):
            x = a + t * (b - a)
            fx = excess(x, active)
            same = (fx < 0.0) == (fa < 0.0)
            c, fc = np.where(same, a, b), np.where(same, fa, fb)
            b, fb = np.where(same, b, a), np.where(same, fb, fa)
            a, fa = x, fx
            best = np.where(np.abs(fa) < np.abs(fb), a, b)
            found[active] = best
            least = 0.5 * _PRECISION * np.maximum(1.0, np.abs(best)) / np.abs(b - a)
            open_ = (least <= 0.5) & (fa != 0.0)
            xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
            t = fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
            t = np.where((phi**2 < xi) & ((1.0 - phi) ** 2 < 1.0 - xi), t, 0.5)
            t = np.clip(t, least, 1.0 - least)
            active = active[open_]
            if not len(active):
                break
            a, fa, b, fb, t = a[open_], fa[open_], b[open_], fb[open_], t[open_]
    return found


def _bracket(
    excess: Callable[[Values], Values], start: Values, width: Values
) -> tuple[Values, Values, Values, Values]:
    """Two points of each row around a root of an increasing function, each with the value there."""
    low, high = start.copy(), start.copy()
    at_low = excess(start)
    at_high = at_low.copy()
    step = np.maximum(1.2 * np.abs(at_low), 0.1) * width
    for _ in range(_DOUBLINGS):
        up, down = at_high < 0.0, at_low > 0.0
        if not (up | down).any():
            break
        t = np.where(up, high + step, low - step)
        at = excess(t)
        # The end that is left behind is the other end of the bracket, if the root lies between.
        low, at_low, high, at_high = (
            np.where(up, high, np.where(down, t, low)),
            np.where(up, at_high, np.where(down, at, at_low)),
            np.where(up, t, np.where(down, low, high)),
            np.where(up, at, np.where(down, at_low, at_high)),
        )
        step = 2.0 * step
    return low, at_low, high, at_high


def _bounded(values: Values) -> Values:
    return np.clip(values, -745.0, 709.0)


# To the coordinate, back, and the slope of the way there.
_COORDINATES: dict[str, Any] = {
    "real": (np.array, np.array, np.ones_like),
    "positive": (np.log, lambda t: np.exp(_bounded(t)), lambda y: 1.0 / y),
    "unit": (
        lambda y: np.log(y) - np.log1p(-y),
        lambda t: 1.0 / (1.0 + np.exp(np.minimum(-t, 709.0))),
        lambda y: 1.0 / (y * (1.0 - y)),
    ),
}
