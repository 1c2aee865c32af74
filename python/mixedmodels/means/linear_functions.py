"""Linear functions of the coefficients, estimable or not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..errors import ArgumentError
from ..fit.state import FittedModel
from ..inference.basis.choice import DdfName, Vcov, basis_of
from ..inference.basis.degrees_of_freedom import DegreesOfFreedom, JointTest
from ..inference.hypotheses.estimability import Undetermined

# A sum this small compared with its terms is zero but for rounding.
_ROUNDING = 1e-12
# Coefficients this close, in standard errors, are the same.
_SAME = 1e-5


@dataclass(frozen=True, eq=False)
class Space:
    """
    The coefficients with their directions that the data do not determine, and the basis of their tests.

    Attributes
    ----------
    kept : ndarray of int, shape (rank,)
        The columns of the model matrix that have coefficients.
    undetermined : Undetermined
        Directions of the coefficients that change no fitted value.
    basis : DegreesOfFreedom
    linearized : bool
        Whether functions are linear approximations at these coefficients, good for no others.
    """

    kept: NDArray[np.int64]
    undetermined: Undetermined
    basis: DegreesOfFreedom
    linearized: bool = field(default=False, kw_only=True)

    @property
    def null(self) -> NDArray[np.float64]:
        """These directions, shape (p, p - rank)."""
        return self.undetermined.directions

    def estimable(self, rows: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which of these functions (shape (m, p)) the data determine."""
        return self.undetermined.estimable(rows)

    def rebased(self, ddf: DdfName | None, vcov: Vcov | None) -> Space:
        """
        The same coefficients with another covariance matrix or other degrees of freedom.

        Raises
        ------
        ArgumentError
            When the functions are linearized and Kenward and Roger's method has other coefficients.
        """
        basis = basis_of(self.undetermined.fitted, ddf, vcov)
        if self.linearized and len(basis.beta):
            distance = np.abs(basis.beta - self.basis.beta)
            if (distance > _SAME * basis.standard_errors()).any():
                raise ArgumentError(
                    "ddf: Kenward and Roger's method refits the model by REML, which changes the "
                    "coefficients, and regrid() and eff_size() computed these rows from the old ones; "
                    "give ddf= to emmeans()"
                )
        return replace(self, basis=basis)


def space_of(fitted: FittedModel, ddf: DdfName | None = None, vcov: Vcov | None = None) -> Space:
    """The space of a fit with a covariance matrix and degrees of freedom."""
    return Space(fitted.estimates.kept, Undetermined(fitted), basis_of(fitted, ddf, vcov))


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
        return self._where_estimable(self.space.basis.covariance_of(kept))

    @property
    def standard_error(self) -> NDArray[np.float64]:
        """Standard errors, shape (m,)."""
        variances = np.diag(self.covariance)
        return np.sqrt(np.where(variances < 0.0, np.nan, variances))

    @cached_property
    def df(self) -> NDArray[np.float64]:
        """Degrees of freedom, shape (m,); NaN for those that are not estimable."""
        result = np.full(len(self.rows), np.nan)
        result[self.estimable] = self.space.basis.df(self.rows[self.estimable][:, self.space.kept])
        return result

    def combined(self, weights: NDArray[np.float64]) -> LinearFunctions:
        """
        Linear combinations of these, with weights of shape (k, m).

        Functions with a weight of zero have no part in one, even where they are NaN. Terms that cancel but
        for rounding are zero.
        """
        valid = np.isfinite(self.rows).all(axis=1) & np.isfinite(self.constants)
        rows, constants = np.where(valid[:, None], self.rows, 0.0), np.where(valid, self.constants, 0.0)
        found = weights @ rows
        most = np.abs(weights) @ np.abs(rows)
        found[np.abs(found) <= _ROUNDING * most] = 0.0
        found[weights[:, ~valid].any(axis=1)] = np.nan
        return LinearFunctions(found, weights @ constants, self.space)

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
            raise ArgumentError(
                "not jointly testable: some of these functions of the coefficients are not estimable"
            )
        return self.space.basis.joint(self.rows[:, self.space.kept], -self.constants)

    def _where_estimable(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(np.outer(self.estimable, self.estimable), matrix, np.nan)
