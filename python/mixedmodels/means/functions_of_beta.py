"""Linear functions of the coefficients, estimable or not."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..errors import ArgumentError
from ..fitted_model import FittedModel
from ..inference.degrees_of_freedom import DegreesOfFreedom, JointTest, degrees_of_freedom

# A function whose parts cancel to this share of their size in a direction that the data say nothing
# about does not depend on that direction.
_TOLERANCE = 1e-8


@dataclass(frozen=True, eq=False)
class Space:
    """
    What the data say about the coefficients.

    Attributes
    ----------
    kept : ndarray of int, shape (rank,)
        The columns of the model matrix that have coefficients.
    null : ndarray, shape (p, p - rank)
        Directions of the coefficients that change no fitted value.
    basis : DegreesOfFreedom
    """

    kept: NDArray[np.int64]
    null: NDArray[np.float64]
    basis: DegreesOfFreedom

    def estimable(self, rows: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which of these functions (shape (m, p)) the data determine."""
        if not self.null.size:
            return np.ones(len(rows), dtype=bool)
        size = np.abs(rows) @ np.abs(self.null)
        return np.all(np.abs(rows @ self.null) <= _TOLERANCE * size, axis=1)


def space_of(fitted: FittedModel, ddf: str | DegreesOfFreedom | None) -> Space:
    """The space of a fit with a method for degrees of freedom."""
    x, kept = fitted.design.x, fitted.estimates.kept
    dropped = np.setdiff1d(np.arange(x.shape[1]), kept)
    null = np.zeros((x.shape[1], len(dropped)))
    if len(dropped):
        size = np.linalg.norm(x[:, kept], axis=0)
        found, *_ = np.linalg.lstsq(x[:, kept] / size, x[:, dropped], rcond=None)
        # What is exactly zero but for rounding must not make functions look dependent on it.
        found[np.abs(found) < 1e-10 * np.abs(found).max(axis=0, initial=0.0)] = 0.0
        null[kept] = -found / size[:, None]
        null[dropped] = np.eye(len(dropped))
    return Space(kept, null, degrees_of_freedom(fitted, ddf))


@dataclass(frozen=True, eq=False)
class LinearFunctions:
    """
    m functions Lβ + c of the coefficients.

    Attributes
    ----------
    rows : ndarray, shape (m, p)
        L, with a column for each column of the model matrix.
    constants : ndarray, shape (m,)
        c, such as offsets.
    space : Space
    """

    rows: NDArray[np.float64]
    constants: NDArray[np.float64]
    space: Space

    @cached_property
    def estimable(self) -> NDArray[np.bool_]:
        """Which of them can be estimated, shape (m,)."""
        return self.space.estimable(self.rows) & np.isfinite(self.rows).all(axis=1)

    @cached_property
    def estimate(self) -> NDArray[np.float64]:
        """Estimates, shape (m,); NaN for those that are not estimable."""
        values = self.rows[:, self.space.kept] @ self.space.basis.beta + self.constants
        return np.where(self.estimable, values, np.nan)

    @cached_property
    def covariance(self) -> NDArray[np.float64]:
        """Covariance matrix, shape (m, m); NaN for those that are not estimable."""
        kept = self.rows[:, self.space.kept]
        return self._where_estimable(kept @ self.space.basis.covariance @ kept.T)

    @property
    def standard_error(self) -> NDArray[np.float64]:
        """Standard errors, shape (m,)."""
        return np.sqrt(np.diag(self.covariance))

    @cached_property
    def df(self) -> NDArray[np.float64]:
        """Degrees of freedom, shape (m,); NaN for those that are not estimable."""
        result = np.full(len(self.rows), np.nan)
        result[self.estimable] = self.space.basis.df(self.rows[self.estimable][:, self.space.kept])
        return result

    def combined(self, weights: NDArray[np.float64]) -> LinearFunctions:
        """Linear combinations of these, with weights of shape (k, m)."""
        used = weights.any(axis=0)
        return LinearFunctions(
            weights[:, used] @ self.rows[used], weights[:, used] @ self.constants[used], self.space
        )

    def part(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> LinearFunctions:
        """Some of them."""
        return LinearFunctions(self.rows[chosen], self.constants[chosen], self.space)

    def joint(self) -> JointTest:
        """
        Test that all of them are zero.

        Raises
        ------
        ArgumentError
            When one is not estimable.
        """
        if not self.estimable.all():
            raise ArgumentError("a joint test of what is not estimable cannot be had")
        return self.space.basis.joint(self.rows[:, self.space.kept], -self.constants)

    def _where_estimable(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(np.outer(self.estimable, self.estimable), matrix, np.nan)
