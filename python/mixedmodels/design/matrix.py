"""Model matrices: the terms of a formula written straight from numbers and level codes into columns."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import ArgumentError, DataError, MemoryLimitError
from ..formula.nodes import Name, Node, write
from ..formula.terms import TermList
from ..frame import Factor
from .coding import Block, full_rank_blocks
from .contrasts import Contrast, make_contrast
from .evaluate import Evaluator
from .levels import check_no_gaps, match_levels
from .values import Basis, Coded

INTERCEPT = "(Intercept)"


@dataclass(frozen=True, eq=False)
class Levels:
    """How a factor of the terms is coded: its level labels and its contrasts."""

    labels: tuple[str, ...]
    contrast: Contrast


@dataclass(frozen=True, eq=False)
class MatrixPlan:
    """
    The columns of a model matrix, apart from any data.

    Attributes
    ----------
    nodes : tuple of Node
        The factors of the terms.
    codings : tuple
        For each factor: Levels, or the names of the columns of a basis, or None for plain numbers.
    blocks : tuple of Block
        The products of factors that make the columns, left to right.
    names : tuple of str
        Column names.
    terms : tuple of (str, slice)
        Each term and its columns; a term that earlier ones span has an empty slice.
    """

    nodes: tuple[Node, ...]
    codings: tuple[Levels | tuple[str, ...] | None, ...]
    blocks: tuple[Block, ...]
    names: tuple[str, ...]
    terms: tuple[tuple[str, slice], ...]

    def build(
        self, evaluator: Evaluator, order: Literal["F", "C"], missing: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float64]:
        """
        The matrix for the rows of an evaluator, shape (n, p); NaN in the rows marked as missing.
        """
        n, p = evaluator.n, len(self.names)
        check_size(n, p, "the model matrix")
        out = np.zeros((n, p), order=order)
        values = [self._values(i, evaluator, missing) for i in range(len(self.nodes))]
        first = 0
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            for block in self.blocks:
                start = first
                first += _fill(out, first, [values[i][reduced] for i, reduced in block])
                if sum(values[i].dense for i, _ in block) > 1:
                    self._check_product(block, out[:, start:first], missing)
        if missing is not None:
            out[missing] = np.nan
        return out

    def _check_product(
        self, block: Block, columns: NDArray[np.float64], missing: NDArray[np.bool_] | None
    ) -> None:
        bad = ~np.isfinite(columns).all(axis=1)
        if missing is not None:
            bad &= ~missing
        if bad.any():
            label = ":".join(label_of(self.nodes[i]) for i, _ in block)
            raise DataError(f"{label} is too large for a number in {bad.sum()} rows; rescale its columns")

    def _values(self, i: int, evaluator: Evaluator, missing: NDArray[np.bool_] | None) -> _LazyAxes:
        value, coding = term_value(self.nodes[i], evaluator), self.codings[i]
        if isinstance(coding, Levels):
            if isinstance(value, Coded):
                value = value.factor
            if not isinstance(value, Factor):
                raise DataError(f"{write(self.nodes[i])} was a factor in the fit and holds numbers now")
            factor = match_levels(value, coding.labels, _named(self.nodes[i]))
            check_no_gaps(factor, _named(self.nodes[i]), missing)
            return _LazyAxes(factor.codes, coding)
        if isinstance(value, (Factor, Coded)):
            raise DataError(f"{write(self.nodes[i])} was numeric in the fit and is a factor now")
        evaluator.finite(self.nodes[i], value, missing)
        if isinstance(value, Basis):
            if len(value.names) != len(coding or ()):
                raise DataError(
                    f"{write(self.nodes[i])} has {len(value.names)} columns now, not as in the fit"
                )
            return _LazyAxes(list(value.values.T), None)
        return _LazyAxes([value], None)


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
    """Columns of one factor: 0/1 by the position of the 1 (-1: none), or dense."""

    size: int
    position: NDArray[Any] | None
    dense: Sequence[NDArray[np.float64]] | None


def _fill(out: NDArray[np.float64], first: int, axes: Sequence[_Axis]) -> int:
    """Write the products of the axes' columns, the first axis varying fastest; how many columns."""
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
        values = columns[j] if values is None else values * columns[j]
    return offset, values


def make_plan(
    terms: TermList, evaluator: Evaluator, contrasts: Mapping[str, Any], used: set[str]
) -> MatrixPlan:
    """
    Decide the columns of some terms on the fitting data.

    Parameters
    ----------
    terms : TermList
    evaluator : Evaluator
        Fitting.
    contrasts : mapping
        By factor name or expression; names that are found are added to ``used``.
    used : set of str

    Raises
    ------
    DataError
        When a factor with one level needs contrasts.
    """
    codings = tuple(_coding(node, evaluator, contrasts, used) for node in terms.factors)
    categorical = {i for i, coding in enumerate(codings) if isinstance(coding, Levels)}
    blocks: list[Block] = []
    names: list[str] = []
    slices: list[tuple[str, slice]] = []
    for term, parts in zip(terms.terms, full_rank_blocks(terms.terms, categorical), strict=True):
        start = len(names)
        size = sum(_width(block, codings) for block in parts)
        label = ":".join(label_of(terms.factors[i]) for i in term) or INTERCEPT
        check_size(evaluator.n, start + size, f"the model matrix up to the term {label}")
        for block in parts:
            names += _block_names(block, terms.factors, codings)
        blocks += parts
        slices.append((label, slice(start, len(names))))
    return MatrixPlan(terms.factors, codings, tuple(blocks), tuple(names), tuple(slices))


def term_value(node: Node, evaluator: Evaluator) -> Any:
    """The value of a factor of a term, evaluated once; unused levels of the fitting data are gone."""
    key = write(node)
    if key not in evaluator.cache:
        value = evaluator.value(node)
        if evaluator.fitting:
            if isinstance(value, Factor):
                value = evaluator.drop_unused(value)
            elif isinstance(value, Coded):
                value = Coded(evaluator.drop_unused(value.factor), value.contrasts)
        evaluator.cache[key] = value
    return evaluator.cache[key]


def label_of(node: Node) -> str:
    """A factor's name in column names: a column as it is called, an expression in canonical text."""
    return node.name if isinstance(node, Name) else write(node)


def _named(node: Node) -> str:
    return f"column {node.name!r}" if isinstance(node, Name) else write(node)


def _coding(
    node: Node, evaluator: Evaluator, contrasts: Mapping[str, Any], used: set[str]
) -> Levels | tuple[str, ...] | None:
    value = term_value(node, evaluator)
    keys = [key for key in dict.fromkeys((label_of(node), write(node))) if key in contrasts]
    used.update(keys)
    if isinstance(value, (Factor, Coded)):
        factor = value.factor if isinstance(value, Coded) else value
        spec: Any = value.contrasts if isinstance(value, Coded) else None
        if spec is None:
            spec = contrasts[keys[0]] if keys else "poly" if factor.ordered else "treatment"
        labels = factor.labels()
        if len(labels) < 2:
            return Levels(labels, Contrast((), 0))
        return Levels(labels, make_contrast(spec, labels, label_of(node)))
    if keys:
        raise ArgumentError(
            f"contrasts: {keys[0]!r} is numeric; write factor({write(node)}) in the formula, "
            f"and the contrasts for 'factor({write(node)})'"
        )
    return value.names if isinstance(value, Basis) else None


def _width(block: Block, codings: Sequence[Levels | tuple[str, ...] | None]) -> int:
    width = 1
    for i, reduced in block:
        coding = codings[i]
        if isinstance(coding, Levels):
            width *= max(len(coding.labels) - reduced, 0)
        elif coding is not None:
            width *= len(coding)
    return width


def _block_names(
    block: Block, nodes: Sequence[Node], codings: Sequence[Levels | tuple[str, ...] | None]
) -> list[str]:
    parts: list[list[str]] = []
    for i, reduced in block:
        coding, label = codings[i], label_of(nodes[i])
        if isinstance(coding, Levels):
            if reduced and len(coding.labels) < 2:
                only = f"{coding.labels[0]!r}" if coding.labels else "none"
                raise DataError(
                    f"factor {label!r} has one level ({only}) in the rows used; "
                    "leave it out, or use rows with more levels"
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


def check_contrasts(contrasts: Any) -> Mapping[str, Any]:
    """The ``contrasts`` argument as a mapping."""
    if contrasts is None:
        return {}
    if not isinstance(contrasts, Mapping):
        raise ArgumentError(
            "contrasts must map names of factors to contrasts, such as {'treatment': 'sum'}; "
            f"got {type(contrasts).__name__}"
        )
    return contrasts


def check_all_used(contrasts: Mapping[str, Any], used: Collection[str], plans: Sequence[MatrixPlan]) -> None:
    """Refuse contrasts for what is no factor of the formula."""
    for key in contrasts:
        if key not in used:
            factors = {
                label_of(node): None
                for plan in plans
                for node, coding in zip(plan.nodes, plan.codings, strict=True)
                if isinstance(coding, Levels)
            }
            listed = f"its factors: {', '.join(map(repr, factors))}" if factors else "it has no factors"
            raise ArgumentError(f"contrasts: {key!r} is not a factor in the terms of the formula; {listed}")


def check_size(n: int, p: int, what: str) -> None:
    """Refuse an array of n by p numbers that the machine cannot hold."""
    size = 8.0 * n * p
    if size > _memory():
        raise MemoryLimitError(
            f"{what} would have {p} columns and {n} rows, {size / 2**30:.1f} GiB, more than half of this "
            "machine's memory; a factor with many levels belongs behind the bar, as in (1 | factor)"
        )


def _memory() -> float:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2
    except (AttributeError, ValueError, OSError):
        # No such figure on this system: refuse only what hardly any machine has.
        return 64.0 * 2**30
