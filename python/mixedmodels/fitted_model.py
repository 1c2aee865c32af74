"""The state of a fitted model: plain immutable data and the handle of the engine."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame

from . import coordinates, undetermined
from .control import as_control
from .covariance import theta as theta_layout
from .curvature import ParameterCovariance, covariance_from
from .design import Design, Predictors, RandomTerm, build_design
from .errors import ArgumentError
from .fit_record import Convergence, Estimates, FitArguments
from .fixed import (
    FreeParameters,
    Held,
    free_parameters,
    in_all_parameters,
    known_singularities,
    resolve,
    sigma_is_held,
)
from .frame import Frame
from .notices import silent
from .pickled import closed, linear_predictor, opened, sealed
from .singularity import KnownSingularity

if TYPE_CHECKING:
    from ._engine import Lmm

T = TypeVar("T")
EngineTerm = tuple[NDArray[np.uint32], int, NDArray[np.float64], str, list[float] | None]


class FittedModel(ABC):
    """
    What all fitted models have in common, as data: what inference, prediction and reports read.

    Attributes
    ----------
    design : Design
    arguments : ModelArguments
    estimates : object
        With ``theta``, ``objective``, ``beta``, ``kept``, ``b``, ``u`` among its attributes.
    convergence : Convergence
    term_roots : tuple of ndarray, shape (k, k) each
        Square root of Z'WZ/n of each term: puts its random effects on the scale of the response.
    """

    design: Any
    arguments: Any
    estimates: Any
    convergence: Convergence
    term_roots: tuple[NDArray[np.float64], ...]
    _engine: Any
    _results: dict[Any, Any]

    def derived(self, compute: Callable[[Any], T]) -> T:
        """
        What a function computes from this model, computed once.

        Summaries, tables and tests share it. It is closed to writing, as callers must not change it. Threads
        that ask at the same time may both compute it, and get the same object.

        Parameters
        ----------
        compute : callable
            A function of the model alone, not made anew for each call.
        """
        if compute not in self._results:
            return self._results.setdefault(compute, closed(compute(self)))
        return self._results[compute]

    @property
    def n_obs(self) -> int:
        return len(self.design.y)

    @property
    def rank(self) -> int:
        return len(self.estimates.kept)

    @property
    def n_coefficients(self) -> int:
        """How many coefficients are estimated: those that are kept and not held."""
        return len(self.estimates.kept) - len(self.estimates.held)

    @property
    @abstractmethod
    def held(self) -> Held:
        """The parameters that the fit holds."""

    @property
    @abstractmethod
    def n_parameters(self) -> int:
        """All that is estimated: coefficients, covariance parameters, dispersion."""

    @property
    @abstractmethod
    def title(self) -> str:
        """What was fitted and how, in one line."""

    @property
    @abstractmethod
    def criterion(self) -> str:
        """What the objective is called."""

    @property
    @abstractmethod
    def scale(self) -> float:
        """What the relative covariance factors are relative to: sigma, or 1 for absolute ones."""

    @property
    @abstractmethod
    def residual_sd(self) -> float | None:
        """The standard deviation that belongs below those of the random effects; None without one."""

    @property
    @abstractmethod
    def linear_predictor(self) -> NDArray[np.float64]:
        """Xβ + Zb + offset, shape (n,)."""

    @property
    @abstractmethod
    def engine(self) -> Any:
        """The engine's model; built again after unpickling, when it is first needed."""

    @abstractmethod
    def covariance(self) -> NDArray[np.float64]:
        """Covariance matrix of the coefficients that are kept, shape (rank, rank)."""

    @abstractmethod
    def level_variances(self) -> list[tuple[list[int], NDArray[np.float64]]]:
        """
        Conditional covariance matrices of the random effects given data and estimates.

        For each grouping factor the positions of its terms, and an array of shape (n_levels, k, k).
        """

    @abstractmethod
    def parameter_names(self) -> tuple[str, ...]:
        """The parameters of the objective, in the order of `gradient`."""

    @abstractmethod
    def all_names(self) -> tuple[str, ...]:
        """The parameters of the objective with those that are held."""

    @abstractmethod
    def all_coordinates(self) -> NDArray[np.float64]:
        """The same as `coordinates` with those that are held."""

    @abstractmethod
    def coordinates(self) -> NDArray[np.float64]:
        """
        Derivatives of coordinates in the parameters, in which curvatures can be compared.

        See :mod:`mixedmodels.coordinates`.
        """

    @abstractmethod
    def free(self) -> FreeParameters | None:
        """The parameters of the objective where covariance parameters or σ are held; None otherwise."""

    @abstractmethod
    def gradient(self) -> NDArray[np.float64]:
        """Gradient of the objective at the estimates."""

    @abstractmethod
    def hessian(self) -> NDArray[np.float64]:
        """Hessian of the objective at the estimates."""

    def structural_directions(self) -> NDArray[np.float64]:
        """Directions in theta that columns and levels of a term leave undetermined, shape (d, n_theta)."""
        return self.derived(_structural_directions)

    def known_singularities(self) -> dict[int, KnownSingularity]:
        """What the values held say of singular terms."""
        return known_singularities(self.design, self.estimates.theta, self.term_roots, self.held)

    @abstractmethod
    def parameter_covariance(self) -> ParameterCovariance:
        """Covariance matrix of the parameters, and the directions in them that the data do not determine."""

    @abstractmethod
    def _rows_of_estimates(self) -> str:
        """The estimates that have a value for each row: the name of Xβ + Zb + offset."""

    @abstractmethod
    def _build_design(self) -> Any:
        """The design that the arguments describe."""

    @abstractmethod
    def _response(self) -> dict[str, Any]:
        """The parts of the design that a new response changes."""

    def __copy__(self) -> FittedModel:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> FittedModel:
        # Nothing in it can change.
        return self

    def __getstate__(self) -> dict[str, Any]:
        """
        The state of which the rest is made again: whatever has a value for each row follows from the columns
        that the arguments hold, except a response that was given to `refit`.
        """
        response = self._response() if self.design.new_response else {}
        estimates = dataclasses.replace(self.estimates, **{self._rows_of_estimates(): None})
        return sealed(
            {**vars(self), "_engine": None, "_results": {}, "design": response, "estimates": estimates}
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = opened(state)
        response = state.pop("design")
        for name, value in state.items():
            object.__setattr__(self, name, value)
        with silent():
            design = self._build_design()
        if response:
            design = dataclasses.replace(design, **response, new_response=True)
        rows = {self._rows_of_estimates(): read_only(linear_predictor(design, self.estimates))}
        object.__setattr__(self, "design", design)
        object.__setattr__(self, "estimates", dataclasses.replace(self.estimates, **rows))


@dataclass(frozen=True, eq=False)
class Fitted(FittedModel):
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


def _structural_directions(fitted: FittedModel) -> NDArray[np.float64]:
    held = fitted.held.terms(fitted.design)
    directions = undetermined.structural_directions(fitted.design, fitted.term_roots, held)
    return undetermined.in_theta(fitted.design, fitted.estimates.theta, directions)


def _held(fitted: Fitted) -> Held:
    return resolve(fitted.arguments.fixed, fitted.design)


def _free(fitted: Fitted) -> FreeParameters | None:
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


def _coordinates(fitted: Fitted) -> NDArray[np.float64]:
    return coordinates.of_theta(fitted.design, fitted.term_roots, fitted.estimates.theta)


def _gradient(fitted: Fitted) -> NDArray[np.float64]:
    return fitted.engine.gradient(fitted.estimates.theta, fitted.reml)


def _hessian(fitted: Fitted) -> NDArray[np.float64]:
    return fitted.engine.hessian(fitted.estimates.theta, fitted.reml)


def _parameter_covariance(fitted: Fitted) -> ParameterCovariance:
    theta, design, free = fitted.estimates.theta, fitted.design, fitted.free()
    steps = coordinates.joined(fitted.all_coordinates(), np.eye(1))
    if free is not None:
        own = covariance_from(free.hessian, free.inner, free.coordinates)
        return in_all_parameters(own, free.slopes, steps)
    inner = np.append(theta_layout.interior(design, theta), True)
    known = np.pad(fitted.structural_directions(), ((0, 0), (0, 1)))
    return covariance_from(fitted.engine.joint_hessian(theta, fitted.reml), inner, steps, known=known)


def _level_variances(fitted: Fitted) -> list[tuple[list[int], NDArray[np.float64]]]:
    blocks = fitted.engine.conditional_variances(fitted.estimates.theta, fitted.reml)
    return [(members, fitted.estimates.sigma**2 * values) for members, values in blocks]


def design_of(arguments: FitArguments, frame: Frame) -> Design:
    """The design that the arguments describe, of data in a frame."""
    return build_design(
        arguments.formula,
        frame,
        weights=arguments.weights,
        offset=arguments.offset,
        contrasts=arguments.contrasts,
        na_action=arguments.na_action,
        subset=arguments.subset,
        functions=arguments.functions,
        check_effects=as_control(arguments.control).check_effects,
        sigma_known=sigma_is_held(arguments.fixed),
    )


def build_engine(design: Design, held: Held) -> Lmm:
    """The engine's model of a design: coefficients that are held are part of its offset."""
    from ._engine import Lmm

    x, offset = held.free_columns(design.x), held.offset(design.x, design.offset)
    return Lmm(design.y, x, engine_terms(design), design.weights, offset)


def engine_terms(design: Predictors) -> list[EngineTerm]:
    """The random-effects terms in the form that the engine takes."""
    return [engine_term(term, term.z) for term in design.terms]


def engine_term(term: RandomTerm, z: NDArray[np.float64]) -> EngineTerm:
    """A term with these columns as the engine takes it: codes, levels, columns, structure, times."""
    times = None if term.times is None else list(term.times)
    return term.group.codes, len(term.group.levels), z, term.covariance, times


def fitted_of(model: Any) -> FittedModel:
    """The state of a fitted model, or of an object that holds one."""
    state = getattr(model, "_fitted", model)
    if not isinstance(state, FittedModel):
        raise not_a_model(model)
    return state


def not_a_model(value: Any) -> ArgumentError:
    """The error for something else in the place of a model."""
    order = "; the model comes first, then the rest" if isinstance(value, (str, Mapping, DataFrame)) else ""
    return ArgumentError(
        f"a model fitted by lmer() or glmer() is needed here, not {type(value).__name__}{order}"
    )


def read_only(array: Any, dtype: Any = np.float64) -> NDArray[Any]:
    """The array, owned by nobody else and closed to writing."""
    result = np.array(array, dtype=dtype)
    result.flags.writeable = False
    return result
