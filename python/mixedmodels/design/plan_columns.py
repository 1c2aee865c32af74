"""The columns of the terms of a formula: codings, blocks and names, determined by the fitting data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

from ..errors import ArgumentError, DataError
from ..formula.function_table import FULL
from ..formula.nodes import Call, Node, write
from ..formula.term_list import TermList
from ..frame import Factor
from .contrast_coding import Contrast, make_contrast
from .contrast_table import ContrastTable
from .evaluator import Evaluator
from .full_rank import Block, full_rank_blocks
from .matrix import INTERCEPT, Coding, Levels, MatrixPlan, check_size, label_of, term_value
from .values import Basis, Coded

# Plans with larger factors are not cached: they would fill the cache and rarely recur.
_FEW = 50


@dataclass(frozen=True)
class _Labelled:
    """
    A factor as the plan sees it: its level labels and the requested contrasts; or a column for each level,
    also beside an intercept.
    """

    labels: tuple[str, ...]
    contrasts: Any
    full: bool = False

    @property
    def plain(self) -> bool:
        return isinstance(self.contrasts, str) and len(self.labels) <= _FEW


# An expression as the plan sees it: column names for a basis, None for plain numbers.
_Kind = _Labelled | tuple[str, ...] | None


def make_plan(terms: TermList, evaluator: Evaluator, contrasts: ContrastTable) -> MatrixPlan:
    """
    Determine the columns of some terms from the fitting data.

    Parameters
    ----------
    terms : TermList
    evaluator : Evaluator
        Fitting.
    contrasts : ContrastTable
        Of this part of the formula.

    Raises
    ------
    DataError
        When a factor with one level needs contrasts.
    """
    kinds = tuple([_kind(node, evaluator, contrasts) for node in terms.factors])
    labelled = [kind for kind in kinds if isinstance(kind, _Labelled)]
    if labelled:
        _check_sizes(terms, kinds, evaluator.n)
    if all(kind.plain for kind in labelled):
        return _remembered_plan(terms, kinds)
    return _plan(terms, kinds)


def _plan(terms: TermList, kinds: tuple[_Kind, ...]) -> MatrixPlan:
    codings = tuple(map(_coding, terms.factors, kinds))
    blocks: list[Block] = []
    names: list[str] = []
    slices: list[tuple[str, slice]] = []
    for term, parts in zip(terms.terms, _blocks(terms, kinds), strict=True):
        start = len(names)
        for block in parts:
            names += _block_names(block, terms.factors, codings)
        blocks += parts
        slices.append((_term_label(terms, term), slice(start, len(names))))
    return MatrixPlan(terms.factors, codings, tuple(blocks), tuple(names), tuple(slices))


# A plan is immutable and independent of the rows, so models of different data can share it.
_remembered_plan = lru_cache(maxsize=256)(_plan)


def names_of_columns(terms: TermList, codings: Mapping[Node, Coding]) -> tuple[str, ...]:
    """The column names of some terms whose factors are coded as in the fit."""
    own = [codings[node] for node in terms.factors]
    categorical = {i for i, coding in enumerate(own) if isinstance(coding, Levels) and not coding.full}
    blocks = full_rank_blocks(terms.terms, categorical)
    return tuple(
        [name for parts in blocks for block in parts for name in _block_names(block, terms.factors, own)]
    )


def _blocks(terms: TermList, kinds: Sequence[_Kind]) -> list[list[Block]]:
    reducible = {i for i, kind in enumerate(kinds) if isinstance(kind, _Labelled) and not kind.full}
    return full_rank_blocks(terms.terms, reducible)


def _check_sizes(terms: TermList, kinds: Sequence[_Kind], n: int) -> None:
    """Refuse a matrix that is too large, before its columns are named."""
    width = 0
    for term, parts in zip(terms.terms, _blocks(terms, kinds), strict=True):
        width += sum(_width(block, kinds) for block in parts)
        check_size(n, width, f"the model matrix up to the term {_term_label(terms, term)}")


def _term_label(terms: TermList, term: tuple[int, ...]) -> str:
    return ":".join([label_of(terms.factors[i]) for i in term]) or INTERCEPT


def _kind(node: Node, evaluator: Evaluator, contrasts: ContrastTable) -> _Kind:
    value = term_value(node, evaluator)
    key = contrasts.key(node)
    if isinstance(value, (Factor, Coded)):
        factor = value.factor if isinstance(value, Coded) else value
        if isinstance(value, Coded) and value.contrasts is FULL:
            return _Labelled(factor.labels(), FULL, full=True)
        spec: Any = value.contrasts if isinstance(value, Coded) else None
        if spec is None:
            spec = contrasts.by_name[key] if key is not None else contrasts.default(factor)
        return _Labelled(factor.labels(), spec)
    if key is not None:
        raise ArgumentError(
            f"contrasts: {key!r} is numeric; write factor({write(node)}) in the formula "
            f"and give the contrasts for 'factor({write(node)})'"
        )
    return value.names if isinstance(value, Basis) else None


def _coding(node: Node, kind: _Kind) -> Coding:
    if not isinstance(kind, _Labelled):
        return kind
    if len(kind.labels) < 2 or kind.full:
        return Levels(kind.labels, Contrast((), 0), kind.full)
    return Levels(kind.labels, make_contrast(kind.contrasts, kind.labels, label_of(node)))


def _width(block: Block, kinds: Sequence[_Kind]) -> int:
    width = 1
    for i, reduced in block:
        kind = kinds[i]
        if isinstance(kind, _Labelled):
            width *= max(len(kind.labels) - reduced, 0)
        elif kind is not None:
            width *= len(kind)
    return width


def _block_names(block: Block, nodes: Sequence[Node], codings: Sequence[Coding]) -> list[str]:
    parts: list[list[str]] = []
    for i, reduced in block:
        coding, label = codings[i], _column_label(nodes[i])
        if isinstance(coding, Levels):
            if reduced and len(coding.labels) < 2:
                only = f"{coding.labels[0]!r}" if coding.labels else "none"
                raise DataError(
                    f"factor {label!r} has one level ({only}) in the rows used; "
                    "leave it out, or include rows with other levels"
                )
            parts.append([f"{label}[{s}]" for s in (coding.contrast.names if reduced else coding.labels)])
        elif coding is None:
            parts.append([label])
        else:
            parts.append([f"{label}[{s}]" for s in coding])
    if not parts:
        return [INTERCEPT]
    # The first factor varies fastest.
    return [":".join(reversed(names)) for names in product(*reversed(parts))]


def _column_label(node: Node) -> str:
    """The columns of ``fulldummy(f)`` are levels of f, and named so."""
    return label_of(node.arguments[0] if isinstance(node, Call) and node.function == FULL else node)
