"""The model that a result was computed from, so that no other model takes it for its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...errors import ArgumentError
from ...fit.state import FittedModel
from ...wording import one_line

# Data frames have the origin in `DataFrame.attrs`, which copies, arithmetic and pickles keep.
_ATTRIBUTE = "model"


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


def signed(frame: pd.DataFrame, origin: Origin | None) -> pd.DataFrame:
    """The data frame with the origin in its attributes, as plain values that files can hold."""
    if origin is not None:
        frame.attrs[_ATTRIBUTE] = {**asdict(origin), "parameters": list(origin.parameters)}
    return frame


def signature_of(frame: pd.DataFrame) -> Origin | None:
    """The origin in the attributes of a data frame; None for a frame that has none."""
    found = frame.attrs.get(_ATTRIBUTE)
    if not isinstance(found, Mapping) or set(found) != set(Origin.__dataclass_fields__):
        return None
    return Origin(**{**found, "parameters": tuple(found["parameters"])})


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
    if result.origin is not None:
        refuse_other(fitted, result.origin, what)
    elif not np.array_equal(result.beta, fitted.estimates.beta[fitted.estimates.kept]):
        raise _refusal(fitted, "its coefficients differ from the coefficients of this model", what)


def refuse_other(fitted: FittedModel, origin: Origin, what: str) -> None:
    """Raise ArgumentError, with both models, for the origin of another model."""
    if origin != origin_of(fitted):
        raise _refusal(fitted, f"it was computed from {origin}", what)


def _refusal(fitted: FittedModel, reason: str, what: str) -> ArgumentError:
    return ArgumentError(
        f"{what} belongs to another model: {reason}, and this model is {origin_of(fitted)}; compute it from "
        "this model"
    )
