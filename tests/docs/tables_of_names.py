"""The pieces of code in the tables of names on the pages about other packages."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
CODE = re.compile(r"`([^`]+)`")


def cells(page: str, table: str, column: int) -> list[str]:
    """The pieces of code in a column of a table of a page, read as Python."""
    text = (DOCS / page).read_text(encoding="utf-8")
    rows = text.partition(f"<!-- {table}: begin -->\n")[2].partition(f"<!-- {table}: end -->")[0].splitlines()
    found = []
    for row in rows[2:]:
        cell = re.split(r"(?<!\\)\|", row)[column + 1]
        found += [code.replace(r"\|", "|") for code in CODE.findall(cell)]
    return [code for code in dict.fromkeys(found) if not code.startswith(".")]
