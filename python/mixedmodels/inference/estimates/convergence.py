"""Is a fit at its optimum? From the exact gradient and the Hessian."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...checks import positive_number
from ...fit.endpoint.certificate import TOLERANCE, certify
from ...fit.endpoint.singularity import singular_terms
from ...fit.starting_point import check_start
from ...fit.state import FittedModel
from ...render.page import Page, Table
from ...render.printed import Printed
from ...render.style import Style
from .variance_parameters import undetermined_text


@dataclass(frozen=True, eq=False, repr=False)
class ConvergenceCheck(Printed):
    """
    The verdict on a fit and its grounds. As a condition, it is true for a fit that converged.

    Attributes
    ----------
    ok : bool
    messages : tuple of str
        The faults; empty for a fit that passes.
    notes : tuple of str
        Remarks on a fit that may well be fine, such as a singular one.
    gradient : Series
        Exact gradient of the objective, by parameter.
    hessian : DataFrame, shape (n_theta, n_theta)
        Exact Hessian of the objective.
    hessian_eigenvalues : ndarray, shape (n_theta,)
        Of the Hessian scaled to a unit diagonal, increasing.
    predicted_fall : float
        g'H⁻¹g/2: how far the objective would still fall.
    shares : Series
        The fall by each parameter on its own.
    tolerance : float
        The largest fall that passes.
    status : str
        The status of the optimizer.
    """

    ok: bool
    messages: tuple[str, ...]
    notes: tuple[str, ...]
    gradient: pd.Series
    hessian: pd.DataFrame
    hessian_eigenvalues: NDArray[np.float64]
    predicted_fall: float
    shares: pd.Series
    tolerance: float
    status: str

    def __bool__(self) -> bool:
        return self.ok

    def to_frame(self) -> pd.DataFrame:
        """
        The derivatives by parameter.

        Returns
        -------
        DataFrame
            Index: the parameter. Columns ``gradient`` and ``fall``, see `shares`.
        """
        return pd.DataFrame({"gradient": self.gradient, "fall": self.shares})

    def _page(self, style: Style) -> Page:
        verdict = "Converged" if self.ok else "Not converged"
        heading = [
            f"{verdict}: the objective would still fall by {self.predicted_fall:.2g} "
            f"(tolerance {self.tolerance:.2g}); optimizer: {self.status}"
        ]
        heading += [f" - {text}" for text in (*self.messages, *self.notes)]
        digits = style.digits or 3
        cells = {
            "gradient": [f"{value:.{digits}g}" for value in self.gradient],
            "fall alone": [f"{value:.{digits}g}" for value in self.shares],
        }
        names = [str(name) for name in self.gradient.index]
        return Page.of(Table.from_columns([("parameter", names), *cells.items()]), heading)


def check_convergence(fitted: FittedModel, tol: float = TOLERANCE) -> ConvergenceCheck:
    """
    Judge a fit by the exact gradient and Hessian at its end point.

    Parameters
    ----------
    fitted : FittedModel
    tol : float
        Largest remaining fall of the objective (in units of -2 log-likelihood) that passes.

    Returns
    -------
    ConvergenceCheck
    """
    tol = positive_number("tol", tol)
    theta, design = fitted.estimates.theta, fitted.design
    names = pd.Index(fitted.parameter_names(), dtype=object)
    gradient, hessian = fitted.gradient(), fitted.hessian()
    certificate = certify(gradient, hessian, fitted.coordinates())
    # A small gradient says nothing where the likelihood falls on to infinity.
    messages = [fitted.convergence.problem] if fitted.convergence.unbounded else []
    if not np.isfinite(certificate.predicted_fall):
        messages.append("the derivatives of the objective cannot be computed at the estimates")
    elif certificate.predicted_fall >= tol and certificate.worst is not None:
        worst = certificate.worst
        messages.append(
            f"the objective would still fall by about {certificate.predicted_fall:.3g}; most of it along "
            f"{names[worst]} (gradient {gradient[worst]:.3g})"
        )
    if certificate.downhill is not None:
        messages.append(f"the objective curves downwards along {names[certificate.downhill]}: no minimum")
    singular = singular_terms(
        design, theta, fitted.term_roots, scale=fitted.scale, known=fitted.known_singularities()
    )
    notes = [f"singular fit: {part}" for part in singular]
    undetermined = undetermined_text(fitted)
    if undetermined:
        notes.append(f"{undetermined}: the objective does not change, so the estimates are arbitrary")
    elif certificate.flat is not None:
        notes.append(f"the data hardly determine {names[certificate.flat]}: the objective is flat along it")
    return ConvergenceCheck(
        ok=not messages,
        messages=tuple(messages),
        notes=tuple(notes),
        gradient=pd.Series(gradient, index=names, name="gradient"),
        hessian=pd.DataFrame(hessian, index=names, columns=names),
        hessian_eigenvalues=certificate.eigenvalues,
        predicted_fall=certificate.predicted_fall,
        shares=pd.Series(certificate.shares, index=names, name="fall"),
        tolerance=float(tol),
        status=fitted.convergence.status,
    )


def is_singular(fitted: FittedModel, tol: float, theta: Any = None) -> bool:
    """Whether some covariance matrix of random effects is singular, at the estimates or at another theta."""
    point = check_start(theta, fitted.design, "theta")
    point = fitted.estimates.theta if point is None else point
    return bool(singular_terms(fitted.design, point, fitted.term_roots, tol))
