"""P-values and critical values of several tests at once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..checks import one_of
from ..errors import ArgumentError
from ..inference.hypotheses.coefficient_tests import two_sided_t

Adjustment: TypeAlias = Literal["none", "tukey", "sidak", "bonferroni", "holm", "scheffe", "mvt", "fdr"]
Values = NDArray[np.float64]

# Directions that the distribution of the largest |T| is averaged over, and what is zero among eigenvalues.
_POINTS = 2**16
_TOLERANCE = 1e-10
# Limits are interpolated between so many, but not where they change fast with the degrees of freedom.
_NODES, _FEWEST_DF = 10, 3.0

# The methods in the words of tables.
_TITLES = {
    "none": "none",
    "tukey": "Tukey's method for all differences of {means} means",
    "sidak": "Šidák's method for {tests} {what}",
    "bonferroni": "Bonferroni's method for {tests} {what}",
    "holm": "Holm's method for {tests} {what}",
    "scheffe": "Scheffé's method, dimension {rank}",
    "mvt": "multivariate t distribution of {tests} {what}",
    "fdr": "false discovery rate (Benjamini and Hochberg) of {tests} {what}",
}
_SYNONYMS = {"BH": "fdr", "bh": "fdr", "dunnett": "mvt", "dunnettx": "mvt", None: "none"}
_STEPWISE = frozenset({"holm", "fdr"})


def check_adjustment(adjust: Any) -> str:
    """The ``adjust`` argument."""
    name = _SYNONYMS.get(adjust, adjust) if adjust is None or isinstance(adjust, str) else adjust
    return one_of("adjust", name, _TITLES)


def checked_adjustment(adjust: Any, pairwise: bool) -> str:
    """The ``adjust`` argument for rows that are all pairwise differences, or are not."""
    name = check_adjustment(adjust)
    if name == "tukey" and not pairwise:
        raise ArgumentError(
            "adjust='tukey' is for all pairwise differences; for other rows take 'mvt', which is equally "
            "exact, or 'sidak'"
        )
    return name


def interval_method(adjust: str) -> str:
    """The method for intervals: stepwise methods have none, and Bonferroni's replaces them."""
    return "bonferroni" if adjust in _STEPWISE else adjust


@dataclass(frozen=True, eq=False)
class TestFamily:
    """
    Tests that are made together.

    Attributes
    ----------
    correlation : ndarray, shape (m, m)
        Of the estimates.
    df : ndarray, shape (m,)
    pairwise : bool
        Whether these are all differences of some means.
    """

    correlation: Values
    df: Values
    pairwise: bool

    def p_values(self, t: Values, adjust: str) -> Values:
        """
        Two-sided p-values.

        Parameters
        ----------
        t : ndarray, shape (m,)
        adjust : str

        Returns
        -------
        ndarray, shape (m,)
            NaN for tests without degrees of freedom or a statistic. They count among the tests made.
        """
        m, raw = len(t), two_sided_t(t, self.df)
        if m < 2 or adjust == "none":
            return raw
        known = ~np.isnan(raw)
        if not known.all():
            result = np.full(m, np.nan)
            result[known] = self._adjusted(t[known], self.df[known], raw[known], adjust)
            return result
        return self._adjusted(t, self.df, raw, adjust)

    def _adjusted(self, t: Values, df: Values, raw: Values, adjust: str) -> Values:
        """Adjusted p-values of the tests that have p-values, among all tests of the family."""
        m = len(self.df)
        if adjust == "bonferroni":
            return np.minimum(1.0, m * raw)
        if adjust == "sidak":
            return -np.expm1(m * np.log1p(-raw))
        if adjust == "holm":
            order = np.argsort(raw)
            steps = np.maximum.accumulate((m - np.arange(len(raw))) * raw[order])
            return np.minimum(1.0, _back(steps, order))
        if adjust == "fdr":
            order = np.argsort(raw)[::-1]
            steps = np.minimum.accumulate(m / (len(raw) - np.arange(len(raw))) * raw[order])
            return np.minimum(1.0, _back(steps, order))
        return np.array([self._beyond(abs(x), d, adjust) for x, d in zip(t, df, strict=True)])

    def critical(self, level: float, adjust: str) -> Values:
        """
        Half-widths of intervals with this confidence in standard errors, shape (m,).

        NaN without degrees of freedom.
        """
        from scipy.special import stdtrit

        m, tail = len(self.df), 1.0 - level
        adjust = interval_method(adjust)
        if m >= 2 and adjust in ("tukey", "scheffe", "mvt"):
            distinct, places = np.unique(self.df, return_inverse=True)
            return self._quantiles(tail, distinct, adjust)[places]
        if m >= 2 and adjust == "bonferroni":
            tail = tail / m
        elif m >= 2 and adjust == "sidak":
            tail = -np.expm1(np.log1p(-tail) / m)
        return np.where(np.isinf(self.df), _normal_quantile(tail), -stdtrit(self.df, tail / 2))

    def _beyond(self, t: float, df: float, adjust: str) -> float:
        """The probability of the largest of all |t| beyond this one."""
        from scipy.special import chdtrc, fdtrc
        from scipy.stats import studentized_range

        if adjust == "tukey":
            return float(studentized_range.sf(np.sqrt(2.0) * t, self.n_means, df))
        if adjust == "mvt":
            return self._largest.beyond(t, df)
        r = self.rank
        return float(chdtrc(r, t**2) if np.isinf(df) else fdtrc(r, df, t**2 / r))

    def _quantiles(self, tail: float, df: Values, adjust: str) -> Values:
        """
        The limits at sorted, distinct degrees of freedom, of which the last may be NaN.

        Hundreds of contrasts have as many degrees of freedom, and most limits are integrals. They are a
        smooth function of 1 / df, so that a polynomial through a few of them gives all the others.
        """
        from numpy.polynomial import Chebyshev

        known = ~np.isnan(df)
        result, at = np.full(len(df), np.nan), 1.0 / df[known]
        if adjust == "scheffe" or len(at) <= _NODES or df[0] < _FEWEST_DF:
            result[known] = [self._quantile(tail, d, adjust) for d in df[known]]
            return result
        curve = Chebyshev.interpolate(
            lambda nodes: np.log([self._quantile(tail, 1.0 / x, adjust) for x in nodes]),
            _NODES - 1,
            [at.min(), at.max()],
        )
        result[known] = np.exp(curve(at))
        return result

    def _quantile(self, tail: float, df: float, adjust: str) -> float:
        """The limit that the largest of all |t| exceeds with this probability."""
        from scipy.optimize import brentq

        low = high = 1.0
        while self._beyond(high, df, adjust) > tail:
            low, high = high, 2.0 * high
        if low == high:
            low = 0.0
        limit: Any = brentq(lambda t: self._beyond(t, df, adjust) - tail, low, high, xtol=1e-10)
        return float(limit)

    @cached_property
    def n_means(self) -> int:
        """How many means have this many differences."""
        return math.ceil((1 + math.sqrt(1 + 8 * len(self.df))) / 2)

    @cached_property
    def rank(self) -> int:
        """The rank of the correlations."""
        return int(np.linalg.matrix_rank(self.correlation, tol=1e-8 * max(1, len(self.df))))

    @cached_property
    def _largest(self) -> MaxT:
        return MaxT(self.correlation)


class MaxT:
    """
    The largest |T| of a multivariate t distribution (Hothorn, Bretz & Westfall 2008), by integration over
    directions.

    T is R^(1/2) z / s with z standard normal in r dimensions. z is its length times a direction u, and
    given u the largest |T| is (length/s) max|R^(1/2) u|, so that its square is r max²|R^(1/2) u| times an F
    variable with r degrees of freedom. What remains is the mean over directions, taken at quasi-random points
    that are always the same. A singular R is no exception. Probabilities are good to about three digits where
    they are above 0.01, and to two below.

    Parameters
    ----------
    correlation : ndarray, shape (m, m)
    """

    def __init__(self, correlation: NDArray[np.float64]) -> None:
        values, vectors = np.linalg.eigh(correlation)
        positive = values > _TOLERANCE * values[-1]
        self._root = vectors[:, positive] * np.sqrt(values[positive])

    def beyond(self, t: float, df: float) -> float:
        """P(max |T| > t); infinite df for the normal distribution."""
        from scipy.special import chdtrc, fdtrc

        r = self._root.shape[1]
        squares = (t / self._reach) ** 2
        found = np.mean(chdtrc(r, squares) if np.isinf(df) else fdtrc(r, df, squares / r))
        # Bonferroni's bound is close where few directions matter.
        one = float(two_sided_t(np.array([t]), np.array([df]))[0])
        return min(max(float(found), one), len(self._root) * one)

    @cached_property
    def _reach(self) -> NDArray[np.float64]:
        """max|R^(1/2) u| for each direction u."""
        from scipy.special import ndtri
        from scipy.stats.qmc import Sobol

        r = self._root.shape[1]
        if r == 1:
            return np.array([np.abs(self._root).max()])
        # Centres of the cells that hold the points.
        z = ndtri(Sobol(r, scramble=False).random(_POINTS) + 0.5 / _POINTS)
        z /= np.linalg.norm(z, axis=1, keepdims=True)
        return np.abs(z @ self._root.T).max(axis=1)


def _back(values: Values, order: NDArray[np.intp]) -> Values:
    result = np.empty_like(values)
    result[order] = values
    return result


def _normal_quantile(tail: float) -> float:
    from scipy.special import ndtri

    return -float(ndtri(tail / 2))


def title(families: Sequence[TestFamily], adjust: str, what: str) -> str:
    """The method in words, with the sizes of the families: "... of 3 or 4 means"; empty without families."""
    if not families:
        return ""

    def sizes(values: Iterable[int]) -> str:
        return " or ".join(map(str, sorted(set(values))))

    return _TITLES[adjust].format(
        means=sizes(f.n_means for f in families),
        tests=sizes(len(f.df) for f in families),
        rank=sizes(f.rank for f in families),
        what=what,
    )
