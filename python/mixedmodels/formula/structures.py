"""Random-effects terms with a covariance structure before their parentheses: ``ar1(0 + time | subject)``."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise

from ..covariance import structure_name, structure_names
from ..errors import FormulaError, NotAvailableError
from ..not_here import COVARIANCES, not_available
from ..wording import nearest
from .function_table import FUNCTIONS
from .scope import error_at
from .tokens import Token, tokenize

_TRUTHS = {"TRUE": True, "True": True, "T": True, "FALSE": False, "False": False, "F": False}


def formula_tokens(source: str, functions: Collection[str] = ()) -> list[Token]:
    """
    Split a formula into tokens, with covariance structures before random-effects terms.

    To the tokenizer ``cs(x | g)`` is a call. Here it becomes the token "structure", the tokens of
    ``(x | g)``, and an "option" for each part after a comma.

    Parameters
    ----------
    source : str
    functions : collection of str
        The caller's own functions, in which a bar means "or", as in other functions.
    """
    found: list[Token] = []
    for token in tokenize(source):
        name = token.text.partition("(")[0].rstrip() if token.kind == "call" else ""
        known = name in functions or (name in FUNCTIONS and name not in structure_names())
        if token.kind != "call" or known or not _own(source, token, "|"):
            found.append(token)
            continue
        found += _opened(source, token, name)
    names = structure_names()
    for i, (token, following) in enumerate(pairwise(found)):
        # With a space before the parentheses.
        if token.kind == "name" and token.text in names and following.text == "(":
            found[i] = token._replace(kind="structure")
    return found


def _opened(source: str, token: Token, name: str) -> list[Token]:
    first, last = source.index("(", token.start), token.end - 1
    commas = _own(source, token, ",")
    end = commas[0] if commas else last
    tokens = [
        Token("structure", name, token.start, token.start + len(name)),
        Token("bracket", "(", first, first + 1),
        *tokenize(source, first + 1, end),
    ]
    stops = [*commas, last]
    for start, stop in pairwise(stops):
        text = source[start + 1 : stop]
        first = start + 1 + len(text) - len(text.lstrip())
        tokens.append(Token("option", text.strip(), first, stop))
    return [*tokens, Token("bracket", ")", last, token.end)]


def _own(source: str, token: Token, wanted: str) -> list[int]:
    """Where a character occurs directly inside the outer parentheses of a call, outside quotes."""
    found, depth, quote = [], 0, ""
    for i in range(token.start, token.end):
        char = source[i]
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'`":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif char == wanted and depth == 1:
            found.append(i)
    return found


def read_structure(source: str, structure: Token, options: Sequence[Token]) -> str:
    """
    The covariance structure named by a term.

    Raises
    ------
    FormulaError
        For an unknown structure or option; NotAvailableError for a structure of other packages.
    """
    name = structure.text
    if name not in structure_names():
        raise unknown_structure(source, name, structure.start)
    hom: bool | None = None
    for option in options:
        key, _, value = (part.strip() for part in option.text.partition("="))
        if key != "hom" or value not in _TRUTHS or hom is not None:
            raise error_at(
                f"the only option of {name}() is hom=TRUE or hom=FALSE (equal variances or not), "
                f"not {option.text!r}",
                source,
                option.start,
            )
        hom = _TRUTHS[value]
    found = structure_name(name, hom)
    if found is None:
        raise error_at(
            f"{name}() has no form with {options[0].text}; omit the option", source, options[0].start
        )
    return found


def unknown_structure(source: str, name: str, start: int) -> FormulaError:
    """The error for an unknown word before a random-effects term."""
    entry = COVARIANCES.get(name)
    if entry is not None:
        message = str(not_available(f"{name}()", entry))
        return NotAvailableError(str(error_at(message, source, start)), *entry)
    known = structure_names()
    hint = nearest(name, known, 2, str) or "."
    return error_at(
        f"{name!r} is neither a covariance structure nor a function of formulas{hint} Structures: "
        f"{', '.join(known)}",
        source,
        start,
    )
