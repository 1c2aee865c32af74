"""The syntax tree of one expression of a formula, such as ``log(x + 1)``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_PLAIN = re.compile(r"\.?[^\W\d][\w.]*")
# Words with a meaning inside expressions: a column of that name needs backticks there.
WORDS = frozenset({"and", "or", "not", "in", "TRUE", "FALSE", "True", "False", "None", "NULL"})


@dataclass(frozen=True)
class Number:
    """A literal number and its spelling."""

    value: float
    text: str


@dataclass(frozen=True)
class Text:
    """A literal string."""

    value: str


@dataclass(frozen=True)
class Flag:
    """TRUE or FALSE; None for NULL, an omitted argument."""

    value: bool | None


@dataclass(frozen=True)
class Name:
    """A column of the data."""

    name: str


@dataclass(frozen=True)
class Word:
    """A word used as an option, such as ``sum`` in ``C(x, sum)``."""

    word: str


@dataclass(frozen=True)
class Unary:
    """``-x``, ``+x`` or ``!x``."""

    operator: str
    operand: Node


@dataclass(frozen=True)
class Binary:
    """Arithmetic, comparison, logic or membership."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Call:
    """A call of a registered function."""

    function: str
    arguments: tuple[Node, ...]
    options: tuple[tuple[str, Node], ...] = ()


Node = Number | Text | Flag | Name | Word | Unary | Binary | Call

# How tightly an operator binds, as in R: ``-x^2`` is ``-(x^2)``, ``a > 1 & b < 2`` needs no parentheses.
PRECEDENCE = {
    "|": 10,
    "&": 20,
    "!": 30,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "in", "not in"), 40),
    "+": 50,
    "-": 50,
    "*": 60,
    "/": 60,
    "unary": 80,
    "^": 90,
    "**": 90,
}
_RIGHT = frozenset({"^", "**"})
_TIGHT = frozenset({"^"})


def write(node: Node) -> str:
    """The canonical text of an expression: one spelling for each tree."""
    if isinstance(node, Number):
        return node.text
    if isinstance(node, Text):
        return '"' + node.value + '"' if '"' not in node.value else "'" + node.value + "'"
    if isinstance(node, Flag):
        return {True: "TRUE", False: "FALSE", None: "NULL"}[node.value]
    if isinstance(node, Name):
        return node.name if is_plain(node.name) else f"`{node.name}`"
    if isinstance(node, Word):
        return node.word
    if isinstance(node, Unary):
        word = "not " if node.operator == "!" else node.operator
        return word + _operand(node.operand, _binding(node))
    if isinstance(node, Binary):
        own, gap = _binding(node), "" if node.operator in _TIGHT else " "
        right_first = node.operator in _RIGHT
        left = _operand(node.left, own + right_first)
        return f"{left}{gap}{node.operator}{gap}{_operand(node.right, own + (not right_first))}"
    arguments = [write(a) for a in node.arguments] + [f"{k}={write(v)}" for k, v in node.options]
    return f"{node.function}({', '.join(arguments)})"


def _binding(node: Node) -> int:
    if isinstance(node, Binary):
        return PRECEDENCE[node.operator]
    if isinstance(node, Unary):
        return PRECEDENCE["!" if node.operator == "!" else "unary"]
    return 100


def _operand(node: Node, least: int) -> str:
    return write(node) if _binding(node) >= least else f"({write(node)})"


def is_plain(name: str) -> bool:
    """Whether a column name needs no backticks in a formula."""
    return _PLAIN.fullmatch(name) is not None and name not in WORDS


def walk(node: Node) -> Iterator[Node]:
    """Every node of the tree, the root first."""
    yield node
    if isinstance(node, Unary):
        yield from walk(node.operand)
    elif isinstance(node, Binary):
        yield from walk(node.left)
        yield from walk(node.right)
    elif isinstance(node, Call):
        for argument in node.arguments:
            yield from walk(argument)
        for _, option in node.options:
            yield from walk(option)


def variables(node: Node) -> tuple[str, ...]:
    """The columns that an expression reads, each once, in order."""
    return tuple(dict.fromkeys(n.name for n in walk(node) if isinstance(n, Name)))
