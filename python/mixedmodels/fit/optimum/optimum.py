"""Where the search of a fit began and where it ended."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...render.page import Facts, Page, Section, Table
from ...render.printed import Printed
from ...render.style import Style
from ..record import Convergence, FitLog
from ..state import FittedModel

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Optimum(Printed):
    """
    Where the search of a fit began and where it ended.

    Attributes
    ----------
    names : tuple of str
        The parameters of the objective: theta; for a generalized model also beta (unless nAGQ = 0) and the
        logarithm of the dispersion (if the family estimates one).
    start, final : ndarray, shape (n_parameters,)
        Their values at the first evaluation (NaN without a log) and at the end.
    start_objective, objective : float
        The objective there.
    gradient : ndarray, shape (n_parameters,)
        Exact gradient at the end; NaN where parameters are held.
    convergence : Convergence
        The verdict on the end point, with the warnings of the fit.
    """

    names: tuple[str, ...]
    start: Vector
    final: Vector
    start_objective: float
    objective: float
    gradient: Vector
    convergence: Convergence

    @property
    def gradient_norm(self) -> float:
        """Largest absolute entry of the gradient at the end, in the parameters that are free."""
        return float(np.abs(self.convergence.gradient).max(initial=0.0))

    @property
    def n_evaluations(self) -> int:
        """Number of evaluations of the objective."""
        return self.convergence.n_evaluations

    @property
    def return_code(self) -> str:
        """How the search ended: ``convergence.status``."""
        return self.convergence.status

    @property
    def message(self) -> str:
        """The same in words."""
        return self.convergence.message

    @property
    def log(self) -> FitLog:
        """Every evaluation; ``log.to_frame()`` is a data frame."""
        return self.convergence.log

    def to_frame(self) -> pd.DataFrame:
        """
        One row for each parameter.

        Returns
        -------
        DataFrame
            Index: the parameter. Columns ``start``, ``final`` and ``gradient``.
        """
        columns = {"start": self.start, "final": self.final, "gradient": self.gradient}
        return pd.DataFrame(columns, index=pd.Index(self.names, name="parameter", dtype=object))

    def _page(self, style: Style) -> Page:
        objective = style.estimates([self.start_objective, self.objective])
        facts = [("objective at the start", objective[0]), ("at the end", objective[1])]
        facts = [fact for fact in facts if fact[1] and fact[1] != "nan"]
        digits = style.digits or 2
        columns = [
            ("parameter", list(self.names)),
            ("start", style.estimates(self.start)),
            ("final", style.estimates(self.final)),
            ("gradient", ["" if np.isnan(own) else f"{own:.{digits}g}" for own in self.gradient]),
        ]
        table = Page.of(Table.from_columns(columns))
        messages = tuple(f" - {text}" for text in self.convergence.messages)
        return Page(
            (Section((self.convergence.outcome,), Facts(tuple(facts))), *table.sections, Section(messages))
        )


def optimum_of(fitted: FittedModel) -> Optimum:
    """The optimum of a fit."""
    names, found = fitted.all_names(), fitted.convergence
    final = parameters_of(fitted)
    nothing = np.full(len(names), np.nan)
    log = found.log
    logged = len(log.objective) > 0 and np.shape(log.theta)[1:] == (len(names),)
    optimum = Optimum(
        names=names,
        start=np.array(log.theta[0]) if logged else nothing,
        final=final,
        start_objective=float(log.objective[0]) if len(log.objective) else float("nan"),
        objective=float(fitted.estimates.objective),
        gradient=np.array(found.gradient) if found.gradient.shape == final.shape else nothing,
        convergence=found,
    )
    for array in (optimum.start, optimum.final, optimum.gradient):
        array.flags.writeable = False
    return optimum


def parameters_of(fitted: FittedModel) -> Vector:
    """The parameters of the objective at the end, in the order of their names."""
    estimates = fitted.estimates
    parts = [estimates.theta]
    if not fitted.profiled_coefficients:
        parts.append(estimates.beta[estimates.free])
    if fitted.family.estimates_dispersion and not fitted.exact_likelihood:
        parts.append(np.log([fitted.dispersion]))
    return np.concatenate(parts)
