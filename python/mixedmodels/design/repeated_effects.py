"""
Random effects that a model repeats.

Two sets of random effects of the same groups, with columns A and B, add AΣA' and BΨB' to the covariance of
the response. If B = AM for some M and Σ is unstructured, the second adds nothing: the model with A alone is
the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .grouping import GroupingFactor
from .random_term import RandomTerm

# The residual of a column given others is rounding error below this share of its norm.
_ROUNDING = 1e-9
# Eigenvalues of cross-products that need a closer look; they are squares.
_DOUBTFUL = 1e-11
# Squared sines of angles between columns that need a closer look.
_ALIKE = 1e-12
# A sample of rows: only columns that agree in it are compared in all rows.
_SAMPLE = np.modf(np.arange(1, 257) * 0.6180339887498949)[0]


@dataclass(frozen=True)
class Repeated:
    """
    Columns of a random-effects term that another term already contains.

    Attributes
    ----------
    term : int
        The term, by position.
    columns : tuple of int
        Its columns that can be left out.
    within : tuple of int
        The terms that contain them.
    """

    term: int
    columns: tuple[int, ...]
    within: tuple[int, ...]


def may_repeat(terms: Sequence[RandomTerm]) -> bool:
    """Whether effects of the same groups look linearly dependent: a quick check that settles most models."""
    return any(effects.may_depend() for effects in _same_groups(terms))


def repeated_effects(terms: Sequence[RandomTerm]) -> list[Repeated]:
    """The columns that can be left out without changing the model, by term."""
    found: dict[int, dict[int, int]] = {}
    for effects in _same_groups(terms):
        if not effects.may_depend():
            continue
        for (t, columns), home in effects.redundant():
            found.setdefault(t, {}).update(dict.fromkeys(columns, home))
    return [
        Repeated(t, tuple(sorted(columns)), tuple(dict.fromkeys(columns.values())))
        for t, columns in sorted(found.items())
    ]


def overlapping_terms(terms: Sequence[RandomTerm]) -> list[tuple[list[int], int, int]]:
    """
    Terms of the same groups whose covariance matrices are not separately identified.

    Returns
    -------
    list of (list of int, int, int)
        The terms, the number of parameters of their covariance matrices, and how many of these are surplus.
    """
    found = []
    for effects in _same_groups(terms):
        if effects.may_depend():
            surplus = effects.surplus()
            if surplus:
                written = sum(terms[t].structure.n_parameters for t in effects.terms)
                found.append((effects.terms, written, surplus))
    return found


def n_covariance_parameters(terms: Sequence[RandomTerm]) -> int:
    """The number of entries of theta."""
    return sum(term.structure.n_parameters for term in terms)


# A term, and columns of it whose covariance matrix is free.
_Block = tuple[int, tuple[int, ...]]


class _Effects:
    """The random effects of the same groups, from one term or more."""

    def __init__(self, terms: Sequence[RandomTerm], members: Sequence[int]) -> None:
        self._all = terms
        self.terms = list(members)
        # Terms with structured covariance matrices, whose entries depend on each other.
        self._tied = [t for t in members if not terms[t].blocks]
        self.blocks: list[_Block] = [(t, block) for t in members for block in terms[t].blocks]
        n = len(terms[members[0]].z)
        wanted = 4 * sum(len(terms[t].names) for t in members)
        few = n <= max(len(_SAMPLE), wanted)
        self._rows: Any = slice(None) if few else np.unique((_SAMPLE * n).astype(np.intp))
        self._complete = few

    def may_depend(self) -> bool:
        """Whether the columns look linearly dependent, which is rare."""
        columns = np.hstack([self._all[t].z[self._rows] for t in self.terms])
        products = columns.T.dot(columns)
        sizes = np.sqrt(products.diagonal())
        if not sizes.all():
            return True
        values = np.linalg.eigvalsh(products / sizes / sizes[:, None])
        return bool(values[0] <= _DOUBTFUL * values[-1])

    def redundant(self) -> Iterator[tuple[_Block, int]]:
        """Blocks of columns that lie within another block, and the term of that one."""
        homes: dict[_Block, _Block] = {}
        # The smallest block of the smallest term first; among equals, the last one.
        order = sorted(
            enumerate(self.blocks), key=lambda b: (len(b[1][1]), len(self._all[b[1][0]].names), -b[0])
        )
        for _, block in order:
            others = [other for other in self.blocks if other != block and len(other[1]) >= len(block[1])]
            found = (other for other in others if other not in homes and self._inside(block, other))
            home = next(found, None)
            if home is not None:
                homes[block] = home
        for block, home in homes.items():
            # The containing block may itself lie within a larger one.
            while home in homes:
                home = homes[home]
            yield block, home[0]

    def surplus(self) -> int:
        """
        The number of surplus covariance parameters.

        The sum of AΣA' over the terms is linear in small changes of all Σ; written in a basis of what the
        columns span, its rank is the number of parameters that are determined.
        """
        found = self._surplus(self._rows)
        return found if not found or self._complete else self._surplus(slice(None))

    def _surplus(self, rows: Any) -> int:
        parts = [*self.blocks, *((t, tuple(range(len(self._all[t].names)))) for t in self._tied)]
        columns = self._columns(parts, rows)
        sizes = np.linalg.norm(columns, axis=0)
        _, values, right = np.linalg.svd(_scaled(columns), full_matrices=False)
        basis = values > _ROUNDING * values[0]
        coordinates = values[basis, None] * right[basis]
        products, own, first = [], 0, 0
        for t, block in parts:
            place = slice(first, first + len(block))
            part, first = coordinates[:, place], place.stop
            if t in self._tied:
                # Structured variances are related in the units of the columns.
                part = part * (sizes[place] / sizes.max())
                changes = self._all[t].structure.generic_changes
                symmetric = np.array([(part @ change @ part.T).ravel() for change in changes])
            else:
                pairs = [part[:, [i]] * part[:, j] for i in range(len(block)) for j in range(i + 1)]
                symmetric = np.array([(pair + pair.T).ravel() for pair in pairs])
            # Dependence within a block does not count here.
            own += _rank(symmetric)
            products.append(symmetric)
        return own - _rank(np.vstack(products))

    def _inside(self, block: _Block, other: _Block) -> bool:
        """Whether the columns of a block are linear combinations of the columns of another one."""
        if len(block[1]) == len(other[1]) == 1 and not self._alike(block, other):
            return False
        if not _within(self._columns([block]), self._columns([other])):
            return False
        whole = slice(None)
        columns = self._columns([block], whole)
        # A column of zeros is not an effect.
        return bool(columns.any(axis=0).all()) and (
            self._complete or _within(columns, self._columns([other], whole))
        )

    def _alike(self, block: _Block, other: _Block) -> bool:
        """Whether two single columns may be multiples of each other: a quick check for many pairs."""
        (t, (i,)), (u, (j,)) = block, other
        cosine = self._cosines[self._first[t] + i, self._first[u] + j]
        return bool(1.0 - cosine * cosine <= _ALIKE)

    @cached_property
    def _cosines(self) -> NDArray[np.float64]:
        columns = _scaled(np.hstack([self._all[t].z for t in self.terms]))
        return columns.T @ columns

    @cached_property
    def _first(self) -> dict[int, int]:
        widths = [len(self._all[t].names) for t in self.terms]
        return dict(zip(self.terms, np.cumsum([0, *widths[:-1]]).tolist(), strict=True))

    def _columns(self, blocks: Sequence[_Block], rows: Any = None) -> NDArray[np.float64]:
        rows = self._rows if rows is None else rows
        return np.hstack([self._all[t].z[rows][:, columns] for t, columns in blocks])


def _same_groups(terms: Sequence[RandomTerm]) -> Iterator[_Effects]:
    """The terms by grouping factor, where there is more than one set of effects."""
    left = list(range(len(terms)))
    while left:
        first = left[0]
        same = [t for t in left if _equal(terms[first].group, terms[t].group)]
        left = [t for t in left if t not in same]
        if len(same) > 1 or len(terms[first].blocks) > 1:
            yield _Effects(terms, same)


def _equal(a: GroupingFactor, b: GroupingFactor) -> bool:
    """Whether two factors define the same groups."""
    if a is b:
        return True
    if len(a.levels) != len(b.levels):
        return False
    translated = np.zeros(len(a.levels), dtype=b.codes.dtype)
    for rows in (slice(0, 1000), slice(None)):
        translated[a.codes[rows]] = b.codes[rows]
        if not np.array_equal(translated[a.codes[rows]], b.codes[rows]):
            return False
    return True


def _within(columns: NDArray[np.float64], span: NDArray[np.float64]) -> bool:
    span, columns = _scaled(span), _scaled(columns)
    found, *_ = np.linalg.lstsq(span, columns, rcond=_ROUNDING)
    return bool((np.linalg.norm(columns - span @ found, axis=0) <= _ROUNDING).all())


def _scaled(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    size = np.linalg.norm(columns, axis=0)
    return columns / np.where(size > 0, size, 1.0)


def _rank(matrix: NDArray[np.float64]) -> int:
    if len(matrix) == 1:
        return int(matrix.any())
    values = np.linalg.svd(matrix, compute_uv=False)
    return int(np.sum(values > 1e-8 * max(values[0], 1e-300)))
