"""
Samples of cases: levels of factors, with all their rows, or rows.

A level that is drawn twice makes two levels, as two people with the same answers are two people. So do the
levels within it; levels of factors that are crossed with it stay what they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import ArgumentError
from ..fit.state import FittedModel, Sample
from ..inference.basis.row_labels import row_labels

ROWS = "rows"
Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Cases:
    """
    What is drawn, from the outermost factor inwards.

    Attributes
    ----------
    labels : tuple of str
    codes : tuple of ndarray of int, shape (n,) each
        The level of each row of each factor; rows are levels of their own.
    within : tuple of int
        For each random-effects term the innermost of these factors in whose levels its own lie; -1 for none.
    """

    labels: tuple[str, ...]
    codes: tuple[Codes, ...]
    within: tuple[int, ...]

    @classmethod
    def of(cls, fitted: FittedModel, names: Sequence[str]) -> Cases:
        """
        Factors by name: grouping factors, columns of the data, or "rows".

        Raises
        ------
        ArgumentError
            When a factor is not nested in the one before it.
        """
        found = [_codes(fitted, name) for name in names]
        for i in range(1, len(found)):
            if not _nested(found[i], found[i - 1]):
                raise ArgumentError(
                    f"cases: levels of {names[i]!r} occur in several levels of {names[i - 1]!r}; name the "
                    "factors from the outermost inwards, each within the one before, or only one of them"
                )
        within = []
        for term in fitted.design.terms:
            inside = [i for i, codes in enumerate(found) if _nested(term.group.codes, codes)]
            within.append(max(inside, default=-1))
        return cls(tuple(names), tuple(found), tuple(within))

    def samples(self, fitted: FittedModel, generator: np.random.Generator, m: int) -> list[Sample]:
        """m samples of the rows."""
        return [self._sample(fitted, generator) for _ in range(m)]

    def _sample(self, fitted: FittedModel, generator: np.random.Generator) -> Sample:
        rows: Codes = np.arange(fitted.n_obs)
        unit: Codes = np.zeros(fitted.n_obs, dtype=np.intp)
        units = []
        for codes in self.codes:
            rows, unit, before = _drawn(rows, unit, codes[rows], generator)
            units = [own[before] for own in units]
            units.append(unit)
        return self._with_levels(fitted, rows, units)

    def _with_levels(self, fitted: FittedModel, rows: Codes, units: Sequence[Codes]) -> Sample:
        codes, n_levels = [], []
        for term, within in zip(fitted.design.terms, self.within, strict=True):
            own = term.group.codes[rows].astype(np.intp)
            if within >= 0:
                own += units[within] * len(term.group.levels)
            code, count = _renumbered(own)
            codes.append(code)
            n_levels.append(count)
        return rows.astype(np.uint32), codes, n_levels


def without_each(fitted: FittedModel, codes: Codes) -> list[Sample]:
    """The rows without those of each level in turn, with the levels that are left."""
    samples: list[Sample] = []
    for level in range(int(codes.max()) + 1):
        rows = np.flatnonzero(codes != level)
        parts = [_renumbered(term.group.codes[rows].astype(np.intp)) for term in fitted.design.terms]
        samples.append((rows.astype(np.uint32), [code for code, _ in parts], [n for _, n in parts]))
    return samples


def _codes(fitted: FittedModel, name: str) -> Codes:
    if name == ROWS and all(term.group.label != ROWS for term in fitted.design.terms):
        return np.arange(fitted.n_obs)
    codes = row_labels(fitted, name, "cases").codes
    return np.unique(codes, return_inverse=True)[1].astype(np.intp)


def _nested(inner: NDArray[np.integer], outer: NDArray[np.integer]) -> bool:
    """Whether each level of the inner factor lies in one level of the outer."""
    first = np.zeros(int(inner.max()) + 1, dtype=np.intp)
    first[inner] = outer
    return bool((first[inner] == outer).all())


def _drawn(
    rows: Codes, unit: Codes, codes: Codes, generator: np.random.Generator
) -> tuple[Codes, Codes, Codes]:
    """
    Draw, within each unit, as many levels as it has.

    Returns
    -------
    tuple
        The rows, the new unit of each, and the positions among the old rows.
    """
    key = unit * (int(codes.max()) + 1) + codes
    order = np.argsort(key, kind="stable")
    sizes = np.unique(key, return_counts=True)[1]
    starts = np.cumsum(sizes) - sizes
    unit_of_level = unit[order[starts]]
    levels = np.bincount(unit_of_level)
    levels = levels[levels > 0]
    first = np.cumsum(levels) - levels
    drawn = np.repeat(first, levels) + generator.integers(np.repeat(levels, levels))
    n = sizes[drawn]
    offsets = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
    positions = order[np.repeat(starts[drawn], n) + offsets]
    return rows[positions], np.repeat(np.arange(len(drawn)), n), positions


def _renumbered(codes: Codes) -> tuple[NDArray[np.uint32], int]:
    """Codes without gaps, in the order of the old ones, and their number."""
    present = np.zeros(int(codes.max(initial=-1)) + 1, dtype=bool)
    present[codes] = True
    number = np.cumsum(present) - 1
    return number[codes].astype(np.uint32), int(present.sum())
