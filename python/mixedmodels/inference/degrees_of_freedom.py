"""
Degrees of freedom for tests of the fixed effects.

Satterthwaite: Fai & Cornelius (1996); Kuznetsova, Brockhoff & Christensen (2017). Kenward-Roger: Kenward &
Roger (1997), as in Halekoh & Højsgaard (2014). The derivatives and traces are the engine's exact ones.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..curvature import covariance_from
from ..errors import ArgumentError
from ..fitted_model import Fitted, FittedModel
from ..fitting import refit
from ..theta import interior, theta_names
from .moments import df_of_mean_square, kenward_roger_df

DdfName = Literal["satterthwaite", "kenward-roger", "residual", "inf"]
DDF_NAMES: tuple[DdfName, ...] = ("satterthwaite", "kenward-roger", "residual", "inf")
_SYNONYMS = {"kr": "kenward-roger", "kenward_roger": "kenward-roger", "asymptotic": "inf", "z": "inf"}


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
    """

    wald: float
    scaling: float
    df1: int
    df2: float

    @property
    def statistic(self) -> float:
        """What has an F distribution with df1 and df2 degrees of freedom under the hypothesis."""
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
    notes : tuple of str
        What a reader of the results should know.
    """

    beta: NDArray[np.float64]
    covariance: NDArray[np.float64]
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
            NaN where they cannot be had (the notes say why), or for a row of zeros.
        """

    @abstractmethod
    def _joint(self, rows: NDArray[np.float64]) -> tuple[float, float]:
        """Degrees of freedom and scaling of the joint test of rows that are independent."""

    @property
    def infinite(self) -> bool:
        """Whether normal and χ² distributions take the place of t and F."""
        return False

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
        wald = float(distance @ np.linalg.solve(rows @ self.covariance @ rows.T, distance)) / len(rows)
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
class Undetermined(DegreesOfFreedom):
    """No degrees of freedom and no tests: the likelihood has no finite optimum."""

    large_samples: bool

    @property
    def label(self) -> str:
        return "no method (the likelihood has no finite optimum)"

    @property
    def infinite(self) -> bool:
        return self.large_samples

    def df(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.full(len(rows), np.nan)

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
        Covariance matrix of the estimates of these parameters; NaN where it cannot be had.
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
            return 2.0 * variance**2 / uncertainty

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
        Φ = (X'V⁻¹X)⁻¹.
    p : ndarray, shape (r, rank, rank)
        -X'V⁻¹ G V⁻¹X for each of the matrices that V is a sum of.
    w : ndarray, shape (r, r)
        Covariance matrix of the estimates of their factors.
    """

    unadjusted: NDArray[np.float64]
    p: NDArray[np.float64]
    w: NDArray[np.float64]

    @property
    def label(self) -> str:
        return "Kenward and Roger's degrees of freedom and covariance matrix"

    def df(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        # For one row the general formulas come down to m = 2 / A2 and a scaling of 1.
        variance = np.sum(rows @ self.unadjusted * rows, axis=1)
        half = rows @ self.unadjusted
        slopes = np.sum(half @ self.p * half, axis=2).T
        with np.errstate(divide="ignore", invalid="ignore"):
            return 2.0 * variance**2 / np.einsum("im,mn,in->i", slopes, self.w, slopes)

    def _joint(self, rows: NDArray[np.float64]) -> tuple[float, float]:
        if len(rows) == 1:
            return float(self.df(rows)[0]), 1.0
        half = np.linalg.solve(np.linalg.cholesky(rows @ self.unadjusted @ rows.T), rows @ self.unadjusted)
        # tr(ΘΦPΦ) and tr(ΘΦPΦΘΦPΦ) are traces of these and of their products.
        moved = half @ self.p @ half.T
        traces = np.einsum("mii->m", moved)
        a1 = float(traces @ self.w @ traces)
        a2 = float(np.einsum("mn,mij,nji->", self.w, moved, moved, optimize=True))
        return kenward_roger_df(len(rows), a1, a2)


def degrees_of_freedom(fitted: FittedModel, ddf: str | DegreesOfFreedom | None = None) -> DegreesOfFreedom:
    """
    The basis of tests of the fixed effects.

    Parameters
    ----------
    fitted : FittedModel
    ddf : {"satterthwaite", "kenward-roger", "residual", "inf"} or DegreesOfFreedom, optional
        By default Satterthwaite's for a linear mixed model, infinite for a generalized one. A
        `DegreesOfFreedom` of one's own is taken as it is.

    Returns
    -------
    DegreesOfFreedom

    Raises
    ------
    ArgumentError
        For an unknown method, or another one than "inf" for a generalized model.
    """
    if isinstance(ddf, DegreesOfFreedom):
        return ddf
    name = check_ddf(fitted, ddf)
    if fitted.convergence.unbounded:
        return _undetermined(fitted)
    if not isinstance(fitted, Fitted) or name == "inf":
        return Infinite(*_beta_and_covariance(fitted))
    if name == "residual":
        return Residual(*_beta_and_covariance(fitted), fitted.n_obs - fitted.rank)
    return _satterthwaite(fitted) if name == "satterthwaite" else _kenward_roger(fitted)


def check_ddf(fitted: FittedModel, ddf: Any) -> DdfName:
    """The ``ddf`` argument as the name of a method that suits the model."""
    linear = isinstance(fitted, Fitted)
    if ddf is None:
        return "satterthwaite" if linear else "inf"
    wanted = ddf.lower() if isinstance(ddf, str) else "inf" if ddf == math.inf else ddf
    wanted = _SYNONYMS.get(wanted, wanted) if isinstance(wanted, str) else wanted
    for name in DDF_NAMES:
        if wanted == name:
            if name != "inf" and not linear:
                raise ArgumentError(
                    f"ddf={ddf!r}: tests of a generalized model rest on large samples and have no "
                    "denominator degrees of freedom; take ddf='inf'"
                )
            return name
    raise ArgumentError(f"ddf must be one of {', '.join(map(repr, DDF_NAMES))}, not {ddf!r}")


def _undetermined(fitted: FittedModel) -> Undetermined:
    beta, covariance = _beta_and_covariance(fitted)
    large_samples = not isinstance(fitted, Fitted)
    if large_samples:
        # Normal distributions need no degrees of freedom that could be missing.
        covariance = np.full_like(covariance, np.nan)
    note = (
        "No tests: the likelihood has no finite optimum. Estimates and standard errors are those where the "
        "search stopped; do not interpret them"
    )
    return Undetermined(beta, covariance, large_samples, notes=(note,))


def _satterthwaite(fitted: Fitted) -> Satterthwaite:
    """In the parameters theta and log sigma, those on the boundary left out."""
    theta, sigma = fitted.estimates.theta, fitted.estimates.sigma
    beta, covariance = _beta_and_covariance(fitted)
    inner = interior(fitted.design, theta)
    slopes = sigma**2 * fitted.engine.covariance_slopes(theta, fitted.reml)[inner]
    chosen = np.append(inner, True)
    hessian = fitted.engine.joint_hessian(theta, fitted.reml)
    parameters = covariance_from(hessian, chosen)[np.ix_(chosen, chosen)]
    notes = []
    if not inner.all():
        names = [name for name, there in zip(theta_names(fitted.design), inner, strict=True) if not there]
        notes.append(f"Left out of the degrees of freedom, as estimated on the boundary: {', '.join(names)}")
    if np.isnan(parameters).any():
        notes.append(
            "No degrees of freedom by Satterthwaite's method: the Hessian in the variance parameters is not "
            "positive definite (ddf='kenward-roger' does not need it)"
        )
    # The derivative in log sigma is twice the covariance matrix.
    all_slopes = np.concatenate([slopes, 2.0 * covariance[None]])
    return Satterthwaite(beta, covariance, all_slopes, parameters, notes=tuple(notes))


def _kenward_roger(fitted: Fitted) -> KenwardRoger:
    notes = []
    if not fitted.reml:
        fitted = refit(fitted, reml=True, changes={"start": None}, quiet=True)
        notes.append("Fitted again by REML (instead of ML) for Kenward and Roger's method")
        notes += fitted.convergence.messages
    parts = fitted.engine.kenward_roger(fitted.estimates.theta)
    beta, _ = _beta_and_covariance(fitted)
    if not np.isfinite(parts["w"]).all():
        notes.append(
            "No covariance matrix and degrees of freedom by Kenward and Roger's method: the information on "
            "the variances is singular"
        )
    return KenwardRoger(beta, parts["adjusted"], parts["phi"], parts["p"], parts["w"], notes=tuple(notes))


def _beta_and_covariance(fitted: FittedModel) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return fitted.estimates.beta[fitted.estimates.kept], fitted.covariance()


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
