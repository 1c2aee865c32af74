"""The model that a result was computed from, so that no other model takes it for its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...errors import ArgumentError
from ...fit.state import FittedModel
from ...wording import one_line


@dataclass(frozen=True)
class Origin:
    """
    The identity of a fitted model; equal for copies and after pickling.

    Attributes
    ----------
    formula : str
    n_obs : int
    objective : float
    parameters : tuple of float
        Theta, then the coefficients that are kept.
    """

    formula: str
    n_obs: int
    objective: float
    parameters: tuple[float, ...]

    def __str__(self) -> str:
        return f"{one_line(self.formula)} ({self.n_obs} observations, objective {self.objective:.7g})"


def origin_of(fitted: FittedModel) -> Origin:
    """The origin of results computed from a model."""
    estimates = fitted.estimates
    parameters = (*estimates.theta.tolist(), *estimates.beta[estimates.kept].tolist())
    return Origin(fitted.design.formula.text, fitted.n_obs, float(estimates.objective), parameters)


class Derived(Protocol):
    """A result that was computed from a model."""

    @property
    def beta(self) -> NDArray[np.float64]: ...

    @property
    def origin(self) -> Origin | None: ...


def check_origin(fitted: FittedModel, result: Derived, what: str) -> None:
    """
    Refuse a result of another model; one without an origin must have the coefficients of this one.

    Raises
    ------
    ArgumentError
        Naming both models.
    """
    own, origin = origin_of(fitted), result.origin
    if origin is None:
        if np.array_equal(result.beta, fitted.estimates.beta[fitted.estimates.kept]):
            return
        source = "its coefficients differ from those of this model"
    elif origin == own:
        return
    else:
        source = f"it was computed from {origin}"
    raise ArgumentError(
        f"{what} belongs to another model: {source}, and this model is {own}; compute it from this model"
    )
