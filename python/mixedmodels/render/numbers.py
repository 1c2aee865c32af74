"""Numbers as texts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from ..checks import one_of, whole_number

# Significant digits of estimates, when nobody asks for more or fewer.
DIGITS = 5

PStyle = Literal["exact", "apa"]
P_STYLES: tuple[PStyle, ...] = ("exact", "apa")

# Fixed notation up to here; larger numbers are easier to read with an exponent.
_LARGEST_FIXED = 1e9
_SMALLEST_FIXED = 1e-4
_WIDEST_SPREAD = 6


def format_number(value: float, digits: int = DIGITS) -> str:
    """One number with this many significant digits; never fewer than its integer part needs."""
    return format_column([value], digits)[0]


def percent(share: float) -> str:
    """
    A share in per cent, such as the level of a confidence limit: four digits of its distance from 0 or 1.

    Examples
    --------
    >>> from mixedmodels.render.numbers import percent
    >>> percent(0.975), percent(0.9999995)
    ('97.5 %', '99.99995 %')
    """
    tail = 100.0 * min(share, 1.0 - share)
    decimals = max(0, 3 - math.floor(math.log10(tail))) if tail > 0.0 else 4
    text = f"{100.0 * share:.{min(decimals, 15)}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"


def format_column(
    values: Iterable[float],
    digits: int = DIGITS,
    most_decimals: int | None = None,
    zeros: bool = False,
) -> list[str]:
    """
    Numbers of one column with a common number of decimals; the decimal points line up.

    The smallest nonzero number gets `digits` significant digits. Columns that hold very different
    magnitudes have each number in its own shortest form.

    Parameters
    ----------
    values : iterable of float
    digits : int
        Significant digits of the smallest number.
    most_decimals : int, optional
        Upper limit on the decimals in fixed notation.
    zeros : bool
        Keep the zeros that all numbers end in.

    Examples
    --------
    >>> from mixedmodels.render.numbers import format_column
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
            texts = format_fixed(numbers, decimals) if zeros else _fixed(numbers, decimals)
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
        With `digits` significant digits, down to ``<2e-16``; or in the style of the American Psychological
        Association: three decimals without a leading zero, down to ``< .001``.
    digits : int

    Examples
    --------
    >>> from mixedmodels.render.numbers import format_p_value
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
    """The text of a number, without the sign of a number that rounds to zero."""
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
