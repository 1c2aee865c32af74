"""Where an optimisation starts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..design import Design
from ..design.theta import HasTerms, bounds, theta_names
from ..errors import ArgumentError
from ..families import Family
from ..families.family import positive
from ..wording import listed
from .fitted_generalized import GeneralizedArguments

_KEYS = ("theta", "beta", "dispersion")


@dataclass(frozen=True, eq=False)
class StartingPoint:
    """The parameters that were given; None for those that the engine chooses."""

    theta: NDArray[np.float64] | None = None
    beta: NDArray[np.float64] | None = None
    log_dispersion: float | None = None

    def for_engine(self) -> dict[str, Any] | None:
        """The given parameters by name; None when there are none."""
        given = {"theta": self.theta, "beta": self.beta, "log_dispersion": self.log_dispersion}
        return {key: value for key, value in given.items() if value is not None} or None

    def complete(
        self, arguments: GeneralizedArguments, n_beta: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        """All parameters, for an evaluation without optimisation, with `n_beta` coefficients."""
        needed: list[tuple[str, Any]] = [("theta", self.theta)]
        if arguments.n_agq > 0:
            needed.append(("beta", self.beta))
        if arguments.family.estimates_dispersion:
            needed.append(("dispersion", self.log_dispersion))
        missing = [name for name, value in needed if value is None]
        if missing:
            raise ArgumentError(
                f"optimizer=None evaluates the model at start=, in which {' and '.join(missing)} "
                f"{'is' if len(missing) == 1 else 'are'} missing: give a dict of "
                f"{', '.join(name for name, _ in needed)}"
            )
        assert self.theta is not None
        # With nAGQ = 0 the coefficients follow from theta.
        beta = np.zeros(n_beta) if self.beta is None else self.beta
        return self.theta, beta, 0.0 if self.log_dispersion is None else self.log_dispersion


def check_start(start: Any, design: HasTerms, what: str = "start") -> NDArray[np.float64] | None:
    """An argument that gives theta; None for the engine's own choice."""
    if start is None:
        return None
    if isinstance(start, Mapping):
        unknown = [key for key in start if key != "theta"]
        if unknown or "theta" not in start:
            found = ", ".join(map(repr, unknown or start)) or "nothing"
            raise ArgumentError(f"{what}: a mapping must have the one key 'theta', got {found}")
        start = start["theta"]
    names = theta_names(design)
    try:
        theta = np.array(start, dtype=np.float64)
    except (TypeError, ValueError):
        raise ArgumentError(
            f"{what} must hold numbers for theta ({listed(names, most=12)}), got {start!r}"
        ) from None
    if theta.shape != (len(names),):
        raise ArgumentError(
            f"{what} has shape {theta.shape}, but theta has {len(names)} "
            f"{'entry' if len(names) == 1 else 'entries'}: {listed(names, most=12)}"
        )
    for name, value, lower, upper in zip(names, theta, *bounds(design), strict=True):
        if not (np.isfinite(value) and lower <= value <= upper):
            raise ArgumentError(f"{what}: {name} is {value}, but must be {_range(lower, upper)}")
    return theta


def _range(lower: float, upper: float) -> str:
    if upper == np.inf:
        return "finite" if lower == -np.inf else "finite and not negative"
    return f"between {lower:.4g} and {upper:.4g}"


def check_generalized_start(
    start: Any, design: Design, kept: NDArray[np.int64], family: Family
) -> StartingPoint:
    """
    The ``start`` argument: theta, or a mapping with some of theta, beta and dispersion.

    Raises
    ------
    ArgumentError
        Naming the entry that does not fit.
    """
    if start is None:
        return StartingPoint()
    if not isinstance(start, Mapping):
        return StartingPoint(check_start(start, design))
    unknown = [key for key in start if key not in _KEYS]
    if unknown:
        raise ArgumentError(f"start: unknown entry {unknown[0]!r}; entries: {', '.join(_KEYS)}")
    given = {key: value for key, value in start.items() if value is not None}
    log_dispersion = None
    if "dispersion" in given:
        if not family.estimates_dispersion:
            raise ArgumentError(f"start: family {family!r} has no dispersion to estimate")
        log_dispersion = math.log(positive(given["dispersion"], "start: dispersion"))
    return StartingPoint(
        check_start(given["theta"], design) if "theta" in given else None,
        _coefficients(given["beta"], design, kept) if "beta" in given else None,
        log_dispersion,
    )


def _coefficients(beta: Any, design: Design, kept: NDArray[np.int64]) -> NDArray[np.float64]:
    """The starting values of the kept coefficients, from values for all columns or for those."""
    try:
        values = np.array(beta, dtype=np.float64)
    except (TypeError, ValueError):
        raise ArgumentError(f"start: beta must hold numbers, got {beta!r}") from None
    p = len(design.x_names)
    if values.shape == (p,):
        values = values[kept]
    if values.shape != (len(kept),):
        raise ArgumentError(f"start: beta has shape {values.shape}, but there are {p} coefficients")
    if not np.isfinite(values).all():
        name = design.x_names[kept[int(np.argmin(np.isfinite(values)))]]
        raise ArgumentError(f"start: beta of {name} is not finite")
    return values
