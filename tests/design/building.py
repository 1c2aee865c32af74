"""Designs from a formula and data, as the tests ask for them."""

from __future__ import annotations

from typing import Any

from mixedmodels import design
from mixedmodels.design import Design, DesignArguments
from mixedmodels.families import Family


def build_design(
    formula: str, data: Any, *, check_effects: Any = "warning", sigma_known: bool = False, **arguments: Any
) -> Design:
    """The design of a linear model."""
    given = DesignArguments(formula=formula, data=data, **arguments)
    return design.build_design(given, check_effects=check_effects, sigma_known=sigma_known)


def build_generalized_design(formula: str, data: Any, family: Family, **arguments: Any) -> Design:
    """The design of a generalized model."""
    return design.build_generalized_design(DesignArguments(formula=formula, data=data, **arguments), family)
