"""Pickles of fitted models: their format, and what is made again from what they hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..design import Predictors
from ..errors import MixedModelError
from ..frame.column import pack, unpack

FORMAT = 1


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
