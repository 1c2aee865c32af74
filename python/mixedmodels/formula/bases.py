"""
Transforms that remember the data they were fitted to: scale, poly, ns, bs.

Each ``fit_*`` function computes constants from the fitting data and returns a small immutable object that
maps any data to columns, so that new data are transformed with the constants and knots of the fit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, FormulaError

Array = NDArray[np.float64]
MAX_COLUMNS = 200


@dataclass(frozen=True, eq=False)
class Shift:
    """``(x - center) / scale``."""

    center: float
    scale: float

    def __call__(self, x: Array) -> Array:
        return (x - self.center) / self.scale


@dataclass(frozen=True, eq=False)
class Polynomial:
    """Orthonormal polynomials by their three-term recurrence; or plain powers (no recurrence)."""

    alpha: Array
    beta: Array
    degree: int

    def __call__(self, x: Array) -> Array:
        out = np.empty((len(x), self.degree))
        if not len(self.alpha):
            for k in range(self.degree):
                out[:, k] = x ** (k + 1)
            return out
        before, now = np.zeros_like(x), np.full_like(x, 1.0 / self.beta[0])
        for k in range(self.degree):
            before, now = (
                now,
                ((x - self.alpha[k]) * now - (self.beta[k] if k else 0.0) * before) / self.beta[k + 1],
            )
            out[:, k] = now
        return out


@dataclass(frozen=True, eq=False)
class Spline:
    """
    A B-spline basis, or a natural cubic one: B-splines rotated so that the curvature vanishes at both ends.

    Beyond the boundary knots a B-spline continues as the polynomial of its outer piece, a natural spline
    as a straight line.
    """

    knots: Array
    degree: int
    first: int
    natural: Array | None = None

    def __call__(self, x: Array) -> Array:
        if self.natural is None:
            return b_splines(self.knots, self.degree, x)[:, self.first :]
        low, high = self.knots[0], self.knots[-1]
        inside = np.clip(x, low, high)
        out = b_splines(self.knots, self.degree, inside)
        beyond = x != inside
        beyond &= ~np.isnan(x)
        if beyond.any():
            slope = b_splines(self.knots, self.degree, inside[beyond], derivative=1)
            out[beyond] += (x[beyond] - inside[beyond])[:, None] * slope
        return out[:, self.first :] @ self.natural


def b_splines(knots: Array, degree: int, x: Array, derivative: int = 0) -> Array:
    """
    All B-splines of a degree on a full knot sequence, or their derivatives, at x.

    Beyond the boundary the outer polynomial pieces continue. Missing values stay missing.

    Returns
    -------
    ndarray, shape (len(x), len(knots) - degree - 1)
    """
    from scipy.interpolate import BSpline

    basis = np.eye(len(knots) - degree - 1)
    return np.asarray(BSpline(knots, basis, degree, extrapolate=True)(x, nu=derivative), dtype=np.float64)


def fit_shift(x: Array, text: str, center: bool | float = True, scale: bool | float = True) -> Shift:
    """Subtract the mean and divide by the standard deviation (n - 1), or use given numbers."""
    middle = float(np.mean(x)) if center is True else float(center)
    unit = 1.0
    if scale is True:
        # As in R: the root mean square about the chosen centre.
        unit = float(np.sqrt(np.sum((x - middle) ** 2) / max(len(x) - 1, 1)))
    elif scale is not False:
        unit = float(scale)
    if not (np.isfinite(unit) and unit > 0):
        raise DataError(f"{text}: the variable is constant and cannot be scaled")
    return Shift(middle, unit)


def fit_polynomial(x: Array, text: str, degree: float = 1, raw: bool = False) -> Polynomial:
    """Orthonormal polynomials of degree 1 to ``degree`` on the data (Forsythe 1957, J. SIAM 5, 74-88)."""
    degree = _count(degree, f"{text}: the degree")
    if raw:
        return Polynomial(np.empty(0), np.empty(0), degree)
    distinct = len(np.unique(x))
    if degree >= distinct:
        raise DataError(
            f"{text}: degree {degree} needs more than {degree} distinct values; there are {distinct}"
        )
    alpha, beta = np.empty(degree), np.empty(degree + 1)
    beta[0] = np.sqrt(len(x))
    middle = np.mean(x)
    before, now = np.zeros(len(x)), np.full(len(x), 1.0 / beta[0])
    for k in range(degree):
        alpha[k] = middle + np.dot((x - middle) * now, now)
        following = (x - alpha[k]) * now - (beta[k] if k else 0.0) * before
        beta[k + 1] = np.linalg.norm(following)
        before, now = now, following / beta[k + 1]
    return Polynomial(alpha, beta, degree)


def fit_b_spline(
    x: Array,
    text: str,
    df: float | None = None,
    knots: Array | None = None,
    degree: float = 3,
    intercept: bool = False,
    boundary: Array | None = None,
) -> Spline:
    """B-splines; with ``df`` alone the inner knots are quantiles of the data (as in R's ``bs``)."""
    degree = _count(degree, f"{text}: the degree")
    low, high = _boundary(x, text, boundary)
    inner = _inner_knots(x, text, df, knots, degree + (1 if intercept else 0), low, high)
    full = np.concatenate([np.full(degree + 1, low), inner, np.full(degree + 1, high)])
    return Spline(full, degree, 0 if intercept else 1)


def fit_natural_spline(
    x: Array,
    text: str,
    df: float | None = None,
    knots: Array | None = None,
    intercept: bool = False,
    boundary: Array | None = None,
) -> Spline:
    """Natural cubic splines in the basis of R's ``ns``: the null space of both end curvatures by QR."""
    low, high = _boundary(x, text, boundary)
    inner = _inner_knots(x, text, df, knots, 1 + (1 if intercept else 0), low, high)
    full = np.concatenate([np.full(4, low), inner, np.full(4, high)])
    first = 0 if intercept else 1
    curvature = b_splines(full, 3, np.array([low, high]), derivative=2)[:, first:]
    rotation, _ = np.linalg.qr(curvature.T, mode="complete")
    return Spline(full, 3, first, np.ascontiguousarray(rotation[:, 2:]))


def _count(value: float, what: str) -> int:
    if value != int(value) or not 1 <= value <= MAX_COLUMNS:
        raise FormulaError(f"{what} must be a whole number from 1 to {MAX_COLUMNS}, got {value:g}")
    return int(value)


def _boundary(x: Array, text: str, given: Array | None) -> tuple[float, float]:
    if given is not None and len(np.atleast_1d(given)) != 2:
        raise FormulaError(f"{text}: Boundary.knots must be two numbers")
    low, high = (
        (float(x.min()), float(x.max())) if given is None else map(float, sorted(np.atleast_1d(given)))
    )
    if not low < high:
        raise DataError(f"{text}: the variable is constant; a spline basis needs variation")
    return low, high


def _inner_knots(
    x: Array, text: str, df: float | None, knots: Array | None, without: int, low: float, high: float
) -> Array:
    if knots is not None:
        inner = np.sort(np.atleast_1d(np.asarray(knots, dtype=float)))
        if len(inner) > MAX_COLUMNS or not ((inner > low) & (inner < high)).all():
            raise FormulaError(
                f"{text}: the knots must lie inside the boundary knots {low:g} and {high:g}, "
                f"and be at most {MAX_COLUMNS}"
            )
        return inner
    if df is None:
        return np.empty(0)
    count = _count(df, f"{text}: df") - without
    if count < 0:
        raise FormulaError(f"{text}: df must be at least {without}, got {df:g}")
    inside = x[(x >= low) & (x <= high)]
    return np.quantile(inside, np.linspace(0, 1, count + 2)[1:-1])
