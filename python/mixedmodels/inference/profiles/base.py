"""Where profiles start from, and the engine's names of parameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...design.theta import slices
from ...fit.state import FittedModel
from ..estimates.parameter_rows import ParameterRow, parameter_rows

# First steps, relative to the estimate, to the scale of the response, and of a correlation.
_STEP = 0.25
_LEAST = 0.05


@dataclass(frozen=True, eq=False)
class Base:
    """
    The optimum from which profiles start.

    Attributes
    ----------
    fitted : FittedModel
    reml : bool
        Whether the REML criterion is profiled.
    origin : dict
        As the engine takes it: theta, the free coefficients, the logarithm of the dispersion, the objective.
    """

    fitted: FittedModel
    reml: bool
    origin: dict[str, Any]

    @property
    def objective(self) -> float:
        return float(self.origin["objective"])

    def scale(self, log_dispersion: NDArray[np.float64]) -> NDArray[np.float64]:
        """The unit of the covariance factors, from logarithms of the dispersion."""
        return np.exp(0.5 * log_dispersion) if self.fitted.exact_likelihood else np.ones_like(log_dispersion)

    def in_engine(self, row: ParameterRow, values: Any) -> Any:
        """Values of a parameter as the engine has them."""
        if row.kind == "scale" and not self.fitted.exact_likelihood and self.fitted.family.has_scale:
            return np.square(values)
        return values

    def of_engine(self, row: ParameterRow, values: Any) -> Any:
        """The inverse of `in_engine`."""
        if row.kind == "scale" and not self.fitted.exact_likelihood and self.fitted.family.has_scale:
            return np.sqrt(values)
        return values

    def place(self, row: ParameterRow) -> tuple[str, int, int]:
        """A parameter as the engine names it."""
        if row.kind == "coefficient":
            free = self.fitted.estimates.free
            return "coefficient", int(np.searchsorted(free, row.place[0])), 0
        if row.kind == "scale":
            return ("sigma" if self.fitted.exact_likelihood else "dispersion"), 0, 0
        return "natural", row.place[0], row.place[1]

    def range(self, row: ParameterRow) -> tuple[float, float]:
        """Its bounds."""
        if row.kind == "coefficient":
            return -math.inf, math.inf
        if row.kind == "scale":
            return 0.0, math.inf
        part = self.fitted.design.terms[row.place[0]].structure.parameters[row.place[1]]
        return part.lower, part.upper

    def unit(self, row: ParameterRow) -> float:
        """A first step, about as long as a standard error."""
        fitted = self.fitted
        if row.kind == "cor":
            return _STEP
        if row.kind == "coefficient":
            at = int(np.searchsorted(fitted.estimates.kept, row.place[0]))
            for covariance in (fitted.covariance, fitted.conditional_covariance):
                variance = float(covariance()[at, at])
                if 0.0 < variance < math.inf:
                    return math.sqrt(variance)
            return max(abs(row.estimate), 1.0)
        if row.kind == "scale":
            share = 1.0 / math.sqrt(2.0 * fitted.n_obs) if fitted.exact_likelihood else _STEP
            return share * float(self.in_engine(row, row.estimate))
        root = fitted.term_roots[row.place[0]]
        columns = fitted.design.terms[row.place[0]].structure.parameters[row.place[1]].columns
        size = float(np.mean([np.linalg.norm(root[:, j]) for j in columns]))
        return max(_STEP * row.estimate, _LEAST * fitted.scale / size if size > 0 else 0.0, 1e-8)

    def values(self, found: dict[str, Any]) -> NDArray[np.float64]:
        """
        All parameters at constrained optima, shape (m, number of parameters).

        Parameters
        ----------
        found : dict
            With ``theta``, ``beta`` and ``log_dispersion`` of m points.
        """
        fitted = self.fitted
        theta, log_dispersion = found["theta"], found["log_dispersion"]
        rows = parameter_rows(fitted)
        result = np.tile([row.estimate for row in rows], (len(theta), 1))
        scale = self.scale(log_dispersion)
        natural = [
            term.structure.natural(theta[:, part]) if len(theta) else np.zeros((0, 0))
            for term, part in slices(fitted.design)
        ]
        places = {j: i for i, j in enumerate(fitted.estimates.free.tolist())}
        if not len(theta):
            return result
        for i, row in enumerate(rows):
            if row.kind in ("sd", "cor"):
                own = natural[row.place[0]][:, row.place[1]]
                result[:, i] = own * scale if row.kind == "sd" else own
            elif row.kind == "scale":
                result[:, i] = [fitted.family.sigma(float(v)) for v in np.exp(log_dispersion)]
            elif row.place[0] in places:
                result[:, i] = found["beta"][:, places[row.place[0]]]
        return result


def base_of(fitted: FittedModel, reml: bool = False) -> Base:
    """
    The optimum of the likelihood, or of the REML criterion.

    Parameters
    ----------
    fitted : FittedModel
    reml : bool
        For a fit by REML; otherwise its likelihood is maximized first, from its estimates.
    """
    if reml == fitted.restricted:
        origin = _point(fitted) | {"objective": fitted.estimates.objective}
    else:
        origin = fitted.derived(_likelihood_origin)
    return Base(fitted, reml, origin)


def _point(fitted: FittedModel) -> dict[str, Any]:
    estimates, dispersion = fitted.estimates, fitted.dispersion
    return {
        "theta": estimates.theta,
        "beta": estimates.beta[estimates.free],
        "log_dispersion": math.log(dispersion) if 0.0 < dispersion < math.inf else 0.0,
        "eta": None if fitted.exact_likelihood else fitted.linear_predictor,
    }


def _likelihood_origin(fitted: FittedModel) -> dict[str, Any]:
    from ..._engine import profile_origin

    return profile_origin(fitted.engine, False, _point(fitted), fitted.held.for_engine())


def profilable(fitted: FittedModel, rows: Sequence[ParameterRow], reml: bool) -> tuple[ParameterRow, ...]:
    """Those of the parameters that are estimated and that the criterion depends on."""
    return tuple(
        [
            row
            for row in rows
            if row.free and not (reml and row.kind == "coefficient") and not is_tied(fitted, row)
        ]
    )


def is_tied(fitted: FittedModel, row: ParameterRow) -> bool:
    """
    Whether what is held leaves a parameter no range of its own: entries of theta of its term, or a standard
    deviation of zero, with which its correlations mean nothing.
    """
    if row.kind not in ("sd", "cor"):
        return False
    t, index = row.place
    term, own = list(slices(fitted.design))[t]
    if any(own.start <= at < own.stop for at, _ in fitted.held.theta):
        return True
    columns = term.structure.parameters[index].columns
    return row.kind == "cor" and not fitted.held.zeros(t, fitted.design).isdisjoint(columns)
