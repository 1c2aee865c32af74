"""Pickles of fitted models: their format, and what is made again from what they hold."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..design import Predictors
from ..errors import MixedModelError
from ..frame.column import pack, unpack
from ..notices import silent
from .record import read_only

Own = TypeVar("Own", bound="Pickled")

FORMAT = 1


class Pickled(ABC):
    """An immutable state that is pickled without what follows from the columns that its arguments hold."""

    design: Any
    estimates: Any

    @abstractmethod
    def _rows_of_estimates(self) -> str:
        """The estimates that have a value for each row: the name of Xβ + Zb + offset."""

    @abstractmethod
    def _build_design(self) -> Any:
        """The design that the arguments describe."""

    def _response(self) -> dict[str, Any]:
        """The parts of the design that a new response changes."""
        return {name: getattr(self.design, name) for name in ("y", "weights", "form")}

    def __copy__(self: Own) -> Own:
        return self

    def __deepcopy__(self: Own, memo: dict[int, Any]) -> Own:
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


def sealed(state: Mapping[str, Any]) -> dict[str, Any]:
    """
    A state with its format and the version of the package.

    Its ``design`` holds the arrays of a response, which are packed.
    """
    response = {name: pack(v) if isinstance(v, np.ndarray) else v for name, v in state["design"].items()}
    return {"format": FORMAT, "version": _version(), "state": {**state, "design": response}}


def opened(sealed_state: Mapping[str, Any]) -> dict[str, Any]:
    """
    The state again, with its arrays closed to writing.

    Raises
    ------
    MixedModelError
        When this version does not read its format.
    """
    found = sealed_state.get("format")
    if found == FORMAT:
        state = sealed_state["state"]
        packed = state["design"]
        response = {name: unpack(v) if isinstance(v, tuple) else v for name, v in packed.items()}
        return closed({**state, "design": response})
    writer = f"mixedmodels {sealed_state['version']}" if "version" in sealed_state else "an older mixedmodels"
    kind = "without a format number" if found is None else f"of format {found!r}"
    raise MixedModelError(
        f"the pickled model is {kind}, written by {writer}; mixedmodels {_version()} reads format {FORMAT} "
        "only: unpickle it with the version that wrote it, or fit the model again"
    )


def linear_predictor(design: Predictors, estimates: Any) -> NDArray[np.float64]:
    """
    Xβ + Zb + offset of a design that was built again.

    Raises
    ------
    MixedModelError
        When the estimates do not belong to the design.
    """
    shapes = [(len(term.group.levels), len(term.names)) for term in design.terms]
    if len(design.x_names) != len(estimates.beta) or shapes != [b.shape for b in estimates.b]:
        raise MixedModelError(
            "the pickled model does not fit its data any more: a function of the formula gives other columns "
            "than in the fit; fit the model again"
        )
    total = design.x[:, estimates.kept] @ estimates.beta[estimates.kept]
    for term, b in zip(design.terms, estimates.b, strict=True):
        total += np.einsum("ij,ij->i", term.z, b[term.group.codes])
    return total if design.offset is None else total + design.offset


def _version() -> str:
    from .._engine import __version__

    return __version__


def closed(value: Any) -> Any:
    """The value with every array in it closed to writing, which a pickle does not remember."""
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    elif isinstance(value, (tuple, list)):
        for part in value:
            closed(part)
    elif isinstance(value, dict):
        closed([*value.values()])
    elif is_dataclass(value):
        for part in fields(value):
            closed(getattr(value, part.name))
    return value
