"""Whether a fit has reached its optimum, and the warnings of every kind of fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ...design import Predictors
from ...errors import ConvergenceWarning, MixedModelsWarning, RankDeficiencyWarning, SingularFitWarning
from ...wording import counted
from ..control import Control
from ..record import Convergence, FitLog, read_only
from .certificate import TOLERANCE, Certificate, certify
from .singularity import KnownSingularity, singular_terms

# By the status of a search that a limit ended, the name of the limit.
_LIMITS = {"max_evaluations": "max_evaluations", "max_time": "max_time"}
# Ratio of standard deviations from which on rounding hides falls of the criterion above the tolerance; those
# below 0.001, a 30th of a standard error, do not matter then.
_FEW_DIGITS = 2e4
_TOLERATED = 1e-3
# Of the square of the ratio in units of rounding, what a scaled second derivative may be wrong by.
_LOST_TO_ROUNDING = 100.0


class Point(Protocol):
    """The part of a state on which it is judged."""

    def parameter_names(self) -> tuple[str, ...]: ...
    def units(self) -> NDArray[np.float64]: ...
    def hessian(self) -> NDArray[np.float64]: ...
    def coordinates(self) -> NDArray[np.float64]: ...


Notice = tuple[type[MixedModelsWarning], str]


class Verdict(NamedTuple):
    """Whether the end point counts as the optimum, why not, and what was looked at for that."""

    converged: bool
    problem: str
    certificate: Certificate | None
    unbounded: bool = False
    category: type[MixedModelsWarning] = ConvergenceWarning

    def without_optimum(
        self, problem: str, category: type[MixedModelsWarning] = ConvergenceWarning
    ) -> Verdict:
        """The verdict when there is no finite optimum, for the reason given; itself without a reason."""
        if not problem:
            return self
        return self._replace(converged=False, problem=problem, unbounded=True, category=category)

    @property
    def notices(self) -> list[Notice]:
        """The problem as a warning."""
        return [(self.category, self.problem)] if self.problem else []


def judge(
    fitted: Point,
    optimizer: str | None,
    control: Control,
    result: Mapping[str, Any],
    ratio: float = 0.0,
    *,
    doubtful: bool = False,
) -> Verdict:
    """
    Judge the end point of an optimisation.

    Parameters
    ----------
    fitted : Point
        The state at the end point.
    optimizer, control
        As the fit had them.
    result : mapping
        What the engine says of the fit.
    ratio : float
        The largest standard deviation of random effects relative to the residual one, of a linear model.
    doubtful : bool
        Look at the second derivatives also where the optimizer's own criterion does not ask for them.
    """
    gradient, objective = result["gradient"], abs(result["objective"])
    if optimizer is not None and not objective * np.finfo(float).eps < TOLERANCE:
        return Verdict(False, _beyond_rounding(objective), None)
    check = control.check_derivatives
    if check is None:
        check = doubtful or not _by_its_criterion(optimizer, result)
    if check and optimizer is not None and result["status"] not in _LIMITS:
        certificate = certify(gradient, fitted.hessian(), fitted.coordinates())
        if np.isnan(certificate.predicted_fall) and doubtful and _by_its_criterion(optimizer, result):
            # Only a second derivative that shows otherwise speaks against the search.
            return Verdict(True, "", None)
        return Verdict(
            *_by_certificate(certificate, fitted.parameter_names(), gradient, result, ratio), certificate
        )
    problem = ""
    if optimizer is not None and not result["converged"]:
        problem = _not_converged(fitted.parameter_names(), gradient, fitted.units(), result)
    return Verdict(result["converged"], problem, None)


def convergence_of(
    optimizer: str | None, result: Mapping[str, Any], verdict: Verdict, messages: tuple[str, ...]
) -> Convergence:
    """The record of the optimisation that a model keeps."""
    certificate, log = verdict.certificate, result["log"]
    return Convergence(
        optimizer=optimizer,
        status=result["status"],
        converged=verdict.converged,
        message="the search ended on its way to infinity" if verdict.unbounded else result["message"],
        n_evaluations=result["n_evaluations"],
        n_gradients=result["n_gradients"],
        gradient=result["gradient"],
        checked=certificate is not None,
        predicted_fall=float("nan") if certificate is None else certificate.predicted_fall,
        problem=verdict.problem,
        messages=messages,
        unbounded=verdict.unbounded,
        log=FitLog(log["theta"], log["objective"], log["gradient_norm"], log.get("second_start")),
    )


def found_elsewhere(optimizer: str | None, status: str) -> Convergence:
    """The record of a fit whose search another part of the package made."""
    none = read_only(())
    return Convergence(
        optimizer=optimizer,
        status=status,
        converged=status == "converged",
        message="",
        n_evaluations=0,
        n_gradients=0,
        gradient=none,
        checked=False,
        predicted_fall=float("nan"),
        problem="",
        messages=(),
        unbounded=status == "unbounded",
        log=FitLog(read_only(np.zeros((0, 0))), none, none),
    )


def not_optimised(
    point: NDArray[np.float64], objective: float, gradient: NDArray[np.float64]
) -> dict[str, Any]:
    """The result of the engine for a point that was evaluated without optimising."""
    return {
        "gradient": gradient,
        "status": "not optimised",
        "converged": False,
        "message": "evaluated at the given theta without optimising",
        "n_evaluations": 1,
        "n_gradients": 1,
        "log": {
            "theta": read_only(point[None, :]),
            "objective": read_only([objective]),
            "gradient_norm": read_only([np.abs(gradient).max(initial=0.0)]),
        },
    }


def singular_notices(
    design: Predictors,
    theta: NDArray[np.float64],
    roots: tuple[NDArray[np.float64], ...],
    scale: float = 1.0,
    known: Mapping[int, KnownSingularity] | None = None,
) -> list[Notice]:
    """A warning for a singular fit, unless values held make it so; `scale` is what theta is relative to."""
    found = singular_terms(design, theta, roots, scale=scale, known=known)
    singular = [part for part in found if not part.fixed]
    if not singular:
        return []
    shown = ". ".join(map(str, singular))
    return [(SingularFitWarning, f"the fit is singular: {shown}")]


def dropped_notices(design: Predictors, kept: NDArray[np.int64]) -> list[Notice]:
    """A warning for columns of X that were dropped."""
    rank, p = len(kept), design.x.shape[1]
    if rank == p:
        return []
    names = [name for j, name in enumerate(design.x_names) if j not in set(kept.tolist())]
    one = len(names) == 1
    shown = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
    what = f"column {shown}" if one else f"{len(names)} columns {shown}"
    rest = "it determine; its coefficient is" if one else "them determine; their coefficients are"
    text = (
        f"the fixed-effects model matrix has rank {rank} with {p} columns: dropped {what}, which the "
        f"columns before {rest} NaN"
    )
    return [(RankDeficiencyWarning, text)]


def _by_its_criterion(optimizer: str | None, result: Mapping[str, Any]) -> bool:
    """Whether the default optimizer stopped by the criterion of certificates, and by the same derivatives."""
    return bool(result["converged"]) and optimizer == "trust_region"


def _beyond_rounding(objective: float) -> str:
    return (
        f"not converged: the objective ({objective:.3g}) is so large that rounding error hides its minimum; "
        "check the start, the offset and the units of the data"
    )


def _by_certificate(
    certificate: Certificate,
    names: Sequence[str],
    gradient: NDArray[np.float64],
    result: Mapping[str, Any],
    ratio: float,
) -> tuple[bool, str]:
    # The criterion is a difference of terms that grow with the square of the ratio.
    rounding = _LOST_TO_ROUNDING * float(np.finfo(float).eps) * ratio**2
    values = certificate.eigenvalues
    saddle = certificate.downhill is not None and bool(values[0] < -rounding * values[-1])
    if ratio > _FEW_DIGITS and not np.isnan(certificate.predicted_fall) and not saddle:
        return _among_few_digits(certificate, ratio)
    if certificate.downhill is not None:
        name = names[certificate.downhill]
        return False, (
            f"the optimizer stopped where the objective curves downwards along {name}, "
            "which is not a minimum; try another start or optimizer (allFit compares them)"
        )
    if certificate.predicted_fall < TOLERANCE:
        return True, ""
    if np.isnan(certificate.predicted_fall):
        return False, (
            f"not converged ({result['message']}), and the second derivatives at the end point are not "
            "finite, as at the edge of the domain of the link: the optimum cannot be verified"
        )
    worst = certificate.worst
    where = "" if worst is None else f"; the gradient is largest for {names[worst]} ({gradient[worst]:.3g})"
    return False, (
        f"not converged ({result['message']}): the objective would still fall by about "
        f"{certificate.predicted_fall:.3g}{where}; try another optimizer (allFit compares them)"
    )


def _among_few_digits(certificate: Certificate, ratio: float) -> tuple[bool, str]:
    fall = certificate.predicted_fall
    if fall < _TOLERATED:
        return True, ""
    return False, (
        f"not converged to full precision: random effects {ratio:.2g} times as large as the residuals leave "
        f"too few digits to locate the minimum (it would fall by about {fall:.2g}; a standard "
        "error is a fall of 1). Coefficients and residual variance are hardly affected, the variances of the "
        "random effects by a fraction of their standard errors"
    )


def _not_converged(
    names: Sequence[str], gradient: NDArray[np.float64], units: NDArray[np.float64], result: Mapping[str, Any]
) -> str:
    worst = int(np.argmax(np.abs(gradient) / units))
    limit = _LIMITS.get(result["status"])
    advice = f"allow more by control=Control({limit}=...) or" if limit else "check the model, or"
    spent = counted(result["n_evaluations"], "evaluation")
    return (
        f"not converged: {result['message']} ({spent}); the gradient is "
        f"largest for {names[worst]} ({gradient[worst]:.3g}); {advice} try another optimizer"
    )
