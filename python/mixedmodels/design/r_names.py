"""R's names for the columns of a model matrix."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from ..formula.nodes import Node
from .evaluator import is_truth
from .full_rank import Block
from .matrix import INTERCEPT, Levels, MatrixPlan, label_of
from .recipe import DesignRecipe

_LOGICAL = {"True": "TRUE", "False": "FALSE"}


def r_names(recipe: DesignRecipe) -> dict[str, str]:
    """
    R's names for the columns of the fixed part, where they differ from ours and are unambiguous.

    ``period2`` for ``period[T.2]``, ``soa1`` for the first column of sum, Helmert or unnamed contrasts,
    ``dose.L`` for ``dose[.L]``, ``poly(x, 2)1`` for ``poly(x, 2)[1]``, ``lateTRUE`` for a True/False
    column ``late``.

    Parameters
    ----------
    recipe : DesignRecipe

    Returns
    -------
    dict
        From R's name to ours.
    """
    plan = recipe.fixed
    written = [name for block in plan.blocks for name in _block_names(block, recipe)]
    own = set(plan.names)
    return {
        theirs: ours
        for theirs, ours in zip(written, plan.names, strict=True)
        if theirs not in own and written.count(theirs) == 1
    }


def _block_names(block: Block, recipe: DesignRecipe) -> list[str]:
    plan = recipe.fixed
    parts = [
        [f"{label_of(plan.nodes[i])}TRUE"]
        if plan.codings[i] is None and is_truth(plan.nodes[i], recipe.memory) and _beside_rest(block, i, plan)
        else _factor_names(plan.nodes[i], plan.codings[i], reduced)
        for i, reduced in block
    ]
    if not parts:
        return [INTERCEPT]
    # The first factor varies fastest.
    return [":".join(reversed(names)) for names in product(*reversed(parts))]


def _beside_rest(block: Block, i: int, plan: MatrixPlan) -> bool:
    """Whether the rest of the block is also in the model; otherwise R has columns for both True and False."""
    rest = {j for j, _ in block if j != i}
    return any({j for j, _ in other} == rest for other in plan.blocks)


def _factor_names(node: Node, coding: Levels | tuple[str, ...] | None, reduced: bool) -> list[str]:
    label = label_of(node)
    if coding is None:
        return [label]
    ends: Sequence[str] = coding if isinstance(coding, tuple) else ()
    if isinstance(coding, Levels):
        ends = coding.contrast.r_names if reduced else coding.labels
        ends = [_LOGICAL.get(end, end) for end in ends] if set(coding.labels) <= set(_LOGICAL) else ends
    return [f"{label}{end}" for end in ends]
