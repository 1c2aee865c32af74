"""Tables in HTML, LaTeX and Markdown, from cells that hold plain text."""

from __future__ import annotations

import html
import re
from collections.abc import Container, Iterable, Sequence

Row = Sequence[str]

_LATEX = str.maketrans({
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "^": r"\textasciicircum{}",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "%": r"\%",
    "|": r"\textbar{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "±": r"$\pm$",
    "χ": r"$\chi$",
    "²": r"\textsuperscript{2}",
    "³": r"\textsuperscript{3}",
    "∞": r"$\infty$",
    "→": r"$\to$",
    "…": r"\ldots{}",
})  # fmt: skip
_MARKDOWN = str.maketrans({c: f"\\{c}" for c in "\\|*_`$"})
_TAG = re.compile(r"<(?=[A-Za-z/!?])")


def html_table(
    headings: Row, bodies: Iterable[Iterable[Row]], left: Container[int] = (0,), notes: Sequence[str] = ()
) -> str:
    """A ``<table>`` with a ``<tbody>`` for each group of rows and notes in its foot."""

    def cell(j: int, text: str) -> str:
        side = "left" if j in left else "right"
        return f'<td style="text-align:{side}">{html.escape(text.strip())}</td>'

    head = "".join(f"<th>{html.escape(heading)}</th>" for heading in headings)
    groups = "".join(
        "<tbody>"
        + "".join(f"<tr>{''.join(cell(j, text) for j, text in enumerate(row))}</tr>" for row in body)
        + "</tbody>"
        for body in bodies
    )
    foot = "<br>".join(map(html.escape, notes))
    if foot:
        foot = f'<tfoot><tr><td colspan="{len(headings)}">{foot}</td></tr></tfoot>'
    return f"<table><thead><tr>{head}</tr></thead>{groups}{foot}</table>"


def html_paragraphs(lines: Iterable[str]) -> str:
    """A ``<p>`` for each line."""
    return "".join(f"<p>{html.escape(line)}</p>" for line in lines)


def latex_table(
    headings: Row,
    bodies: Iterable[Iterable[Row]],
    left: Container[int] = (0,),
    notes: Iterable[str] = (),
    title: Iterable[str] = (),
) -> str:
    """
    A ``tabular`` with the rules of the booktabs package, one between groups of rows.

    Lines of a title are above the rules, notes below.
    """
    columns = "".join("l" if j in left else "r" for j in range(len(headings)))

    def across(text: str) -> str:
        return rf"\multicolumn{{{len(headings)}}}{{l}}{{{latex_text(text)}}} \\"

    lines = [rf"\begin{{tabular}}{{{columns}}}", *map(across, title), r"\toprule", _latex_row(headings)]
    for body in bodies:
        lines += [r"\midrule", *map(_latex_row, body)]
    lines.append(r"\bottomrule")
    return "\n".join([*lines, *map(across, notes), r"\end{tabular}"])


def latex_text(text: str) -> str:
    """Plain text as LaTeX prints it."""
    return text.strip().translate(_LATEX)


def markdown_table(headings: Row, rows: Iterable[Row], left: Container[int] = (0,)) -> str:
    """A table of GitHub's flavour of Markdown."""
    rules = "".join(":--|" if j in left else "--:|" for j in range(len(headings)))
    return "\n".join([_markdown_row(headings), f"|{rules}", *map(_markdown_row, rows)])


def markdown_text(text: str) -> str:
    """Plain text as Markdown prints it."""
    return _TAG.sub(r"\\<", text.strip().translate(_MARKDOWN))


def markdown_lines(lines: Iterable[str]) -> str:
    """Lines that stay lines."""
    return "  \n".join(map(markdown_text, lines))


def _latex_row(cells: Row) -> str:
    # A bracket at the start of a row would be read as an argument of the line break above it.
    texts = [latex_text(cell) for cell in cells]
    if texts and texts[0].startswith("["):
        texts[0] = f"{{{texts[0]}}}"
    return " & ".join(texts) + r" \\"


def _markdown_row(cells: Row) -> str:
    return f"| {' | '.join(map(markdown_text, cells))} |"
