"""
All contact with formulaic's internals: the algebra of formula terms.

formulaic 1.2 reads ``a %in% b`` as ``b + a:b`` and expands ``(a + b)^k`` without limit. So its parser works
with the operators below, on products in which ``v0``, ``v1``, ... name the variables.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from formulaic.errors import FormulaicError
from formulaic.parser import DefaultFormulaParser, DefaultOperatorResolver
from formulaic.parser.types import Factor, Operator, OrderedSet, Term

from .scope import error_at

MAX_TERMS = 1000
_REPLACED = frozenset({"*", "/", "in", ":", "**", "^", ".", "~", "|"})


def expand(pieces: Sequence[str], source: str, start: int) -> list[tuple[int, ...]]:
    """
    Expand a product of terms.

    Parameters
    ----------
    pieces : sequence of str
        Operators, brackets, numbers, and ``"v0"``, ``"v1"``, ... for the variables.
    source, start
        For the error message.

    Returns
    -------
    list of tuple of int
        Each term as the numbers of its variables; the intercept is ``()``. Not sorted.
    """
    if len(pieces) > 4 * MAX_TERMS:
        raise error_at(f"a product of sums can have at most {2 * MAX_TERMS} variables", source, start)
    try:
        terms: Any = _parser().get_terms(" ".join("%in%" if p == "in" else p for p in pieces))
    except _TooManyTermsError:
        raise error_at(
            f"the formula expands to more than {MAX_TERMS} terms; use fewer variables",
            source,
            start,
        ) from None
    except _BadPowerError:
        raise error_at(
            "the power of a formula must be a whole number from 1 to 999999", source, start
        ) from None
    except (FormulaicError, RecursionError, AttributeError, TypeError):
        raise error_at(
            "the formula cannot be parsed: an operator or a variable is missing", source, start
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
    # formulaic refuses 1:x as a rescaled x; here the 1 has been removed, and powers are literals too.
    def get_terms_from_ast(self, ast: Any, *, context: Any) -> Any:
        return ast.to_terms(context=context) if ast is not None else OrderedSet()


def _parser() -> DefaultFormulaParser:
    return _Parser(operator_resolver=_Operators(), include_intercept=False)
