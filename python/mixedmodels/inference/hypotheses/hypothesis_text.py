"""Linear hypotheses as text: ``"a2 - a1 = 0"``, ``"2*x = z + 1"``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from ...errors import ArgumentError
from ...wording import listed

_NUMBER = re.compile(r"(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True, eq=False)
class _Linear:
    """A linear function of the coefficients and a constant."""

    weights: NDArray[np.float64]
    constant: float

    def __add__(self, other: _Linear) -> _Linear:
        return _Linear(self.weights + other.weights, self.constant + other.constant)

    def times(self, factor: float) -> _Linear:
        return _Linear(factor * self.weights, factor * self.constant)


def parse_hypothesis(
    text: str, names: Sequence[str], others: Mapping[str, str] | None = None
) -> tuple[NDArray[np.float64], float]:
    """
    Read a linear hypothesis.

    Parameters
    ----------
    text : str
        Sums of coefficients with numbers before, and ``=``; without ``=`` the sum is zero. A coefficient
        is called by one of its names, also in backticks.
    names : sequence of str, length p
        The coefficients.
    others : mapping of str to str, optional
        More names for them, such as R's: ``{"period2": "period[T.2]"}``.

    Returns
    -------
    row : ndarray, shape (p,)
    rhs : float

    Raises
    ------
    ArgumentError
        When the text is no such hypothesis; the message shows the place.

    Examples
    --------
    >>> from mixedmodels.inference.hypotheses.hypothesis_text import parse_hypothesis
    >>> parse_hypothesis("2*(a - b) = 1", ["a", "b"])
    (array([ 2., -2.]), 1.0)
    """
    reader = _Reader(text, names, {} if others is None else others)
    left = reader.sum()
    right = _Linear(np.zeros(len(names)), 0.0)
    if reader.takes("="):
        right = reader.sum()
    reader.end()
    difference = left + right.times(-1.0)
    if not difference.weights.any():
        raise ArgumentError(f"hypothesis {text!r} does not restrict any coefficient")
    return difference.weights, 0.0 - difference.constant


class _Reader:
    def __init__(self, text: str, names: Sequence[str], others: Mapping[str, str]) -> None:
        self.text, self.names, self.position = text, names, 0
        known = {name: i for i, name in enumerate(names)}
        known |= {other: known[name] for other, name in others.items() if other not in known}
        # The longest name that fits is meant.
        self.known = sorted(known.items(), key=lambda item: -len(item[0]))

    def sum(self) -> _Linear:
        total = _Linear(np.zeros(len(self.names)), 0.0)
        sign = -1.0 if self.takes("-") else 1.0
        if sign > 0:
            self.takes("+")
        while True:
            total = total + self.product().times(sign)
            if self.takes("+"):
                sign = 1.0
            elif self.takes("-"):
                sign = -1.0
            else:
                return total

    def product(self) -> _Linear:
        result = self.factor()
        while True:
            if self.takes("*"):
                other = self.factor()
                if result.weights.any() and other.weights.any():
                    self.fail("coefficients cannot be multiplied by each other")
                if other.weights.any():
                    result, other = other, result
                result = result.times(other.constant)
            elif self.takes("/"):
                other = self.factor()
                if other.weights.any() or other.constant == 0:
                    self.fail("only division by a nonzero number is possible")
                result = result.times(1.0 / other.constant)
            else:
                return result

    def factor(self) -> _Linear:
        self.skip()
        rest = self.text[self.position :]
        zero = np.zeros(len(self.names))
        # Before brackets and numbers: a name may begin with them.
        for name, i in self.known:
            for written in (f"`{name}`", name):
                if rest.startswith(written) and not self.goes_on(written):
                    self.position += len(written)
                    zero[i] = 1.0
                    return _Linear(zero, 0.0)
        if self.takes("("):
            inside = self.sum()
            if not self.takes(")"):
                self.fail("unclosed parenthesis")
            return inside
        number = _NUMBER.match(rest)
        if number is None:
            known = (
                f"the coefficients are: {listed(self.names, most=20)}"
                if self.names
                else "the model has no coefficients"
            )
            self.fail(f"expected a coefficient or a number; {known}")
        self.position += number.end()
        value = _Linear(zero, float(number[0]))
        self.skip()
        # "2 x" means 2 times x.
        following = self.text[self.position : self.position + 1]
        if following and following not in "+-*/=)":
            return self.factor().times(value.constant)
        return value

    def goes_on(self, written: str) -> bool:
        """Whether the word in the text is longer than the name."""
        following = self.text[self.position + len(written) :][:1]
        if not (written[-1].isalnum() or written[-1] in "_."):
            return False
        return following.isalnum() or following in ("_", ".", "[", ":", "(")

    def takes(self, symbol: str) -> bool:
        self.skip()
        if not self.text.startswith(symbol, self.position):
            return False
        self.position += len(symbol)
        return True

    def skip(self) -> None:
        while self.text[self.position : self.position + 1].isspace():
            self.position += 1

    def end(self) -> None:
        self.skip()
        if self.position < len(self.text):
            self.fail("unexpected text")

    def fail(self, message: str) -> NoReturn:
        raise ArgumentError(f"hypothesis: {message}\n  {self.text}\n  {' ' * self.position}^")
