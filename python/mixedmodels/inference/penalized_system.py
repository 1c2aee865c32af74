"""Solves with V = W⁻¹ + ZΛΛ'Z' by way of the sparse q by q matrix Λ'Z'WZΛ + I, never by n by n ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..fitted_model import Fitted, FittedModel
from ..covariance.theta import factor_changes, factors
from .elimination import Eliminated, Inverted, eliminate

# Numbers in a dense block of right-hand sides.
_BLOCK = 4_000_000


class PenalizedSystem:
    """
    The weighted least-squares problem that gives coefficients and random effects at the estimates.

    In the units of the relative covariance factors: for a linear mixed model V times σ² is the covariance
    matrix of the response, for a generalized one that of the working response at the modes.

    Parameters
    ----------
    fitted : FittedModel

    Attributes
    ----------
    weights : ndarray, shape (n,)
        Prior weights, or the weights of the expected information at the modes.
    x : ndarray, shape (n, rank)
    """

    def __init__(self, fitted: FittedModel) -> None:
        self._fitted = fitted
        self.weights = working_weights(fitted)
        self.x = fitted.design.x[:, fitted.estimates.kept]
        self._groups = _groups(fitted)
        self._zl = _rows(self._groups, self._scaled(fitted.estimates.theta))

    @cached_property
    def _matrix(self) -> Any:
        """Λ'Z'WZΛ + I."""
        from scipy import sparse

        weighted = self._zl.multiply(self.weights[:, None]).tocsr()
        return (self._zl.T @ weighted + sparse.identity(self._zl.shape[1])).tocsr()

    @cached_property
    def _eliminated(self) -> Eliminated | Inverted | None:
        return eliminate(self._matrix, [(group.levels, group.width) for group in self._groups])

    @cached_property
    def _factor(self) -> Any:
        """A sparse factor, where no elimination helps: with large factors that are crossed."""
        from scipy.sparse.linalg import splu

        # Positive definite: pivots may stay on the diagonal, which keeps the factor symmetric and sparse.
        return splu(
            self._matrix.tocsc(),
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )

    def _scaled(self, theta: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        """ZΛ for a value of theta, the columns of a row's levels: an array of shape (n, k) for each group."""
        return self._columns(factors(self._fitted.design, theta))

    def _columns(self, parts: Sequence[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
        terms = self._fitted.design.terms
        return [np.hstack([terms[t].z @ parts[t] for t in group.terms]) for group in self._groups]

    @cached_property
    def adjusted_x(self) -> NDArray[np.float64]:
        """X minus its penalised regression on ZΛ, shape (n, rank); W times it is V⁻¹X."""
        return self.x - self._smooth(self.x)

    @cached_property
    def unscaled_covariance(self) -> NDArray[np.float64]:
        """(X'V⁻¹X)⁻¹, shape (rank, rank); NaN where weights of zero leave nothing to invert."""
        try:
            return np.linalg.inv(self.x.T @ (self.weights[:, None] * self.adjusted_x))
        except np.linalg.LinAlgError:
            return np.full((self.x.shape[1], self.x.shape[1]), np.nan)

    def project(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """P v with P = V⁻¹ - V⁻¹X(X'V⁻¹X)⁻¹X'V⁻¹, shape (n,)."""
        solved = self.weights * (values - self._smooth(values))
        return solved - self.weights * (self.adjusted_x @ (self.unscaled_covariance @ (self.x.T @ solved)))

    def slope_of_v(self, index: int, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """(∂V/∂θ) v for one entry of theta, shape (n,)."""
        unit = np.zeros(len(self._fitted.estimates.theta))
        unit[index] = 1.0
        changes = factor_changes(self._fitted.design, self._fitted.estimates.theta, unit)
        moved = _rows(self._groups, self._columns(changes))
        moved.eliminate_zeros()
        return moved @ (self._zl.T @ values) + self._zl @ (moved.T @ values)

    def leverages(self) -> NDArray[np.float64]:
        """The diagonal of the matrix that takes the (working) response to its fitted values, shape (n,)."""
        result = np.einsum("ij,jk,ik->i", self.adjusted_x, self.unscaled_covariance, self.adjusted_x)
        eliminated = self._eliminated
        result += self._quadratic_by_solving() if eliminated is None else self._quadratic(eliminated.entries)
        return self.weights * result

    def _quadratic(self, inverse: Any) -> NDArray[np.float64]:
        """a'Ma of the rows a of ZΛ with M the inverse, by its entries at pairs of levels that meet."""
        rows = self._scaled(self._fitted.estimates.theta)
        total = np.zeros(len(self.weights))
        for g, own in enumerate(self._groups):
            for h, other in enumerate(self._groups[: g + 1]):
                # The pairs of levels that meet are fewer than the rows.
                pairs, place = np.unique(
                    own.codes.astype(np.int64) * other.levels + other.codes, return_inverse=True
                )
                first, second = pairs // other.levels * own.width, pairs % other.levels * other.width
                for i in range(own.width):
                    for j in range(other.width):
                        entries = inverse[own.start + first + i, other.start + second + j]
                        part = np.asarray(entries).ravel()[place] * rows[g][:, i] * rows[h][:, j]
                        total += part if g == h else 2.0 * part
        return total

    def _quadratic_by_solving(self) -> NDArray[np.float64]:
        n, q = self._zl.shape
        result = np.empty(n)
        step = max(1, _BLOCK // q)
        for start in range(0, n, step):
            rows = self._zl[start : start + step]
            solved = self._factor.solve(rows.T.toarray())
            result[start : start + step] = np.asarray(rows.multiply(solved.T).sum(axis=1)).ravel()
        return result

    def _smooth(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """ZΛ(Λ'Z'WZΛ + I)⁻¹Λ'Z'W v."""
        weights = self.weights if values.ndim == 1 else self.weights[:, None]
        system = self._factor if self._eliminated is None else self._eliminated
        return self._zl @ system.solve(self._zl.T @ (weights * values))


def working_weights(fitted: FittedModel) -> NDArray[np.float64]:
    """Prior weights of a linear mixed model; weights of the expected information of a generalized one."""
    design: Any = fitted.design
    if isinstance(fitted, Fitted):
        return np.ones(fitted.n_obs) if design.weights is None else design.weights
    generalized: Any = fitted
    eta, family = generalized.estimates.eta, generalized.family
    slope = family.functions.slope(eta)
    variance = family.variance(family.mean(eta), generalized.dispersion)
    # Where a mean has run into its limit nothing varies and there is no information.
    weights = np.divide(np.square(slope), variance, out=np.zeros_like(slope), where=variance > 0)
    return design.unit_weights * weights


@dataclass(frozen=True, eq=False)
class _Group:
    """A grouping factor with its terms: columns of ZΛ from `start` on, `width` of them for each level."""

    terms: tuple[int, ...]
    codes: NDArray[np.uint32]
    levels: int
    width: int
    start: int


def _groups(fitted: FittedModel) -> list[_Group]:
    members: dict[int, list[int]] = {}
    for t, term in enumerate(fitted.design.terms):
        members.setdefault(id(term.group), []).append(t)
    found: list[_Group] = []
    start = 0
    for terms in members.values():
        group = fitted.design.terms[terms[0]].group
        width = sum(len(fitted.design.terms[t].names) for t in terms)
        found.append(_Group(tuple(terms), group.codes, len(group.levels), width, start))
        start += width * len(group.levels)
    return found


def _rows(groups: Sequence[_Group], parts: Sequence[NDArray[np.float64]]) -> Any:
    """Rows of a matrix with a column for each effect of each level, shape (n, q), from their entries."""
    from scipy import sparse

    n = len(groups[0].codes)
    columns = [g.start + g.codes.astype(np.int64)[:, None] * g.width + np.arange(g.width) for g in groups]
    width = sum(g.width for g in groups)
    q = groups[-1].start + groups[-1].levels * groups[-1].width
    entries = (np.hstack(parts).ravel(), np.hstack(columns).ravel(), np.arange(0, n * width + 1, width))
    return sparse.csr_matrix(entries, shape=(n, q))
