"""The basis of tests of the fixed effects: coefficients, a covariance matrix, degrees of freedom."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ...errors import ArgumentError
from ...fit.endpoint.curvature import PART
from .moments import df_of_mean_square, kenward_roger_df
from .origin import Origin


@dataclass(frozen=True)
class JointTest:
    """
    The test of several linear functions of the coefficients at once.

    Attributes
    ----------
    wald : float
        d'(LCL')⁻¹d / df1 with d = Lβ - rhs and C the method's covariance matrix.
    scaling : float
        The statistic is this times `wald`: 1 but for Kenward and Roger's method.
    df1 : int
        The number of independent rows of L.
    df2 : float
    undetermined : bool
        Whether there is no test because the data do not determine what the statistic depends on.
    """

    wald: float
    scaling: float
    df1: int
    df2: float
    undetermined: bool = False

    @property
    def statistic(self) -> float:
        """The F statistic: F with df1 and df2 degrees of freedom under the hypothesis."""
        return self.scaling * self.wald

    @property
    def p_value(self) -> float:
        """The probability of a larger statistic; by χ² for infinite df2."""
        from scipy.special import chdtrc, fdtrc

        if self.df1 == 0 or math.isnan(self.df2) or math.isnan(self.wald):
            return math.nan
        if math.isinf(self.df2):
            return float(chdtrc(self.df1, self.df1 * self.statistic))
        return float(fdtrc(self.df1, self.df2, self.statistic))


@dataclass(frozen=True, eq=False)
class DegreesOfFreedom(ABC):
    """
    Coefficients, their covariance matrix and the degrees of freedom of functions of them.

    Attributes
    ----------
    beta : ndarray, shape (rank,)
        The coefficients that are kept.
    covariance : ndarray, shape (rank, rank)
        Adjusted for small samples by Kenward and Roger's method.
    origin : Origin or None
        The model that they belong to; None for those made by hand, which the coefficients tell.
    undetermined : ndarray, shape (d, rank, rank), or None
        Derivatives of the covariance matrix along directions of the variance parameters that the data do not
        determine: a standard error that changes along one of them is arbitrary. None for no directions.
    notes : tuple of str
        What a reader of the results should know.
    """

    beta: NDArray[np.float64]
    covariance: NDArray[np.float64]
    origin: Origin | None = field(default=None, kw_only=True)
    undetermined: NDArray[np.float64] | None = field(default=None, kw_only=True)
    notes: tuple[str, ...] = field(default=(), kw_only=True)

    @property
    @abstractmethod
    def label(self) -> str:
        """The method as tables name it."""

    @abstractmethod
    def df(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """
        Degrees of freedom of single functions of the coefficients.

        Parameters
        ----------
        rows : ndarray, shape (m, rank)

        Returns
        -------
        ndarray, shape (m,)
            NaN where there are none (the notes say why), or for a row of zeros.
        """

    @abstractmethod
    def _joint(self, rows: NDArray[np.float64]) -> tuple[float, float]:
        """Degrees of freedom and scaling of the joint test of rows that are independent."""

    @property
    def infinite(self) -> bool:
        """Whether normal and χ² distributions take the place of t and F."""
        return False

    @property
    def testable(self) -> bool:
        """Whether there are any tests: False for an optimum at infinity."""
        return True

    def depends(self, rows: NDArray[np.float64]) -> NDArray[np.bool_]:
        """
        Which functions of the coefficients have a variance that the data do not determine.

        Parameters
        ----------
        rows : ndarray, shape (m, rank)

        Returns
        -------
        ndarray of bool, shape (m,)
        """
        if self.undetermined is None or not len(self.undetermined):
            return np.zeros(len(rows), dtype=bool)
        variance = np.sum(rows @ self.covariance * rows, axis=1)
        change = np.abs(np.sum(rows @ self.undetermined * rows, axis=2))
        return (change > PART * variance).any(axis=0)

    @property
    def without_directions(self) -> bool:
        """Whether no standard error changes along the directions that the data do not determine."""
        root = standard_root(self.covariance)
        rows = np.eye(len(self.beta)) if root is None else root
        return not self.depends(_whitened(rows, self.undetermined)).any()

    def covariance_of(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Covariance matrix of functions of the coefficients; NaN where the data do not determine it."""
        matrix = rows @ self.covariance @ rows.T
        depends = self.depends(rows)
        return np.where(depends[:, None] | depends, np.nan, matrix)

    def standard_errors(self, rows: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Of functions of the coefficients, by default of these; NaN where the data do not determine them."""
        rows = np.eye(len(self.beta)) if rows is None else rows
        variance = np.sum(rows @ self.covariance * rows, axis=1)
        return np.sqrt(np.where(self.depends(rows), np.nan, variance))

    def joint(self, rows: NDArray[np.float64], rhs: NDArray[np.float64] | None = None) -> JointTest:
        """
        Test Lβ = rhs.

        Parameters
        ----------
        rows : ndarray, shape (m, rank)
            L; rows that follow from others are left out.
        rhs : ndarray, shape (m,), optional
            Zeros by default.

        Raises
        ------
        ArgumentError
            When the rows contradict each other.
        """
        rows, rhs = _independent(rows, np.zeros(len(rows)) if rhs is None else rhs)
        if not len(rows):
            return JointTest(math.nan, 1.0, 0, math.nan)
        distance = rows @ self.beta - rhs
        root = standard_root(rows @ self.covariance @ rows.T)
        if root is None or not np.isfinite(distance).all():
            return JointTest(math.nan, math.nan, len(rows), math.nan)
        if self.depends(_whitened(root @ rows, self.undetermined)).any():
            return JointTest(math.nan, math.nan, len(rows), math.nan, undetermined=True)
        wald = float(np.sum((root @ distance) ** 2)) / len(rows)
        df2, scaling = self._joint(rows)
        return JointTest(wald, scaling, len(rows), df2)


@dataclass(frozen=True, eq=False)
class Infinite(DegreesOfFreedom):
    """Normal and χ² distributions."""

    @property
    def label(self) -> str:
        return "infinite degrees of freedom"

    @property
    def infinite(self) -> bool:
        return True

    def df(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.full(len(rows), np.inf)

    def _joint(self, rows: NDArray[np.float64]) -> tuple[float, float]:
        return math.inf, 1.0


@dataclass(frozen=True, eq=False)
class Residual(DegreesOfFreedom):
    """Observations minus coefficients, for every test."""

    n_minus_rank: int

    @property
    def label(self) -> str:
        return "residual degrees of freedom (observations minus coefficients)"

    def df(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.full(len(rows), float(self.n_minus_rank))

    def _joint(self, rows: NDArray[np.float64]) -> tuple[float, float]:
        return float(self.n_minus_rank), 1.0


@dataclass(frozen=True, eq=False)
class NoOptimum(DegreesOfFreedom):
    """
    No degrees of freedom and no tests: the likelihood has no finite optimum.

    Attributes
    ----------
    large_samples : bool
        Whether tables have the columns of normal and χ² tests.
    """

    large_samples: bool

    @property
    def label(self) -> str:
        return "no tests: the likelihood has no finite optimum"

    @property
    def infinite(self) -> bool:
        return self.large_samples

    @property
    def testable(self) -> bool:
        return False

    def df(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.full(len(rows), np.nan)

    def joint(self, rows: NDArray[np.float64], rhs: NDArray[np.float64] | None = None) -> JointTest:
        rows, _ = _independent(rows, np.zeros(len(rows)) if rhs is None else rhs)
        return JointTest(math.nan, math.nan, len(rows), math.nan)

    def _joint(self, rows: NDArray[np.float64]) -> tuple[float, float]:
        return math.nan, math.nan


@dataclass(frozen=True, eq=False)
class Satterthwaite(DegreesOfFreedom):
    """
    The degrees of freedom of a χ² variable with the mean and variance of the estimated variance.

    Attributes
    ----------
    slopes : ndarray, shape (m, rank, rank)
        Derivatives of the covariance matrix in the variance parameters.
    parameter_covariance : ndarray, shape (m, m)
        Covariance matrix of the estimates of these parameters; NaN where there is none.
    """

    slopes: NDArray[np.float64]
    parameter_covariance: NDArray[np.float64]

    @property
    def label(self) -> str:
        return "Satterthwaite's degrees of freedom"

    def df(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        variance = np.sum(rows @ self.covariance * rows, axis=1)
        slopes = np.sum(rows @ self.slopes * rows, axis=2).T
        uncertainty = np.einsum("im,mn,in->i", slopes, self.parameter_covariance, slopes)
        with np.errstate(divide="ignore", invalid="ignore"):
            df = 2.0 * variance**2 / uncertainty
        return np.where(self.depends(rows), np.nan, df)

    def _joint(self, rows: NDArray[np.float64]) -> tuple[float, float]:
        if len(rows) == 1:
            return float(self.df(rows)[0]), 1.0
        _, vectors = np.linalg.eigh(rows @ self.covariance @ rows.T)
        return df_of_mean_square(self.df(vectors.T @ rows)), 1.0


@dataclass(frozen=True, eq=False)
class KenwardRoger(DegreesOfFreedom):
    """
    F tests with an adjusted covariance matrix, scaled to their mean and variance in small samples.

    Attributes
    ----------
    unadjusted : ndarray, shape (rank, rank)
        Φ = (X'V⁻¹X)⁻¹, where X has the columns that `turn` combines those of the model matrix to.
    p : ndarray, shape (r, rank, rank)
        -X'V⁻¹ G V⁻¹X for each of the matrices that V is a sum of.
    w : ndarray, shape (r, r)
        Covariance matrix of the estimates of their factors.
    turn : ndarray, shape (rank, rank)
        The coefficients are this times those of the combined columns.
    """

    unadjusted: NDArray[np.float64]
    p: NDArray[np.float64]
    w: NDArray[np.float64]
    turn: NDArray[np.float64]

    @property
    def label(self) -> str:
        return "Kenward and Roger's degrees of freedom and covariance matrix"

    def df(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        # For one row the general formulas come down to m = 2 / A2 and a scaling of 1.
        depends, rows = self.depends(rows), rows @ self.turn
        variance = np.sum(rows @ self.unadjusted * rows, axis=1)
        half = rows @ self.unadjusted
        slopes = np.sum(half @ self.p * half, axis=2).T
        with np.errstate(divide="ignore", invalid="ignore"):
            df = 2.0 * variance**2 / np.einsum("im,mn,in->i", slopes, self.w, slopes)
        return np.where(depends, np.nan, df)

    def _joint(self, rows: NDArray[np.float64]) -> tuple[float, float]:
        if len(rows) == 1:
            return float(self.df(rows)[0]), 1.0
        if np.isnan(self.df(rows)).any():
            return math.nan, math.nan
        rows = rows @ self.turn
        root = standard_root(rows @ self.unadjusted @ rows.T)
        if root is None:
            return math.nan, math.nan
        half = root @ rows @ self.unadjusted
        # tr(ΘΦPΦ) and tr(ΘΦPΦΘΦPΦ) are traces of these and of their products.
        moved = half @ self.p @ half.T
        traces = np.einsum("mii->m", moved)
        a1 = float(traces @ self.w @ traces)
        a2 = float(np.einsum("mn,mij,nji->", self.w, moved, moved, optimize=True))
        return kenward_roger_df(len(rows), a1, a2)


def notes_on_tests(basis: DegreesOfFreedom, tests: Sequence[JointTest]) -> list[str]:
    """The notes of a basis, and why some of the joint tests made with it have no statistic."""
    singular = [test.df1 and math.isnan(test.wald) and not test.undetermined for test in tests]
    without = basis.testable and any(singular)
    notes = list(basis.notes)
    if without:
        notes.append("No test where the covariance matrix of the coefficients is singular")
    unknown = any(test.df1 > 1 and not math.isnan(test.wald) and math.isnan(test.df2) for test in tests)
    if unknown and not np.isnan(basis.df(np.eye(len(basis.beta)))).any():
        # Otherwise the basis has a note.
        notes.append("No joint test where no F distribution matches its moments: too few degrees of freedom")
    return notes


def standard_root(matrix: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """The inverse of a triangular root of a covariance matrix; None unless it is positive definite."""
    if not np.isfinite(matrix).all() or (np.diag(matrix) <= 0).any():
        return None
    size = np.sqrt(np.diag(matrix))
    try:
        root = np.linalg.cholesky(matrix / np.outer(size, size))
    except np.linalg.LinAlgError:
        return None
    return np.asarray(np.linalg.inv(root), dtype=np.float64) / size


def _whitened(rows: NDArray[np.float64], slopes: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """Those combinations of functions that change most along these directions, and least, of each."""
    if slopes is None or not len(slopes):
        return rows[:0]
    _, vectors = np.linalg.eigh(rows @ slopes @ rows.T)
    return np.concatenate([part.T @ rows for part in vectors])


def _independent(
    rows: NDArray[np.float64], rhs: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Equivalent rows that are independent, and their right side."""
    if not len(rows):
        return rows, rhs
    size = np.maximum(np.linalg.norm(rows, axis=1), np.finfo(float).tiny)
    left, values, right = np.linalg.svd(rows / size[:, None], full_matrices=True)
    rank = int(np.count_nonzero(values > 1e-10 * values[0])) if len(values) and values[0] > 0 else 0
    scaled = left.T @ (rhs / size)
    if np.abs(scaled[rank:]).max(initial=0.0) > 1e-8 * max(1.0, np.abs(scaled).max(initial=0.0)):
        raise ArgumentError("the hypotheses contradict each other: no coefficients satisfy all of them")
    if rank == len(rows):
        return rows, rhs
    return values[:rank, None] * right[:rank], scaled[:rank]
