"""Pages in plain text, folded to the width of a terminal."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from ..wording import display_width
from .fold import all_folded, folded, least_width
from .page import Facts, Group, Page, Row, Section, Table

_INDENT = " "
_CONTINUED = "  "
# Without a terminal, and for terminals that no table could fit.
_USUAL_WIDTH, _LEAST_WIDTH = 80, 40
# Narrower columns of names are hard to read.
_LEAST_NAME = 12


def terminal_width() -> int:
    """Columns of the terminal that output goes to; 80 where it goes elsewhere."""
    out = sys.stdout
    if out is None or not out.isatty():
        return _USUAL_WIDTH
    return max(_LEAST_WIDTH, shutil.get_terminal_size((_USUAL_WIDTH, 24)).columns)


def text_page(page: Page, width: int | None = None) -> str:
    """
    A page as text.

    Parameters
    ----------
    page : Page
    width : int, optional
        Terminal columns; by default those of the terminal.
    """
    width = terminal_width() if width is None else width
    return "\n\n".join(filter(None, (_section(section, width) for section in page.sections)))


def text_table(table: Table, width: int | None = None) -> str:
    """A table as text."""
    return "\n".join(_table(table, terminal_width() if width is None else width))


def _section(section: Section, width: int) -> str:
    lines = all_folded(section.heading, width)
    if isinstance(section.body, Facts):
        pairs = section.body.pairs
        if section.body.inline:
            lines = all_folded([" ".join([*section.heading, ", ".join(section.body.words())])], width)
        elif len(pairs) == 1:
            lines += [f"{_INDENT}{name}: {value.strip()}" for name, value in pairs]
        else:
            lines += _table(section.body.table(), width)
    elif section.body is not None:
        lines += _table(section.body, width)
    notes = all_folded(section.notes, width)
    return "\n".join([*lines, *([""] if section.spaced and notes else []), *notes])


@dataclass(frozen=True)
class _Layout:
    """Widths of the columns, the gap between them, and which columns are printed side by side."""

    widths: list[int]
    gap: str
    blocks: list[list[int]]


def _table(table: Table, width: int) -> list[str]:
    layout = _layout(table, width)
    lines: list[str] = []
    if table.titled:
        for group in table.groups:
            title = all_folded([f"{group.title}:"], width) if group.title else []
            lines += [*([""] if lines else []), *title, *_blocks(table, [group], layout)]
        return lines
    return _blocks(table, table.groups, layout)


def _blocks(table: Table, groups: Sequence[Group], layout: _Layout) -> list[str]:
    """The headings and rows of each block of columns, rules between groups."""
    lines: list[str] = []
    for block in layout.blocks:
        parts = [_rows(table, [table.headings], block, layout)]
        parts += [_rows(table, group.rows, block, layout) for group in groups]
        rule = "-" * max(display_width(line) for part in parts for line in part)
        if lines:
            lines.append("")
        for i, part in enumerate(parts):
            lines += [*([rule] if i and len(groups) > 1 else []), *part]
    return lines


def _rows(table: Table, rows: Sequence[Row], block: list[int], layout: _Layout) -> list[str]:
    lines = []
    for row in rows:
        cells = [
            folded(row[j], layout.widths[j], _CONTINUED if layout.widths[j] >= _LEAST_NAME else "")
            for j in block
        ]
        for i in range(max(map(len, cells), default=0)):
            parts = []
            for j, cell in zip(block, cells, strict=True):
                text = cell[i] if i < len(cell) else ""
                space = " " * (layout.widths[j] - display_width(text))
                parts.append(text + space if j in table.left else space + text)
            lines.append((_INDENT + layout.gap.join(parts)).rstrip())
    return lines


def _layout(table: Table, width: int) -> _Layout:
    """Smaller gaps first, then folded names, then blocks of columns that repeat the names."""
    lines = [table.headings, *table.rows]
    n = len(table.headings)
    widths = [max(display_width(line[j]) for line in lines) for j in range(n)]
    whole = [list(range(n))]
    for gap in ("  ", " "):
        if _total(widths, gap) <= width:
            return _Layout(widths, gap, whole)
    narrow = _narrowed(table, widths, _total(widths, " ") - width)
    if _total(narrow, " ") <= width:
        return _Layout(narrow, " ", whole)
    return _in_blocks(table, widths, width)


def _total(widths: Sequence[int], gap: str) -> int:
    return len(_INDENT) + sum(widths) + len(gap) * max(0, len(widths) - 1)


def _narrowed(table: Table, widths: list[int], excess: int) -> list[int]:
    """The widths with those of names reduced, the widest first, as far as their parts stay whole."""
    result = list(widths)
    texts = {j: [table.headings[j], *(row[j] for row in table.rows)] for j in sorted(table.left)}
    least = {
        j: min(widths[j], max(_LEAST_NAME, len(_CONTINUED) + max(map(least_width, cells))))
        for j, cells in texts.items()
    }
    while excess > 0:
        free = [j for j in least if result[j] > least[j]]
        if not free:
            break
        result[max(free, key=lambda j: result[j])] -= 1
        excess -= 1
    return result


def _in_blocks(table: Table, widths: list[int], width: int) -> _Layout:
    gap = "  "
    names = list(range(table.labels))
    # Names leave half of the width to the numbers.
    room = max(_LEAST_NAME, (width // 2) // max(1, len(names)))
    widths = [min(w, room) if j in names else w for j, w in enumerate(widths)]
    widths = [min(w, width - _total([widths[i] for i in names], gap) - len(gap)) if j in table.left else w
              for j, w in enumerate(widths)]  # fmt: skip
    blocks: list[list[int]] = []
    for j in range(table.labels, len(widths)):
        if blocks and _total([widths[i] for i in (*blocks[-1], j)], gap) <= width:
            blocks[-1].append(j)
        else:
            blocks.append([*names, j])
    return _Layout(widths, gap, blocks or [names])
