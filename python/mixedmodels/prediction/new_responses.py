"""
Limits for new responses of a generalized model: quantiles of their predictive distribution.

The linear predictor is normal around its prediction, and the response has its family's distribution around
the mean that belongs to it. The distribution function of the mixture is a sum over points of the linear
predictor that lie close enough for the family's own spread, and is inverted numerically: nothing is
simulated.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..families import Family

Values = NDArray[np.float64]

# The points reach so many standard errors to each side,
_REACH = 8.0
# and lie closer than this share of the family's spread on the scale of the linear predictor.
_CLOSE = 0.75
# A spread that is a smaller share of the standard error makes no difference.
_NARROW = 0.05
_NUMBERS = 4_000_000
_DOUBLINGS = 200
_HALVINGS = 100
_PRECISION = 1e-10


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
        Proportions for the binomial family; NaN where an argument is.
    """
    out = np.full(len(eta), np.nan)
    known = np.isfinite(eta) & np.isfinite(error) & np.isfinite(weights)
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


def _points(family: Family, rows: Values, dispersion: float) -> NDArray[np.int64]:
    """How many points of the linear predictor each row needs, one of a few numbers."""
    eta, error, weights = rows.T
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        information = (
            weights if family.support in ("proportions", "real", "positive") else np.ones_like(weights)
        )
        spread = 1.0 / np.sqrt(information * family.expected_information(eta, dispersion))
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
        share = np.exp(-0.5 * z**2)
        self.shares = share / share.sum()
        self.means = family.mean(eta[:, None] + error[:, None] * z)
        self.centre = family.mean(eta)

    def quantile(self, probability: float) -> Values:
        if self.family.support in ("counts", "proportions"):
            return self._whole(probability)
        return self._continuous(probability)

    def cumulative(self, y: Values) -> Values:
        with np.errstate(all="ignore"):
            found = self.family.cumulative(y[:, None], self.means, self.weights[:, None], self.dispersion)
        return np.nan_to_num(found) @ self.shares

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
        """By bisection in a coordinate that takes every value."""
        to, back = _COORDINATES[self.family.support]
        with np.errstate(all="ignore"):
            start = np.nan_to_num(to(self.centre), posinf=700.0, neginf=-700.0)
        width = self._width()
        low, high = start - width, start + width
        for _ in range(_DOUBLINGS):
            above, below = self.cumulative(back(low)) > probability, self.cumulative(back(high)) < probability
            if not (above | below).any():
                break
            width = 2.0 * width
            low, high = np.where(above, low - width, low), np.where(below, high + width, high)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2.0
            if (high - low <= _PRECISION * np.maximum(1.0, np.abs(middle))).all():
                break
            enough = self.cumulative(back(middle)) >= probability
            low, high = np.where(enough, low, middle), np.where(enough, middle, high)
        return back((low + high) / 2.0)

    def _width(self) -> Values:
        if self.family.support != "real":
            return np.ones_like(self.centre)
        return (
            np.sqrt(self.dispersion / self.weights) + np.abs(self.means - self.centre[:, None]) @ self.shares
        )


def _bounded(values: Values) -> Values:
    return np.clip(values, -745.0, 709.0)


_COORDINATES: dict[str, Any] = {
    "real": (np.array, np.array),
    "positive": (np.log, lambda t: np.exp(_bounded(t))),
    "unit": (lambda y: np.log(y) - np.log1p(-y), lambda t: 1.0 / (1.0 + np.exp(-_bounded(t)))),
}
