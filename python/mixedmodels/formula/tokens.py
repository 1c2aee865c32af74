"""
The tokens of a formula: names, numbers, calls, operators and parentheses.

They agree with formulaic's tokenizer, which is not used because importing formulaic takes longer than fitting
a small model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple, NoReturn

from .scope import error_at


class Token(NamedTuple):
    """
    A piece of a formula.

    ``kind`` is "name", "value" (a number), "call" (a function with its arguments), "operator", "bracket",
    or, from ``structures.py``, "structure" or "option"; ``start`` and ``end`` are positions in the source.
    """

    kind: str
    text: str
    start: int
    end: int


_PIECE = re.compile(
    r"""\s*(?:
    `(?P<quoted>[^`]+)`
  | (?P<word>[\w.]+)
  | (?P<bracket>[()])
  | %\s*(?P<in>in)\s*%
  | (?P<operator>\*\*|\|\||[-~+*/:^|&])
  )""",
    re.VERBOSE,
)
_QUOTED = re.compile(r"""`[^`]*`|"[^"]*"|'[^']*'""")
_CLOSING = {"(": ")", "[": "]"}


def tokenize(source: str, first: int = 0, last: int | None = None) -> list[Token]:
    """
    Split a formula, or the part between two positions, into tokens.

    Raises
    ------
    FormulaError
        For an unclosed parenthesis or quote, and for anything that is not a token.
    """
    return list(_tokens(source, first, len(source) if last is None else last))


def _tokens(source: str, place: int, last: int) -> Iterator[Token]:
    while place < last and not source[place:last].isspace():
        match = _PIECE.match(source, place, last)
        if match is None:
            _refuse(source, place, last)
        kind, text = match.lastgroup or "", match[match.lastgroup or 0]
        start, place = match.start(kind), match.end()
        if kind == "quoted":
            yield Token("name", text, start - 1, place)
        elif kind == "word" and text == ".":
            yield Token("operator", text, start, place)
        elif kind == "word" and set(text) <= set("0123456789."):
            yield Token("value", text, start, place)
        elif kind == "word":
            while place < last and source[place] in _CLOSING:
                kind, place = "call", _after_bracket(source, place, last)
            yield Token("call" if kind == "call" else "name", source[start:place], start, place)
        elif kind == "in":
            yield Token("operator", text, source.rindex("%", 0, start), place)
        elif text == "&":
            # Julia's sign for an interaction.
            yield Token("operator", ":", start, place)
        else:
            yield Token(kind, text, start, place)


def _after_bracket(source: str, place: int, last: int) -> int:
    """The position after the bracket that closes the one at ``place``; quoted text is skipped."""
    opened: list[int] = []
    while place < last:
        char = source[place]
        if char in "\"'`":
            quoted = _QUOTED.match(source, place, last)
            if quoted is None:
                raise error_at(f"the quote {char} is not closed", source, place)
            place = quoted.end()
            continue
        if char in _CLOSING:
            opened.append(place)
        elif char == _CLOSING[source[opened[-1]]]:
            opened.pop()
        place += 1
        if not opened:
            return place
    name = "parenthesis" if source[opened[-1]] == "(" else "bracket"
    raise error_at(f"the {name} '{source[opened[-1]]}' is not closed", source, opened[-1])


def _refuse(source: str, place: int, last: int) -> NoReturn:
    """Raise the error for text that is not a token."""
    while source[place].isspace():
        place += 1
    char = source[place]
    end = source.find(char, place + 1, last)
    if char in "\"'`":
        message = "quoted text is not allowed here" if end > 0 else f"the quote {char} is not closed"
        raise error_at("the quotes are empty" if end == place + 1 else message, source, place)
    if char == "%" and end > 0:
        raise error_at(f"formulas have no operator {source[place : end + 1]!r}", source, place)
    if char in "{}":
        raise error_at("braces are not allowed in a formula; write I(...)", source, place)
    if char in "[]":
        raise error_at("square brackets are not allowed here", source, place)
    raise error_at(f"{char!r} is not an operator of formulas", source, place)
