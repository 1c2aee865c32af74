"""Columns of texts under headings, in text, HTML, LaTeX and Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..wording import display_width, one_line
from .markup import html_table, latex_table, markdown_table


@dataclass(frozen=True)
class TextTable:
    """
    Columns of texts under headings.

    Parameters
    ----------
    headings : sequence of str
    rows : sequence of sequences of str
    left : frozenset of int
        Columns that are aligned to the left; the others are aligned to the right.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: frozenset[int] = frozenset({0})

    @classmethod
    def from_columns(
        cls, columns: Sequence[tuple[str, Sequence[str]]], left: Iterable[int] = (0,)
    ) -> TextTable:
        headings = tuple(one_line(heading) for heading, _ in columns)
        rows = tuple(zip(*(tuple(map(one_line, cells)) for _, cells in columns), strict=True))
        return cls(headings, rows, frozenset(left))

    def text(self, indent: str = " ") -> str:
        lines = [self.headings, *self.rows]
        widths = [max(display_width(line[j]) for line in lines) for j in range(len(self.headings))]
        return "\n".join(indent + self._line(line, widths).rstrip() for line in lines)

    def _line(self, cells: Sequence[str], widths: Sequence[int]) -> str:
        parts = []
        for j, (cell, width) in enumerate(zip(cells, widths, strict=True)):
            space = " " * (width - display_width(cell))
            parts.append(cell + space if j in self.left else space + cell)
        return "  ".join(parts)

    def html(self) -> str:
        """A ``<table>``."""
        return html_table(self.headings, [self.rows], self.left)

    def latex(self, notes: Sequence[str] = (), title: Sequence[str] = ()) -> str:
        """A ``tabular`` with the rules of the booktabs package, a title above and notes below."""
        return latex_table(self.headings, [self.rows], self.left, notes, title)

    def markdown(self) -> str:
        """A table of GitHub's flavour of Markdown."""
        return markdown_table(self.headings, self.rows, self.left)
