"""
Pages in HTML for notebooks.

Colours are those of the page around it, light or dark. The style sheet applies to elements of its own
class only; where a viewer removes it, attributes still align the columns.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from .page import Facts, Page, Section, Table

_CLASS = "mixedmodels"
_RULES = (
    ("", "line-height:1.4;font-variant-numeric:tabular-nums"),
    (" p", "margin:.55em 0 .15em!important"),
    (" div", "overflow-x:auto"),
    (
        " table",
        "table-layout:auto!important;width:auto!important;margin:.15em 0!important;border-collapse:collapse;"
        "border:0!important;border-top:1px solid currentColor!important;"
        "border-bottom:1px solid currentColor!important;font-size:inherit!important",
    ),
    (" tr", "background:none!important;border:0!important"),
    (
        " td",
        "padding:.12em .6em!important;border:0!important;white-space:nowrap;vertical-align:top;"
        "text-align:right!important;max-width:none",
    ),
    (
        " th",
        "padding:.12em .6em!important;border:0!important;white-space:nowrap;vertical-align:bottom;"
        "text-align:right!important;font-weight:600;max-width:none",
    ),
    (" [align=left]", "text-align:left!important;white-space:normal;overflow-wrap:break-word"),
    (" thead", "border-bottom:1px solid currentColor!important"),
    (" tbody+tbody", "border-top:1px solid currentColor!important"),
    (" i", "font-style:normal;opacity:.45;padding:0 .3em"),
    (" small", "font-size:.92em;opacity:.85;display:block;max-width:64em"),
)
_STYLE = "".join(f".{_CLASS}{selector}{{{rules}}}" for selector, rules in _RULES)


def html_page(page: Page) -> str:
    """A page as one ``<div>`` with its style sheet."""
    sections = "\n".join(filter(None, map(_section, page.sections)))
    return f'<div class="{_CLASS}"><style>{_STYLE}</style>\n{sections}\n</div>'


def _section(section: Section) -> str:
    parts = []
    first, *more = [*section.heading, ""]
    first = escape(first.strip().rstrip(":"))
    others = [escape(line.strip()) for line in more if line]
    if isinstance(section.body, Facts):
        title = f"<b>{first}</b> " if first else ""
        facts = " <i>·</i> ".join(map(escape, section.body.words()))
        parts.append(f"<p>{'<br/>'.join([*others, title + facts])}</p>")
    elif first:
        parts.append(f"<p>{'<br/>'.join([f'<b>{first}</b>', *others])}</p>")
    if isinstance(section.body, Table):
        parts.append(f"<div>{_table(section.body)}</div>")
    notes = "<br/>".join(escape(note.strip()) for note in section.notes)
    if notes:
        small = f"<small>{notes}</small>"
        parts.append(small if section.body else f"<p>{small}</p>")
    return "\n".join(parts)


def _table(table: Table) -> str:
    def cells(tag: str, texts: Iterable[str]) -> str:
        return "".join(
            f'<{tag} align="{"left" if j in table.left else "right"}">{escape(text)}</{tag}>'
            for j, text in enumerate(texts)
        )

    def title(text: str) -> str:
        across = f'<th align="left" colspan="{len(table.headings)}">'
        return f"<tr>{across}{escape(text)}</th></tr>" if text else ""

    bodies = "\n".join(
        f"<tbody>{title(group.title)}"
        + "\n".join(f"<tr>{cells('td', row)}</tr>" for row in group.rows)
        + "</tbody>"
        for group in table.groups
    )
    head = f"<thead><tr>{cells('th', table.headings)}</tr></thead>"
    return f"<table>\n{head}\n{bodies}\n</table>"
