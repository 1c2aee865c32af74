"""The terms of a model matrix coded by all levels of their factors, independent of the contrasts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from ..errors import ArgumentError
from .contrast_coding import Contrast
from .evaluator import is_truth
from .full_rank import Block
from .matrix import Levels, MatrixPlan, label_of
from .recipe import DesignRecipe

# A product of contrasts and numeric columns, as the set of its factors.
_Elementary = frozenset[int]

# A column of zeros and ones is a factor with treatment contrasts.
_TRUTH = Levels(("False", "True"), Contrast(("True",), 0))


@dataclass(frozen=True, eq=False)
class CodedTerm:
    """
    A term and its columns when coded by all levels.

    Attributes
    ----------
    label : str
        As printed; ``"(Intercept)"`` for the intercept.
    factors : frozenset of int
        Its categorical factors, by number.
    numeric : frozenset of int
        Its numeric factors.
    columns : slice
        Its columns.
    numeric_column : ndarray of int
        For each column, the product of numeric columns that it contains.
    """

    label: str
    factors: frozenset[int]
    numeric: frozenset[int]
    columns: slice
    numeric_column: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class AllLevels:
    """
    A fixed part coded by all levels: redundant, and independent of the choice of contrasts.

    Attributes
    ----------
    terms : tuple of CodedTerm
    coefficients : ndarray, shape (p, p_all)
        The coded columns are x @ coefficients, where x is the model matrix.
    """

    terms: tuple[CodedTerm, ...]
    coefficients: NDArray[np.float64]


def all_levels(recipe: DesignRecipe) -> AllLevels:
    """
    The fixed part of a design coded by all levels.

    The indicators of a factor's levels are [1 C] [1 C]⁻¹, where C holds its contrasts. Expanded, both
    codings are sums of the same elementary products of contrasts and numeric columns.

    A True/False predictor is treated as the equivalent factor with two levels. It stays a number if the model
    has no columns for the other level, as in ``y ~ a:truth`` without ``a``.
    """
    plan = _with_truths(recipe)
    widths = [_contrast_width(plan, i) for i in range(len(plan.nodes))]
    places: dict[_Elementary, slice] = {}
    categorical = {i for i, coding in enumerate(plan.codings) if isinstance(coding, Levels)}
    listed = recipe.formula.fixed_terms.terms
    total = 0
    for term in listed:
        for part in _parts(term, categorical):
            if part not in places:
                size = int(np.prod([widths[i] for i in part], dtype=np.int64))
                places[part] = slice(total, total + size)
                total += size
    blocks = [_expanded(plan, block, places, total) for block in plan.blocks]
    coded = np.hstack([np.zeros((total, 0)), *blocks])
    terms, columns, start = [], [np.zeros((total, 0))], 0
    for (label, _), term in zip(plan.terms, listed, strict=True):
        block: Block = tuple((i, False) for i in term)
        columns.append(_expanded(plan, block, places, total))
        stop = start + columns[-1].shape[1]
        factors = frozenset(term) & categorical
        numeric = _numeric_column(plan, term, categorical)
        terms.append(CodedTerm(label, factors, frozenset(term) - factors, slice(start, stop), numeric))
        start = stop
    return AllLevels(tuple(terms), _inverse(coded) @ np.hstack(columns))


def _with_truths(recipe: DesignRecipe) -> MatrixPlan:
    """The plan with True/False predictors as factors, where their terms span the terms of such factors."""
    plan = recipe.fixed
    factors = {i for i, coding in enumerate(plan.codings) if isinstance(coding, Levels)}
    spanned = {
        part
        for block in plan.blocks
        for part in _parts([i for i, _ in block], {i for i, reduced in block if i in factors and not reduced})
    }
    truths = {
        i
        for i, (node, coding) in enumerate(zip(plan.nodes, plan.codings, strict=True))
        if coding is None
        and is_truth(node, recipe.memory)
        and all(
            part in spanned
            for term in recipe.formula.fixed_terms.terms
            if i in term
            for part in _parts(term, factors | {i})
        )
    }
    codings = tuple(_TRUTH if i in truths else coding for i, coding in enumerate(plan.codings))
    blocks = tuple(tuple((i, reduced or i in truths) for i, reduced in block) for block in plan.blocks)
    return replace(plan, codings=codings, blocks=blocks)


def _parts(term: Sequence[int], categorical: set[int]) -> Iterator[_Elementary]:
    """The elementary products that a term spans."""
    choices = [((i,), ()) if i in categorical else ((i,),) for i in term]
    for chosen in product(*choices):
        yield frozenset(i for part in chosen for i in part)


def _expanded(
    plan: MatrixPlan, block: Block, places: dict[_Elementary, slice], total: int
) -> NDArray[np.float64]:
    """The columns of a block as combinations of the elementary products, shape (total, width)."""
    pieces = [_pieces(plan, i, reduced) for i, reduced in block]
    width = int(np.prod([piece[0][1].shape[1] for piece in pieces], dtype=np.int64))
    result = np.zeros((total, width))
    for chosen in product(*pieces):
        part = frozenset(i for (i, _) in chosen if i is not None)
        # An elementary product has its factors in the order of their numbers, the first varying fastest; a
        # block may have them in another order.
        matrix = _product([m for _, m in chosen], [i for i, _ in chosen])
        result[places[part]] += matrix
    return result


def _pieces(plan: MatrixPlan, i: int, reduced: bool) -> list[tuple[int | None, NDArray[np.float64]]]:
    """A factor's columns in terms of its contrasts and, for None, of the constant."""
    coding = plan.codings[i]
    if not isinstance(coding, Levels):
        return [(i, np.eye(1 if coding is None else len(coding)))]
    if reduced:
        return [(i, np.eye(_contrast_width(plan, i)))]
    whole = np.column_stack([np.ones(len(coding.labels)), _contrasts(coding)])
    if np.linalg.matrix_rank(whole) < len(whole):
        raise ArgumentError(
            f"the contrasts of {label_of(plan.nodes[i])!r} do not distinguish all its levels, so the term "
            "cannot be tested; use contrasts of full rank"
        )
    inverse = _inverse(whole)
    return [(None, inverse[:1]), (i, inverse[1:])]


def _product(matrices: Sequence[NDArray[np.float64]], factors: Sequence[int | None]) -> NDArray[np.float64]:
    """
    The Kronecker product of the matrices: in the columns the first varies fastest; rows go by factor number.
    """
    whole: NDArray[np.float64] = np.ones((1, 1))
    for matrix in matrices:
        whole = np.kron(matrix, whole).astype(np.float64)
    present = [(i, m.shape[0]) for i, m in zip(factors, matrices, strict=True) if i is not None]
    if [i for i, _ in present] == sorted(i for i, _ in present):
        return whole
    shape = [size for _, size in present]
    # Column-major: the first factor varies fastest.
    tensor = whole.reshape(*shape, whole.shape[1], order="F")
    order = sorted(range(len(present)), key=lambda j: present[j][0])
    return tensor.transpose(*order, len(present)).reshape(whole.shape, order="F")


def _inverse(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)


def _contrast_width(plan: MatrixPlan, i: int) -> int:
    coding = plan.codings[i]
    if isinstance(coding, Levels):
        return max(len(coding.labels) - 1, 0)
    return 1 if coding is None else len(coding)


def _contrasts(levels: Levels) -> NDArray[np.float64]:
    """The contrast matrix, one row per level."""
    if levels.contrast.matrix is not None:
        return levels.contrast.matrix
    return np.delete(np.eye(len(levels.labels)), levels.contrast.base, axis=1)


def _numeric_column(plan: MatrixPlan, term: Sequence[int], categorical: set[int]) -> NDArray[np.int64]:
    """The product of numeric columns in each column of a term, by number."""
    result, n_products = np.zeros(1, dtype=np.int64), 1
    for i in term:
        coding = plan.codings[i]
        if i in categorical:
            assert isinstance(coding, Levels)
            result = np.tile(result, len(coding.labels))
            continue
        width = _contrast_width(plan, i)
        result = np.concatenate([result + j * n_products for j in range(width)])
        n_products *= width
    return result
