"""Lines of text about what a model is and what its numbers mean."""

from __future__ import annotations

from ..fit.fitted_generalized import FittedGeneralized
from ..fit.state import FittedModel
from ..render.numbers import DIGITS, format_number
from ..wording import one_line


def head_lines(fitted: FittedModel) -> list[str]:
    """The title and, for a generalized model, family and link, and what counts as success."""
    if not isinstance(fitted, FittedGeneralized):
        return [fitted.title]
    lines = [fitted.title, f" Family: {fitted.family!r}"]
    form = fitted.design.form
    success = {"labels": repr(form.labels[-1]) if form.labels else "", "bool": "True"}.get(form.kind)
    if form.binomial and success:
        lines.append(f" Response: {one_line(fitted.design.response_name)}, success = {one_line(success)}")
    return lines


def dispersion_line(fitted: FittedGeneralized, digits: int = DIGITS) -> str:
    """The family's own parameter with its name and meaning; empty for a family without one."""
    family = fitted.family
    if not family.parameter:
        return ""
    name = family.parameter[0].upper() + family.parameter[1:]
    fixed = "" if family.estimates_dispersion else ", held fixed"
    return f"{name} d: {format_number(fitted.dispersion, digits)} ({family.name}: {family.meaning}{fixed})"
