"""The counts as a file and as text."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from .count import Counts

TABLE = Path(__file__).with_name("counts.csv")
_HEAD = ("structure", "value", "value and derivatives", "ratio")


def read_table() -> dict[str, Counts]:
    """The committed counts by structure."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {
            row["structure"]: Counts(int(row["value"]), int(row["value and derivatives"]))
            for row in csv.DictReader(file)
        }


def write_table(counts: Mapping[str, Counts]) -> None:
    """Replace the committed counts."""
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_HEAD)
        for structure, found in counts.items():
            writer.writerow([structure, found.value, found.with_derivatives, f"{found.ratio:.2f}"])


def show(structure: str, counts: Counts, known: Counts | None) -> str:
    """One line about a structure, with the drift against known counts."""
    line = f"{structure:<38} {counts.value:>15,} {counts.with_derivatives:>15,}  ratio {counts.ratio:5.2f}"
    if known is None:
        return line
    value, both = counts.drift(known)
    return f"{line}  drift {value:+.2f} % {both:+.2f} %"
