"""Pages in GitHub's flavour of Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .page import Facts, Page, Row, Section, Table

_ESCAPES = str.maketrans({c: f"\\{c}" for c in "\\|*_`$"})
# The beginning of a tag, an entity, a link, a struck-out text.
_MARKUP = re.compile(r"<(?=[A-Za-z/!?])|&(?=#?\w+;)|(?<=\])(?=[(\[])|~(?=\S)|(?<=\S)~")


def markdown_page(page: Page) -> str:
    """A page; headings are bold."""
    return "\n\n".join(filter(None, map(_section, page.sections)))


def markdown_text(text: str) -> str:
    """Plain text as Markdown prints it."""
    return _MARKUP.sub(lambda found: f"\\{found.group()}", text.strip().translate(_ESCAPES))


def _section(section: Section) -> str:
    first, *more = [*map(markdown_text, section.heading), ""]
    lines = [f"**{first.rstrip(':')}**" if first else "", *more]
    if isinstance(section.body, Facts):
        lines[0] = f"{lines[0]} {markdown_text(' · '.join(section.body.words()))}".strip()
    parts = [_lines(lines)]
    if isinstance(section.body, Table):
        parts.append(_table(section.body))
    parts.append(_lines(map(markdown_text, section.notes)))
    return "\n\n".join(filter(None, parts))


def _lines(texts: Iterable[str]) -> str:
    """Lines that stay lines."""
    return "  \n".join(filter(None, texts))


def _table(table: Table) -> str:
    rules = "".join(":--|" if j in table.left else "--:|" for j in range(len(table.headings)))
    lines = [_row(table.headings), f"|{rules}"]
    for group in table.groups:
        if group.title:
            blank = ("",) * (len(table.headings) - 1)
            lines.append(_raw_row([f"**{markdown_text(group.title)}**", *blank]))
        lines += map(_row, group.rows)
    return "\n".join(lines)


def _row(cells: Row) -> str:
    return _raw_row(map(markdown_text, cells))


def _raw_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
