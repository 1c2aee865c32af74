"""What a bootstrap computes for each replicate: all parameters, or the user's own statistic."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..checks import shown
from ..errors import ArgumentError
from ..fit.state import FittedModel
from ..wording import listed, unique_names

Values = NDArray[np.float64]
_NAME = "statistic"


@dataclass(frozen=True, eq=False)
class Statistic:
    """
    A function of a fitted model.

    Attributes
    ----------
    function : callable
        Of a model as the user knows it; gives a number, or several.
    model : callable
        Makes such a model of a state.
    names : tuple of str
    estimate : ndarray, shape (q,)
        Its values for the model that is resampled.
    """

    function: Callable[[Any], Any]
    model: Callable[[FittedModel], Any]
    names: tuple[str, ...]
    estimate: Values

    @classmethod
    def of(cls, function: Any, model: Callable[[FittedModel], Any], fitted: FittedModel) -> Statistic:
        """
        The argument `statistic`, tried on the model itself.

        Raises
        ------
        ArgumentError
            When it is no function, or gives something else than numbers.
        """
        if not callable(function):
            raise ArgumentError(f"statistic must be a function of a fitted model, not {shown(function)}")
        names, values = _numbers(function(model(fitted)))
        return cls(function, model, names, values)

    def values(self, fitted: FittedModel) -> Values:
        """
        Its values for another fit, shape (q,), in the order of the names; NaN for those it does not name.

        Raises
        ------
        ArgumentError
            For names that the model itself did not have, and arrays of another length.
        """
        names, values = _numbers(self.function(self.model(fitted)))
        if names == self.names:
            return values
        new = [name for name in names if name not in self.names]
        if new or any(name.startswith(_NAME) for name in names):
            raise ArgumentError(
                f"{len(values)} numbers ({listed(names)}) where the model itself gives {len(self.names)} "
                f"({listed(self.names)}); return the same in each replicate, or NaN"
            )
        by_name = dict(zip(names, values.tolist(), strict=True))
        return np.array([by_name.get(name, np.nan) for name in self.names])


def _numbers(found: Any) -> tuple[tuple[str, ...], Values]:
    """The values that a statistic gave, and their names."""
    if isinstance(found, numbers.Number):
        found = [found]
        names = [_NAME]
    elif isinstance(found, Mapping):
        names, found = [*map(str, found)], [*found.values()]
    elif isinstance(found, pd.Series):
        names = [*map(str, found.index)]
    else:
        names = []
    try:
        if found is None:
            raise TypeError
        values = np.array(found, dtype=np.float64)
        if values.ndim == 0:
            values, names = values[None], [_NAME]
    except (TypeError, ValueError):
        values = np.zeros((0, 0))
    if values.ndim != 1 or not len(values):
        what = f"an array of shape {values.shape}" if values.size else shown(found)
        raise ArgumentError(
            "statistic must return a number, a dict or Series of numbers, or a one-dimensional array, "
            f"not {what}"
        )
    names = names or [f"{_NAME} {i + 1}" for i in range(len(values))]
    return tuple(unique_names(names)), values
