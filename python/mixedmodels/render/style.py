"""How numbers of each kind are written; the same in all tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .numbers import DIGITS, PStyle, check_digits, check_p_style, format_column, format_fixed, format_p_value

# Estimates, unless digits are given: six significant digits, but fewer than four decimals only where the
# smallest number still has three digits.
_DIGITS = 6
_ENOUGH_DECIMALS = 4
_ENOUGH_DIGITS = 3


@dataclass(frozen=True)
class Style:
    """
    The options of printing.

    Attributes
    ----------
    digits : int or None
        Significant digits of the smallest estimate in a column; None for the usual ones of a table.
    p_style : {"exact", "apa"} or None
        None for the usual one of a table.
    most_rows : int or None
        Tables are cut to so many rows; None for all rows.
    """

    digits: int | None = None
    p_style: PStyle | None = None
    most_rows: int | None = None

    @classmethod
    def of(cls, digits: object = None, p_style: object = None) -> Style:
        """From the arguments of `to_text` and the like."""
        return cls(
            None if digits is None else check_digits(digits),
            None if p_style is None else check_p_style(p_style),
        )

    def within(self, digits: int, p_style: PStyle = "exact") -> Style:
        """This style, with what it leaves open filled in."""
        return Style(self.digits or digits, self.p_style or p_style, self.most_rows)

    def estimates(self, values: ArrayLike) -> list[str]:
        """Estimates, standard errors, limits, sums of squares: numbers of any magnitude."""
        numbers = np.asarray(values, dtype=float)
        if self.digits is not None:
            return format_column(numbers, self.digits, most_decimals=self.digits + 1)
        sizes = np.abs(numbers[np.isfinite(numbers) & (numbers != 0.0)])
        place = math.floor(math.log10(sizes.min())) if sizes.size else 0
        return format_column(numbers, _DIGITS, max(_ENOUGH_DECIMALS, _ENOUGH_DIGITS - 1 - place))

    def ratios(self, values: Iterable[float]) -> list[str]:
        """t, z and F ratios."""
        return format_fixed(values, max(2, (self.digits or DIGITS) - 2))

    def degrees(self, values: Iterable[float]) -> list[str]:
        """Denominator degrees of freedom."""
        return format_fixed(values, max(1, (self.digits or DIGITS) - 3))

    def correlations(self, values: Iterable[float]) -> list[str]:
        """Correlations."""
        return format_fixed(values, max(2, (self.digits or DIGITS) - 2))

    def p_values(self, values: Iterable[float]) -> list[str]:
        """P-values."""
        digits = max(1, (self.digits or DIGITS) - 1)
        return [format_p_value(p, self.p_style or "exact", digits) for p in values]


def cells_of(
    values: ArrayLike, write: Callable[[NDArray[np.float64]], list[str]], missing: Sequence[str]
) -> list[str]:
    """
    The cells of a column of numbers.

    Parameters
    ----------
    values : array-like
    write : callable
        Writes the numbers that are not missing.
    missing : sequence of str
        For each row what a missing number is written as.
    """
    numbers = np.asarray(values, dtype=float)
    present = ~np.isnan(numbers)
    rest = iter(write(numbers[present]))
    return [next(rest) if there else mark for there, mark in zip(present, missing, strict=True)]
