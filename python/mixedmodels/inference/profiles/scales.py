"""The scales on which profiles show standard deviations."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...fit.state import FittedModel

Scale = Literal["sd", "variance", "log"]
SCALES = ("sd", "variance", "log")


def is_deviation(kind: str, fitted: FittedModel) -> bool:
    """Whether parameters of a kind are standard deviations."""
    return kind == "sd" or (kind == "scale" and fitted.family.scale_name == "sigma")


def on_scale(scale: str, kind: str, values: Any, fitted: FittedModel) -> NDArray[np.float64]:
    """Values of a parameter on a scale; only standard deviations have others."""
    values = np.asarray(values, dtype=float)
    if scale == "sd" or not is_deviation(kind, fitted):
        return values
    if scale == "variance":
        return np.square(values)
    with np.errstate(divide="ignore"):
        return np.log(values)


def label(scale: str, kind: str, name: str, fitted: FittedModel) -> str:
    """The name of a parameter on a scale, for axes."""
    if scale == "sd" or not is_deviation(kind, fitted):
        return name
    return f"{name}, squared" if scale == "variance" else f"log {name}"
