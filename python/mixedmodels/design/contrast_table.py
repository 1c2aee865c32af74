"""The ``contrasts`` argument: the coding of each factor, by part of the formula where they differ."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..covariance.spelling import structure_name, structure_names
from ..errors import ArgumentError
from ..formula import ModelFormula, RandomTermSpec
from ..formula.function_table import CODINGS
from ..formula.nodes import Node, write
from ..formula.term_list import TermList
from ..frame import Factor
from .matrix import Levels, MatrixPlan, label_of

FIXED, RANDOM = "fixed", "random"

# Where contrasts were given: the factor, after the part of the formula if they are for one part.
_Place = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class ContrastTable:
    """
    The contrasts of one part of a formula.

    Attributes
    ----------
    by_name : mapping of str to contrasts
        By factor name or expression.
    every : str, optional
        The coding of all other factors; by default "poly" for ordered factors and "treatment" for others.
    places : mapping of str to list of tuple
        Where the contrasts of a factor were given, those for all parts among them.
    used : set of tuple
        The places that a factor of the formula has used.
    """

    by_name: Mapping[str, Any] = field(default_factory=dict)
    every: str | None = None
    places: Mapping[str, list[_Place]] = field(default_factory=dict)
    used: set[_Place] = field(default_factory=set)

    def default(self, factor: Factor) -> str:
        """The coding of a factor without contrasts of its own."""
        return self.every or ("poly" if factor.ordered else "treatment")

    def key(self, node: Node) -> str | None:
        """The name by which an expression has contrasts, which are used now."""
        if not self.by_name:
            return None
        keys = [key for key in names_of(node) if key in self.by_name]
        for key in keys:
            self.used.update(self.places[key])
        return keys[0] if keys else None


@dataclass(frozen=True, eq=False)
class ContrastArgument:
    """
    The parsed ``contrasts`` argument.

    Attributes
    ----------
    general : mapping of str to contrasts
        By factor, for all parts of the formula.
    parts : mapping of str to mapping
        For one part: "fixed", "random", a grouping factor or a random-effects term.
    every : str, optional
        The coding of all other factors.
    """

    general: Mapping[str, Any]
    parts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    every: str | None = None
    used: set[_Place] = field(default_factory=set)

    def of_fixed(self) -> ContrastTable:
        """The contrasts of the fixed part."""
        return self._table((FIXED,))

    def of_term(self, spec: RandomTermSpec) -> ContrastTable:
        """The contrasts of a random-effects term; the more precisely they were given, the more they count."""
        return self._table(tuple([key for key in parts_of_term(spec) for key in self._spelt(key)]))

    def _spelt(self, name: str) -> Iterator[str]:
        return (key for key in self.parts if _plain(key) == _plain(name))

    def _table(self, parts: Sequence[str]) -> ContrastTable:
        if not self.general and not self.parts:
            return ContrastTable(every=self.every)
        by_name = dict(self.general)
        places: dict[str, list[_Place]] = {name: [(name,)] for name in self.general}
        for part in parts:
            own = self.parts.get(part, {})
            self.used.add((part, ""))
            by_name.update(own)
            for name in own:
                places.setdefault(name, []).append((part, name))
        return ContrastTable(by_name, self.every, places, self.used)

    def check_all_used(self, parsed: ModelFormula, plans: Sequence[MatrixPlan]) -> None:
        """Refuse contrasts for anything that is not a factor in the formula, or a part of it."""
        for part in self.parts:
            if (part, "") not in self.used and part != RANDOM and part != FIXED:
                raise ArgumentError(_unknown_part(part, parsed))
        coded = {
            node
            for plan in plans
            for node, coding in zip(plan.nodes, plan.codings, strict=True)
            if isinstance(coding, Levels) and not coding.full
        }
        in_parts = [(part, name) for part, own in self.parts.items() for name in own]
        for place in [*((name,) for name in self.general), *in_parts]:
            if place in self.used:
                continue
            factors = dict.fromkeys(label_of(node) for node in _factors_of(place, parsed) if node in coded)
            listed = f"its factors: {', '.join(map(repr, factors))}" if factors else "it has no factors"
            if len(place) == 1 and place[0] in _known_parts(parsed):
                raise ArgumentError(
                    f"contrasts: {place[0]!r} is a part of the formula; give its contrasts by factor, "
                    f"{{{place[0]!r}: {{'f': ...}}}} for a factor f; {listed}"
                )
            where = "the terms of the formula" if len(place) == 1 else f"the part {place[0]!r} of the formula"
            raise ArgumentError(f"contrasts: {place[-1]!r} is not a factor in {where}; {listed}")


def parts_of_term(spec: RandomTermSpec) -> Iterator[str]:
    """The names of a random-effects term as a part of the formula, from the general to the precise."""
    label = ":".join(label_of(node) for node in spec.group_nodes)
    yield from dict.fromkeys((RANDOM, label, ":".join(spec.group), spec.text))


def names_of(node: Node) -> Iterator[str]:
    """The names under which contrasts of an expression may be given."""
    yield from dict.fromkeys((label_of(node), write(node)))


def _plain(text: str) -> str:
    """Without spaces, and with the structure's own name for its other names."""
    word, bracket, rest = "".join(text.split()).partition("(")
    return f"{structure_name(word) if word in structure_names() else word}{bracket}{rest}"


def _unknown_part(part: str, parsed: ModelFormula) -> str:
    factors = {name for node in _factors(parsed) for name in names_of(node)}
    if part in factors:
        return (
            f"contrasts: {part!r} is a factor, so its contrasts cannot be a mapping; write hypotheses about "
            f"its levels as {{{part!r}: ('hypothesis', {{...}})}}"
        )
    known = _known_parts(parsed)
    return f"contrasts: {part!r} is not a part of the formula; its parts are {', '.join(map(repr, known))}"


def _known_parts(parsed: ModelFormula) -> dict[str, None]:
    return dict.fromkeys([FIXED, *(name for spec in parsed.random for name in parts_of_term(spec))])


def _factors_of(place: _Place, parsed: ModelFormula) -> list[Node]:
    """The expressions of the part of the formula for which contrasts were given."""
    if len(place) == 1:
        return _factors(parsed)
    if place[0] == FIXED:
        return list(parsed.fixed_terms.factors)
    within = [spec for spec in parsed.random if _plain(place[0]) in map(_plain, parts_of_term(spec))]
    return [node for spec in within for node in spec.terms.factors]


def _factors(parsed: ModelFormula) -> list[Node]:
    terms: list[TermList] = [parsed.fixed_terms, *(spec.terms for spec in parsed.random)]
    return [node for part in terms for node in part.factors]


def check_contrasts(contrasts: Any) -> ContrastArgument:
    """The ``contrasts`` argument: contrasts by factor, or one name for all factors."""
    if contrasts is None:
        return ContrastArgument({})
    if isinstance(contrasts, str):
        if contrasts not in CODINGS:
            known = ", ".join(sorted(set(CODINGS.values())))
            raise ArgumentError(
                f"contrasts: {contrasts!r} is unknown; a single name, for all factors, must be one of {known}"
            )
        return ContrastArgument({}, every=contrasts)
    if not isinstance(contrasts, Mapping):
        raise ArgumentError(
            "contrasts must map names of factors to contrasts, such as {'f': 'sum'}, or be one name "
            f"for all factors, such as 'sum'; got {type(contrasts).__name__}"
        )
    parts = {str(name): spec for name, spec in contrasts.items() if isinstance(spec, Mapping)}
    return ContrastArgument({name: spec for name, spec in contrasts.items() if name not in parts}, parts)


def contrasts_in(formula: ModelFormula, contrasts: Any) -> Any:
    """The ``contrasts`` argument, restricted to the factors and the parts of a formula."""
    if not isinstance(contrasts, Mapping):
        return contrasts
    parts: dict[str, list[Node]] = {FIXED: list(formula.fixed_terms.factors)}
    for spec in formula.random:
        for name in parts_of_term(spec):
            parts.setdefault(_plain(name), []).extend(spec.terms.factors)
    kept: dict[str, Any] = {}
    for name, spec in contrasts.items():
        if isinstance(spec, Mapping):
            own = _of(spec, parts.get(_plain(str(name)), []))
            kept.update({name: own} if own else {})
        else:
            kept.update(_of({name: spec}, _factors(formula)))
    return kept or None


def _of(contrasts: Mapping[str, Any], nodes: Collection[Node]) -> dict[str, Any]:
    names = {name for node in nodes for name in names_of(node)}
    return {name: spec for name, spec in contrasts.items() if name in names}
