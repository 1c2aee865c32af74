"""The terms of a model as sets of columns of the data."""

from __future__ import annotations

from ..fit.state import FittedModel
from ..formula.nodes import variables


def model_terms(fitted: FittedModel) -> list[frozenset[str]]:
    """The columns that each fixed-effects term reads."""
    listed = fitted.design.formula.fixed_terms
    return [frozenset(name for i in term for name in variables(listed.factors[i])) for term in listed.terms]


def interacting(terms: list[frozenset[str]], names: set[str], others: set[str]) -> bool:
    """Whether some term has variables of both sets."""
    return any(term & names and term & others for term in terms)
