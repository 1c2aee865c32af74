"""Parameters that a fit holds at given values: the argument `fixed` and what follows from it."""

from __future__ import annotations

from .argument import check_fixed, without_coefficients
from .free import FreeParameters, free_parameters, in_all_parameters
from .held import NOTHING_HELD, Held, embedded
from .resolve import (
    UnknownParameterError,
    held_dispersion,
    names_of_parameters,
    resolve,
    sigma_is_held,
    without_dispersion,
)
from .singular import known_singularities

__all__ = [
    "NOTHING_HELD",
    "FreeParameters",
    "Held",
    "UnknownParameterError",
    "check_fixed",
    "embedded",
    "free_parameters",
    "held_dispersion",
    "in_all_parameters",
    "known_singularities",
    "names_of_parameters",
    "resolve",
    "sigma_is_held",
    "without_coefficients",
    "without_dispersion",
]
