"""Warnings of a fit, as notes below a summary."""

from __future__ import annotations

from ..design.merged_terms import overlaps
from ..fit.endpoint.separation import separation_note
from ..fit.state import FittedModel
from ..wording import one_line


def fit_notes(fitted: FittedModel) -> list[str]:
    """Random effects that were left out or overlap, and separation, in a line each."""
    design = fitted.design
    left_out = dict.fromkeys(part.text for part in design.recipe.left_out)
    notes = [f"Random effects: {one_line(text)}" for text in (*left_out, *overlaps(design.terms))]
    separation = separation_note(fitted)
    if separation:
        notes.append(one_line(separation))
    return notes
