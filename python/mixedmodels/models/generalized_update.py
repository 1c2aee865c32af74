"""The arguments of a new generalized fit from those of an old one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..families import NegativeBinomial, as_family
from ..fit.fitted_generalized import FittedGeneralized, GeneralizedArguments
from ..fit.fixed import check_fixed, held_dispersion
from .generalized_arguments import check_information, check_n_agq, with_fixed_dispersion, with_size
from .refitting import UNCHANGED, update_arguments


def update_generalized_arguments(
    fitted: FittedGeneralized, changes: Mapping[str, Any]
) -> GeneralizedArguments:
    """The arguments of a fit with some changed; those that are UNCHANGED stay."""
    given = {key: value for key, value in changes.items() if value is not UNCHANGED}
    link = given.pop("link", None)
    if "family" in given:
        given["family"] = as_family(given["family"], link)
    elif link is not None:
        given["family"] = type(fitted.family)(link=link, **fitted.family.held())
    if "nb_theta" in given:
        size, family = given.pop("nb_theta"), given.get("family", fitted.family)
        # None sets a size that was held free.
        free = size is None and isinstance(family, NegativeBinomial)
        given["family"] = NegativeBinomial(family.link) if free else with_size(family, size)
    if "n_agq" in given:
        given["n_agq"] = check_n_agq(given["n_agq"])
    old, new = fitted.arguments.fixed, check_fixed(given.get("fixed", fitted.arguments.fixed))
    family = given.get("family", fitted.family)
    if "fixed" in given and "family" not in given and held_dispersion(old, family) is not None:
        # What was held by the old argument is free.
        family = family.holding(None)
    if "fixed" in given or "family" in given:
        given["family"] = family = with_fixed_dispersion(family, new)
    check_information(given.get("information", fitted.arguments.information), family)
    return update_arguments(fitted, given)
