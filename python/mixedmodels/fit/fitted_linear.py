"""The state of a fitted linear mixed model."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..design import Design, build_design, theta as theta_layout
from ..families import Family, Gaussian
from ..frame import Frame
from .arguments import FitArguments
from .at_sigma import at_sigma
from .control import DEFAULT_OPTIMIZER, as_control
from .endpoint import coordinates
from .endpoint.curvature import ParameterCovariance, covariance_from
from .engine_terms import engine_terms
from .fixed import Held, embedded, in_all_parameters, resolve, sigma_is_held
from .record import Convergence, Estimates
from .row_sets import GivenTheta, RowSets
from .state import FittedModel, NewTerms, ResidualType, Sample
from .wide_sets import joined, wide_sets

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
    dispersion_root: ClassVar[int] = 2
    term_roots: tuple[NDArray[np.float64], ...]
    convergence: Convergence = field(init=False)
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

    def leverage_parts(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return self.engine.leverages(self.estimates.theta)

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

    def _rows_of_estimates(self) -> str:
        return "fitted"

    def _build_design(self) -> Design:
        return design_of(self.arguments, self.arguments.data)

    def covariance(self) -> NDArray[np.float64]:
        """σ²(X'V⁻¹X)⁻¹ of the kept columns; zero for coefficients that are held."""
        return self.estimates.sigma**2 * self.estimates.unscaled_covariance

    @property
    def joint(self) -> bool:
        return True

    def conditional_covariance(self) -> NDArray[np.float64]:
        return self.covariance()

    def prediction_variances(
        self, x: NDArray[np.float64], terms: NewTerms, coefficients: bool = True
    ) -> NDArray[np.float64]:
        from .._engine import prediction_variances

        own = self.estimates
        found = prediction_variances(self.engine, own.theta, x[:, own.free], terms, coefficients)
        return own.sigma**2 * found

    def at(self, theta: NDArray[np.float64], beta: NDArray[np.float64], dispersion: float) -> FittedLinear:
        found, own = self.engine.evaluate(theta, self.reml), self.estimates
        if self.held.variances:
            found = at_sigma(found, self.engine, self.reml, float(np.sqrt(dispersion)))
        estimates = dataclasses.replace(
            own,
            theta=theta,
            objective=found["objective"],
            log_det_z=found["log_det_z"],
            log_det_x=found["log_det_x"],
            pwrss=found["pwrss"],
            sigma=float(np.sqrt(dispersion)),
            beta=own.with_free(found["beta"]),
            unscaled_covariance=embedded(found["xtvx_inv"], own.kept, own.held),
            b=tuple(found["b"]),
            u=tuple(found["u"]),
            fitted=found["fitted"],
        )
        return self.with_estimates(estimates)

    def all_names(self) -> tuple[str, ...]:
        return theta_layout.theta_names(self.design)

    def _resolve_held(self) -> Held:
        return resolve(self.arguments.fixed, self.design)

    def _build_engine(self) -> Lmm:
        return build_engine(self.design, self.held)

    def refit_in_engine(self, responses: NDArray[np.float64], limits: dict[str, Any]) -> dict[str, Any]:
        from .._engine import refit_linear

        optimizer, held = self.arguments.repeated_optimizer, self.held.for_engine()
        theta = self.estimates.theta
        return refit_linear(self.engine, responses, self.reml, optimizer, theta, limits, held)

    def refit_samples_in_engine(self, samples: list[Sample], limits: dict[str, Any]) -> dict[str, Any]:
        from .._engine import refit_linear_samples

        optimizer, held = self.arguments.repeated_optimizer, self.held.for_engine()
        theta = self.estimates.theta
        return refit_linear_samples(self.engine, samples, self.reml, optimizer, theta, limits, held)

    def deletions_in_engine(self, sets: RowSets, limits: dict[str, Any]) -> dict[str, Any]:
        from .._engine import delete_rows

        optimizer, held = self.arguments.repeated_optimizer, self.held.for_engine()
        theta = self.estimates.theta
        return delete_rows(self.engine, sets.rows, sets.ranges, self.reml, optimizer, theta, limits, held)

    def deletions_given_theta(self, sets: RowSets, theta: NDArray[np.float64] | None = None) -> GivenTheta:
        from .._engine import delete_given_theta, delete_rows

        theta = self.estimates.theta if theta is None else theta
        none = np.empty(0, dtype=np.intp)
        wide = none if self.held.for_engine() else wide_sets(self.design, sets)
        narrow = np.setdiff1d(np.arange(len(sets)), wide)
        own = sets if not len(wide) else sets.chosen(narrow)
        found = delete_given_theta(self.engine, own.rows, own.ranges, self.reml, theta)
        if len(wide):
            rest, start = sets.chosen(wide), {"max_evaluations": 1}
            others = delete_rows(
                self.engine, rest.rows, rest.ranges, self.reml, DEFAULT_OPTIMIZER, theta, start, None
            )
            beta = self.engine.evaluate(theta, self.reml)["beta"]
            found = joined(len(sets), narrow, found, wide, others, beta)
        sigma = np.asarray(found["sigma"])
        if self.held.sigma is not None:
            sigma = np.where(np.isfinite(sigma), self.held.sigma, np.nan)
        covariance = np.square(sigma)[:, None, None] * found["covariance"]
        return GivenTheta(found["beta"], covariance, sigma, found["objective"])

    def _all_coordinates(self) -> NDArray[np.float64]:
        return coordinates.of_theta(self.design, self.term_roots, self.estimates.theta)

    def _all_units(self) -> NDArray[np.float64]:
        return theta_layout.units(self.design, self.term_roots, self.estimates.theta)

    def _described_parameters(self) -> tuple[tuple[str, ...], NDArray[np.float64]]:
        return (*self.all_names(), "log(sigma)"), coordinates.joined(self.all_coordinates(), np.eye(1))

    def _free_derivatives(self, held: dict[str, Any]) -> Mapping[str, Any]:
        return self.engine.free_derivatives(self.estimates.theta, self.estimates.sigma, self.reml, held)

    def _gradient(self) -> NDArray[np.float64]:
        return self.engine.gradient(self.estimates.theta, self.reml)

    def _hessian(self) -> NDArray[np.float64]:
        return self.engine.hessian(self.estimates.theta, self.reml)

    def _level_variances(self) -> list[tuple[list[int], NDArray[np.float64]]]:
        blocks = self.engine.conditional_variances(self.estimates.theta, self.reml)
        return [(members, self.estimates.sigma**2 * values) for members, values in blocks]

    def _parameter_covariance(self) -> ParameterCovariance:
        """Of theta and log σ, by the Hessian in both; those on the boundary left out."""
        theta, free = self.estimates.theta, self.free()
        _, steps = self._described_parameters()
        if free is not None:
            own = covariance_from(free.hessian, free.inner, free.coordinates)
            return in_all_parameters(own, free.slopes, steps)
        inner = np.append(theta_layout.interior(self.design, theta), True)
        known = np.pad(self.structural_directions(), ((0, 0), (0, 1)))
        return covariance_from(self.engine.joint_hessian(theta, self.reml), inner, steps, known=known)


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
