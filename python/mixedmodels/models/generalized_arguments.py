"""The arguments that only `glmer` has, checked."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import Any

from ..checks import one_of
from ..errors import ArgumentError
from ..families import Family, NegativeBinomial
from ..fit.fitted_generalized import Information
from ..fit.fixed import held_dispersion

_MOST_POINTS = 100


def check_n_agq(value: Any) -> int:
    """The ``nAGQ`` argument."""
    if (
        isinstance(value, bool)
        or not isinstance(value, numbers.Integral)
        or not 0 <= int(value) <= _MOST_POINTS
    ):
        raise ArgumentError(
            f"nAGQ must be a whole number from 0 to {_MOST_POINTS}, not {value!r}: 1 for the Laplace "
            "approximation, more for adaptive Gauss-Hermite quadrature, 0 for a faster and rougher fit"
        )
    return int(value)


def check_information(value: Any, family: Family) -> Information:
    """The ``information`` argument."""
    one_of("information", value, ("observed", "expected"))
    if value == "expected" and not family.has_expected_information:
        raise ArgumentError(
            f"the expected information of family {family.name} has no formula; take information='observed'"
        )
    return value


def with_fixed_dispersion(family: Family, fixed: Mapping[Any, Any] | None) -> Family:
    """The family with its parameter held as the ``fixed`` argument says; as it is when that names none."""
    value = held_dispersion(fixed, family)
    if value is None:
        return family
    if family.dispersion is not None and family.dispersion != value:
        raise ArgumentError(
            f"fixed: the {family.parameter} is held at {value:g} here and at {family.dispersion:g} by the "
            "family"
        )
    return family.holding(value)


def with_size(family: Family, nb_theta: Any) -> Family:
    """The family with its size held at the ``nb_theta`` argument; as it is for None."""
    if nb_theta is None:
        return family
    if not isinstance(family, NegativeBinomial):
        raise ArgumentError(f"nb_theta is the size of the negative binomial family; {family!r} has none")
    return NegativeBinomial(family.link, size=nb_theta)
