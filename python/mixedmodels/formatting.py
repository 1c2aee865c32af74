"""Numbers and plain-text or HTML tables, for everything that prints."""

from __future__ import annotations

import html
import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# Fixed notation up to here; beyond, digits before the point say less than an exponent.
_LARGEST_FIXED = 1e9
_SMALLEST_FIXED = 1e-4
_WIDEST_SPREAD = 6


def format_number(value: float, digits: int = 5) -> str:
    """One number with this many significant digits; never fewer than its integer part needs."""
    return format_column([value], digits)[0]


def format_column(values: Iterable[float], digits: int = 5, most_decimals: int | None = None) -> list[str]:
    """
    Numbers of one column with a common number of decimals, so that the points stand below each other.

    The smallest nonzero number gets `digits` significant digits. Columns that hold very different
    magnitudes have each number in its own shortest form.

    Parameters
    ----------
    values : iterable of float
    digits : int
        Significant digits of the smallest number.
    most_decimals : int, optional
        Upper limit on the decimals in fixed notation.

    Examples
    --------
    >>> from mixedmodels.formatting import format_column
    >>> format_column([251.40510, 10.46729, float("nan")])
    ['251.405', ' 10.467', '    NaN']
    """
    numbers = [float(v) for v in values]
    sizes = [abs(v) for v in numbers if math.isfinite(v) and v != 0.0]
    if not sizes:
        texts = [_special(v) or "0" for v in numbers]
    else:
        low, high = math.floor(math.log10(min(sizes))), math.floor(math.log10(max(sizes)))
        if max(sizes) >= _LARGEST_FIXED or min(sizes) < _SMALLEST_FIXED or high - low > _WIDEST_SPREAD:
            texts = [_special(v) or f"{v:.{digits}g}" for v in numbers]
        else:
            decimals = max(0, digits - 1 - low)
            if most_decimals is not None:
                decimals = min(decimals, most_decimals)
            texts = _fixed(numbers, decimals)
    width = max(map(len, texts), default=0)
    return [text.rjust(width) for text in texts]


def format_fixed(values: Iterable[float], decimals: int) -> list[str]:
    """Numbers with exactly this many decimals; huge ones in exponent form."""
    return [
        _special(v) or (f"{v:.{decimals}f}" if abs(v) < _LARGEST_FIXED else f"{v:.{decimals + 2}g}")
        for v in map(float, values)
    ]


def format_p_value(p: float) -> str:
    """A p-value with four significant digits, or a bound where that says no more."""
    if math.isnan(p):
        return ""
    return "<2e-16" if p < 2e-16 else f"{p:.4g}"


def _special(value: float) -> str | None:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    return None


def _fixed(numbers: Sequence[float], decimals: int) -> list[str]:
    """Fixed notation without the zeros that end every number."""
    texts = [_special(v) or f"{v:.{decimals}f}" for v in numbers]
    fractions = [t.split(".")[1] for t in texts if "." in t]
    spare = min((len(f) - len(f.rstrip("0")) for f in fractions), default=0)
    if spare:
        cut = spare + 1 if spare == decimals else spare
        texts = [t[:-cut] if "." in t else t for t in texts]
    return texts


def display_width(text: str) -> int:
    """Number of terminal columns a text takes: wide East Asian characters take two, combining marks none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )


def one_line(text: str) -> str:
    """A name without characters that would break a table's rows."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def listed(parts: Sequence[str], separator: str = ", ", most: int = 5) -> str:
    """The parts in a sentence; of many the first ones and how many there are."""
    more = f"{separator}... ({len(parts)} in all)" if len(parts) > most else ""
    return separator.join(parts[:most]) + more


def shorten(text: str, width: int) -> str:
    """A name cut to a width, with an ellipsis where something is left out."""
    if display_width(text) <= width:
        return text
    kept = ""
    for c in text:
        if display_width(kept + c) >= width:
            break
        kept += c
    return kept + "…"


def keep_end(text: str, width: int) -> str:
    """A name cut to a width at its beginning: levels and last factors tell columns apart."""
    return shorten(text[::-1], width)[::-1]


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
        head = "".join(f"<th>{html.escape(h)}</th>" for h in self.headings)
        body = "".join(
            "<tr>"
            + "".join(f"<td{self._style(j)}>{html.escape(c.strip())}</td>" for j, c in enumerate(row))
            + "</tr>"
            for row in self.rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def _style(self, column: int) -> str:
        return f' style="text-align:{"left" if column in self.left else "right"}"'
