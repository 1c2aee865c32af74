"""The basis of tests: coefficients, a covariance matrix, a rule for degrees of freedom."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ...errors import ArgumentError
from ...fit.endpoint.curvature import PART
from ...fit.record import read_only
from ...render.numbers import percent
from ...wording import capital
from ..estimates.origin import Origin


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
    Coefficients, their covariance matrix and a rule for degrees of freedom: the basis of tests and intervals.

    Every function with an argument ``vcov`` takes an instance. For a rule of your own, write a subclass with
    `label`, `df` and `joint_df`.

    Attributes
    ----------
    beta : ndarray, shape (rank,)
        The coefficients of the model without those that were dropped, ``model.fixef(add_dropped=False)``.
    covariance : ndarray, shape (rank, rank)
        Their covariance matrix.
    origin : Origin or None
        The model that they belong to. None for an instance made by hand: it is accepted by a model with
        exactly these coefficients when `covariance` is symmetric, finite and positive semidefinite.
    undetermined : ndarray, shape (d, rank, rank), or None
        Derivatives of the covariance matrix along directions of the variance parameters that the data do not
        determine: a standard error that changes along one of them is arbitrary. None for no directions.
    notes : tuple of str
        Remarks for the reader of the results.

    Examples
    --------
    Twelve degrees of freedom for every test, whatever its coefficients:

    >>> from dataclasses import dataclass
    >>> import numpy as np
    >>> from mixedmodels import DegreesOfFreedom, lmer, load_machines
    >>> @dataclass(frozen=True, eq=False)
    ... class Twelve(DegreesOfFreedom):
    ...     @property
    ...     def label(self):
    ...         return "twelve degrees of freedom"
    ...
    ...     def df(self, rows):
    ...         return np.full(len(rows), 12.0)
    ...
    ...     def joint_df(self, rows):
    ...         return 12.0, 1.0
    >>> m = lmer("score ~ Machine + (1 | Worker)", load_machines())
    >>> rule = Twelve(m.fixef().to_numpy(), m.vcov().to_numpy())
    >>> m.anova(vcov=rule)[["NumDF", "DenDF", "F value"]].round(2)
             NumDF  DenDF  F value
    Machine      2   12.0    87.8
    """

    beta: NDArray[np.float64]
    covariance: NDArray[np.float64]
    origin: Origin | None = field(default=None, kw_only=True)
    undetermined: NDArray[np.float64] | None = field(default=None, kw_only=True)
    notes: tuple[str, ...] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        # Others share the instance: its arrays are copies closed to writing.
        for name in ("beta", "covariance"):
            try:
                object.__setattr__(self, name, read_only(getattr(self, name)))
            except (TypeError, ValueError):
                raise ArgumentError(f"{type(self).__name__}: {name} must be an array of numbers") from None

    @property
    @abstractmethod
    def label(self) -> str:
        """The rule as tables name it, such as "Satterthwaite's degrees of freedom"."""

    @abstractmethod
    def df(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """
        Degrees of freedom of single linear functions of the coefficients.

        Parameters
        ----------
        rows : ndarray, shape (m, rank)
            One function in each row.

        Returns
        -------
        ndarray, shape (m,)
            ``inf`` for a normal distribution; NaN where there are none (the notes say why), and for a row of
            zeros.
        """

    @abstractmethod
    def joint_df(self, rows: NDArray[np.float64]) -> tuple[float, float]:
        """
        Denominator degrees of freedom of a joint test.

        Parameters
        ----------
        rows : ndarray, shape (q, rank)
            Linearly independent functions of the coefficients.

        Returns
        -------
        df : float
        scaling : float
            The statistic is this times the Wald statistic divided by q; 1 for an ordinary F test.
        """

    @property
    def infinite(self) -> bool:
        """Whether tests use normal and χ² distributions instead of t and F."""
        return False

    @property
    def testable(self) -> bool:
        """Whether there are tests; False where the likelihood has no finite optimum."""
        return True

    @property
    def connectives(self) -> tuple[str, str]:
        """Words before the label, after "t tests" and after "t quantiles"."""
        return " by ", " with "

    def depends(self, rows: NDArray[np.float64]) -> NDArray[np.bool_]:
        """
        Which functions of the coefficients have a variance that the data do not determine.

        Parameters
        ----------
        rows : ndarray, shape (m, rank)
            Weights of the coefficients, one combination a row.

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
        """
        Covariance matrix of linear functions of the coefficients.

        Parameters
        ----------
        rows : ndarray, shape (m, rank)
            Weights of the coefficients, one combination a row.

        Returns
        -------
        ndarray, shape (m, m)
            NaN where the data do not determine it.
        """
        matrix = rows @ self.covariance @ rows.T
        depends = self.depends(rows)
        return np.where(depends[:, None] | depends, np.nan, matrix)

    def standard_errors(self, rows: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """
        Standard errors of linear functions of the coefficients.

        Parameters
        ----------
        rows : ndarray, shape (m, rank), optional
            By default the coefficients themselves.

        Returns
        -------
        ndarray, shape (m,)
            NaN where the data do not determine them.
        """
        rows = np.eye(len(self.beta)) if rows is None else rows
        variance = np.sum(rows @ self.covariance * rows, axis=1)
        return np.sqrt(np.where(self.depends(rows), np.nan, variance))

    def joint(self, rows: NDArray[np.float64], rhs: NDArray[np.float64] | None = None) -> JointTest:
        """
        Test Lβ = rhs.

        Parameters
        ----------
        rows : ndarray, shape (m, rank)
            L; rows that depend linearly on others are left out.
        rhs : ndarray, shape (m,), optional
            Zeros by default.

        Returns
        -------
        JointTest

        Raises
        ------
        ArgumentError
            When the rows contradict each other.
        """
        rows, rhs = independent_rows(rows, np.zeros(len(rows)) if rhs is None else rhs)
        if not len(rows):
            return JointTest(math.nan, 1.0, 0, math.nan)
        distance = rows @ self.beta - rhs
        root = standard_root(rows @ self.covariance @ rows.T)
        if root is None or not np.isfinite(distance).all():
            return JointTest(math.nan, math.nan, len(rows), math.nan)
        if self.depends(_whitened(root @ rows, self.undetermined)).any():
            return JointTest(math.nan, math.nan, len(rows), math.nan, undetermined=True)
        wald = float(np.sum((root @ distance) ** 2)) / len(rows)
        df2, scaling = self.joint_df(rows)
        return JointTest(wald, scaling, len(rows), df2)


def by_method(what: str, basis: DegreesOfFreedom, start: str = "") -> str:
    """
    Tests and the source of their degrees of freedom: "t tests by Satterthwaite's degrees of freedom".

    Parameters
    ----------
    what : str
        The kind of tests.
    basis : DegreesOfFreedom
    start : str
        The beginning of the line.
    """
    if not basis.testable:
        return start + basis.label if start else capital(basis.label)
    return start + what + basis.connectives[0] + basis.label


def limits_note(basis: DegreesOfFreedom, level: float) -> str:
    """How confidence limits were computed."""
    limits = f"{percent(level)} Wald limits"
    if not basis.testable:
        return f"{limits}: none, the likelihood has no finite optimum"
    if basis.infinite:
        return f"{limits}: normal quantiles"
    return f"{limits}: t quantiles{basis.connectives[1]}{basis.label}"


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
        notes.append("No joint test: too few degrees of freedom for an F approximation")
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


def independent_rows(
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
