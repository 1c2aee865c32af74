"""Random-effects terms without repeated effects."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from ..errors import FormulaWarning
from ..notices import warn_user
from .grouping import GroupRecipe
from .matrix import MatrixPlan
from .random_term import RandomTerm
from .recipe import LeftOut
from .repeated_effects import may_repeat, n_covariance_parameters, overlapping_terms, repeated_effects

# A term, its columns as a plan, and its grouping factor for new data.
BuiltTerm = tuple[RandomTerm, MatrixPlan, GroupRecipe]


def merge_repeated(built: list[BuiltTerm]) -> tuple[list[BuiltTerm], tuple[LeftOut, ...]]:
    """
    Leave out random effects that other terms of the same groups already contain.

    Returns
    -------
    list of BuiltTerm
        The remaining terms, some with fewer columns.
    tuple of LeftOut

    Warns
    -----
    FormulaWarning
        Naming the omitted effects, and terms whose covariance matrices overlap.
    """
    terms = [term for term, _, _ in built]
    if not may_repeat(terms):
        return built, ()
    repeated = {part.term: part for part in repeated_effects(terms)}
    kept: list[BuiltTerm] = []
    place: dict[int, int] = {}
    for t, part in enumerate(built):
        columns = list(range(len(part[0].names)))
        if t in repeated:
            columns = [j for j in columns if j not in repeated[t].columns]
        if columns:
            place[t] = len(kept)
            kept.append(part if t not in repeated else _some_columns(part, columns))
    left = [term for term, _, _ in kept]
    left_out = []
    for t, found in repeated.items():
        term, plan, group = built[t]
        gone = plan.part(found.columns)
        within = tuple([place[i] for i in found.within])
        text = _text(term, gone.names, [left[i] for i in within], t in place)
        left_out.append(LeftOut(gone, group, within, text))
    if left_out:
        reasons = "; ".join(dict.fromkeys(part.text for part in left_out))
        now = n_covariance_parameters(left)
        warn_user(
            f"{reasons}; the model stays the same, with {now} covariance parameter{'s' if now > 1 else ''} "
            f"where {n_covariance_parameters(terms)} were written",
            FormulaWarning,
        )
    for text in overlaps(left):
        warn_user(f"{text}; write them as one term", FormulaWarning)
    return kept, tuple(left_out)


def overlaps(terms: Sequence[RandomTerm]) -> list[str]:
    """Terms of the same groups whose covariance matrices are not separately identified."""
    return [
        f"{' and '.join(terms[t].text for t in members)} share effects of {terms[members[0]].group.label!r}: "
        f"only {written - surplus} of their {written} covariance parameters are determined, as variances and "
        "covariances divide between the terms arbitrarily"
        for members, written, surplus in overlapping_terms(terms)
    ]


def _some_columns(part: BuiltTerm, columns: Sequence[int]) -> BuiltTerm:
    term, plan, group = part
    z = np.ascontiguousarray(term.z[:, columns])
    plan = plan.part(columns)
    return dataclasses.replace(term, z=z, names=plan.names), plan, group


def _text(term: RandomTerm, names: Sequence[str], homes: Sequence[RandomTerm], partly: bool) -> str:
    """The omitted effects and the reason."""
    shown = " and ".join(home.text for home in homes)
    labels = [home.group.label for home in homes if home.group.label != term.group.label]
    alike = f" ({term.group.label!r} and {labels[0]!r} have the same groups)" if labels else ""
    same = homes[0].text == term.text and not alike
    if not partly:
        reason = "the formula has it twice" if same else f"{shown} contains it"
        return f"{term.text} is left out, as {reason}{alike}"
    listed = ", ".join(names)
    if len(names) == 1:
        reason = "it repeats others of the term" if same else f"{shown} already has it"
        return f"the effect {listed} of {term.text} is left out, as {reason}{alike}"
    reason = "they repeat others of the term" if same else f"{shown} already has them"
    return f"the effects {listed} of {term.text} are left out, as {reason}{alike}"
