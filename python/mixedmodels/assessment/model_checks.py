"""All checks of a model in one table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ..diagnostics.check import Check
from ..errors import UnknownItemError
from ..fit.state import FittedModel
from ..render.numbers import format_p_value
from ..render.page import Page, Section, Table
from ..render.printed import Printed
from ..render.style import Style
from ..wording import one_line
from . import distribution_checks, fit_checks, influence_checks, predictor_checks, variance_check
from .applied import applied

_LARGEST_WHOLE = 1e9
# By the name of each row, in the order of the table.
CHECKS: dict[str, Callable[[FittedModel], Check]] = {
    "convergence": fit_checks.check_convergence,
    "singularity": fit_checks.check_singularity,
    "separation": fit_checks.check_separation,
    "collinearity": predictor_checks.check_collinearity,
    "group sizes": predictor_checks.check_group_sizes,
    "overdispersion": distribution_checks.check_overdispersion,
    "zero inflation": distribution_checks.check_zeroinflation,
    "heteroscedasticity": variance_check.check_heteroscedasticity,
    "normality of residuals": distribution_checks.check_normality,
    "normality of random effects": distribution_checks.check_normality_of_effects,
    "outliers": distribution_checks.check_outliers,
    "influential levels": influence_checks.check_influence,
}


@dataclass(frozen=True, eq=False, repr=False)
class ModelChecks(Printed):
    """
    The checks of a model. As a condition, they are false if one of them needs attention.

    Attributes
    ----------
    formula : str
    checks : tuple of Check
    """

    formula: str
    checks: tuple[Check, ...]

    def __bool__(self) -> bool:
        return all(self.checks)

    def __iter__(self) -> Iterator[Check]:
        return iter(self.checks)

    def __len__(self) -> int:
        return len(self.checks)

    def __getitem__(self, name: str) -> Check:
        for check in self.checks:
            if check.name == name:
                return check
        raise UnknownItemError(f"no check {name!r}; the checks are: {', '.join(c.name for c in self.checks)}")

    @property
    def attention(self) -> tuple[Check, ...]:
        """The checks that need attention."""
        return tuple(check for check in self.checks if not check)

    def to_frame(self) -> pd.DataFrame:
        """
        A row for each check.

        Returns
        -------
        DataFrame
            Columns as in :meth:`Check.to_frame`.
        """
        return pd.concat([check.to_frame() for check in self.checks], ignore_index=True)

    def _page(self, style: Style) -> Page:
        heading = [f"Checks of {one_line(self.formula)}"]
        rows = [check for check in self.checks if check.verdict != "not applicable"]
        p_style = style.p_style or "exact"
        columns = [
            ("check", [check.name for check in rows]),
            ("verdict", [check.verdict for check in rows]),
            ("value", [_shown(check.value, style) for check in rows]),
            ("p.value", [_p_value(check.p_value, p_style) for check in rows]),
            ("", [check.measure for check in rows]),
        ]
        notes = [f" - {_line(check)}" for check in self.attention]
        others = [check.name for check in self.checks if check.verdict == "not applicable"]
        if others:
            notes.append(f"Not applicable: {', '.join(others)}")
        return Page((Section(tuple(heading), Table.from_columns(columns, (0, 1, 4)), tuple(notes)),))


def _shown(value: float, style: Style) -> str:
    if pd.isna(value):
        return ""
    # Numbers of levels and of coefficients are whole.
    whole = value == round(value) and abs(value) < _LARGEST_WHOLE
    return f"{value:.0f}" if whole else f"{value:.{style.digits or 3}g}"


def _p_value(value: float, p_style: Any) -> str:
    return "" if pd.isna(value) else format_p_value(value, p_style, 2)


def _line(check: Check) -> str:
    text = f"{check.name}: {check.text}"
    return f"{text}. {check.advice[:1].upper()}{check.advice[1:]}" if check.advice else text


def check_model(fitted: FittedModel) -> ModelChecks:
    """All checks, see :func:`mixedmodels.check_model`."""
    found = tuple(applied(name, check, fitted) for name, check in CHECKS.items())
    return ModelChecks(fitted.design.formula.text, found)
