"""Warnings of a fit, as notes below a summary."""

from __future__ import annotations

from ..design.merged_terms import overlaps
from ..fitted_generalized import FittedGeneralized
from ..fitted_model import FittedModel
from ..formatting import one_line
from ..separation import separation_of


def fit_notes(fitted: FittedModel) -> list[str]:
    """Random effects that were left out or overlap, and separation, in a line each."""
    design = fitted.design
    left_out = dict.fromkeys(part.text for part in design.recipe.left_out)
    notes = [f"Random effects: {one_line(text)}" for text in (*left_out, *overlaps(design.terms))]
    if isinstance(fitted, FittedGeneralized):
        separation = separation_of(design, fitted.family, fitted.estimates)
        if separation is not None:
            notes.append(f"Separation: {one_line(str(separation))}, whose standard errors are not meaningful")
    return notes
