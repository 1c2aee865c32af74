"""Rules for degrees of freedom: infinite, residual, Satterthwaite's, Kenward and Roger's."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .degrees_of_freedom import DegreesOfFreedom, JointTest, independent_rows, standard_root

# Of the squared variance of an estimate.
_ROUNDING = 1e-15


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

    def joint_df(self, rows: NDArray[np.float64]) -> tuple[float, float]:
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

    def joint_df(self, rows: NDArray[np.float64]) -> tuple[float, float]:
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
        rows, _ = independent_rows(rows, np.zeros(len(rows)) if rhs is None else rhs)
        return JointTest(math.nan, math.nan, len(rows), math.nan)

    def joint_df(self, rows: NDArray[np.float64]) -> tuple[float, float]:
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
        Covariance matrix of the estimates of these parameters; NaN where it does not exist.
    """

    slopes: NDArray[np.float64]
    parameter_covariance: NDArray[np.float64]

    @property
    def label(self) -> str:
        return "Satterthwaite's degrees of freedom"

    def df(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        variance = np.sum(rows @ self.covariance * rows, axis=1)
        slopes = np.sum(rows @ self.slopes * rows, axis=2).T
        df = _moment_df(variance, slopes, self.parameter_covariance)
        return np.where(self.depends(rows), np.nan, df)

    def joint_df(self, rows: NDArray[np.float64]) -> tuple[float, float]:
        if len(rows) == 1:
            return float(self.df(rows)[0]), 1.0
        _, vectors = np.linalg.eigh(rows @ self.covariance @ rows.T)
        return df_of_mean_square(self.df(vectors.T @ rows)), 1.0


def _moment_df(
    variance: NDArray[np.float64], slopes: NDArray[np.float64], covariance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """2v²/Var(v); infinite where only rounding, of either sign, makes v depend on the variance parameters."""
    uncertainty = np.einsum("im,mn,in->i", slopes, covariance, slopes)
    with np.errstate(divide="ignore", invalid="ignore"):
        negligible = (variance > 0.0) & (uncertainty <= _ROUNDING * variance**2)
        return np.where(negligible, np.inf, 2.0 * variance**2 / uncertainty)


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
        df = _moment_df(variance, slopes, self.w)
        return np.where(depends, np.nan, df)

    def joint_df(self, rows: NDArray[np.float64]) -> tuple[float, float]:
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


def df_of_mean_square(df: NDArray[np.float64]) -> float:
    """
    Degrees of freedom of the F variable with the same mean as the mean of squared t variables.

    That mean is infinite when one of them has two or fewer, as it is for two degrees of freedom.
    """
    if np.isnan(df).any():
        return math.nan
    if np.allclose(df, df[0], rtol=1e-8, atol=0):
        return float(df.mean())
    if df.min() <= 2:
        return 2.0
    excess = float(np.sum(2 / (df - 2)))
    return 2 * (len(df) + excess) / excess if excess > 0 else math.inf


def kenward_roger_df(q: int, a1: float, a2: float) -> tuple[float, float]:
    """
    Denominator degrees of freedom and scaling that match the first two moments of the Wald statistic / q.

    Parameters
    ----------
    q : int
        Rows of the hypothesis.
    a1, a2 : float
        The sums A1 and A2 of the paper.

    Returns
    -------
    df, scaling : float
        NaN where no F distribution has these moments, as with very few rows.

    Examples
    --------
    >>> from mixedmodels.inference.basis.kinds import kenward_roger_df
    >>> kenward_roger_df(1, 0.125, 0.125)
    (16.0, 1.0)
    """
    if a2 <= 0:
        return (math.inf, 1.0) if a2 == 0 else (math.nan, math.nan)
    if math.isclose(a1, q * a2, rel_tol=1e-9):
        # Then the formulas below come down to this, but are 0/0 for two degrees of freedom.
        return 2 * q / a2, 1.0
    b = (a1 + 6 * a2) / (2 * q)
    g = ((q + 1) * a1 - (q + 4) * a2) / ((q + 2) * a2)
    c = 3 * q + 2 * (1 - g)
    c1, c2, c3 = g / c, (q - g) / c, (q + 2 - g) / c
    shrink = 1 - a2 / q
    # rho = V* / (2 E*²), with E* = 1 / shrink and V* = (2/q) (1 + c1 B) / ((1 - c2 B)² (1 - c3 B)).
    rho = _over(1 + c1 * b, 1 - c3 * b) * _over(shrink, 1 - c2 * b) ** 2 / q
    df = 4 + _over(q + 2, q * rho - 1)
    scaling = _over(df * shrink, df - 2)
    return (df, scaling) if df > 0 and scaling > 0 else (math.nan, math.nan)


def _over(top: float, bottom: float) -> float:
    if bottom == 0:
        return math.nan if top == 0 else math.copysign(math.inf, top)
    return top / bottom
