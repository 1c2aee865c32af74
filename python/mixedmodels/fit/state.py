"""The state that every kind of fitted model has: plain immutable data and the handle of the engine."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Callable, Mapping
from operator import methodcaller
from typing import Any, ClassVar, Literal, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from ..families import Family
from .endpoint import undetermined
from .endpoint.curvature import ParameterCovariance
from .endpoint.singularity import KnownSingularity
from .fixed import FreeParameters, Held, free_parameters, known_singularities
from .not_a_model import not_a_model
from .pickled import Pickled, closed
from .record import Convergence
from .row_sets import GivenTheta, RowSets

# Rows; and for each random-effects term the levels of these rows, and their number.
Sample = tuple[NDArray[np.uint32], list[NDArray[np.uint32]], list[int]]
T = TypeVar("T")
Own = TypeVar("Own", bound="FittedModel")
# Levels and values of the rows of each random-effects term.
NewTerms = list[tuple[NDArray[np.uint32], NDArray[np.float64]]]
ResidualType = Literal["response", "pearson", "working", "deviance"]


class FittedModel(Pickled):
    """
    A fitted model as data, which inference, prediction and reports read.

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
    # The last parameter of `parameter_covariance` is the logarithm of this root of the dispersion.
    dispersion_root: ClassVar[int] = 1
    _engine: Any
    _results: dict[Any, Any]

    def derived(self, compute: Callable[[Any], T]) -> T:
        """
        The result of a function of this model, computed once.

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
        return self.design.n_rows

    @property
    def rank(self) -> int:
        return len(self.estimates.kept)

    @property
    def n_coefficients(self) -> int:
        """How many coefficients are estimated: those that are kept and not held."""
        return len(self.estimates.kept) - len(self.estimates.held)

    @property
    @abstractmethod
    def family(self) -> Family:
        """The distribution of an observation given the random effects, with its link."""

    @property
    @abstractmethod
    def exact_likelihood(self) -> bool:
        """
        Whether the random effects integrate out in closed form, as for a normal response with identity link.

        Then the response is jointly normal: restricted likelihoods, denominator degrees of freedom and exact
        tests exist. Otherwise the likelihood is approximated, and tests rest on large samples.
        """

    @property
    @abstractmethod
    def restricted(self) -> bool:
        """Whether the fit is by REML."""

    @property
    @abstractmethod
    def profiled_coefficients(self) -> bool:
        """Whether the coefficients follow from theta instead of being parameters of the objective."""

    @property
    @abstractmethod
    def method(self) -> str:
        """The criterion, or how the random effects are integrated out."""

    @property
    @abstractmethod
    def dispersion(self) -> float:
        """The family's own parameter, such as the residual variance; 1 for a family without one."""

    @property
    def sigma(self) -> float:
        """Sigma as tables report it, see `Family.sigma`."""
        return self.family.sigma(self.dispersion)

    @property
    @abstractmethod
    def residual_type(self) -> ResidualType:
        """The residuals that are shown where none are asked for."""

    @property
    def mean(self) -> NDArray[np.float64]:
        """The mean of the response given the random effects, shape (n,)."""
        return self.family.mean(self.linear_predictor)

    @property
    def observed(self) -> NDArray[np.float64]:
        """The response on the scale of its mean, shape (n,): proportions for the binomial family."""
        return self.design.observed

    @property
    def prior_weights(self) -> NDArray[np.float64]:
        """Numbers of trials or prior weights, ones where there are none, shape (n,)."""
        return self.design.unit_weights

    def scaled_residuals(self) -> NDArray[np.float64]:
        """Pearson residuals in units of their standard deviation, shape (n,)."""
        return self.family.pearson(self.observed, self.linear_predictor, self.prior_weights, self.dispersion)

    def working_weights(self) -> NDArray[np.float64]:
        """The weights of the expected information in the linear predictor at the modes, shape (n,)."""
        return self.prior_weights * self.family.expected_information(self.linear_predictor, self.dispersion)

    def leverages(self) -> NDArray[np.float64]:
        """How far each fitted value follows its observation, given theta; shape (n,)."""
        return self.leverage_parts()[0]

    @abstractmethod
    def leverage_parts(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Leverages (of a working regression, NaN without one), and the fixed effects' parts in them."""

    @property
    def held(self) -> Held:
        """The parameters that the fit holds."""
        return self.derived(_held)

    @property
    @abstractmethod
    def n_parameters(self) -> int:
        """All that is estimated: coefficients, covariance parameters, dispersion."""

    @property
    @abstractmethod
    def title(self) -> str:
        """The title of the fit, in one line."""

    @property
    @abstractmethod
    def criterion(self) -> str:
        """The name of the objective."""

    @property
    @abstractmethod
    def scale(self) -> float:
        """The unit of the covariance factors: sigma, or 1 where they are absolute."""

    @property
    @abstractmethod
    def residual_sd(self) -> float | None:
        """The residual standard deviation in tables of variances; None for families without one."""

    @property
    @abstractmethod
    def linear_predictor(self) -> NDArray[np.float64]:
        """Xβ + Zb + offset, shape (n,)."""

    @property
    def engine(self) -> Any:
        """The engine's model; built again after unpickling, when it is first needed."""
        if self._engine is None:
            object.__setattr__(self, "_engine", self._build_engine())
        return self._engine

    @abstractmethod
    def covariance(self) -> NDArray[np.float64]:
        """Covariance matrix of the coefficients that are kept, shape (rank, rank)."""

    @property
    @abstractmethod
    def joint(self) -> bool:
        """Whether `covariance` allows for the uncertainty of all other parameters that it depends on."""

    @abstractmethod
    def conditional_covariance(self) -> NDArray[np.float64]:
        """Covariance matrix of the kept coefficients given theta and the dispersion, shape (rank, rank)."""

    @abstractmethod
    def prediction_variances(
        self, x: NDArray[np.float64], terms: NewTerms, coefficients: bool = True
    ) -> NDArray[np.float64]:
        """
        Variances of the errors of x'β + z'b given theta, shape (n,); without `coefficients` those given β,
        too.

        `x` has all columns of the model matrix. `terms` gives for each random-effects term the levels (the
        largest number for none) and values of the rows.
        """

    @abstractmethod
    def at(self: Own, theta: NDArray[np.float64], beta: NDArray[np.float64], dispersion: float) -> Own:
        """The model at other values of its parameters; coefficients that are profiled follow from theta."""

    def level_variances(self) -> list[tuple[list[int], NDArray[np.float64]]]:
        """
        Conditional covariance matrices of the random effects given data and estimates.

        For each grouping factor the positions of its terms, and an array of shape (n_levels, k, k).
        """
        return self.derived(_level_variances)

    def parameter_names(self) -> tuple[str, ...]:
        """The parameters of the objective that are not held, in the order of `gradient`."""
        free = self.free()
        return self.all_names() if free is None else free.names

    @abstractmethod
    def all_names(self) -> tuple[str, ...]:
        """The parameters of the objective, held or not."""

    def coordinates(self) -> NDArray[np.float64]:
        """
        Derivatives of coordinates in the parameters, in which curvatures can be compared.

        See :mod:`mixedmodels.fit.endpoint.coordinates`.
        """
        free = self.free()
        return self.all_coordinates() if free is None else free.coordinates

    def all_coordinates(self) -> NDArray[np.float64]:
        """The same for all parameters, held or not."""
        return self.derived(_coordinates)

    def units(self) -> NDArray[np.float64]:
        """The change of the response or linear predictor by one unit of each parameter."""
        free = self.free()
        return self._all_units() if free is None else free.units

    def free(self) -> FreeParameters | None:
        """The parameters of the objective where covariance parameters or σ are held; None otherwise."""
        return self.derived(_free) if self.held.variances else None

    def know(self, held: Held, free: Mapping[str, Any] | None) -> None:
        """Take what is known already: the parameters held, and what the engine found of the free ones."""
        self._results[_held] = held
        if free is not None:
            self._results[_free] = closed(self._free_from(free))

    def gradient(self) -> NDArray[np.float64]:
        """Gradient of the objective at the estimates."""
        free = self.free()
        return self.derived(_gradient) if free is None else free.gradient

    def hessian(self) -> NDArray[np.float64]:
        """Hessian of the objective at the estimates."""
        free = self.free()
        return self.derived(_hessian) if free is None else free.hessian

    def structural_directions(self) -> NDArray[np.float64]:
        """Directions in theta that columns and levels of a term leave undetermined, shape (d, n_theta)."""
        return self.derived(_structural_directions)

    def known_singularities(self) -> dict[int, KnownSingularity]:
        """Terms that values held fixed make singular."""
        return known_singularities(self.design, self.estimates.theta, self.term_roots, self.held)

    def parameter_covariance(self) -> ParameterCovariance:
        """Covariance matrix of the parameters, and the directions in them that the data do not determine."""
        return self.derived(_parameter_covariance)

    def with_estimates(self: Own, estimates: Any) -> Own:
        """The state with other estimates, of the same design in the same engine."""
        other = dataclasses.replace(cast(Any, self), estimates=estimates, _engine=self.engine)
        other.know(self.held, None)
        return other

    def concluded(self: Own, convergence: Convergence) -> Own:
        """The state with the record of its search, which is made last."""
        object.__setattr__(self, "convergence", convergence)
        return self

    def _free_from(self, found: Mapping[str, Any]) -> FreeParameters:
        names, coordinates = self._described_parameters()
        return free_parameters(found, names, coordinates, self.design, self.estimates.theta)

    @abstractmethod
    def _resolve_held(self) -> Held:
        """The parameters that the argument `fixed` names."""

    @abstractmethod
    def _build_engine(self) -> Any:
        """The engine's model of the design."""

    @abstractmethod
    def refit_in_engine(self, responses: NDArray[np.float64], limits: dict[str, Any]) -> dict[str, Any]:
        """The engine's fits to the columns of `responses`; see :mod:`mixedmodels.fit.refits`."""

    @abstractmethod
    def refit_samples_in_engine(self, samples: list[Sample], limits: dict[str, Any]) -> dict[str, Any]:
        """The engine's fits to samples of the rows, likewise."""

    @abstractmethod
    def deletions_in_engine(self, sets: RowSets, limits: dict[str, Any]) -> dict[str, Any]:
        """The engine's fits without each set of rows, with the covariance of the coefficients."""

    @abstractmethod
    def deletions_given_theta(self, sets: RowSets, theta: NDArray[np.float64] | None = None) -> GivenTheta:
        """The estimates without each set of rows with the covariance parameters held, in closed form."""

    @abstractmethod
    def _all_coordinates(self) -> NDArray[np.float64]: ...

    @abstractmethod
    def _all_units(self) -> NDArray[np.float64]: ...

    @abstractmethod
    def _described_parameters(self) -> tuple[tuple[str, ...], NDArray[np.float64]]:
        """Names and coordinates of all parameters that a fit may hold and their functions."""

    @abstractmethod
    def _free_derivatives(self, held: dict[str, Any]) -> Mapping[str, Any]:
        """What the engine finds of the free parameters."""

    @abstractmethod
    def _gradient(self) -> NDArray[np.float64]: ...

    @abstractmethod
    def _hessian(self) -> NDArray[np.float64]: ...

    @abstractmethod
    def _level_variances(self) -> list[tuple[list[int], NDArray[np.float64]]]: ...

    @abstractmethod
    def _parameter_covariance(self) -> ParameterCovariance: ...


# Keys of what is computed once, see `derived`.
_held = methodcaller("_resolve_held")
_coordinates = methodcaller("_all_coordinates")
_gradient = methodcaller("_gradient")
_hessian = methodcaller("_hessian")
_level_variances = methodcaller("_level_variances")
_parameter_covariance = methodcaller("_parameter_covariance")


def _structural_directions(fitted: FittedModel) -> NDArray[np.float64]:
    held = fitted.held.terms(fitted.design)
    directions = undetermined.structural_directions(fitted.design, fitted.term_roots, held)
    return undetermined.in_theta(fitted.design, fitted.estimates.theta, directions)


def _free(fitted: FittedModel) -> FreeParameters:
    return fitted._free_from(fitted._free_derivatives(fitted.held.for_engine() or {}))


def fitted_of(model: Any) -> FittedModel:
    """The state of a fitted model, or of an object that holds one."""
    state = getattr(model, "_fitted", model)
    if not isinstance(state, FittedModel):
        raise not_a_model(model)
    return state
