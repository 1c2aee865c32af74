"""The parts of an lme4-style formula: response, fixed part, random-effects terms, offsets."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..checks import shown
from ..errors import FormulaError
from .expression import parse_expression
from .function_table import FULL, FUNCTIONS
from .nodes import Call, Node, variables, walk, write
from .scope import NoRandomEffectsError, Scope, error_at
from .structures import formula_tokens, read_structure
from .term_list import Bar, Reader, SelfProduct, TermList, multiply_out, read_terms, split_sum
from .tokens import Token

MAX_LENGTH = 100_000
MAX_BRACKETS = 50


@dataclass(frozen=True)
class RandomTermSpec:
    """
    One random-effects term of a formula.

    Attributes
    ----------
    lhs : str
        The left side of the bar, in canonical spelling.
    group : tuple of str
        The grouping variables: ``("dept", "service")`` for ``dept:service``.
    uncorrelated : bool
        Whether the bar is double.
    structure : str
        The covariance structure of the effects: "us" for a plain bar, "diag" for a double one.
    text : str
        The term as printed, ``"(Days | Subject)"`` or ``"ar1(0 + Days | Subject)"``.
    terms : TermList
        The left side, expanded.
    group_nodes : tuple of Node
        The grouping variables as expressions.
    """

    lhs: str
    group: tuple[str, ...]
    uncorrelated: bool
    structure: str
    text: str
    terms: TermList
    group_nodes: tuple[Node, ...]


@dataclass(frozen=True)
class ModelFormula:
    """
    A formula, parsed and checked against the column names.

    Attributes
    ----------
    text : str
        The formula in canonical spelling, for printing. ``.`` is written out.
    response : str
        The left side; empty for a one-sided formula.
    fixed : str
        The fixed part without offsets; ``"1"`` when it is just the intercept.
    random : tuple of RandomTermSpec
        One for each grouping factor: ``(1 | a/b)`` gives two, ``a:b`` and ``a``.
    offsets : tuple of str
        The arguments of ``offset()``.
    response_node, fixed_terms, offset_nodes
        The same parts as trees.
    variables : tuple of str
        Every column that the formula reads, in order.
    self_products : tuple of SelfProduct
        Powers and products that mean just the variable, such as ``x**2``.
    """

    text: str
    response: str
    fixed: str
    random: tuple[RandomTermSpec, ...]
    offsets: tuple[str, ...]
    response_node: Node | None
    fixed_terms: TermList
    offset_nodes: tuple[Node, ...]
    variables: tuple[str, ...]
    self_products: tuple[SelfProduct, ...] = ()

    def __str__(self) -> str:
        return self.text


def parse_formula(
    text: str,
    columns: Collection[str],
    functions: Mapping[str, Callable[..., Any]] | None = None,
    *,
    used: Collection[str] = (),
    need_response: bool = True,
    need_random: bool = True,
) -> ModelFormula:
    """
    Parse an lme4-style formula.

    Parameters
    ----------
    text : str
        Such as ``"y ~ x + log(dose) + (x | subject)"``.
    columns : collection of str
        The names of the columns. A formula is untrusted text: a name means a column, a call means
        one of the documented functions (:data:`mixedmodels.formula.FUNCTIONS`), and nothing else.
    functions : mapping of str to callable, optional
        Your own functions for the formula. They are trusted code.
    used : collection of str
        Columns that ``.`` omits, besides the response, the grouping factors and the offsets.
    need_response, need_random : bool
        Whether a formula without a left side, or without a random-effects term, is an error.

    Returns
    -------
    ModelFormula

    Raises
    ------
    FormulaError
        When the text is not such a formula; the message shows the place.
    MissingColumnError
        When a name is not a column; the message gives the closest names.

    Examples
    --------
    >>> from mixedmodels.formula import parse_formula
    >>> parsed = parse_formula("y~x+(1|a/b)", ["y", "x", "a", "b"])
    >>> parsed.text, [t.text for t in parsed.random]
    ('y ~ x + (1 | a/b)', ['(1 | a:b)', '(1 | a)'])
    """
    if not isinstance(text, str):
        raise FormulaError(f"the formula must be text, such as 'y ~ x + (x | g)'; got {type(text).__name__}")
    own = check_functions(functions)
    return _parse(text, tuple(columns), frozenset(own), frozenset(used), need_response, need_random)


def check_functions(functions: Any) -> dict[str, Callable[..., Any]]:
    """
    The ``functions`` argument: the caller's own functions by name.

    Raises
    ------
    FormulaError
        When it is not such a mapping, or redefines a function with a special meaning.
    """
    if functions is None:
        return {}
    if not isinstance(functions, Mapping):
        raise FormulaError(f"functions= must map names to callables, not {shown(functions)}")
    for name, function in functions.items():
        if name in FUNCTIONS and FUNCTIONS[name].kind == "special":
            raise FormulaError(
                f"functions= cannot redefine {name}(), which has a special meaning in formulas"
            )
        if not isinstance(name, str) or not name.isidentifier() or not callable(function):
            raise FormulaError(f"functions= must map names to callables; {name!r} is not such a pair")
    return dict(functions)


@lru_cache(maxsize=256)
def _parse(
    text: str,
    columns: tuple[str, ...],
    functions: frozenset[str],
    used: frozenset[str],
    need_response: bool,
    need_random: bool,
) -> ModelFormula:
    tokens = _checked_tokens(text, functions)
    tildes = [i for i, t in enumerate(tokens) if t.text == "~" and t.kind == "operator"]
    if not tildes:
        raise error_at("the formula has no '~': write response ~ terms", text, None)
    if len(tildes) > 1:
        raise error_at("the formula has more than one '~'", text, tokens[tildes[1]].start)
    tilde = tildes[0]
    scope = Scope(dict.fromkeys(columns), functions)
    right = tokens[tilde + 1 :]
    response = _response(text, tokens[tilde], scope, need_response)
    if not right:
        raise error_at("the formula has nothing after '~'", text, tokens[tilde].start)

    rest: list[str] = []
    reader = Reader(text, scope, lambda: rest)
    for token in right:
        if token.kind == "call":
            reader.node(token)
    parts = split_sum(right, reader)
    random: list[RandomTermSpec] = []
    written: list[str] = []
    for part in parts.bars:
        specs, whole = _random_terms(part, reader)
        random += specs
        written.append(whole)
    if need_random and not random:
        raise error_at(
            "the formula has no random-effects term: add one, such as (1 | group), for a mixed model; "
            "for ordinary regression use, for example, statsmodels' OLS or WLS (GLM for other families)",
            text,
            None,
            NoRandomEffectsError,
        )
    taken = {*used, *(variables(response) if response is not None else ())}
    taken.update(v for spec in random for node in spec.group_nodes for v in variables(node))
    taken.update(v for node in parts.offsets for v in variables(node))
    if any(t.text == "." and t.kind == "operator" for t in right):
        rest += [c for c in columns if c not in taken]
        if not rest:
            raise error_at(
                "'.' means no column here: the response and the groups use all columns", text, None
            )
    fixed = read_terms(parts.operands, reader)
    outside = [*fixed.factors, *parts.offsets, *(n for spec in random for n in spec.group_nodes)]
    _check_full_codings(text, outside if response is None else [response, *outside], random)

    fixed_text = _write_sum(parts.operands, reader)
    offsets = tuple(map(write, parts.offsets))
    response_text = "" if response is None else write(response)
    pieces = [fixed_text, *(f"offset({o})" for o in offsets), *written]
    nodes = [
        *([] if response is None else [response]),
        *fixed.factors,
        *parts.offsets,
        *(n for spec in random for n in (*spec.terms.factors, *spec.group_nodes)),
    ]
    return ModelFormula(
        text=f"{response_text} ~ {' + '.join(p for p in pieces if p)}".lstrip(),
        response=response_text,
        fixed=fixed_text or "1",
        random=tuple(random),
        offsets=offsets,
        response_node=response,
        fixed_terms=fixed,
        offset_nodes=tuple(parts.offsets),
        variables=tuple(dict.fromkeys(v for node in nodes for v in variables(node))),
        self_products=tuple(dict.fromkeys(reader.self_products)),
    )


def _checked_tokens(text: str, functions: Collection[str]) -> list[Token]:
    if len(text) > MAX_LENGTH:
        raise FormulaError(f"the formula has {len(text)} characters; at most {MAX_LENGTH} are allowed")
    if not text.strip():
        raise FormulaError("the formula is empty; write response ~ terms + (terms | group)")
    tokens = formula_tokens(text, functions)
    depth = 0
    before: Token | None = None
    for token in tokens:
        if token.kind == "bracket":
            depth += 1 if token.text == "(" else -1
            if token.text == ")" and before is not None and before.text == "(" and before.kind == "bracket":
                raise error_at("the parentheses are empty", text, before.start)
            if depth < 0:
                raise error_at("the closing parenthesis ')' has no opening one", text, token.start)
            if depth > MAX_BRACKETS:
                raise error_at(f"parentheses are nested more than {MAX_BRACKETS} deep", text, token.start)
        before = token
    if depth:
        level = 0
        for token in reversed(tokens):
            if token.kind == "bracket":
                level += 1 if token.text == "(" else -1
                if level > 0:
                    raise error_at("the parenthesis '(' is not closed", text, token.start)
    return tokens


def _response(text: str, tilde: Token, scope: Scope, needed: bool) -> Node | None:
    if not text[: tilde.start].strip():
        if needed:
            raise error_at("the formula has no response: write a column before '~'", text, tilde.start)
        return None
    node = parse_expression(text, scope, 0, tilde.start)
    for inner in walk(node):
        if isinstance(inner, Call) and inner.function in ("offset", "cbind") and inner is not node:
            raise error_at(f"{inner.function}() cannot appear inside another expression", text, 0)
    if isinstance(node, Call) and node.function == "offset":
        raise error_at("the response cannot be an offset", text, 0)
    return node


def _random_terms(part: Bar, reader: Reader) -> tuple[list[RandomTermSpec], str]:
    """The terms of one random-effects part, and that part as printed."""
    tokens, structure, name = part.tokens, "us", ""
    if part.structure is not None:
        structure = name = read_structure(reader.source, part.structure, part.options)
    bars = [i for i, t in enumerate(tokens) if t.kind == "operator" and t.text in ("|", "||")]
    if len(bars) > 1:
        reader.fail("a random-effects term has one bar: (terms | group)", tokens[bars[1]])
    bar = tokens[bars[0]]
    if bar.text == "||":
        if name:
            reader.fail(
                "a covariance structure takes a single bar; for independent effects write (x || g) or "
                "diag(x | g)",
                bar,
            )
        structure = "diag"
    left, right = tokens[: bars[0]], tokens[bars[0] + 1 :]
    if not left:
        reader.fail("there is nothing before the bar: write (1 | group) for an intercept for each group", bar)
    if not right:
        reader.fail("there is nothing after the bar: name the grouping factor, as in (1 | group)", bar)
    dot = next((t for t in left if t.text == "." and t.kind == "operator"), None)
    if dot is not None:
        reader.fail("'.' is allowed in the fixed part only; name the columns", dot)
    operands = split_sum(left, reader, inside_bar=True).operands
    terms = read_terms(operands, reader)
    lhs = _write_sum(operands, reader)
    if not terms.terms:
        reader.fail(f"({lhs} {bar.text} ...) has no columns; write (1 | group) or (x | group)", bar)
    specs = []
    for nodes in _groupings(right, reader):
        group = tuple(map(write, nodes))
        text = f"{name}({lhs} {bar.text} {':'.join(group)})"
        specs.append(RandomTermSpec(lhs, group, bar.text == "||", structure, text, terms, nodes))
    return specs, f"{name}({lhs} {bar.text} {reader.write(right)})"


def _check_full_codings(text: str, outside: Sequence[Node], random: Sequence[RandomTermSpec]) -> None:
    """Refuse fulldummy() in the fixed part, where its columns are redundant, and inside other calls."""
    inside = [
        inner for spec in random for node in spec.terms.factors for inner in walk(node) if inner is not node
    ]
    for node in [*(inner for root in outside for inner in walk(root)), *inside]:
        if isinstance(node, Call) and node.function == FULL:
            raise error_at(
                f"{write(node)} is a term of random effects, alone or in products: "
                f"(1 + {write(node)} | group)",
                text,
                text.find(FULL),
            )


def _groupings(tokens: Sequence[Token], reader: Reader) -> list[tuple[Node, ...]]:
    """``a/b`` as ``a:b`` and ``a``, innermost first."""
    pieces: list[str] = []
    nodes: dict[str, Node] = {}
    for token in tokens:
        if token.kind in ("name", "call"):
            node = reader.node(token)
            if not variables(node):
                reader.fail("a grouping factor must be a column, or computed from columns", token)
            names = list(nodes)
            if write(node) not in nodes:
                nodes[write(node)] = node
                names = list(nodes)
            pieces.append(f"v{names.index(write(node))}")
        elif token.kind == "bracket" or token.text in ("/", ":"):
            pieces.append(token.text)
        elif token.text == "+":
            reader.fail(
                "a term has one grouping factor: write (1 | a) + (1 | b), or (1 | a:b) for the cells", token
            )
        elif token.kind == "value":
            reader.fail(f"the number {token.text} cannot be a grouping factor", token)
        else:
            text = "%in%" if token.text == "in" else token.text
            reader.fail(
                f"{text!r} is not allowed in a grouping factor; use a:b for cells, a/b for nesting", token
            )
    listed = list(nodes.values())
    found = multiply_out(pieces, reader.source, tokens[0].start)
    if not all(found) or not found:
        reader.fail("the grouping factor cannot be parsed", tokens[0])
    return [tuple(listed[i] for i in term) for term in reversed(found)]


def _write_sum(operands: Sequence[tuple[str, Sequence[Token]]], reader: Reader) -> str:
    out = ""
    for sign, tokens in operands:
        text = reader.write(tokens)
        if out:
            out += f" {sign} {text}"
        else:
            out = text if sign == "+" else f"-{text}"
    return out
