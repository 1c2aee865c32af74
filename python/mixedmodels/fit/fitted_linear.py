"""The state of a fitted linear mixed model."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..covariance import theta as theta_layout
from ..design import Design, Predictors, build_design
from ..families import Family, Gaussian
from ..frame import Frame
from .control import as_control
from .endpoint import coordinates
from .endpoint.curvature import ParameterCovariance, covariance_from
from .engine_terms import engine_terms
from .fixed import FreeParameters, Held, free_parameters, in_all_parameters, resolve, sigma_is_held
from .record import Convergence, Estimates, FitArguments
from .state import FittedModel, ResidualType

if TYPE_CHECKING:
    from .._engine import Lmm

_FAMILY = Gaussian()


@dataclass(frozen=True, eq=False)
class FittedLinear(FittedModel):
    """
    A fitted linear mixed model as data.

    Attributes
    ----------
    design : Design
    arguments : FitArguments
    reml : bool
    estimates : Estimates
    convergence, term_roots
        As for any `FittedModel`.
    """

    design: Design
    arguments: FitArguments
    reml: bool
    estimates: Estimates
    convergence: Convergence
    term_roots: tuple[NDArray[np.float64], ...]
    _engine: Lmm | None = field(default=None, repr=False)
    _results: dict[Any, Any] = field(default_factory=dict, init=False, repr=False)

    @property
    def n_parameters(self) -> int:
        """Coefficients, covariance parameters and the residual variance."""
        covariances = len(self.estimates.theta) - self.design.surplus_parameters + 1
        return self.n_coefficients + covariances - self.held.n_variances

    @property
    def title(self) -> str:
        return f"Linear mixed model fit by {'REML' if self.reml else 'maximum likelihood'}"

    @property
    def family(self) -> Family:
        return _FAMILY

    @property
    def exact_likelihood(self) -> bool:
        return True

    @property
    def restricted(self) -> bool:
        return self.reml

    @property
    def profiled_coefficients(self) -> bool:
        return True

    @property
    def method(self) -> str:
        return "REML" if self.reml else "ML"

    @property
    def dispersion(self) -> float:
        return self.estimates.sigma**2

    @property
    def sigma(self) -> float:
        return self.estimates.sigma

    @property
    def residual_type(self) -> ResidualType:
        return "response"

    @property
    def mean(self) -> NDArray[np.float64]:
        return self.estimates.fitted

    def leverages(self) -> NDArray[np.float64]:
        return self.engine.leverages(self.estimates.theta)

    @property
    def held(self) -> Held:
        return self.derived(_held)

    @property
    def criterion(self) -> str:
        return "REML criterion" if self.reml else "-2*log(L)"

    @property
    def scale(self) -> float:
        return self.estimates.sigma

    @property
    def residual_sd(self) -> float | None:
        return self.estimates.sigma

    @property
    def linear_predictor(self) -> NDArray[np.float64]:
        return self.estimates.fitted

    @property
    def engine(self) -> Lmm:
        if self._engine is None:
            object.__setattr__(self, "_engine", build_engine(self.design, self.held))
        assert self._engine is not None
        return self._engine

    def _rows_of_estimates(self) -> str:
        return "fitted"

    def _build_design(self) -> Design:
        return design_of(self.arguments, self.arguments.data)

    def _response(self) -> dict[str, Any]:
        return {"y": self.design.y}

    def covariance(self) -> NDArray[np.float64]:
        """σ²(X'V⁻¹X)⁻¹ of the kept columns; zero for coefficients that are held."""
        return self.estimates.sigma**2 * self.estimates.unscaled_covariance

    @property
    def joint(self) -> bool:
        return True

    def conditional_covariance(self) -> NDArray[np.float64]:
        return self.covariance()

    def level_variances(self) -> list[tuple[list[int], NDArray[np.float64]]]:
        return self.derived(_level_variances)

    def parameter_names(self) -> tuple[str, ...]:
        free = self.free()
        return self.all_names() if free is None else free.names

    def all_names(self) -> tuple[str, ...]:
        return theta_layout.theta_names(self.design)

    def coordinates(self) -> NDArray[np.float64]:
        free = self.free()
        return self.all_coordinates() if free is None else free.coordinates

    def all_coordinates(self) -> NDArray[np.float64]:
        return self.derived(_coordinates)

    def free(self) -> FreeParameters | None:
        return self.derived(_free)

    def gradient(self) -> NDArray[np.float64]:
        """Of the objective, σ profiled, in theta; in the free parameters where some of them are held."""
        free = self.free()
        return self.derived(_gradient) if free is None else free.gradient

    def hessian(self) -> NDArray[np.float64]:
        """Of the objective, σ profiled, in theta; in the free parameters where some of them are held."""
        free = self.free()
        return self.derived(_hessian) if free is None else free.hessian

    def parameter_covariance(self) -> ParameterCovariance:
        """Of theta and log σ, by the Hessian in both; those on the boundary left out."""
        return self.derived(_parameter_covariance)


def _held(fitted: FittedLinear) -> Held:
    return resolve(fitted.arguments.fixed, fitted.design)


def _free(fitted: FittedLinear) -> FreeParameters | None:
    held, estimates = fitted.held.for_engine(), fitted.estimates
    if held is None:
        return None
    found = fitted.engine.free_derivatives(estimates.theta, estimates.sigma, fitted.reml, held)
    return linear_free_parameters(found, fitted.design, fitted.term_roots, estimates.theta)


def linear_free_parameters(
    found: Mapping[str, Any],
    design: Predictors,
    roots: tuple[NDArray[np.float64], ...],
    theta: NDArray[np.float64],
) -> FreeParameters:
    """What the engine says of the free parameters of a linear model."""
    names = (*theta_layout.theta_names(design), "log(sigma)")
    steps = coordinates.joined(coordinates.of_theta(design, roots, theta), np.eye(1))
    return free_parameters(found, names, steps, design, theta)


def _coordinates(fitted: FittedLinear) -> NDArray[np.float64]:
    return coordinates.of_theta(fitted.design, fitted.term_roots, fitted.estimates.theta)


def _gradient(fitted: FittedLinear) -> NDArray[np.float64]:
    return fitted.engine.gradient(fitted.estimates.theta, fitted.reml)


def _hessian(fitted: FittedLinear) -> NDArray[np.float64]:
    return fitted.engine.hessian(fitted.estimates.theta, fitted.reml)


def _parameter_covariance(fitted: FittedLinear) -> ParameterCovariance:
    theta, design, free = fitted.estimates.theta, fitted.design, fitted.free()
    steps = coordinates.joined(fitted.all_coordinates(), np.eye(1))
    if free is not None:
        own = covariance_from(free.hessian, free.inner, free.coordinates)
        return in_all_parameters(own, free.slopes, steps)
    inner = np.append(theta_layout.interior(design, theta), True)
    known = np.pad(fitted.structural_directions(), ((0, 0), (0, 1)))
    return covariance_from(fitted.engine.joint_hessian(theta, fitted.reml), inner, steps, known=known)


def _level_variances(fitted: FittedLinear) -> list[tuple[list[int], NDArray[np.float64]]]:
    blocks = fitted.engine.conditional_variances(fitted.estimates.theta, fitted.reml)
    return [(members, fitted.estimates.sigma**2 * values) for members, values in blocks]


def design_of(arguments: FitArguments, frame: Frame) -> Design:
    """The design that the arguments describe, of data in a frame."""
    return build_design(
        dataclasses.replace(arguments, data=frame),
        check_effects=as_control(arguments.control).check_effects,
        sigma_known=sigma_is_held(arguments.fixed),
    )


def build_engine(design: Design, held: Held) -> Lmm:
    """The engine's model of a design: coefficients that are held are part of its offset."""
    from .._engine import Lmm

    x, offset = held.free_columns(design.x), held.offset(design.x, design.offset)
    return Lmm(design.y, x, engine_terms(design), design.weights, offset)
