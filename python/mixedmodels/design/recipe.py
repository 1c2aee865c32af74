"""A fitted design without its data, which rebuilds the matrices for new data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..formula import ModelFormula
from ..formula.nodes import Node, variables, write
from ..frame import Frame
from .evaluator import Evaluator, Memory
from .grouping import GroupRecipe, component_evaluator
from .matrix import MatrixPlan
from .values import missing_in


@dataclass(frozen=True, eq=False)
class NewRandomTerm:
    """
    A random-effects term for new data.

    Attributes
    ----------
    codes : ndarray of int64, shape (n,)
        The level of each row; -1 for a level that was not in the fit, unless these have codes of their own.
    z : ndarray, shape (n, k)
        The columns; NaN in rows with missing values.
    """

    codes: NDArray[np.int64]
    z: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LeftOut:
    """
    Random effects that the formula repeats and the model has only once.

    Attributes
    ----------
    plan : MatrixPlan
        The omitted columns.
    group : GroupRecipe
    within : tuple of int
        The terms of the design that contain them.
    text : str
        The omitted effects and the reason.
    """

    plan: MatrixPlan
    group: GroupRecipe
    within: tuple[int, ...]
    text: str


@dataclass(frozen=True, eq=False)
class DesignRecipe:
    """
    Everything needed to apply a fitted design to new data; it can be pickled and contains no rows.

    Attributes
    ----------
    formula : ModelFormula
    fixed : MatrixPlan
    random : tuple of (MatrixPlan, GroupRecipe)
        In the order of the terms of the design.
    memory : Memory
        Levels and constants of the fitting data.
    functions : mapping
        The caller's own functions that the formula calls.
    left_out : tuple of LeftOut
        Random effects that the formula repeats.
    """

    formula: ModelFormula
    fixed: MatrixPlan
    random: tuple[tuple[MatrixPlan, GroupRecipe], ...]
    memory: Memory
    functions: Mapping[str, Callable[..., Any]]
    left_out: tuple[LeftOut, ...] = ()

    def new_x(self, data: Any) -> NDArray[np.float64]:
        """
        The fixed-effects model matrix for new data.

        Parameters
        ----------
        data : data frame
            Needs only the columns of the fixed part.

        Returns
        -------
        ndarray, shape (n, p)
            NaN in rows with missing values.

        Raises
        ------
        DataError
            When a factor has levels that were not in the fit, or a transform is not finite.
        MissingColumnError
            When a column is missing.
        """
        frame = Frame.from_any(data, what="newdata")
        return self._build(self.fixed, self._evaluator(frame, self.fixed.nodes), "F")

    def new_offset(self, data: Any) -> NDArray[np.float64] | None:
        """
        The sum of the ``offset()`` terms of the formula for new data; None without such terms.

        Returns
        -------
        ndarray, shape (n,), or None
        """
        nodes = self.formula.offset_nodes
        if not nodes:
            return None
        evaluator = self._evaluator(Frame.from_any(data, what="newdata"), nodes)
        return offset_of(nodes, evaluator, missing_in(evaluator.frame, nodes))

    def new_random(
        self,
        data: Any,
        allow_new_levels: bool,
        columns: Mapping[int, Sequence[int]] | None = None,
    ) -> tuple[NewRandomTerm, ...]:
        """
        The random-effects terms for new data.

        Parameters
        ----------
        data : data frame
        allow_new_levels : bool
            Whether new and missing levels of the grouping factors get the code -1 rather than raise an error.
        columns : mapping of int to sequence of int, optional
            The requested terms (by position in ``Design.terms``) and their columns, in increasing order; by
            default all columns of all terms. The data need no other variables.

        Returns
        -------
        tuple of NewRandomTerm

        Raises
        ------
        DataError
            For levels that were not in the fit.
        """
        frame = Frame.from_any(data, what="newdata")
        if columns is None:
            parts = list(self.random)
        else:
            parts = [(self.random[t][0].part(chosen), self.random[t][1]) for t, chosen in columns.items()]
        return self._random_terms(
            frame, parts, lambda group, grouping: group.codes(grouping, allow_new_levels)
        )

    def random_with_new_levels(self, data: Any) -> tuple[NewRandomTerm, ...]:
        """All random-effects terms for new data, with codes of their own for levels not in the fit."""
        frame = Frame.from_any(data, what="newdata")
        return self._random_terms(frame, self.random, GroupRecipe.all_codes)

    def _random_terms(
        self,
        frame: Frame,
        parts: Sequence[tuple[MatrixPlan, GroupRecipe]],
        coded: Callable[[GroupRecipe, Evaluator], NDArray[np.int64]],
    ) -> tuple[NewRandomTerm, ...]:
        evaluator = self._evaluator(frame, [node for part in parts for half in part for node in half.nodes])
        grouping = component_evaluator(frame, self.functions)
        codes: dict[int, NDArray[np.int64]] = {}
        result = []
        for plan, group in parts:
            if id(group) not in codes:
                codes[id(group)] = coded(group, grouping)
            result.append(NewRandomTerm(codes[id(group)], self._build(plan, evaluator, "C")))
        return tuple(result)

    def new_z(self, data: Any, term: int) -> NDArray[np.float64]:
        """The columns of a random-effects term for new data, whatever their groups; shape (n, k)."""
        plan = self.random[term][0]
        return self._build(plan, self._evaluator(Frame.from_any(data, what="newdata"), plan.nodes), "C")

    def prefetch(self, frame: Frame, terms: Iterable[int]) -> None:
        """Read the columns of the fixed part, the offsets and these terms together: a query runs once."""
        nodes = [*self.fixed.nodes, *self.formula.offset_nodes]
        for plan, group in (self.random[t] for t in terms):
            nodes += [*plan.nodes, *group.nodes]
        # Missing columns are refused where they are needed.
        frame.prefetch(dict.fromkeys(v for node in nodes for v in variables(node) if v in frame))

    def _evaluator(self, frame: Frame, nodes: Sequence[Node]) -> Evaluator:
        frame.prefetch(dict.fromkeys(v for node in nodes for v in variables(node)))
        return Evaluator(frame, self.memory, self.functions, fitting=False)

    def _build(self, plan: MatrixPlan, evaluator: Evaluator, order: Any) -> NDArray[np.float64]:
        return plan.build(evaluator, order, missing_in(evaluator.frame, plan.nodes))


def offset_of(
    nodes: Sequence[Node], evaluator: Evaluator, missing: NDArray[np.bool_] | None
) -> NDArray[np.float64]:
    """The sum of the offsets of a formula, shape (n,)."""
    total = np.zeros(evaluator.n)
    for node in nodes:
        value = evaluator.value(node)
        if not isinstance(value, np.ndarray):
            raise DataError(f"offset({write(node)}) is not a column of numbers")
        evaluator.finite(node, value, missing)
        total += value
    return total
