"""
All contact with formulaic's internals: its tokenizer and its algebra of formula terms.

formulaic 1.2 has no random-effects bars, takes ``a %in% b`` for ``b + a:b``, and multiplies out
``(a + b)^k`` without bound. So its tokenizer cuts the text, ``split.py`` takes the bars out, and its
parser works out products of the rest, written with stand-in names, under the operators below.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import reduce
from typing import Any, NamedTuple

from formulaic.errors import FormulaicError
from formulaic.parser import DefaultFormulaParser, DefaultOperatorResolver
from formulaic.parser.algos.tokenize import tokenize as _tokenize
from formulaic.parser.types import Factor, Operator, OrderedSet, Term
from formulaic.parser.types import Token as _Token

from ..errors import FormulaError
from .scope import error_at

MAX_TERMS = 1000
_REPLACED = frozenset({"*", "/", "in", ":", "**", "^", ".", "~", "|"})
_TWO = frozenset({"||", "**"})
_QUOTED = re.compile(r"""`[^`]+`|"[^"]*"|'[^']*'""")


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


def tokenize(source: str, first: int = 0, last: int | None = None) -> list[Token]:
    """
    Cut a formula, or the part of it from one position to another, into tokens.

    Raises
    ------
    FormulaError
        For an unclosed bracket or quote, and for text that is no part of a formula.
    """
    found: list[Token] = []
    try:
        # Names and texts are data: the tokenizer sees a filler of the same length in their place.
        part = " " * first + source[first:last]
        raw = list(_tokenize(_QUOTED.sub(lambda m: m[0][0] + "_" * (len(m[0]) - 2) + m[0][0], part)))
    except FormulaicError:
        raise _unclosed(source) from None
    for token in raw:
        start = token.source_start or 0
        end = (token.source_end if token.source_end is not None else start) + 1
        kind = token.kind.value if token.kind is not None else ""
        if kind == "operator":
            found.extend(_operators(source, token, start))
        elif kind == "python":
            if source[start] == "{":
                raise error_at("braces are not allowed in a formula; write I(...)", source, start)
            found.append(Token("call", source[start:end], start, end))
        elif kind == "context":
            if token.token in "[]":
                raise error_at("square brackets are not allowed here", source, start)
            found.append(Token("bracket", token.token, start, end))
        elif kind == "value" and token.token[0] in "\"'":
            raise error_at("a text is not allowed here", source, start)
        elif token.token == ".":
            found.append(Token("operator", ".", start, end))
        else:
            if source[start] == "`":
                end = source.index("`", start + 1) + 1
            text = source[start + 1 : end - 1] if source[start] == "`" else token.token
            found.append(Token(kind, text, start, end))
    return found


def _operators(source: str, token: _Token, start: int) -> list[Token]:
    """A run of operator characters as single operators, with their places."""
    if source[start] == "%":
        end = source.index("%", start + 1) + 1
        if token.token.strip() != "in":
            raise error_at(f"operator {source[start:end]!r} is not known in formulas", source, start)
        return [Token("operator", "in", start, end)]
    found: list[Token] = []
    place = start
    for char in token.token:
        place = source.index(char, place)
        last = found[-1] if found else None
        if last is not None and last.end == place and last.text + char in _TWO:
            found[-1] = Token("operator", last.text + char, last.start, place + 1)
        elif char in "~+-*/:^|":
            found.append(Token("operator", char, place, place + 1))
        else:
            raise error_at(f"{char!r} is not an operator of formulas", source, place)
        place += 1
    return found


def _unclosed(source: str) -> FormulaError:
    """Say what formulaic's tokenizer found, with the place of the bracket or quote that is not closed."""
    stack: list[tuple[str, int]] = []
    quote: tuple[str, int] | None = None
    for i, char in enumerate(source):
        if quote is not None:
            quote = None if char == quote[0] else quote
        elif char in "\"'`":
            quote = (char, i)
        elif char in "([{":
            stack.append((char, i))
        elif char in ")]}" and stack:
            stack.pop()
    if quote is not None:
        return error_at(f"the quote {quote[0]} is not closed", source, quote[1])
    if stack:
        return error_at(f"the bracket '{stack[-1][0]}' is not closed", source, stack[-1][1])
    return error_at("the formula cannot be read", source, None)


def expand(pieces: Sequence[str], source: str, start: int) -> list[tuple[int, ...]]:
    """
    Multiply out a formula.

    Parameters
    ----------
    pieces : sequence of str
        Operators, brackets, numbers, and stand-ins ``"v0"``, ``"v1"``, ... for variables.
    source, start
        For the error message.

    Returns
    -------
    list of tuple of int
        Each term as the numbers of its variables; the intercept is ``()``. Not sorted.
    """
    try:
        terms: Any = _parser().get_terms(" ".join("%in%" if p == "in" else p for p in pieces))
    except _TooManyTermsError:
        raise error_at(
            f"the formula multiplies out to more than {MAX_TERMS} terms; use fewer variables",
            source,
            start,
        ) from None
    except _BadPowerError:
        raise error_at(
            "the power of a formula must be a whole number from 1 to 999999", source, start
        ) from None
    except (FormulaicError, RecursionError, AttributeError, TypeError):
        raise error_at(
            "the formula cannot be read: an operator or a variable is missing", source, start
        ) from None
    found = (tuple(int(f.expr[1:]) for f in term.factors if f.expr[0] == "v") for term in terms)
    return list(dict.fromkeys(found))


class _TooManyTermsError(Exception):
    pass


class _BadPowerError(Exception):
    pass


def _one() -> Term:
    return Term([Factor("1", eval_method="literal")])


def _multiply(a: Term, b: Term) -> Term:
    factors = [f for f in (*a.factors, *b.factors) if f.expr != "1"]
    return Term(factors) if factors else _one()


def _cross(left: Any, right: Any) -> Any:
    if len(left) * len(right) > 10 * MAX_TERMS:
        raise _TooManyTermsError
    found = OrderedSet(_multiply(a, b) for a in left for b in right)
    if len(found) > MAX_TERMS:
        raise _TooManyTermsError
    return found


def _nest(parents: Any, nested: Any) -> Any:
    if not len(parents):
        return nested
    return parents | _cross([reduce(_multiply, parents)], nested)


def _power(base: Any, exponent: Any) -> Any:
    term = next(iter(exponent), None)
    text = term.factors[0].expr if term is not None and len(term.factors) == 1 else ""
    if not (text.isdecimal() and text.isascii()) or len(text) > 6 or int(text) < 1:
        raise _BadPowerError
    result = base
    for _ in range(int(text) - 1):
        larger = _cross(result, base)
        if len(larger) == len(result) and not larger - result:
            break
        result = larger
    return result


class _Operators(DefaultOperatorResolver):
    """formulaic's ``+`` and ``-``; bounded products; R's ``%in%``."""

    @property
    def operators(self) -> list[Operator]:
        def binary(symbol: str, precedence: int, to_terms: Any, associativity: str = "left") -> Operator:
            return Operator(
                symbol, arity=2, precedence=precedence, associativity=associativity, to_terms=to_terms
            )

        return [
            *(op for op in super().operators if op.symbol not in _REPLACED),
            binary("*", 200, lambda a, b: OrderedSet((*a, *b)) | _cross(a, b)),
            binary("/", 200, _nest),
            binary("in", 250, _cross),
            binary(":", 300, _cross),
            binary("**", 500, _power, "right"),
            binary("^", 500, _power, "right"),
        ]


class _Parser(DefaultFormulaParser):
    # formulaic refuses 1:x as a rescaled x; here the 1 is gone already, and powers are literals too.
    def get_terms_from_ast(self, ast: Any, *, context: Any) -> Any:
        return ast.to_terms(context=context) if ast is not None else OrderedSet()


def _parser() -> DefaultFormulaParser:
    return _Parser(operator_resolver=_Operators(), include_intercept=False)
