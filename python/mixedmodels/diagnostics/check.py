"""The result of a check: a number, a verdict, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from ..render.frame_table import table_of
from ..render.numbers import p_statement
from ..render.page import Page, Section
from ..render.printed import Printed
from ..render.style import Style

Verdict = Literal["ok", "attention", "not applicable"]
# Tests with a smaller p-value ask for attention.
ALPHA = 0.05


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Check(Printed):
    """
    One check of a model. As a condition, it is false if the model needs attention.

    Attributes
    ----------
    name : str
        The subject of the check.
    measure : str
        Which number `value` is.
    value : float
        NaN where there is none.
    p_value : float
        NaN for a check without a test.
    verdict : {"ok", "attention", "not applicable"}
    text : str
        The finding in a sentence, or why the check does not apply.
    advice : str
        What to do; empty when there is nothing to do.
    table : DataFrame or None
        The numbers behind the verdict, where there are several.
    """

    name: str
    measure: str = ""
    value: float = np.nan
    p_value: float = np.nan
    verdict: Verdict = "ok"
    text: str
    advice: str = ""
    table: pd.DataFrame | None = None

    def __bool__(self) -> bool:
        return self.verdict != "attention"

    @property
    def ok(self) -> bool:
        """Whether the check applies and finds nothing."""
        return self.verdict == "ok"

    def to_frame(self) -> pd.DataFrame:
        """
        The check as one row.

        Returns
        -------
        DataFrame
            Columns ``check``, ``verdict``, ``measure``, ``value``, ``p_value``, ``text`` and ``advice``.
        """
        row = {
            "check": self.name,
            "verdict": self.verdict,
            "measure": self.measure,
            "value": self.value,
            "p_value": self.p_value,
            "text": self.text,
            "advice": self.advice,
        }
        return pd.DataFrame([row])

    def _page(self, style: Style) -> Page:
        lines = [f"{self.name[:1].upper()}{self.name[1:]}: {self.verdict}", _finding(self, style)]
        if self.advice:
            lines.append(f"What to do: {self.advice}")
        body = None if self.table is None else table_of(self.table, style)
        return Page((Section(tuple(lines), body),))


def _finding(check: Check, style: Style) -> str:
    """The finding with its p-value."""
    p = check.p_value
    return check.text + ("" if np.isnan(p) else f" ({p_statement(p, style.p_style or 'exact')})")


def not_applicable(name: str, why: str) -> Check:
    """A check that says nothing about the model."""
    return Check(name=name, verdict="not applicable", text=why)


def tested(p_value: float, alpha: float = ALPHA) -> Verdict:
    """The verdict of a test."""
    return "attention" if p_value < alpha else "ok"
