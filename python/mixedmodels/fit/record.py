"""The records of a fitted model: its estimates, and how its search went."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..render.frame_table import rows_left_out
from ..render.numbers import format_fixed
from ..render.page import Facts, Page, Section, Table
from ..render.printed import Printed
from ..render.style import Style
from ..wording import counted


def read_only(array: Any, dtype: Any = np.float64) -> NDArray[Any]:
    """The array, owned by nobody else and closed to writing."""
    result = np.array(array, dtype=dtype)
    result.flags.writeable = False
    return result


def no_columns() -> NDArray[np.int64]:
    """No columns of x."""
    return read_only((), np.int64)


@dataclass(frozen=True, eq=False, kw_only=True)
class CommonEstimates:
    """
    What the engine finds at its parameters, for any model; all arrays are read-only.

    Attributes
    ----------
    theta : ndarray, shape (n_theta,)
        Relative to sigma for a linear model, on the scale of the linear predictor for a generalized one.
    objective : float
        -2 log-likelihood (ML, Laplace, quadrature) or REML criterion.
    log_det_z : float
        log|Λ'Z'WZΛ + I|.
    beta : ndarray, shape (p,)
        NaN for dropped columns.
    kept : ndarray of int, shape (rank,)
        The columns of x that are linearly independent of those to their left, and those that are held.
    b, u : tuple of ndarray, shape (n_levels, k) each
        Conditional modes and spherical random effects of each term.
    held : ndarray of int
        The columns of x whose coefficients are held.
    """

    theta: NDArray[np.float64]
    objective: float
    log_det_z: float
    beta: NDArray[np.float64]
    kept: NDArray[np.int64]
    b: tuple[NDArray[np.float64], ...]
    u: tuple[NDArray[np.float64], ...]
    held: NDArray[np.int64] = field(default_factory=no_columns)

    @property
    def free(self) -> NDArray[np.int64]:
        """The columns of x whose coefficients are estimated."""
        return np.setdiff1d(self.kept, self.held) if len(self.held) else self.kept

    def with_free(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The coefficients with other values of those that are estimated, shape (p,)."""
        beta = self.beta.copy()
        beta[self.free] = values
        return read_only(beta)


@dataclass(frozen=True, eq=False, kw_only=True)
class Estimates(CommonEstimates):
    """
    The estimates of a linear model.

    Attributes
    ----------
    log_det_x : float
        log|X'V⁻¹X|.
    pwrss : float
        Penalised weighted residual sum of squares r².
    sigma : float
    unscaled_covariance : ndarray, shape (rank, rank)
        (X'V⁻¹X)⁻¹ of the kept columns; σ² times it is the covariance of beta. Zero for those that are held.
    fitted : ndarray, shape (n,)
        Xβ + Zb + offset.
    """

    log_det_x: float
    pwrss: float
    sigma: float
    unscaled_covariance: NDArray[np.float64]
    fitted: NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class GeneralizedEstimates(CommonEstimates):
    """
    The estimates of a generalized model.

    Attributes
    ----------
    dispersion : float
        The family's own parameter, estimated or held fixed; NaN for a family without one.
    conditional_covariance : ndarray, shape (rank, rank)
        Covariance of beta given theta and the dispersion; zero for coefficients that are held.
    eta : ndarray, shape (n,)
        Xβ + Zb + offset.
    """

    dispersion: float
    conditional_covariance: NDArray[np.float64]
    eta: NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class FitLog(Printed):
    """
    Every evaluation of the optimisation, in order.

    Attributes
    ----------
    theta : ndarray, shape (n_evaluations, n_parameters)
        Parameters of the objective.
    objective : ndarray, shape (n_evaluations,)
        Value of the objective.
    gradient_norm : ndarray, shape (n_evaluations,)
        Largest absolute entry of the gradient; NaN for evaluations without derivatives.
    second_start : int or None
        Index of the first evaluation of the second search, see :class:`mixedmodels.Control`; None without
        one.
    """

    theta: NDArray[np.float64]
    objective: NDArray[np.float64]
    gradient_norm: NDArray[np.float64]
    second_start: int | None = None

    def to_frame(self) -> pd.DataFrame:
        """
        One row for each evaluation.

        Returns
        -------
        DataFrame
            Columns ``objective``, ``gradient_norm`` and ``theta 1``, ``theta 2``, ...
        """
        theta = np.atleast_2d(self.theta).reshape(len(self.objective), -1)
        columns = {"objective": self.objective, "gradient_norm": self.gradient_norm}
        return pd.DataFrame(columns | {f"theta {j + 1}": part for j, part in enumerate(theta.T)})

    def _page(self, style: Style) -> Page:
        frame = self.to_frame() if style.most_rows is None else self.to_frame().head(style.most_rows)
        columns = [
            ("", [str(i + 1) for i in range(len(frame))]),
            ("objective", format_fixed(frame["objective"], style.digits or 4)),
            ("|gradient|", ["" if np.isnan(norm) else f"{norm:.2g}" for norm in frame["gradient_norm"]]),
            *((name, style.estimates(frame[name])) for name in frame.columns[2:]),
        ]
        return Page.of(Table.from_columns(columns), ["Evaluations"], rows_left_out(self.to_frame(), style))


@dataclass(frozen=True, eq=False, repr=False)
class Convergence(Printed):
    """
    How the optimisation ended.

    Attributes
    ----------
    optimizer : str or None
        None when theta was given and nothing was optimised.
    status : str
        ``"converged"``, ``"max_evaluations"``, ``"max_time"``, ``"no_progress"`` or ``"not optimised"``.
    converged : bool
        Whether the end point counts as the optimum.
    message : str
    n_evaluations, n_gradients : int
    gradient : ndarray, shape (n_theta,)
        Exact gradient of the objective at theta, or in the free parameters where some are held.
    checked : bool
        Whether gradient and Hessian were checked after the optimisation.
    predicted_fall : float
        The remaining fall of the objective in the quadratic model at theta; NaN when not computed.
    problem : str
        Why the end point does not count as the optimum; empty when it does.
    messages : tuple of str
        All warnings of the fit, including this one.
    unbounded : bool
        Whether the search ran towards an optimum at infinity; then there are no estimates to test.
    log : FitLog
    """

    optimizer: str | None
    status: str
    converged: bool
    message: str
    n_evaluations: int
    n_gradients: int
    gradient: NDArray[np.float64]
    checked: bool
    predicted_fall: float
    problem: str
    messages: tuple[str, ...]
    unbounded: bool
    log: FitLog

    @property
    def outcome(self) -> str:
        """How the search ended, in one line."""
        gradient = np.abs(self.gradient).max(initial=0.0)
        if self.optimizer is None:
            return f"Not optimised: evaluated at the given theta; |gradient| <= {gradient:.2g}"
        verdict = "converged" if self.converged else f"NOT CONVERGED ({self.status})"
        if self.unbounded:
            verdict = "NO FINITE OPTIMUM"
        counts = counted(self.n_evaluations, "evaluation")
        if self.n_gradients:
            counts += f", {counted(self.n_gradients, 'gradient')}"
        line = f"{self.optimizer}: {verdict} after {counts}; |gradient| <= {gradient:.2g}"
        if not self.checked and self.optimizer != "trust_region":
            line += "; derivatives not checked"
        return line

    def to_frame(self) -> pd.DataFrame:
        """
        One row about the search.

        Returns
        -------
        DataFrame
            Columns ``optimizer``, ``status``, ``converged``, ``n_evaluations``, ``n_gradients``,
            ``max_gradient`` (the largest absolute component) and ``predicted_fall``.
        """
        row = {
            "optimizer": self.optimizer,
            "status": self.status,
            "converged": self.converged,
            "n_evaluations": self.n_evaluations,
            "n_gradients": self.n_gradients,
            "max_gradient": np.abs(self.gradient).max(initial=0.0),
            "predicted_fall": self.predicted_fall,
        }
        return pd.DataFrame([row])

    def _page(self, style: Style) -> Page:
        facts = [("status", self.status)]
        if np.isfinite(self.predicted_fall):
            facts.append(("predicted fall", f"{self.predicted_fall:.2g}"))
        if len(self.log.objective):
            start, end = style.estimates([self.log.objective[0], np.min(self.log.objective)])
            facts += [("objective at the start", start), ("at the end", end)]
        messages = tuple(f" - {text}" for text in self.messages)
        return Page((Section((self.outcome,)), Section((), Facts(tuple(facts)), messages)))
