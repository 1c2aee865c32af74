"""A single variance component of a model: what it is, and the model without it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...checks import shown
from ...design import INTERCEPT, RandomTerm
from ...errors import ArgumentError, FormulaError, MixedModelError
from ...fit.state import FittedModel
from ...formula import parse_formula
from ...wording import listed, nearest


@dataclass(frozen=True, eq=False)
class Component:
    """
    Random effects with one variance and without correlations.

    Attributes
    ----------
    text : str
        As a term of a formula: ``(1 | g)``, ``(0 + x | g)``.
    term : RandomTerm
        The term that has them.
    columns : tuple of int
        Their columns.
    others : tuple of RandomTerm
        What the model has without them; may be empty.
    """

    text: str
    term: RandomTerm
    columns: tuple[int, ...]
    others: tuple[RandomTerm, ...]

    @property
    def n_effects(self) -> int:
        return len(self.term.group.levels) * len(self.columns)


def chosen_component(fitted: FittedModel, term: Any, function: str) -> Component:
    """
    The component that an argument ``term`` names; by default the only one.

    Raises
    ------
    ArgumentError
        When the model has no such component, or several and none is named.
    """
    found = {part.text: part for part in _components(fitted)}
    terms = fitted.design.terms
    have = f"the random-effects terms are {', '.join(t.text for t in terms)}"
    if not found:
        raise ArgumentError(
            f"{function}: the tested term must have one variance and no correlations, as (1 | g) has; "
            f"{have} (pb_compare() and ranova() test any)"
        )
    if term is None:
        if len(found) == 1 and len(terms) == 1:
            return next(iter(found.values()))
        raise ArgumentError(
            f"{function}: term= must say which variance to test: {listed([repr(text) for text in found])}"
        )
    if not isinstance(term, str):
        raise ArgumentError(
            f"{function}: term must be the text of a random-effects term, such as "
            f"{next(iter(found))!r}, not {shown(term)}"
        )
    text = _canonical(fitted, term)
    if text in found:
        return found[text]
    correlated = [t.text for t in terms if t.text == text]
    why = (
        "has correlations or several variances (pb_compare() and ranova() test any)"
        if correlated
        else f"is not part of the model{nearest(text, found)}"
    )
    raise ArgumentError(f"{function}: {term!r} {why}; term= takes {listed([repr(t) for t in found])}")


def _components(fitted: FittedModel) -> list[Component]:
    terms = fitted.design.terms
    found = []
    for t, term in enumerate(terms):
        rest = (*terms[:t], *terms[t + 1 :])
        every = range(len(term.names))
        if term.structure.n_parameters == 1:
            found.append(Component(term.text, term, tuple(every), rest))
            continue
        for block in term.blocks:
            if len(block) > 1:
                continue
            (j,) = block
            kept = [i for i in every if i != j]
            left = dataclasses.replace(term, z=_read_only(term.z[:, kept]), names=_names(term, kept))
            found.append(Component(_text(term, j), term, block, (*terms[:t], left, *terms[t + 1 :])))
    return found


def _names(term: RandomTerm, columns: list[int]) -> tuple[str, ...]:
    return tuple([term.names[i] for i in columns])


def _read_only(z: NDArray[np.float64]) -> NDArray[np.float64]:
    z = np.ascontiguousarray(z)
    z.flags.writeable = False
    return z


def _text(term: RandomTerm, j: int) -> str:
    name = term.names[j]
    return f"({'1' if name == INTERCEPT else f'0 + {name}'} | {term.group.label})"


def _canonical(fitted: FittedModel, text: str) -> str:
    """The text of a term as the package writes it; as it is when it cannot be read."""
    recipe = fitted.design.recipe
    bare = text.strip()
    for side in (bare, f"({bare})"):
        try:
            parsed = parse_formula(
                f"~ {side}",
                recipe.formula.variables,
                recipe.functions,
                need_response=False,
                need_random=False,
            )
        except (FormulaError, MixedModelError):
            continue
        if len(parsed.random) == 1:
            return parsed.random[0].text
    return bare
