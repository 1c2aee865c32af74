"""
Evaluations of the objective that each golden fit takes, as a table in the documentation.

``python tests/golden/evaluation_counts.py`` writes the table of docs/evaluations.md anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from golden_fits import JULIA, LME4, fit_julia, fit_lme4

PAGE = Path(__file__).parents[2] / "docs" / "evaluations.md"
BEGIN, END = "<!-- evaluations: begin -->\n", "<!-- evaluations: end -->\n"
ROW = re.compile(
    r"^\| `(?P<case>[^`]+)` \| (?P<dataset>\w+) \| `(?P<formula>[^`]+)` "
    r"\| (?P<criterion>ML|REML) \| (?P<n_theta>\d+) \| (?P<evaluations>\d+) \|$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Count:
    """One row of the table."""

    case: str
    dataset: str
    formula: str
    criterion: str
    n_theta: int
    evaluations: int

    @property
    def row(self) -> str:
        # A bar would end the cell, also between backquotes.
        formula = self.formula.replace("|", r"\|")
        return (
            f"| `{self.case}` | {self.dataset} | `{formula}` | {self.criterion} | {self.n_theta} "
            f"| {self.evaluations} |"
        )


def measure() -> list[Count]:
    """Fit every golden case and count."""
    return [
        *(_count(case, case["formula"], fit_lme4(case)) for case in LME4),
        *(_count(case, case["formula_lme4"], fit_julia(case)) for case in JULIA),
    ]


def _count(case: dict[str, Any], formula: str, model: Any) -> Count:
    return Count(
        case["id"],
        case["dataset"],
        formula,
        "REML" if model.REML else "ML",
        len(model.theta),
        model.convergence.n_evaluations,
    )


def published() -> list[Count]:
    """The rows of the page."""
    rows = [match.groupdict() for match in ROW.finditer(PAGE.read_text(encoding="utf-8"))]
    return [
        Count(
            row["case"],
            row["dataset"],
            row["formula"].replace(r"\|", "|"),
            row["criterion"],
            int(row["n_theta"]),
            int(row["evaluations"]),
        )
        for row in rows
    ]


def publish(counts: Iterable[Count]) -> None:
    """Write the table into the page."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    head = "| case | data | formula | criterion | θ | evaluations |\n|---|---|---|---|--:|--:|\n"
    rows = "".join(f"{count.row}\n" for count in counts)
    PAGE.write_text(before + BEGIN + head + rows + END + after, encoding="utf-8")


if __name__ == "__main__":
    publish(measure())
