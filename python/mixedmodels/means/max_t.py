"""The distribution of the largest of several correlated t variables (Hothorn, Bretz & Westfall 2008)."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..inference.hypotheses.coefficient_tests import two_sided_t

_POINTS = 2**16
_TOLERANCE = 1e-10


class MaxT:
    """
    The largest |T| of a multivariate t distribution, by integration over directions.

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
