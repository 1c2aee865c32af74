"""Model matrices: the terms of a formula, written directly from numbers and level codes into columns."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, MemoryLimitError
from ..formula.nodes import Name, Node, write
from ..frame import Factor
from .contrast_coding import Contrast
from .evaluator import Evaluator
from .full_rank import Block
from .values import Basis, Coded, check_no_gaps, match_levels

INTERCEPT = "(Intercept)"


@dataclass(frozen=True, eq=False)
class Levels:
    """
    How a factor of the terms is coded: its level labels and its contrasts.

    ``full`` is for ``fulldummy(f)``, which has a column for each level whatever else is in the matrix.
    """

    labels: tuple[str, ...]
    contrast: Contrast
    full: bool = False


# The names of the columns of a basis; None for plain numbers.
Coding = Levels | tuple[str, ...] | None


@dataclass(frozen=True, eq=False)
class MatrixPlan:
    """
    The columns of a model matrix, independent of the data.

    Attributes
    ----------
    nodes : tuple of Node
        The factors of the terms.
    codings : tuple
        For each factor: Levels, or the names of the columns of a basis, or None for plain numbers.
    blocks : tuple of Block
        The products of factors that form the columns, left to right.
    names : tuple of str
        Column names.
    terms : tuple of (str, slice)
        Each term and its columns; the slice is empty if earlier terms span the term.
    chosen : tuple of int or None
        The columns of the blocks that are in the matrix; None for all.
    """

    nodes: tuple[Node, ...]
    codings: tuple[Coding, ...]
    blocks: tuple[Block, ...]
    names: tuple[str, ...]
    terms: tuple[tuple[str, slice], ...]
    chosen: tuple[int, ...] | None = None

    def part(self, columns: Sequence[int]) -> MatrixPlan:
        """The plan of some of the columns, in increasing order; it reads only the variables they need."""
        every = range(len(self.names)) if self.chosen is None else self.chosen
        wanted = {every[j] for j in columns}
        blocks: list[Block] = []
        chosen: list[int] = []
        first = width = 0
        for block in self.blocks:
            size = math.prod(_block_width(self.codings[i], reduced) for i, reduced in block)
            inside = [j - first for j in range(first, first + size) if j in wanted]
            if inside:
                blocks.append(block)
                chosen += [width + j for j in inside]
                width += size
            first += size
        used = sorted({i for block in blocks for i, _ in block})
        number = {i: new for new, i in enumerate(used)}
        terms, start = [], 0
        for label, part in self.terms:
            stop = start + sum(part.start <= j < part.stop for j in columns)
            terms.append((label, slice(start, stop)))
            start = stop
        return MatrixPlan(
            tuple([self.nodes[i] for i in used]),
            tuple([self.codings[i] for i in used]),
            tuple([tuple([(number[i], reduced) for i, reduced in block]) for block in blocks]),
            tuple([self.names[j] for j in columns]),
            tuple(terms),
            None if len(chosen) == width else tuple(chosen),
        )

    def build(
        self, evaluator: Evaluator, order: Literal["F", "C"], missing: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float64]:
        """
        The matrix for the rows of an evaluator, shape (n, p); NaN in the rows marked as missing.
        """
        n, p = evaluator.n, len(self.names) if self.chosen is None else self._width
        check_size(n, p, "the model matrix")
        out = np.zeros((n, p), order=order)
        values = [self._values(i, evaluator, missing) for i in range(len(self.nodes))]
        first = 0
        for block in self.blocks:
            start = first
            first += _fill(out, first, [values[i][reduced] for i, reduced in block])
            if len(block) > 1 and sum(values[i].dense for i, _ in block) > 1:
                self._check_product(block, out[:, start:first], missing)
        if self.chosen is not None:
            out = np.asarray(out[:, self.chosen], order=order)
        if missing is not None:
            out[missing] = np.nan
        return out

    @property
    def _width(self) -> int:
        """The number of columns of the blocks."""
        return sum(
            math.prod(_block_width(self.codings[i], reduced) for i, reduced in block) for block in self.blocks
        )

    def _check_product(
        self, block: Block, columns: NDArray[np.float64], missing: NDArray[np.bool_] | None
    ) -> None:
        bad = ~np.isfinite(columns).all(axis=1)
        if missing is not None:
            bad &= ~missing
        if bad.any():
            label = ":".join(label_of(self.nodes[i]) for i, _ in block)
            raise DataError(f"{label} overflows in {bad.sum()} rows; rescale its columns")

    def _values(self, i: int, evaluator: Evaluator, missing: NDArray[np.bool_] | None) -> _LazyAxes:
        value, coding = term_value(self.nodes[i], evaluator), self.codings[i]
        if isinstance(coding, Levels):
            if isinstance(value, Coded):
                value = value.factor
            if not isinstance(value, Factor):
                raise DataError(f"{write(self.nodes[i])} was a factor in the fit, but contains numbers now")
            factor = match_levels(value, coding.labels, _named(self.nodes[i]))
            check_no_gaps(factor, _named(self.nodes[i]), missing)
            return _LazyAxes(factor.codes, coding)
        if isinstance(value, (Factor, Coded)):
            raise DataError(f"{write(self.nodes[i])} was numeric in the fit, but is a factor now")
        evaluator.finite(self.nodes[i], value, missing)
        if isinstance(value, Basis):
            if len(value.names) != len(coding or ()):
                before, now = len(coding or ()), len(value.names)
                raise DataError(f"{write(self.nodes[i])} has {now} columns, but had {before} in the fit")
            return _LazyAxes(list(value.values.T), None)
        return _LazyAxes([value], None)


def _block_width(coding: Coding, reduced: bool) -> int:
    if isinstance(coding, Levels):
        return len(coding.contrast.names if reduced else coding.labels)
    return 1 if coding is None else len(coding)


class _LazyAxes:
    """A factor's values as an axis of a product: coded fully ([False]) or by contrasts ([True])."""

    def __init__(self, values: Any, levels: Levels | None) -> None:
        self.values, self.levels = values, levels

    @property
    def dense(self) -> bool:
        """Whether the columns are arbitrary numbers."""
        return self.levels is None

    def __getitem__(self, reduced: bool) -> _Axis:
        levels = self.levels
        if levels is None:
            return _Axis(len(self.values), None, self.values)
        codes = self.values
        if not reduced:
            return _Axis(len(levels.labels), codes, None)
        contrast = levels.contrast
        if contrast.matrix is not None:
            return _Axis(contrast.matrix.shape[1], None, [column[codes] for column in contrast.matrix.T])
        if contrast.base == 0:
            codes = codes - 1
        else:
            codes = np.where(codes == contrast.base, -1, codes - (codes > contrast.base))
        return _Axis(len(levels.labels) - 1, codes, None)


@dataclass(frozen=True, eq=False)
class _Axis:
    """Columns of one factor: indicators, by the position of the 1 (-1: none), or dense numbers."""

    size: int
    position: NDArray[Any] | None
    dense: Sequence[NDArray[np.float64]] | None


def _fill(out: NDArray[np.float64], first: int, axes: Sequence[_Axis]) -> int:
    """Write the products of the axes' columns, the first axis varying fastest; return their number."""
    if not axes:
        out[:, first] = 1.0
        return 1
    n = out.shape[0]
    stride, position = 1, None
    ones: NDArray[np.bool_] | None = None
    dense: list[tuple[int, Sequence[NDArray[np.float64]]]] = []
    for axis in axes:
        if axis.dense is not None:
            dense.append((stride, axis.dense))
        elif axis.position is not None:
            has = axis.position >= 0
            ones = has if ones is None else ones & has
            step = axis.position.astype(np.int64) * stride
            position = step if position is None else position + step
        stride *= axis.size
    rows: Any = None
    if position is not None and ones is not None:
        rows = np.arange(n)
        if not ones.all():
            rows, position = rows[ones], position[ones]
        row_step, column_step = (s // out.itemsize for s in out.strides)
        flat = out.reshape(-1, order="F" if out.flags.f_contiguous else "C")
        position = rows * row_step + (position + first) * column_step
        for choice in product(*(range(len(columns)) for _, columns in dense)):
            offset, values = _combine(dense, choice)
            cells = position + offset * column_step if offset else position
            flat[cells] = 1.0 if values is None else values if len(rows) == n else values[rows]
    else:
        for choice in product(*(range(len(columns)) for _, columns in dense)):
            offset, values = _combine(dense, choice)
            out[:, first + offset] = values
    return stride


def _combine(dense: Sequence[tuple[int, Sequence[Any]]], choice: Sequence[int]) -> tuple[int, Any]:
    offset, values = 0, None
    for (stride, columns), j in zip(dense, choice, strict=True):
        offset += j * stride
        if values is None:
            values = columns[j]
        else:
            # Overflow is reported with its term.
            with np.errstate(over="ignore", under="ignore", invalid="ignore"):
                values = values * columns[j]
    return offset, values


def term_value(node: Node, evaluator: Evaluator) -> Any:
    """The value of a factor of a term, evaluated once; unused levels of the fitting data are dropped."""
    if node not in evaluator.cache:
        value = evaluator.value(node)
        if evaluator.fitting:
            if isinstance(value, Factor):
                value = evaluator.drop_unused(value)
            elif isinstance(value, Coded):
                value = Coded(evaluator.drop_unused(value.factor), value.contrasts)
        evaluator.cache[node] = value
    return evaluator.cache[node]


def label_of(node: Node) -> str:
    """A factor's name in column names: the name of a column, or the canonical text of an expression."""
    return node.name if isinstance(node, Name) else write(node)


def _named(node: Node) -> str:
    return f"column {node.name!r}" if isinstance(node, Name) else write(node)


def check_size(n: int, p: int, what: str) -> None:
    """Refuse an array of n by p numbers that does not fit in memory."""
    check_memory(n, p, what, "; for a factor with many levels use random effects, (1 | factor)")


def check_memory(n: float, p: float, what: str, instead: str = "") -> None:
    """Refuse an array of n by p numbers that does not fit in memory; `instead` is the end of the message."""
    size = 8.0 * n * p
    if size > _memory():
        raise MemoryLimitError(
            f"{what} would have {p:.10g} columns and {n:.10g} rows, {size / 2**30:.1f} GiB, more than half "
            f"of this machine's memory{instead}"
        )


@cache
def _memory() -> float:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2
    except (AttributeError, ValueError, OSError):
        # Unknown on this system: refuse only what hardly any machine has.
        return 64.0 * 2**30
