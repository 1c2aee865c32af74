"""Numbers and plain-text or HTML tables, for everything that prints."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .checks import one_of, whole_number
from .markup import html_table, latex_table, markdown_table

# Significant digits of estimates, when nobody asks for more or fewer.
DIGITS = 5

PStyle = Literal["exact", "apa"]
P_STYLES: tuple[PStyle, ...] = ("exact", "apa")

# Fixed notation up to here; beyond, digits before the point say less than an exponent.
_LARGEST_FIXED = 1e9
_SMALLEST_FIXED = 1e-4
_WIDEST_SPREAD = 6


def format_number(value: float, digits: int = DIGITS) -> str:
    """One number with this many significant digits; never fewer than its integer part needs."""
    return format_column([value], digits)[0]


def format_column(
    values: Iterable[float], digits: int = DIGITS, most_decimals: int | None = None
) -> list[str]:
    """
    Numbers of one column with a common number of decimals, so that the decimal points line up.

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
            texts = [_special(v) or _unsigned_zero(_shortest(v, digits)) for v in numbers]
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
        _special(v)
        or (_unsigned_zero(f"{v:.{decimals}f}") if abs(v) < _LARGEST_FIXED else f"{v:.{decimals + 2}g}")
        for v in map(float, values)
    ]


def format_decimals(value: float, decimals: int) -> str:
    """One number with exactly this many decimals, as in `format_fixed`."""
    return format_fixed([value], decimals)[0]


def format_p_value(p: float, style: PStyle = "exact", digits: int = 4) -> str:
    """
    A p-value.

    Parameters
    ----------
    p : float
    style : {"exact", "apa"}
        With `digits` significant digits, down to ``<2e-16``; or as the American Psychological Association
        asks for: three decimals without a leading zero, down to ``< .001``.
    digits : int

    Examples
    --------
    >>> from mixedmodels.formatting import format_p_value
    >>> format_p_value(0.0123456), format_p_value(0.0123456, "apa"), format_p_value(1e-5, "apa")
    ('0.01235', '.012', '< .001')
    """
    if math.isnan(p):
        return "NaN"
    if style == "exact":
        return "<2e-16" if p < 2e-16 else f"{p:.{digits}g}"
    if p < 0.001:
        return "< .001"
    return "> .999" if p > 0.999 else f"{p:.3f}".removeprefix("0")


def p_statement(p: float, style: PStyle = "exact") -> str:
    """``p = 0.04``, or ``p < ...`` for a bound."""
    text = format_p_value(p, style)
    return f"p {text[0]} {text[1:].strip()}" if text[0] in "<>" else f"p = {text}"


def check_p_style(value: Any) -> PStyle:
    """The ``p_style`` argument."""
    return one_of("p_style", value, P_STYLES)


def check_digits(value: Any) -> int:
    """The ``digits`` argument: a number of significant digits."""
    return whole_number("digits", value, 1, 15)


def _special(value: float) -> str | None:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    return None


def _shortest(value: float, digits: int) -> str:
    """As many significant digits, and more where the integer part has more."""
    if 10**digits <= abs(value) < _LARGEST_FIXED:
        return f"{value:.0f}"
    return f"{value:.{digits}g}"


def _unsigned_zero(text: str) -> str:
    """The text of a number; of one that is zero after rounding without a sign."""
    return text[1:] if text.startswith("-") and not float(text) else text


def _fixed(numbers: Sequence[float], decimals: int) -> list[str]:
    """Fixed notation without the zeros that end every number."""
    texts = [_special(v) or _unsigned_zero(f"{v:.{decimals}f}") for v in numbers]
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


def capital(text: str) -> str:
    """The text with its first letter as a capital, the others as they are."""
    return text[:1].upper() + text[1:]


def listed(parts: Sequence[str], separator: str = ", ", most: int = 5) -> str:
    """The parts in a sentence; of many the first ones and how many there are."""
    more = f"{separator}... ({len(parts)} in all)" if len(parts) > most else ""
    return separator.join(parts[:most]) + more


def unique_names(names: Sequence[str]) -> list[str]:
    """Names with ``.1``, ``.2`` after those that have come before."""
    counts: dict[str, int] = {}
    result = []
    for name in names:
        count = counts.get(name, 0)
        result.append(f"{name}.{count}" if count else name)
        counts[name] = count + 1
    return result


def counted(n: int, what: str) -> str:
    """``1 row``, ``2 rows``."""
    return f"{n} {what}{'' if n == 1 else 's'}"


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
        """A ``<table>``."""
        return html_table(self.headings, [self.rows], self.left)

    def latex(self, notes: Sequence[str] = (), title: Sequence[str] = ()) -> str:
        """A ``tabular`` with the rules of the booktabs package, a title above and notes below."""
        return latex_table(self.headings, [self.rows], self.left, notes, title)

    def markdown(self) -> str:
        """A table of GitHub's flavour of Markdown."""
        return markdown_table(self.headings, self.rows, self.left)
