"""
Structural full-rank coding: which factors of which terms are coded by all levels, and which by contrasts.

A factor spans the intercept and its contrasts; a product of factors spans the products of these. Each term
adds the products that no earlier term spans, merged into as few blocks as possible by
(anything) + (anything):(contrasts of f) = (anything):(all levels of f). This is the rule of formulaic and
patsy; it gives R's columns unless those are redundant.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from itertools import product

from ..errors import FormulaError

# A factor in a block: its number, and whether it is coded by contrasts (True) or by all levels.
Block = tuple[tuple[int, bool], ...]

# With more, there are too many blocks, let alone columns.
MAX_CROSSED = 10


def full_rank_blocks(terms: Sequence[tuple[int, ...]], categorical: Collection[int]) -> list[list[Block]]:
    """
    The blocks of columns of each term.

    Parameters
    ----------
    terms : sequence of tuple of int
        Factor numbers; ``()`` is the intercept.
    categorical : collection of int
        The factors that are categorical.

    Returns
    -------
    list of list of Block
        For each term; empty if earlier terms span it.
    """
    for term in terms:
        if sum(f in categorical for f in term) > MAX_CROSSED:
            raise FormulaError(f"a term crosses more than {MAX_CROSSED} factors; cross fewer of them")
    spanned: set[frozenset[tuple[int, bool]]] = set()
    result = []
    for term in terms:
        # None is the intercept in the span of a factor.
        choices = [((f, True), None) if f in categorical else ((f, False),) for f in term]
        new: list[Block] = []
        for combination in product(*choices):
            block = tuple(part for part in combination if part is not None)
            key = frozenset(block)
            if key not in spanned:
                spanned.add(key)
                new.append(block)
        result.append(_merge(new))
    return result


def _merge(blocks: Sequence[Block]) -> list[Block]:
    merged: dict[frozenset[tuple[int, bool]], Block] = {}
    waiting = deque(sorted(blocks, key=len))
    while waiting:
        block = waiting.popleft()
        key = frozenset(block)
        partner = _partner(block, merged)
        if partner is None:
            merged[key] = block
            continue
        other, factor = partner
        del merged[other]
        whole = tuple((f, False) if f == factor else (f, reduced) for f, reduced in block)
        # Start again: the larger block may now complete another one.
        again = sorted([*merged.values(), whole], key=len)
        waiting.extendleft(again[::-1])
        merged = {}
    return list(merged.values())


def _partner(
    block: Block, merged: dict[frozenset[tuple[int, bool]], Block]
) -> tuple[frozenset[tuple[int, bool]], int] | None:
    """The first block that lacks just one contrast-coded factor of this block, and that factor."""
    parts = frozenset(block)
    lacking = {parts - {part}: part[0] for part in block if part[1]}
    found = [key for key in lacking if key in merged]
    if len(found) > 1:
        order = list(merged)
        found.sort(key=order.index)
    return (found[0], lacking[found[0]]) if found else None
