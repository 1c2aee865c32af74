"""Pages in LaTeX: ``tabular`` environments with the rules of the booktabs package."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..wording import display_width
from .fold import all_folded
from .page import Facts, Page, Row, Section, Table

_SYMBOLS = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "varepsilon", "ζ": "zeta", "η": "eta",
    "θ": "theta", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho",
    "σ": "sigma", "τ": "tau", "φ": "varphi", "χ": "chi", "ψ": "psi", "ω": "omega", "Γ": "Gamma", "Δ": "Delta",
    "Θ": "Theta", "Λ": "Lambda", "Π": "Pi", "Σ": "Sigma", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
    "±": "pm", "×": "times", "≤": "leq", "≥": "geq", "≈": "approx", "∞": "infty", "→": "to",
}  # fmt: skip
_ESCAPES = str.maketrans({
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
    "²": r"\textsuperscript{2}",
    "³": r"\textsuperscript{3}",
    "…": r"\ldots{}",
    "·": r"\textperiodcentered{}",
    **{letter: rf"$\{name}$" for letter, name in _SYMBOLS.items()},
})  # fmt: skip
# Lines above and below a narrow table may be this many characters long.
_LEAST_WIDTH = 72


def latex_page(page: Page) -> str:
    """A page; lines that belong to no table are paragraphs."""
    return "\n\n".join(map(_section, page.sections))


def latex_text(text: str) -> str:
    """Plain text as LaTeX prints it."""
    return text.strip().translate(_ESCAPES)


def _section(section: Section) -> str:
    if isinstance(section.body, Table):
        return _table(section.body, section.heading, section.notes)
    lines = [latex_text(line) for line in (*section.heading, *section.notes)]
    if isinstance(section.body, Facts):
        facts = latex_text(", ".join(section.body.words()))
        if section.heading:
            lines[0] = f"{_title(section.heading[0])} {facts}"
        else:
            lines.insert(0, facts)
    return "\n\n".join(lines)


def _title(line: str) -> str:
    return rf"\textbf{{{latex_text(line.strip().rstrip(':'))}}}"


def _table(table: Table, heading: Sequence[str], notes: Sequence[str]) -> str:
    """The heading above the rules, the notes below; long lines are folded to the width of the table."""
    columns = "".join("l" if j in table.left else "r" for j in range(len(table.headings)))
    texts = zip(table.headings, *table.rows, strict=True)
    width = sum(2 + max(map(display_width, column)) for column in texts)

    def across(texts: Iterable[str]) -> list[str]:
        width_of_all = max(width, _LEAST_WIDTH)
        return [
            rf"\multicolumn{{{len(columns)}}}{{l}}{{{latex_text(line)}}} \\"
            for text in texts
            for line in all_folded([text.strip()], width_of_all, "")
        ]

    result = [
        rf"\begin{{tabular}}{{{columns}}}",
        *across(line.rstrip(":") for line in heading),
        r"\toprule",
        _row(table.headings),
    ]
    for group in table.groups:
        result += [r"\midrule", *across([group.title] if group.title else []), *map(_row, group.rows)]
    return "\n".join([*result, r"\bottomrule", *across(notes), r"\end{tabular}"])


def _row(cells: Row) -> str:
    first, *rest = map(latex_text, cells)
    return " & ".join([_guarded(first), *rest]) + r" \\"


def _guarded(text: str) -> str:
    """A bracket or a star at the start of a line would belong to the line break above it."""
    return f"{{{text}}}" if text.startswith(("[", "*")) else text
