"""The covariance structure of a term, checked against its columns."""

from __future__ import annotations

import numpy as np

from ..covariance import Structure, structure_of
from ..errors import DataError, FormulaError, FormulaWarning
from ..formula import RandomTermSpec
from ..formula.nodes import Node
from ..frame import Factor
from ..notices import warn_user
from .evaluator import Evaluator
from .factor_calls import numbers_of
from .matrix import Levels, MatrixPlan, label_of
from .values import Coded


def structure_of_term(spec: RandomTermSpec, plan: MatrixPlan, evaluator: Evaluator) -> Structure:
    """
    The covariance structure of a term, with the times of its columns if it needs them.

    Raises
    ------
    FormulaError
        When correlations depend on the order or the times of the columns, and these have none.
    DataError
        When the columns skip a level.
    """
    k, name = len(plan.names), spec.structure
    example = _example(name)
    node, labels = _levels_of_columns(plan)
    constant = tuple(plan.names) == ("(Intercept)",)
    if node is None and not constant and (example.ordered or example.times is not None):
        raise FormulaError(
            f"{spec.text}: the columns of {name}() must be the levels of one factor, in order of time; write "
            f"{name}(0 + factor(time) | {':'.join(spec.group)}), without an intercept"
        )
    if k == 1:
        if example.correlated and example.blocks is None:
            warn_user(f"{spec.text} has a single column, so {name} is just a variance", FormulaWarning)
        return structure_of("us", 1)
    structure = structure_of(name, k, numbers_of(labels) if node is not None else None)
    if k > 2 and example.ordered and node is not None:
        _check_no_level_skipped(spec, node, evaluator)
    return structure


def _example(name: str) -> Structure:
    """The structure for three columns, which shows the properties of the structure."""
    return structure_of(name, 3, (0.0, 1.0, 2.0))


def _levels_of_columns(plan: MatrixPlan) -> tuple[Node | None, tuple[str, ...]]:
    """
    The factor that has one column per level, and its labels; None for other columns.

    The columns may be multiples of the indicators, as in ``0 + time:x``.
    """
    if len(plan.blocks) != 1 or plan.chosen is not None:
        return None, ()
    codings = [(plan.nodes[i], plan.codings[i], reduced) for i, reduced in plan.blocks[0]]
    factors = [
        (node, coding) for node, coding, reduced in codings if isinstance(coding, Levels) and not reduced
    ]
    plain = [coding for _, coding, _ in codings if coding is None]
    if len(factors) != 1 or len(factors) + len(plain) != len(codings):
        return None, ()
    node, coding = factors[0]
    return node, coding.labels


def _check_no_level_skipped(spec: RandomTermSpec, node: Node, evaluator: Evaluator) -> None:
    """Refuse unused levels between used ones, where lag 2 would count as lag 1."""
    value = evaluator.value(node)
    factor = value.factor if isinstance(value, Coded) else value
    if not isinstance(factor, Factor):
        return
    used = np.unique(factor.codes[factor.codes >= 0])
    skipped = sorted(set(range(int(used[0]), int(used[-1]))) - set(used.tolist()))
    if skipped:
        labels = factor.labels()
        shown = ", ".join(repr(labels[i]) for i in skipped[:5]) + (", ..." if len(skipped) > 5 else "")
        raise DataError(
            f"{spec.text}: no row has level {shown} of {label_of(node)!r}, so {spec.structure}() does not "
            "know the distance between its neighbours; write ou(0 + numFactor(time) | group), which uses the "
            "times, or remove the unused levels if the levels around them are neighbours"
        )
