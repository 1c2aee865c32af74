"""Sums of terms: ``x + f * g - 1`` as the list of its terms, separate from bars and offsets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NamedTuple, NoReturn

from .expression import parse_expression
from .function_table import FUNCTIONS
from .nodes import Call, Name, Node, is_plain, walk, write
from .scope import Scope, error_at, missing_column
from .tokens import Token

# A product of fewer variables is expanded here, as importing formulaic takes longer than a small fit.
_FEW = 50
_SPACED = frozenset({"+", "-", "*", "~", "|", "||", "in"})


@dataclass(frozen=True)
class TermList:
    """
    A sum of terms, each a product of factors.

    Attributes
    ----------
    factors : tuple of Node
        The columns and expressions, without repeats.
    terms : tuple of tuple of int
        Each term as positions in ``factors``; ``()`` is the intercept. Sorted by the number of
        factors, otherwise in the order of the formula.
    """

    factors: tuple[Node, ...]
    terms: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class SelfProduct:
    """
    A power or product of a variable with itself, such as ``x**2`` or ``x:x``, which means just the variable.

    Attributes
    ----------
    text : str
        As written.
    node : Node
        The variable.
    power : int
    """

    text: str
    node: Node
    power: int


@dataclass
class Reader:
    """State shared by the parts of one formula during parsing."""

    source: str
    scope: Scope
    # The columns that "." means; called only when the formula contains a ".".
    everything_else: Callable[[], Sequence[str]]
    nodes: dict[tuple[int, int], Node] = field(default_factory=dict)
    self_products: list[SelfProduct] = field(default_factory=list)

    def fail(self, message: str, token: Token | None = None, start: int | None = None) -> NoReturn:
        raise error_at(message, self.source, token.start if token is not None else start)

    def node(self, token: Token) -> Node:
        """The column or expression of a name or call token."""
        place = (token.start, token.end)
        if place not in self.nodes:
            if token.kind == "name":
                if token.text not in self.scope.columns:
                    if token.text in FUNCTIONS:
                        self.fail(
                            f"{token.text!r} is a function: write {token.text}(...) without a space", token
                        )
                    raise missing_column(token.text, self.scope, self.source, token.start)
                self.nodes[place] = Name(token.text)
            else:
                self.nodes[place] = parse_expression(self.source, self.scope, token.start, token.end)
        return self.nodes[place]

    def write(self, tokens: Sequence[Token]) -> str:
        """The canonical text of a part of the formula."""
        out: list[str] = []
        for i, token in enumerate(tokens):
            before = tokens[i - 1] if i else None
            if token.kind in ("name", "call"):
                out.append(write(self.node(token)))
            elif token.text == ".":
                names = [n if is_plain(n) else f"`{n}`" for n in self.everything_else()]
                out.append(" + ".join(names) if len(tokens) == 1 else f"({' + '.join(names)})")
            elif token.kind == "operator" and token.text in _SPACED:
                text = "%in%" if token.text == "in" else token.text
                unary = before is None or before.text in ("(", "~", "+", "-", "|", "||")
                out.append(text if unary else f" {text} ")
            else:
                out.append(token.text)
        return "".join(out)


class Bar(NamedTuple):
    """A random-effects term: the tokens in its parentheses, and the covariance structure before them."""

    tokens: Sequence[Token]
    structure: Token | None
    options: Sequence[Token]


@dataclass
class Sum:
    """The parts of a sum: signed products, random-effects terms, offsets."""

    operands: list[tuple[str, Sequence[Token]]] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    offsets: list[Node] = field(default_factory=list)


def split_sum(tokens: Sequence[Token], reader: Reader, *, inside_bar: bool = False) -> Sum:
    """
    Split a sum at its top-level ``+`` and ``-``.

    Parameters
    ----------
    tokens : sequence of Token
    reader : Reader
    inside_bar : bool
        Whether this is the left side of a random-effects term, which has neither bars nor offsets.
    """
    parts = Sum()
    sign, start = "+", 0
    expecting = True
    levels = _levels(tokens)
    for i, token in enumerate([*tokens, None]):
        if token is not None and not (token.text in "+-" and token.kind == "operator" and levels[i] == 0):
            expecting = False
            continue
        if not expecting:
            _operand(sign, tokens[start:i], reader, parts, inside_bar)
            sign = "+"
        elif token is None:
            reader.fail("a term is missing at the end", start=tokens[-1].end if tokens else None)
        if token is not None and token.text == "-":
            sign = "-" if sign == "+" else "+"
        start, expecting = i + 1, True
    return parts


def _levels(tokens: Sequence[Token]) -> list[int]:
    """How many parentheses are open before each token."""
    steps = (0 if t.kind != "bracket" else 1 if t.text == "(" else -1 for t in tokens)
    return list(accumulate(steps, initial=0))


def _operand(sign: str, tokens: Sequence[Token], reader: Reader, parts: Sum, inside_bar: bool) -> None:
    bar = next((t for t in tokens if t.kind == "operator" and t.text in ("|", "||")), None)
    if bar is not None:
        if inside_bar:
            reader.fail("a random-effects term has one bar: (terms | group)", bar)
        structure = tokens[0] if tokens[0].kind == "structure" else None
        tokens = tokens if structure is None else tokens[1:]
        if not _bracketed(tokens):
            reader.fail(
                "put the random-effects term in its own parentheses and add it: ... + (terms | group)",
                bar,
            )
        inner = tokens[1:-1]
        levels = _levels(inner)
        if any(t is bar and levels[i] == 0 for i, t in enumerate(inner)):
            if sign == "-":
                reader.fail("a random-effects term cannot be subtracted; leave it out", bar)
            options = [token for token in inner if token.kind == "option"]
            parts.bars.append(Bar(inner[: len(inner) - len(options)], structure, options))
            return
        nested = split_sum(inner, reader)
        if sign == "-":
            reader.fail("a random-effects term cannot be subtracted; leave it out", bar)
        parts.operands += nested.operands
        parts.bars += nested.bars
        parts.offsets += nested.offsets
        return
    if len(tokens) == 1 and tokens[0].kind == "call":
        node = reader.node(tokens[0])
        if isinstance(node, Call) and node.function == "offset":
            if inside_bar or sign == "-":
                reader.fail(
                    "an offset can only be added to the fixed part; for -x write offset(-x)", tokens[0]
                )
            parts.offsets.append(node.arguments[0])
            return
    parts.operands.append((sign, tokens))


def _bracketed(tokens: Sequence[Token]) -> bool:
    """Whether one pair of parentheses encloses all the tokens."""
    if len(tokens) < 2 or tokens[0].text != "(" or tokens[-1].text != ")":
        return False
    return all(level > 0 for level in _levels(tokens)[1:-1])


def read_terms(operands: Sequence[tuple[str, Sequence[Token]]], reader: Reader) -> TermList:
    """
    Expand the operands of a sum; there is an intercept unless the formula removes it.

    Returns
    -------
    TermList
    """
    factors: dict[str, int] = {}
    nodes: list[Node] = []
    found: dict[frozenset[int], tuple[int, ...]] = {frozenset(): ()}

    def number(node: Node, token: Token) -> int:
        for inner in walk(node):
            if isinstance(inner, Call) and inner.function in ("offset", "cbind"):
                part = "added to the fixed part" if inner.function == "offset" else "the response"
                reader.fail(f"{inner.function}() can only be {part}, as a whole", token)
        text = write(node)
        if text not in factors:
            factors[text] = len(nodes)
            nodes.append(node)
        return factors[text]

    for sign, tokens in operands:
        if sign == "+" and len(tokens) > 1:
            reader.self_products += _self_products(tokens, reader)
        for term in _products(tokens, reader, number):
            if term is None:
                sign = "-" if sign == "+" else "+"
                term = ()
            key = frozenset(term)
            if sign == "+":
                found.setdefault(key, term)
            else:
                found.pop(key, None)
    return TermList(tuple(nodes), tuple(sorted(found.values(), key=len)))


def _self_products(tokens: Sequence[Token], reader: Reader) -> Iterator[SelfProduct]:
    """The powers of one variable, and the products in which a variable occurs more than once."""
    i = 0
    while i < len(tokens):
        start, end = i, i
        powers: dict[Node, int] = {}
        while (factor := _factor_at(tokens, i, reader)) is not None:
            node, power, end = factor
            powers[node] = powers.get(node, 0) + power
            i = end
            if i == len(tokens) or tokens[i].text not in (":", "*"):
                break
            i += 1
        for node, power in powers.items():
            if power > 1:
                yield SelfProduct(reader.source[tokens[start].start : tokens[end - 1].end], node, power)
        i = max(i, start + 1)


def _factor_at(tokens: Sequence[Token], i: int, reader: Reader) -> tuple[Node, int, int] | None:
    """A variable, with or without parentheses, its power, and the position of the next token."""
    if i < len(tokens) and tokens[i].kind in ("name", "call"):
        node, i = reader.node(tokens[i]), i + 1
    elif i + 2 < len(tokens) and tokens[i].text == "(" and tokens[i + 2].text == ")":
        if tokens[i + 1].kind not in ("name", "call"):
            return None
        node, i = reader.node(tokens[i + 1]), i + 3
    else:
        return None
    power = 1
    while i + 1 < len(tokens) and tokens[i].text in ("^", "**") and tokens[i + 1].kind == "value":
        exponent = tokens[i + 1].text
        # Other exponents are refused when the term is expanded.
        power, i = power * (int(exponent) if exponent.isdecimal() and len(exponent) < 5 else 1), i + 2
    return node, power, i


def _products(
    tokens: Sequence[Token], reader: Reader, number: Callable[[Node, Token], int]
) -> Sequence[tuple[int, ...] | None]:
    """The terms of one operand; None for a literal 0 (no intercept)."""
    if len(tokens) == 1:
        token = tokens[0]
        if token.kind in ("name", "call"):
            return [(number(reader.node(token), token),)]
        if token.kind == "value":
            if token.text not in ("0", "1"):
                reader.fail(
                    f"the number {token.text} cannot be a term; only 0 and 1 (for the intercept) can", token
                )
            return [() if token.text == "1" else None]
        if token.text == ".":
            return [(number(Name(name), token),) for name in reader.everything_else()]
    pieces: list[str] = []
    for i, token in enumerate(tokens):
        if token.kind in ("name", "call"):
            pieces.append(f"v{number(reader.node(token), token)}")
        elif token.text == "." and token.kind == "operator":
            numbers = [number(Name(name), token) for name in reader.everything_else()]
            pieces += ["(", *" + ".join(f"v{n}" for n in numbers).split(), ")"]
        else:
            if token.kind == "value":
                _check_number(tokens, i, reader)
            pieces.append(token.text)
    return multiply_out(pieces, reader.source, tokens[0].start)


def multiply_out(pieces: Sequence[str], source: str, start: int) -> list[tuple[int, ...]]:
    """
    The terms of a product, each as the numbers of its variables.

    Parameters
    ----------
    pieces : sequence of str
        Operators, brackets, numbers, and ``"v0"``, ``"v1"``, ... for the variables.
    source, start
        For error messages.
    """
    names, operators = pieces[::2], pieces[1::2]
    plain = len(operators) < len(names) < _FEW and set(operators) <= {":"}
    if plain and all(name[0] == "v" for name in names):
        return [tuple(dict.fromkeys(int(name[1:]) for name in names))]
    from .formulaic_compat import expand

    return expand(pieces, source, start)


def _check_number(tokens: Sequence[Token], i: int, reader: Reader) -> None:
    before = tokens[i - 1].text if i else "("
    after = tokens[i + 1].text if i + 1 < len(tokens) else ")"
    if before in ("^", "**"):
        if not tokens[i].text.isdecimal() or not tokens[i].text.strip("0"):
            reader.fail("the power of a formula must be a positive whole number", tokens[i])
    elif "/" in (before, after):
        reader.fail(
            "a/b means a + a:b and does not divide numbers; for arithmetic write I(...)",
            tokens[i],
        )
    elif tokens[i].text not in ("0", "1") or before not in "(+-" or after not in ")+-":
        reader.fail(
            f"the number {tokens[i].text} cannot be multiplied here; for arithmetic write I(...)", tokens[i]
        )
