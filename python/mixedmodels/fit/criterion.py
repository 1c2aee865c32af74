"""The criterion that a fit minimizes, as a function of one vector of parameters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..design import Design
from ..design.theta import bounds, theta_names
from ..errors import ArgumentError, ModesError
from ..wording import listed
from .arguments import GeneralizedArguments
from .at_sigma import at_sigma
from .fixed import Held

if TYPE_CHECKING:
    from .._engine import Glmm, Lmm

Vector = NDArray[np.float64]


class Criterion(ABC):
    """
    The criterion of a model: the REML criterion or -2 log-likelihood.

    Attributes
    ----------
    names : tuple of str
        The parameters: theta; for a generalized model also beta (unless nAGQ = 0) and the logarithm of the
        dispersion (if the family estimates one).
    lower, upper : ndarray, shape (n_parameters,)
        The bounds of the parameters.
    """

    names: tuple[str, ...]
    lower: Vector
    upper: Vector

    def checked(self, function: str, point: Any) -> Vector:
        """
        The vector of parameters that a user gives.

        Raises
        ------
        ArgumentError
            When it has another shape, is not finite, or out of bounds.
        """
        try:
            values = np.array(point, dtype=np.float64)
        except (TypeError, ValueError):
            raise ArgumentError(f"{function}: theta must hold numbers, not {point!r}") from None
        count = len(self.names)
        if values.shape != (count,):
            raise ArgumentError(
                f"{function}: theta has shape {values.shape}, but the model has {count} "
                f"parameter{'' if count == 1 else 's'}: {listed(self.names, most=12)}"
            )
        for name, value, lower, upper in zip(self.names, values, self.lower, self.upper, strict=True):
            if not (np.isfinite(value) and lower <= value <= upper):
                between = f" and between {lower:g} and {upper:g}" if lower > -np.inf or upper < np.inf else ""
                raise ArgumentError(f"{function}: {name} is {value}, but must be finite{between}")
        return values

    def as_start(self, start: Any) -> Any:
        """The argument ``start`` of a fit, from a vector of all parameters too."""
        return start

    @abstractmethod
    def value(self, point: Vector) -> float:
        """The criterion; infinite where the conditional modes cannot be found."""

    @abstractmethod
    def gradient(self, point: Vector) -> Vector:
        """Its gradient."""

    @abstractmethod
    def hessian(self, point: Vector) -> NDArray[np.float64]:
        """Its Hessian."""

    @abstractmethod
    def default_start(self) -> Vector:
        """Where the engine's own search starts."""

    @abstractmethod
    def evaluated(self, point: Vector) -> dict[str, Any]:
        """Everything that the engine finds there, as at the end of a search."""


class LinearCriterion(Criterion):
    """The criterion of a linear model, a function of theta; beta and sigma are profiled out."""

    def __init__(self, design: Design, engine: Lmm, reml: bool, held: Held) -> None:
        self.names = theta_names(design)
        self.lower, self.upper = bounds(design)
        self._engine, self._reml, self._sigma = engine, reml, held.sigma
        # Those that are held decide on sigma, which is no longer profiled out.
        self._held = held.texts if held.natural and held.sigma is None else ()

    def checked(self, function: str, point: Any) -> Vector:
        if self._held:
            raise ArgumentError(
                f"{function}: parameters of random effects are held ({', '.join(self._held)}), so the "
                "criterion is no function of all of theta; leave them out of fixed="
            )
        return super().checked(function, point)

    def value(self, point: Vector) -> float:
        found = self._engine.evaluate(point, self._reml)
        if self._sigma is not None:
            found = at_sigma(found, self._engine, self._reml, self._sigma)
        return float(found["objective"])

    def gradient(self, point: Vector) -> Vector:
        if self._sigma is None:
            return self._engine.gradient(point, self._reml)
        return self._in_theta(self._derivatives(point))[0]

    def hessian(self, point: Vector) -> NDArray[np.float64]:
        if self._sigma is None:
            return self._engine.hessian(point, self._reml)
        return self._in_theta(self._derivatives(point))[1]

    def default_start(self) -> Vector:
        limits = {"max_evaluations": 1}
        log = self._engine.fit(self._reml, "trust_region", None, limits, None)["log"]
        return np.array(log["theta"][0])

    def evaluated(self, point: Vector) -> dict[str, Any]:
        result = {**self._engine.evaluate(point, self._reml), "theta": point}
        if self._sigma is None:
            return {**result, "gradient": self.gradient(point)}
        free = self._derivatives(point)
        result = at_sigma(result, self._engine, self._reml, self._sigma)
        return {**result, "free": free, "gradient": free["gradient"]}

    def _derivatives(self, point: Vector) -> Any:
        sigma = self._sigma
        assert sigma is not None
        return self._engine.free_derivatives(point, sigma, self._reml, {"sigma": sigma})

    def _in_theta(self, free: Any) -> tuple[Vector, NDArray[np.float64]]:
        """Derivatives in theta, on which the engine's free parameters depend linearly if sigma is held."""
        back = np.linalg.inv(np.asarray(free["slopes"])[: len(self.names)])
        return back.T @ free["gradient"], back.T @ free["hessian"] @ back


class GeneralizedCriterion(Criterion):
    """The criterion of a generalized model, a function of theta, beta and the log dispersion."""

    def __init__(
        self, design: Design, engine: Glmm, arguments: GeneralizedArguments, free: NDArray[np.intp]
    ) -> None:
        family, self._engine = arguments.family, engine
        self._n_theta, self._n_beta = engine.n_theta, len(free)
        self._joint = arguments.n_agq > 0
        self._dispersion = family.estimates_dispersion
        coefficients = [design.x_names[j] for j in free] if self._joint else []
        dispersion = [f"log({family.parameter})"] if self._dispersion else []
        self.names = (*theta_names(design), *coefficients, *dispersion)
        lower, upper = bounds(design)
        further = np.full(len(self.names) - len(lower), np.inf)
        self.lower, self.upper = np.concatenate([lower, -further]), np.concatenate([upper, further])

    def split(self, point: Vector) -> tuple[Vector, Vector, float]:
        """Theta, beta and the log dispersion, as the engine takes them."""
        end = self._n_theta + self._n_beta if self._joint else self._n_theta
        beta = point[self._n_theta : end] if self._joint else np.zeros(self._n_beta)
        log_dispersion = float(point[-1]) if self._dispersion else 0.0
        return np.array(point[: self._n_theta]), np.array(beta), log_dispersion

    def as_start(self, start: Any) -> Any:
        if (
            len(self.names) == self._n_theta
            or isinstance(start, Mapping)
            or np.shape(start) != (len(self.names),)
        ):
            return start
        theta, beta, log_dispersion = self.split(self.checked("start", start))
        parts: dict[str, Any] = {"theta": theta}
        if self._joint:
            parts["beta"] = beta
        if self._dispersion:
            parts["dispersion"] = float(np.exp(log_dispersion))
        return parts

    def joined(self, theta: Vector | None, beta: Vector | None, log_dispersion: float | None) -> Vector:
        """One vector of all parameters; those that are not given are as in the default start."""
        complete = theta is not None and (beta is not None or not self._joint)
        complete = complete and (log_dispersion is not None or not self._dispersion)
        point = np.empty(len(self.names)) if complete else self.default_start()
        if theta is not None:
            point[: self._n_theta] = theta
        if beta is not None and self._joint:
            point[self._n_theta : self._n_theta + self._n_beta] = beta
        if log_dispersion is not None and self._dispersion:
            point[-1] = log_dispersion
        return point

    def value(self, point: Vector) -> float:
        try:
            return float(self._engine.evaluate(*self.split(point))["objective"])
        except ModesError:
            return float("inf")

    def gradient(self, point: Vector) -> Vector:
        return self._engine.gradient(*self.split(point))

    def hessian(self, point: Vector) -> NDArray[np.float64]:
        return self._engine.hessian(*self.split(point))

    def default_start(self) -> Vector:
        log = self._engine.fit("trust_region", None, {"max_evaluations": 1}, None)["log"]
        return np.array(log["theta"][0])

    def evaluated(self, point: Vector) -> dict[str, Any]:
        theta, beta, log_dispersion = self.split(point)
        found = self._engine.evaluate(theta, beta, log_dispersion)
        gradient = self._engine.gradient(theta, beta, log_dispersion)
        return {**found, "theta": theta, "beta": np.array(found["beta"]), "gradient": gradient}
