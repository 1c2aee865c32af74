"""New formulas from old ones: ``. ~ . + x - (1 | g)``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from ..errors import FormulaError
from .model_formula import ModelFormula, parse_formula
from .structures import formula_tokens
from .tokens import Token, tokenize

Functions = Mapping[str, Callable[..., Any]]


def update_formula(
    old: ModelFormula, change: str, columns: Collection[str], functions: Functions | None = None
) -> str:
    """
    Apply a change to a formula.

    Parameters
    ----------
    old : ModelFormula
    change : str
        A formula in which ``.`` means the same side of the old one: ``". ~ . + x"`` adds a term,
        ``". ~ . - (1 | g)"`` removes one. Without ``.`` it replaces the old one.
    columns : collection of str
        Columns of the data, by which the random-effects terms of the change are read.
    functions : mapping, optional
        The caller's own functions.

    Returns
    -------
    str

    Raises
    ------
    FormulaError
        When the change has no ``~``, or takes away a random-effects term that is not there.
    """
    if not isinstance(change, str):
        kind = type(change).__name__
        raise FormulaError(
            f"update needs a formula such as '. ~ . + x', not {kind}; for other data write update(data=...)"
        )
    tokens = formula_tokens(change, functions or ())
    tildes = [i for i, token in enumerate(tokens) if token.kind == "operator" and token.text == "~"]
    if len(tildes) != 1:
        raise FormulaError(f"update needs a formula with one '~', such as '. ~ . + x'; got {change!r}")
    left, right = tokens[: tildes[0]], tokens[tildes[0] + 1 :]
    response = _fill_dots(change, left, old.response) if left else old.response
    items: list[tuple[str, str]] = []
    for sign, part in _items(right):
        if len(part) == 1 and _is_dot(part[0]):
            if sign == "-":
                raise FormulaError(f"update: '- .' would remove every term; got {change!r}")
            items += _old_items(old)
        elif any(token.kind == "operator" and token.text in ("|", "||") for token in part):
            text = _text(change, part)
            terms = _random_texts(text, columns, functions)
            if sign == "+":
                items += [("+", term) for term in terms]
            else:
                items = _without(items, terms, change)
        else:
            _combine(items, sign, _fill_dots(change, part, old.fixed))
    if not any(_is_fixed(item) for _, item in items):
        items.insert(0, ("+", "1"))
    text = " ".join(f"{sign} {item}" for sign, item in items).removeprefix("+ ")
    return f"{response} ~ {text}"


def _is_fixed(item: str) -> bool:
    return "|" not in item and not item.startswith("offset(")


def _text(source: str, tokens: Sequence[Token]) -> str:
    return source[tokens[0].start : tokens[-1].end]


def _is_dot(token: Token) -> bool:
    return token.kind == "operator" and token.text == "."


def _items(tokens: Sequence[Token]) -> list[tuple[str, Sequence[Token]]]:
    """The signed terms of a sum."""
    result: list[tuple[str, Sequence[Token]]] = []
    depth, start, sign = 0, 0, "+"
    for i, token in enumerate(tokens):
        if token.kind == "bracket":
            depth += 1 if token.text == "(" else -1
        elif depth == 0 and token.kind == "operator" and token.text in ("+", "-"):
            if i > start:
                result.append((sign, tokens[start:i]))
                sign = "+"
            if token.text == "-":
                sign = "-" if sign == "+" else "+"
            start = i + 1
    if start < len(tokens):
        result.append((sign, tokens[start:]))
    return result


def _old_items(old: ModelFormula) -> list[tuple[str, str]]:
    items = [(sign, _text(old.fixed, part)) for sign, part in _items(tokenize(old.fixed))]
    items += [("+", f"offset({offset})") for offset in old.offsets]
    return items + [("+", term.text) for term in old.random]


def _fill_dots(source: str, tokens: Sequence[Token], replacement: str) -> str:
    """The text of some tokens with ``.`` replaced, in parentheses where needed."""
    if len(tokens) == 1 and _is_dot(tokens[0]):
        return replacement
    # A call is one token: inside it the dot has no meaning but for a transformed response.
    out, position = "", tokens[0].start
    for token in tokens:
        if _is_dot(token):
            out += source[position : token.start] + f"({replacement})"
            position = token.end
    out += source[position : tokens[-1].end]
    return out.replace("(.)", f"({replacement})") if len(tokens) == 1 and tokens[0].kind == "call" else out


def _random_texts(text: str, columns: Collection[str], functions: Functions | None) -> list[str]:
    parsed = parse_formula(f"~ {text}", columns, functions, need_response=False)
    return [term.text for term in parsed.random]


def _without(items: list[tuple[str, str]], terms: Sequence[str], change: str) -> list[tuple[str, str]]:
    for term in terms:
        if ("+", term) not in items:
            there = ", ".join(text for _, text in items if "|" in text) or "none"
            raise FormulaError(
                f"update {change!r}: {term} is not a random-effects term of the model; there are {there}"
            )
        items = [item for item in items if item != ("+", term)]
    return items


def _combine(items: list[tuple[str, str]], sign: str, text: str) -> None:
    """Add a term, or remove it: deleted if it is written out, else subtracted."""
    if sign == "+":
        if ("-", text) in items:
            items.remove(("-", text))
        items.append(("+", text))
    elif ("+", text) in items:
        items.remove(("+", text))
        if text == "1":
            items.append(("-", "1"))
    elif ("-", text) not in items:
        items.append(("-", text))
