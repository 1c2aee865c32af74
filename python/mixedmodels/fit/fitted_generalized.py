"""The state of a fitted generalized linear mixed model."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..design import Design, build_generalized_design, theta as theta_layout
from ..errors import ModesError
from ..families import Family
from ..frame import Frame
from .arguments import GeneralizedArguments
from .control import as_control
from .deleted_generalized import deleted_in_last_step, with_joint_covariance, without
from .endpoint import coordinates
from .endpoint.curvature import ParameterCovariance, covariance_from
from .endpoint.term_roots import (
    root_of,
)
from .engine_terms import engine_terms
from .fixed import Held, embedded, in_all_parameters, resolve
from .record import Convergence, GeneralizedEstimates
from .row_sets import GivenTheta, RowSets
from .state import FittedModel, NewTerms, ResidualType, Sample

if TYPE_CHECKING:
    from .._engine import Glmm


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
    term_roots: tuple[NDArray[np.float64], ...]
    convergence: Convergence = field(init=False)
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

    def leverage_parts(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
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

    def covariance(self) -> NDArray[np.float64]:
        """From the Hessian in all parameters where that is possible, else given theta and the dispersion."""
        if not self.joint:
            return self.conditional_covariance()
        part, estimates = self._coefficients, self.estimates
        return embedded(self.parameter_covariance().matrix[part, part], estimates.kept, estimates.held)

    def conditional_covariance(self) -> NDArray[np.float64]:
        return self.estimates.conditional_covariance

    def prediction_variances(
        self, x: NDArray[np.float64], terms: NewTerms, coefficients: bool = True
    ) -> NDArray[np.float64]:
        """NaN where the modes cannot be found again."""
        from .._engine import generalized_prediction_variances

        own = self.estimates
        try:
            return generalized_prediction_variances(
                self.engine, *self.point, own.eta, x[:, own.free], terms, coefficients
            )
        except ModesError:
            return np.full(len(x), np.nan)

    def at(
        self, theta: NDArray[np.float64], beta: NDArray[np.float64], dispersion: float
    ) -> FittedGeneralized:
        own = self.estimates
        moved = dataclasses.replace(own, theta=theta, beta=beta, dispersion=dispersion)
        found = self.engine.evaluate(*point_of(moved, self.family))
        estimates = dataclasses.replace(
            moved,
            objective=found["objective"],
            log_det_z=found["log_det_z"],
            beta=own.with_free(found["beta"]),
            conditional_covariance=embedded(found["xtvx_inv"], own.kept, own.held),
            b=tuple(found["b"]),
            u=tuple(found["u"]),
            eta=found["eta"],
        )
        return self._with_estimates(estimates)

    @property
    def _coefficients(self) -> slice:
        """The places of the coefficients among the parameters."""
        first = len(self.estimates.theta)
        return slice(first, first + self.n_coefficients)

    def all_names(self) -> tuple[str, ...]:
        """Theta, the free beta unless they are profiled, log dispersion."""
        names = [*theta_layout.theta_names(self.design)]
        if not self.profiled_coefficients:
            names += [self.design.x_names[j] for j in self.estimates.free]
        if self.family.estimates_dispersion:
            names.append(f"log({self.family.parameter})")
        return tuple(names)

    def _resolve_held(self) -> Held:
        return resolve(self.arguments.fixed, self.design, self.family)

    def _build_engine(self) -> Glmm:
        return build_generalized_engine(self.design, self.arguments, self.held)

    def refit_in_engine(self, responses: NDArray[np.float64], limits: dict[str, Any]) -> dict[str, Any]:
        from .._engine import refit_generalized

        optimizer, held = self.arguments.repeated_optimizer, self.held.for_engine()
        weights = self.design.weights
        return refit_generalized(self.engine, responses, optimizer, self._start, weights, limits, held)

    def refit_samples_in_engine(self, samples: list[Sample], limits: dict[str, Any]) -> dict[str, Any]:
        from .._engine import refit_generalized_samples

        optimizer, held = self.arguments.repeated_optimizer, self.held.for_engine()
        y, weights = self.design.y, self.design.weights
        # Other rows may not determine the coefficients of all columns.
        start = {"theta": self.estimates.theta}
        return refit_generalized_samples(self.engine, y, samples, optimizer, start, weights, limits, held)

    def deletions_in_engine(self, sets: RowSets, limits: dict[str, Any]) -> dict[str, Any]:
        samples = [without(self.design, rows) for rows in sets]
        found = self.refit_samples_in_engine(samples, limits)
        return with_joint_covariance(self, samples, found) if self.joint else found

    def deletions_given_theta(self, sets: RowSets, theta: NDArray[np.float64] | None = None) -> GivenTheta:
        return deleted_in_last_step(self, sets, self.estimates.theta if theta is None else theta)

    @property
    def _start(self) -> dict[str, Any]:
        """The estimates as a start for the engine."""
        theta, beta, log_dispersion = self.point
        return {"theta": theta, "beta": beta, "log_dispersion": log_dispersion}

    def _all_coordinates(self) -> NDArray[np.float64]:
        """The coefficients are decorrelated, too."""
        parts = [coordinates.of_theta(self.design, self.term_roots, self.estimates.theta)]
        free = self.estimates.free
        if not self.profiled_coefficients and len(free):
            root = root_of(self.design.x[:, free], None)
            parts.append(root if coordinates.independent(root) else np.diag(coordinates.sizes_of(root)))
        if self.family.estimates_dispersion:
            parts.append(np.eye(1))
        return coordinates.joined(*parts)

    def _all_units(self) -> NDArray[np.float64]:
        parts = [theta_layout.units(self.design, self.term_roots, self.estimates.theta)]
        if not self.profiled_coefficients:
            sizes = np.sqrt(np.mean(np.square(self.design.x[:, self.estimates.free]), axis=0))
            parts.append(np.where(sizes > 0, sizes, 1.0))
        if self.family.estimates_dispersion:
            parts.append(np.ones(1))
        return np.concatenate(parts)

    def _described_parameters(self) -> tuple[tuple[str, ...], NDArray[np.float64]]:
        return self.all_names(), self.all_coordinates()

    def _free_derivatives(self, held: dict[str, Any]) -> Mapping[str, Any]:
        """NaN where the modes cannot be found from scratch."""
        try:
            return self.engine.free_derivatives(*self.point, held)
        except ModesError:
            n_parameters = len(self.all_names())
            count = n_parameters - len(held["theta"]) - len(held["natural"])
            nan = np.full((n_parameters, count), np.nan)
            return {"gradient": nan[0], "hessian": nan[:count], "slopes": nan}

    def _gradient(self) -> NDArray[np.float64]:
        try:
            return self.engine.gradient(*self.point)
        except ModesError:
            # A search comes from modes nearby; from scratch they cannot always be found.
            return np.full(len(self.all_names()), np.nan)

    def _hessian(self) -> NDArray[np.float64]:
        """NaN where the modes cannot be found again."""
        try:
            return self.engine.hessian(*self.point, self.estimates.eta)
        except ModesError:
            count = len(self.all_names())
            return np.full((count, count), np.nan)

    def _level_variances(self) -> list[tuple[list[int], NDArray[np.float64]]]:
        return self.engine.conditional_variances(*self.point)

    def _parameter_covariance(self) -> ParameterCovariance:
        """Of all parameters of the objective, by the Hessian; those on the boundary left out."""
        theta, hessian, free = self.estimates.theta, self.hessian(), self.free()
        joint = not self.profiled_coefficients
        if free is not None:
            wanted = np.any(free.slopes[self._coefficients] != 0.0, axis=0)
            found = covariance_from(hessian, free.inner, free.coordinates, wanted & joint)
            return in_all_parameters(found, free.slopes, self.all_coordinates())
        inner = np.ones(len(hessian), dtype=bool)
        inner[: len(theta)] = theta_layout.interior(self.design, theta)
        wanted = np.zeros(len(hessian), dtype=bool)
        wanted[self._coefficients] = joint
        structural = self.structural_directions()
        known = np.zeros((len(structural), len(hessian)))
        known[:, : len(theta)] = structural
        return covariance_from(hessian, inner, self.coordinates(), wanted, known)


def point_of(
    estimates: GeneralizedEstimates, family: Family
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """The estimates as the engine takes them: theta, the free beta, the logarithm of the dispersion."""
    log_dispersion = math.log(estimates.dispersion) if family.estimates_dispersion else 0.0
    return estimates.theta, estimates.beta[estimates.free], log_dispersion


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
