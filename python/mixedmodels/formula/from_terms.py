"""Formulas that a program puts together from terms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from ..checks import shown
from ..covariance import structure_names
from ..errors import FormulaError
from .nodes import Name, write
from .structures import formula_tokens, unknown_structure
from .tokens import Token

# A random-effects term: as in a formula, or its effects and its grouping factor, with or without the name of
# a covariance structure before them.
RandomEffects = str | tuple[str | Sequence[str], str] | tuple[str, str | Sequence[str], str]
_BARS = ("|", "||")
_OPERANDS = ("name", "value", "call")


class Formula(str):
    """
    A formula as text, which functions and methods take wherever they take a formula.

    Examples
    --------
    >>> from mixedmodels import Formula
    >>> Formula.from_terms("y", ["x", "x:z"], [(["1", "x"], "subject"), "(1 | item)"])
    Formula('y ~ x + x:z + (1 + x | subject) + (1 | item)')
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Formula({str.__repr__(self)})"

    @classmethod
    def from_terms(
        cls,
        response: str | None,
        fixed: str | Iterable[str] = (),
        random: RandomEffects | Iterable[RandomEffects] = (),
    ) -> Formula:
        """
        A formula from its parts.

        Parameters
        ----------
        response : str or None
            A column or an expression, ``"y"`` or ``"log(y)"``; None for a formula without a response.
        fixed : str or iterable of str, default ()
            Terms of the fixed part, each as in a formula: ``"x"``, ``"a * b"``, ``"offset(z)"``. There is an
            intercept unless ``"0"`` is one of them. A column whose name is not a word needs backticks, see
            :meth:`column`.
        random : str, tuple or iterable of them, default ()
            Random-effects terms: as in a formula, ``"(1 + x | g)"`` or ``"cs(0 + f | g)"``; or tuples
            ``(effects, group)`` and ``(structure, effects, group)``, where ``effects`` is a term or several
            in a sequence: ``(["1", "x"], "g")``, ``("zerocorr", ["1", "x"], "g")``.

        Returns
        -------
        Formula
            The columns are looked up when the formula is used.

        Raises
        ------
        FormulaError
            When a part cannot be a part of a formula, such as a term with a bar among the fixed ones.

        Examples
        --------
        >>> from mixedmodels import Formula, lmer, load_sleepstudy
        >>> predictors = ["Days"]
        >>> formula = Formula.from_terms("Reaction", predictors, (["1", *predictors], "Subject"))
        >>> formula
        Formula('Reaction ~ Days + (1 + Days | Subject)')
        >>> lmer(formula, load_sleepstudy()).fixef().round(2).to_dict()
        {'(Intercept)': 251.41, 'Days': 10.47}
        """
        left = "" if response is None else _part("response", response, bar=False)
        terms = [_part("fixed", term, bar=False) for term in _several("fixed", fixed)]
        given = [random] if isinstance(random, (str, tuple)) and _is_term(random) else random
        terms += [_random(term) for term in _several("random", given)]
        right = _sum(terms)
        return cls(f"{left} ~ {right or '1'}".lstrip())

    @staticmethod
    def column(name: str) -> str:
        """
        The name of a column as formulas write it: in backticks where it is not a word.

        Parameters
        ----------
        name : str
            Of a column.

        Returns
        -------
        str

        Raises
        ------
        FormulaError
            When the name contains a backtick, which a formula cannot write.

        Examples
        --------
        >>> from mixedmodels import Formula
        >>> Formula.from_terms("y", map(Formula.column, ["x", "body mass"]), "(1 | g)")
        Formula('y ~ x + `body mass` + (1 | g)')
        """
        if not isinstance(name, str) or not name or "`" in name:
            raise FormulaError(f"a formula cannot name the column {shown(name)}; rename it")
        return write(Name(name))


def _several(what: str, parts: Any) -> list[Any]:
    if isinstance(parts, str):
        return [parts]
    try:
        return list(parts)
    except TypeError:
        raise FormulaError(f"{what}: terms must be text or a sequence of text, not {shown(parts)}") from None


def _is_term(given: str | tuple[Any, ...]) -> bool:
    """Whether it is one random-effects term rather than a sequence of them."""
    if isinstance(given, str):
        return True
    plain = len(given) in (2, 3) and isinstance(given[-1], str)
    return plain and not any(isinstance(part, str) and "|" in part for part in given)


def _random(term: Any) -> str:
    if isinstance(term, str):
        text = _part("random", term, bar=True)
        return f"({text})" if _has_open_bar(text) else text
    if not isinstance(term, (tuple, list)) or len(term) not in (2, 3):
        raise FormulaError(
            "random: a term is text such as '(1 + x | g)', (effects, group) or (structure, effects, group); "
            f"got {shown(term)}"
        )
    *structure, effects, group = term
    left = _sum([_part("random", part, bar=False) for part in _several("random", effects)])
    right = _part("random", group, bar=False)
    name = structure[0] if structure else ""
    if not isinstance(name, str) or not (name == "" or name.isidentifier()):
        raise FormulaError(
            f"random: {shown(name)} is not the name of a covariance structure; several effects come in a "
            "list, (['1', 'x'], 'g')"
        )
    text = f"{name}({left or '1'} | {right})"
    if name and name not in structure_names():
        raise unknown_structure(text, name, 0)
    return text


def _part(what: str, text: Any, *, bar: bool) -> str:
    """One part of the formula, which must not break out of its place."""
    if not isinstance(text, str) or not text.strip():
        raise FormulaError(f"{what}: a part of a formula is text, not {shown(text)}")
    tokens = formula_tokens(text)
    for token in tokens:
        if token.text == "~":
            raise FormulaError(f"{what}: {text!r} is a whole formula; give its parts")
    for first, second in pairwise(tokens):
        if first.kind in _OPERANDS and second.kind in _OPERANDS:
            whole = all(token.kind in _OPERANDS for token in tokens) and "`" not in text
            remedy = f": {write(Name(text.strip()))}" if whole else ""
            raise FormulaError(
                f"{what}: {text!r} has no operator before {second.text!r}; a name that is not a word needs "
                f"backticks{remedy}, see Formula.column"
            )
    if _closes_what_it_did_not_open(tokens):
        raise FormulaError(f"{what}: the parentheses in {text!r} do not match")
    has_bar = any(token.kind == "operator" and token.text in _BARS for token in tokens)
    if has_bar and not bar:
        raise FormulaError(f"{what}: {text!r} has a bar; random-effects terms go into random=")
    if bar and not has_bar:
        raise FormulaError(f"{what}: {text!r} has no bar; write (effects | group)")
    return text.strip()


def _has_open_bar(text: str) -> bool:
    """Whether there is a bar outside of parentheses, which other terms would join."""
    depth = 0
    for token in formula_tokens(text):
        if token.kind == "bracket":
            depth += 1 if token.text == "(" else -1
        if depth == 0 and token.kind == "operator" and token.text in _BARS:
            return True
    return False


def _closes_what_it_did_not_open(tokens: Sequence[Token]) -> bool:
    depth = 0
    for token in tokens:
        if token.kind == "bracket":
            depth += 1 if token.text == "(" else -1
            if depth < 0:
                return True
    return depth != 0


def _sum(terms: Sequence[str]) -> str:
    """The terms added up; one that begins with a minus is subtracted."""
    text = ""
    for term in terms:
        if text and term.startswith("-"):
            text += f" - {term[1:].lstrip()}"
        else:
            text += f" + {term}" if text else term
    return text
