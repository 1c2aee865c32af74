"""At which values covariates stand in a reference grid: the ``cov_reduce`` argument."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ArgumentError

# From the name of a covariate and its values in the fit to its values in the grid.
Reducer = Callable[[str, NDArray[np.float64]], tuple[float, ...]]

# A mean that is this small beside the values is zero but for rounding.
_ROUNDING = 1e-12


def _mean(values: NDArray[np.float64]) -> float:
    """The mean; zero for a covariate that is centred but for rounding."""
    mean = float(np.mean(values))
    return 0.0 if abs(mean) <= _ROUNDING * np.abs(values).max() else mean


_SUMMARIES: dict[str, Callable[[NDArray[np.float64]], Any]] = {
    "mean": _mean,
    "median": np.median,
    "range": lambda values: [values.min(), values.max()],
}


def covariate_values(cov_reduce: Any, names: Sequence[str]) -> Callable[[str], tuple[Reducer | None, bool]]:
    """
    Read ``cov_reduce``.

    Returns
    -------
    callable
        From the name of a covariate to what makes its values (None: all values in the data), and whether
        it was named.

    Raises
    ------
    ArgumentError
        For another kind of argument, or a name that is no predictor.
    """
    if not isinstance(cov_reduce, Mapping):
        same = _reducer(cov_reduce)
        return lambda name: (same, False)
    for name in cov_reduce:
        if name not in names:
            known = ", ".join(map(repr, names)) or "none"
            raise ArgumentError(f"cov_reduce: the model has no predictor {name!r}; it has {known}")
    chosen = {name: _reducer(value) for name, value in cov_reduce.items()}
    usual = _reducer(None)
    return lambda name: (chosen[name], True) if name in chosen else (usual, False)


def _reducer(value: Any) -> Reducer | None:
    if value is False:
        return None
    if value is None or value is True:
        value = "mean"
    function = _SUMMARIES.get(value) if isinstance(value, str) else value
    if not callable(function):
        raise ArgumentError(
            f"cov_reduce must be one of {', '.join(map(repr, _SUMMARIES))}, a function of the values, False, "
            f"or a mapping of covariates to these; not {value!r}"
        )

    def reduce(name: str, values: NDArray[np.float64]) -> tuple[float, ...]:
        found = function(values)
        try:
            numbers = np.atleast_1d(np.asarray(found, dtype=np.float64))
        except (TypeError, ValueError):
            numbers = np.array([np.nan])
        if numbers.ndim != 1 or not numbers.size or not np.isfinite(numbers).all():
            raise ArgumentError(
                f"cov_reduce: for {name!r} the function returned {found!r}, not finite numbers"
            )
        return tuple(dict.fromkeys(numbers.tolist()))

    return reduce
