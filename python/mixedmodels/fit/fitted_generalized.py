"""The state of a fitted generalized linear mixed model."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..covariance import theta as theta_layout
from ..design import Design, build_generalized_design
from ..errors import ModesError
from ..families import Family
from ..frame import Frame
from .control import as_control
from .endpoint import coordinates
from .endpoint.curvature import ParameterCovariance, covariance_from
from .endpoint.singularity import root_of
from .engine_terms import engine_terms
from .fixed import FreeParameters, Held, embedded, free_parameters, in_all_parameters, resolve
from .record import Convergence, ModelArguments, no_columns
from .state import FittedModel, ResidualType

if TYPE_CHECKING:
    from .._engine import Glmm

Information = Literal["observed", "expected"]


@dataclass(frozen=True, eq=False, kw_only=True)
class GeneralizedArguments(ModelArguments):
    """The arguments of a generalized linear mixed model."""

    family: Family
    n_agq: int = 1
    information: Information = "observed"


@dataclass(frozen=True, eq=False)
class GeneralizedEstimates:
    """
    What the engine finds at its parameters; all arrays are read-only.

    Attributes
    ----------
    theta : ndarray, shape (n_theta,)
        The covariance factors on the scale of the linear predictor.
    objective : float
        -2 log-likelihood.
    log_det_z : float
        log|Λ'Z'WZΛ + I|.
    beta : ndarray, shape (p,)
        NaN for dropped columns.
    kept : ndarray of int, shape (rank,)
        The columns of x that are linearly independent of those to their left, and those that are held.
    dispersion : float
        The family's own parameter, estimated or held fixed; NaN for a family without one.
    conditional_covariance : ndarray, shape (rank, rank)
        Covariance of beta given theta and the dispersion; zero for coefficients that are held.
    b, u : tuple of ndarray, shape (n_levels, k) each
        Conditional modes and spherical random effects of each term.
    eta : ndarray, shape (n,)
        Xβ + Zb + offset.
    held : ndarray of int
        The columns of x whose coefficients are held.
    """

    theta: NDArray[np.float64]
    objective: float
    log_det_z: float
    beta: NDArray[np.float64]
    kept: NDArray[np.int64]
    dispersion: float
    conditional_covariance: NDArray[np.float64]
    b: tuple[NDArray[np.float64], ...]
    u: tuple[NDArray[np.float64], ...]
    eta: NDArray[np.float64]
    held: NDArray[np.int64] = field(default_factory=no_columns)

    @property
    def free(self) -> NDArray[np.int64]:
        """The columns of x whose coefficients are estimated."""
        return np.setdiff1d(self.kept, self.held)


@dataclass(frozen=True, eq=False)
class FittedGeneralized(FittedModel):
    """
    A fitted generalized linear mixed model as data.

    Attributes
    ----------
    design : Design
    arguments : GeneralizedArguments
    estimates : GeneralizedEstimates
    convergence, term_roots
        As for any `FittedModel`; the roots are those of Z'Z/n.
    """

    design: Design
    arguments: GeneralizedArguments
    estimates: GeneralizedEstimates
    convergence: Convergence
    term_roots: tuple[NDArray[np.float64], ...]
    _engine: Glmm | None = field(default=None, repr=False)
    _results: dict[Any, Any] = field(default_factory=dict, init=False, repr=False)

    @property
    def family(self) -> Family:
        return self.arguments.family

    @property
    def exact_likelihood(self) -> bool:
        return False

    @property
    def restricted(self) -> bool:
        return False

    @property
    def profiled_coefficients(self) -> bool:
        return self.arguments.n_agq == 0

    @property
    def residual_type(self) -> ResidualType:
        return "deviance" if self.family.has_deviance else "pearson"

    def leverages(self) -> NDArray[np.float64]:
        return self.engine.leverages(self.estimates.theta, self.working_weights())

    @property
    def dispersion(self) -> float:
        return self.estimates.dispersion if self.family.parameter else 1.0

    @property
    def n_parameters(self) -> int:
        """Coefficients, covariance parameters, and the dispersion where it is estimated."""
        theta = len(self.estimates.theta) - self.design.surplus_parameters
        return self.n_coefficients + theta + self.family.estimates_dispersion - self.held.n_variances

    @property
    def held(self) -> Held:
        return self.derived(_held)

    @property
    def title(self) -> str:
        return f"Generalized linear mixed model fit by maximum likelihood ({self.method})"

    @property
    def method(self) -> str:
        n_agq = self.arguments.n_agq
        if n_agq > 1:
            return f"adaptive Gauss-Hermite quadrature, nAGQ = {n_agq}"
        expected = " with expected information" if self.arguments.information == "expected" else ""
        rough = ", nAGQ = 0: coefficients from the conditional modes" if n_agq == 0 else ""
        return f"Laplace approximation{expected}{rough}"

    @property
    def criterion(self) -> str:
        return "-2*log(L)"

    @property
    def scale(self) -> float:
        return 1.0

    @property
    def residual_sd(self) -> float | None:
        return self.family.sigma(self.dispersion) if self.family.has_scale else None

    @property
    def linear_predictor(self) -> NDArray[np.float64]:
        return self.estimates.eta

    @property
    def engine(self) -> Glmm:
        if self._engine is None:
            object.__setattr__(
                self, "_engine", build_generalized_engine(self.design, self.arguments, self.held)
            )
        assert self._engine is not None
        return self._engine

    @property
    def point(self) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        """The estimates as the engine takes them: theta, the kept beta, the logarithm of the dispersion."""
        return point_of(self.estimates, self.family)

    @property
    def joint(self) -> bool:
        if self.arguments.n_agq == 0:
            return False
        part = self._coefficients
        return bool(np.isfinite(self.parameter_covariance().matrix[part, part]).all())

    def _rows_of_estimates(self) -> str:
        return "eta"

    def _build_design(self) -> Design:
        return generalized_design_of(self.arguments, self.arguments.data)

    def _response(self) -> dict[str, Any]:
        return {name: getattr(self.design, name) for name in ("y", "weights", "form")}

    def covariance(self) -> NDArray[np.float64]:
        """From the Hessian in all parameters where that is possible, else given theta and the dispersion."""
        if not self.joint:
            return self.conditional_covariance()
        part, estimates = self._coefficients, self.estimates
        return embedded(self.parameter_covariance().matrix[part, part], estimates.kept, estimates.held)

    def conditional_covariance(self) -> NDArray[np.float64]:
        return self.estimates.conditional_covariance

    @property
    def _coefficients(self) -> slice:
        """The places of the coefficients among the parameters."""
        first = len(self.estimates.theta)
        return slice(first, first + self.n_coefficients)

    def parameter_covariance(self) -> ParameterCovariance:
        """Of all parameters of the objective, by the Hessian; those on the boundary left out."""
        return self.derived(_parameter_covariance)

    def level_variances(self) -> list[tuple[list[int], NDArray[np.float64]]]:
        return self.derived(_level_variances)

    def parameter_names(self) -> tuple[str, ...]:
        free = self.free()
        return self.all_names() if free is None else free.names

    def all_names(self) -> tuple[str, ...]:
        return generalized_names(self.design, self.estimates.free, self.arguments)

    def coordinates(self) -> NDArray[np.float64]:
        free = self.free()
        return self.all_coordinates() if free is None else free.coordinates

    def all_coordinates(self) -> NDArray[np.float64]:
        return self.derived(_coordinates)

    def free(self) -> FreeParameters | None:
        return self.derived(_free)

    def gradient(self) -> NDArray[np.float64]:
        free = self.free()
        return self.derived(_gradient) if free is None else free.gradient

    def hessian(self) -> NDArray[np.float64]:
        free = self.free()
        return self.derived(_hessian) if free is None else free.hessian


def _held(fitted: FittedGeneralized) -> Held:
    return resolve(fitted.arguments.fixed, fitted.design, fitted.family)


def _free(fitted: FittedGeneralized) -> FreeParameters | None:
    held = fitted.held.for_engine()
    if held is None:
        return None
    theta, free = fitted.estimates.theta, fitted.estimates.free
    found = free_or_nan(fitted.engine, fitted.point, held, len(fitted.all_names()))
    return generalized_free_parameters(found, fitted.design, fitted.term_roots, theta, free, fitted.arguments)


def free_or_nan(
    engine: Glmm,
    point: tuple[NDArray[np.float64], NDArray[np.float64], float],
    held: dict[str, Any],
    n_parameters: int,
) -> dict[str, Any]:
    """Derivatives in the free parameters; NaN where the modes cannot be found from scratch."""
    try:
        return engine.free_derivatives(*point, held)
    except ModesError:
        count = n_parameters - len(held["theta"]) - len(held["natural"])
        nan = np.full((n_parameters, count), np.nan)
        return {"gradient": nan[0], "hessian": nan[:count], "slopes": nan}


def generalized_free_parameters(
    found: Mapping[str, Any],
    design: Design,
    roots: tuple[NDArray[np.float64], ...],
    theta: NDArray[np.float64],
    free: NDArray[np.int64],
    arguments: GeneralizedArguments,
) -> FreeParameters:
    """What the engine says of the free parameters of a generalized model."""
    names = generalized_names(design, free, arguments)
    steps = generalized_coordinates(design, roots, theta, free, arguments)
    return free_parameters(found, names, steps, design, theta)


def _coordinates(fitted: FittedGeneralized) -> NDArray[np.float64]:
    theta, kept, arguments = fitted.estimates.theta, fitted.estimates.free, fitted.arguments
    return generalized_coordinates(fitted.design, fitted.term_roots, theta, kept, arguments)


def _gradient(fitted: FittedGeneralized) -> NDArray[np.float64]:
    try:
        return fitted.engine.gradient(*fitted.point)
    except ModesError:
        # A search comes from modes nearby; from scratch they cannot always be found.
        return np.full(len(fitted.parameter_names()), np.nan)


def _hessian(fitted: FittedGeneralized) -> NDArray[np.float64]:
    return hessian_or_nan(
        fitted.engine, fitted.estimates, fitted.arguments.family, len(fitted.parameter_names())
    )


def _parameter_covariance(fitted: FittedGeneralized) -> ParameterCovariance:
    theta, design, hessian = fitted.estimates.theta, fitted.design, fitted.hessian()
    free = fitted.free()
    if free is not None:
        wanted = np.any(free.slopes[len(theta) : len(theta) + fitted.n_coefficients] != 0.0, axis=0)
        found = covariance_from(hessian, free.inner, free.coordinates, wanted & (fitted.arguments.n_agq > 0))
        return in_all_parameters(found, free.slopes, fitted.all_coordinates())
    inner = np.ones(len(hessian), dtype=bool)
    inner[: len(theta)] = theta_layout.interior(design, theta)
    wanted = np.zeros(len(hessian), dtype=bool)
    if fitted.arguments.n_agq > 0:
        wanted[len(theta) : len(theta) + fitted.n_coefficients] = True
    structural = fitted.structural_directions()
    known = np.zeros((len(structural), len(hessian)))
    known[:, : len(theta)] = structural
    return covariance_from(hessian, inner, fitted.coordinates(), wanted, known)


def _level_variances(fitted: FittedGeneralized) -> list[tuple[list[int], NDArray[np.float64]]]:
    return fitted.engine.conditional_variances(*fitted.point)


def hessian_or_nan(
    engine: Glmm, estimates: GeneralizedEstimates, family: Family, n_parameters: int
) -> NDArray[np.float64]:
    """The Hessian at the end of a search; NaN where the modes cannot be found again."""
    try:
        return engine.hessian(*point_of(estimates, family), estimates.eta)
    except ModesError:
        return np.full((n_parameters, n_parameters), np.nan)


def point_of(
    estimates: GeneralizedEstimates, family: Family
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """The estimates as the engine takes them: theta, the free beta, the logarithm of the dispersion."""
    log_dispersion = math.log(estimates.dispersion) if family.estimates_dispersion else 0.0
    return estimates.theta, estimates.beta[estimates.free], log_dispersion


def generalized_names(
    design: Design, kept: NDArray[np.int64], arguments: GeneralizedArguments
) -> tuple[str, ...]:
    """The parameters of the objective: theta, the kept beta unless they are profiled, log dispersion."""
    names = [*theta_layout.theta_names(design)]
    if arguments.n_agq > 0:
        names += [design.x_names[j] for j in kept]
    if arguments.family.estimates_dispersion:
        names.append(f"log({arguments.family.parameter})")
    return tuple(names)


def generalized_units(
    design: Design,
    roots: tuple[NDArray[np.float64], ...],
    theta: NDArray[np.float64],
    kept: NDArray[np.int64],
    arguments: GeneralizedArguments,
) -> NDArray[np.float64]:
    """What one unit of each parameter of the objective adds to the linear predictor."""
    parts = [theta_layout.units(design, roots, theta)]
    if arguments.n_agq > 0:
        sizes = np.sqrt(np.mean(np.square(design.x[:, kept]), axis=0))
        parts.append(np.where(sizes > 0, sizes, 1.0))
    if arguments.family.estimates_dispersion:
        parts.append(np.ones(1))
    return np.concatenate(parts)


def generalized_coordinates(
    design: Design,
    roots: tuple[NDArray[np.float64], ...],
    theta: NDArray[np.float64],
    kept: NDArray[np.int64],
    arguments: GeneralizedArguments,
) -> NDArray[np.float64]:
    """Derivatives of coordinates in the parameters of the objective, the coefficients decorrelated, too."""
    parts = [coordinates.of_theta(design, roots, theta)]
    if arguments.n_agq > 0 and len(kept):
        root = root_of(design.x[:, kept], None)
        parts.append(root if coordinates.independent(root) else np.diag(coordinates.sizes_of(root)))
    if arguments.family.estimates_dispersion:
        parts.append(np.eye(1))
    return coordinates.joined(*parts)


def generalized_design_of(arguments: GeneralizedArguments, frame: Frame) -> Design:
    """The design that the arguments describe, of data in a frame."""
    return build_generalized_design(
        dataclasses.replace(arguments, data=frame),
        arguments.family,
        check_effects=as_control(arguments.control).check_effects,
    )


def build_generalized_engine(design: Design, arguments: GeneralizedArguments, held: Held) -> Glmm:
    """The engine's model of a design: coefficients that are held are part of its offset."""
    from .. import _engine

    return _engine.Glmm(
        design.y,
        held.free_columns(design.x),
        engine_terms(design),
        arguments.family.for_engine(),
        design.weights,
        held.offset(design.x, design.offset),
        arguments.n_agq,
        arguments.information,
    )
