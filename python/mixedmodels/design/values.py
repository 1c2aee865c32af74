"""What expressions of a formula are worth: bases and factors beside plain arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..frame import Factor


@dataclass(frozen=True, eq=False)
class Basis:
    """Several columns that one expression makes, such as a spline: values of shape (n, k)."""

    values: NDArray[np.float64]
    names: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Coded:
    """A factor with contrasts of its own: ``C(f, contr.sum)``."""

    factor: Factor
    contrasts: Any


Value = NDArray[Any] | float | str | bool | None | tuple[Any, ...] | Factor | Basis | Coded
