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


def terminal_width() -> int | None:
    """Columns of the terminal that output goes to; None where it goes elsewhere."""
    out = sys.stdout
    if out is None or not out.isatty():
        return None
    return max(_LEAST_WIDTH, shutil.get_terminal_size((_USUAL_WIDTH, 24)).columns)


def text_page(page: Page, width: int | None = None) -> str:
    """
    A page as text.

    Parameters
    ----------
    page : Page
    width : int, optional
        Terminal columns; by default those of the terminal. Without one, tables are folded to 80 columns, and
        lines of text stay lines.
    """
    width = terminal_width() if width is None else width
    return "\n\n".join(filter(None, (_section(section, width) for section in page.sections)))


def _section(section: Section, width: int | None) -> str:
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


def _table(table: Table, width: int | None) -> list[str]:
    width = _USUAL_WIDTH if width is None else width
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
        parts = [_rows(table, [table.headings], block, layout, bottom=True)]
        parts += [_rows(table, group.rows, block, layout) for group in groups]
        rule = "-" * max(display_width(line) for part in parts for line in part)
        if lines:
            lines.append("")
        for i, part in enumerate(parts):
            lines += [*([rule] if i and len(groups) > 1 else []), *part]
    return lines


def _rows(
    table: Table, rows: Sequence[Row], block: list[int], layout: _Layout, bottom: bool = False
) -> list[str]:
    """The lines of rows; cells of fewer lines than others are at the top, or at the bottom."""
    lines = []
    for row in rows:
        cells = [folded(row[j], layout.widths[j], _continued(table, j, layout.widths[j])) for j in block]
        height = max(map(len, cells), default=0)
        for i in range(height):
            parts = []
            for j, cell in zip(block, cells, strict=True):
                k = i - (height - len(cell)) if bottom else i
                text = cell[k] if 0 <= k < len(cell) else ""
                space = " " * (layout.widths[j] - display_width(text))
                parts.append(text + space if j in table.left else space + text)
            lines.append((_INDENT + layout.gap.join(parts)).rstrip())
    return lines


def _continued(table: Table, j: int, width: int) -> str:
    """The beginning of further lines of a name."""
    return _CONTINUED if j in table.left and width >= _LEAST_NAME else ""


def _layout(table: Table, width: int) -> _Layout:
    """Smaller gaps first, then names folded at separators, then blocks of columns beside whole names."""
    lines = [table.headings, *table.rows]
    columns = range(len(table.headings))
    widths = [max(display_width(line[j]) for line in lines) for j in columns]
    whole = [list(columns)]
    for gap in ("  ", " "):
        if _total(widths, gap) <= width:
            return _Layout(widths, gap, whole)
    least = [min(widths[j], _least(table, j)) for j in columns]
    narrow = _narrowed(widths, least, _total(widths, " ") - width)
    if _total(narrow, " ") <= width:
        taken = [_taken(table, j, narrow[j]) for j in columns]
        return _Layout(taken, "  " if _total(taken, "  ") <= width else " ", whole)
    return _in_blocks(table, widths, least, width)


def _total(widths: Sequence[int], gap: str) -> int:
    return len(_INDENT) + sum(widths) + len(gap) * max(0, len(widths) - 1)


def _narrowed(widths: Sequence[int], least: Sequence[int], excess: int) -> list[int]:
    """The widths, reduced by the excess as far as they may be, the widest first."""
    result = list(widths)
    for _ in range(excess):
        free = [j for j, width in enumerate(result) if width > least[j]]
        if not free:
            break
        result[max(free, key=lambda j: result[j])] -= 1
    return result


def _taken(table: Table, j: int, width: int) -> int:
    """The width that a column takes when it is folded to a width."""
    texts = [table.headings[j], *(row[j] for row in table.rows)]
    return max(
        display_width(part) for text in texts for part in folded(text, width, _continued(table, j, width))
    )


def _least(table: Table, j: int) -> int:
    """The width to which a column can be folded without breaking its words; numbers stay whole."""
    heading, cells = least_width(table.headings[j]), [row[j] for row in table.rows]
    if j not in table.left:
        return max([heading, *map(display_width, cells)])
    return max(_LEAST_NAME, len(_CONTINUED) + max([heading, *map(least_width, cells)]))


def _in_blocks(table: Table, widths: list[int], least: list[int], width: int) -> _Layout:
    """Blocks of columns. Names are folded if they take more than half of a line, and broken if need be."""
    gap, names = "  ", list(range(table.labels))
    own, rest = [widths[j] for j in names], widths[table.labels :]
    own = _narrowed(own, [least[j] for j in names], _total(own, gap) - width // 2)
    # The widest of the other columns, or of those that are joined, has to fit beside them.
    runs = _runs(table)
    widest = max(sum(least[j] for j in run) + len(gap) * (len(run) - 1) for run in runs) if runs else 0
    beside = width - len(gap) - max(_LEAST_NAME, widest)
    own = _narrowed(own, [min(_LEAST_NAME, widths[j]) for j in names], _total(own, gap) - beside)
    left = max(_LEAST_NAME, width - _total(own, gap) - len(gap))
    numbers = [max([0, *(display_width(row[j]) for row in table.rows)]) for j in range(len(widths))]
    rest = [
        column if column <= left else left if j in table.left else max(numbers[j], left)
        for j, column in enumerate(rest, table.labels)
    ]
    widths = [*own, *rest]
    blocks: list[list[int]] = []
    for run in runs:
        if blocks and _total([widths[i] for i in (*blocks[-1], *run)], gap) <= width:
            blocks[-1] += run
            continue
        together = _total([widths[i] for i in (*names, *run)], gap) <= width
        blocks += [[*names, *part] for part in ([run] if together else [[j] for j in run])]
    return _Layout(widths, gap, blocks or [names])


def _runs(table: Table) -> list[list[int]]:
    """The columns beside the names, those together that are printed side by side."""
    runs: list[list[int]] = []
    for j in range(table.labels, len(table.headings)):
        if runs and j in table.joined:
            runs[-1].append(j)
        else:
            runs.append([j])
    return runs
