"""Remarks on a fit, each in a line: on its data, its standard errors, and what to know before reading it."""

from __future__ import annotations

from dataclasses import dataclass

from ..design.merged_terms import overlaps
from ..design.rows import ZERO_WEIGHT
from ..fit.endpoint.separation import separation_note
from ..fit.endpoint.singularity import singular_terms
from ..fit.state import FittedModel
from ..inference.estimates import fixed_effects
from ..render.numbers import format_number
from ..wording import capital, counted, listed, one_line


def data_notes(fitted: FittedModel) -> list[str]:
    """Rows left out, and why; weights and offset."""
    design, notes = fitted.design, []
    missing = design.missing
    if missing.n_dropped:
        columns = ", ".join(f"{one_line(name)} {count}" for name, count in missing.columns.items())
        notes.append(
            f"{counted(missing.n_dropped, 'row')} of {missing.n_total} left out for "
            f"{_reasons(missing.columns)} ({columns})"
        )
    given = [("weights", fitted.arguments.weights is not None), ("offset", design.has_offset)]
    used = [_argument_name(fitted, name) for name, present in given if present]
    if used:
        notes.append(f"Fitted with {' and '.join(used)}")
    return notes


def fit_notes(fitted: FittedModel) -> list[str]:
    """Held parameters, singular terms, dropped columns, independent effects, separation, and problems."""
    texts = fitted.held.texts
    notes = [f"Fixed, not estimated: {', '.join(map(one_line, texts))}"] if texts else []
    singular = singular_terms(
        fitted.design,
        fitted.estimates.theta,
        fitted.term_roots,
        scale=fitted.scale,
        known=fitted.known_singularities(),
    )
    notes += [f"Singular fit: {part}" for part in singular]
    dropped = fixed_effects.dropped_columns(fitted)
    if dropped:
        names = listed(list(map(one_line, dropped)), most=10)
        notes.append(f"Dropped columns of X (linearly dependent on the others): {names}")
    for term in fitted.design.terms:
        k = len(term.names)
        if k > 1 and len(term.blocks) == k and term.text.startswith("("):
            notes.append(
                f"{term.text}: all {k} effects are independent, {k} variance parameters "
                f"(a single bar has {k * (k + 1) // 2})"
            )
    notes += _design_notes(fitted)
    if fitted.convergence.problem:
        notes.append(fitted.convergence.problem)
    return notes


@dataclass(frozen=True)
class FamilyParameter:
    """
    The parameter of a family, such as the size of the negative binomial distribution.

    Attributes
    ----------
    name : str
    value : float
    meaning : str
        Family, role of the parameter in its variance, and whether it is held.
    """

    name: str
    value: float
    meaning: str

    def line(self, digits: int) -> str:
        """Name, value with significant digits, and meaning."""
        return f"{self.name} d: {format_number(self.value, digits)} ({self.meaning})"


def family_parameter(fitted: FittedModel) -> FamilyParameter | None:
    """The family's own parameter; None for a model without one."""
    family = fitted.family
    if fitted.exact_likelihood or not family.parameter:
        return None
    fixed = "" if family.estimates_dispersion else ", held fixed"
    meaning = f"{family.name}: {family.meaning}{fixed}"
    return FamilyParameter(capital(family.parameter), fitted.dispersion, meaning)


def _design_notes(fitted: FittedModel) -> list[str]:
    """Random effects that were left out or overlap, and separation."""
    design = fitted.design
    left_out = dict.fromkeys(part.text for part in design.recipe.left_out)
    notes = [f"Random effects: {one_line(text)}" for text in (*left_out, *fitted.derived(_overlaps))]
    separation = separation_note(fitted)
    if separation:
        notes.append(one_line(separation))
    return notes


def _overlaps(fitted: FittedModel) -> tuple[str, ...]:
    """Terms of the same groups that overlap."""
    return tuple(overlaps(fitted.design.terms))


def _reasons(columns: dict[str, int]) -> str:
    reasons = ["missing values"] if any(name != ZERO_WEIGHT for name in columns) else []
    return " and ".join(reasons + ["zero weights"] * (ZERO_WEIGHT in columns))


def _argument_name(fitted: FittedModel, name: str) -> str:
    value = getattr(fitted.arguments, name)
    return f"{name} {value}" if isinstance(value, str) else name
