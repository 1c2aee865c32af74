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
# Codes with so many gaps are sorted rather than marked.
_SPARSE = 4
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
    outermost : Levels
        Of the first factor.
    """

    labels: tuple[str, ...]
    codes: tuple[Codes, ...]
    within: tuple[int, ...]
    outermost: Levels

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
                inner = _within(fitted, names[i], found[i - 1])
                do = (
                    f"if these are different levels with the same labels, name {inner!r} instead"
                    if inner
                    else "name the factors from the outermost inwards, each within the one before, or only "
                    "one of them"
                )
                raise ArgumentError(
                    f"cases: levels of {names[i]!r} occur in several levels of {names[i - 1]!r}; {do}"
                )
        within = []
        for term in fitted.design.terms:
            inside = [i for i, codes in enumerate(found) if _nested(term.group.codes, codes)]
            within.append(max(inside, default=-1))
        outermost = Levels.within(np.zeros(fitted.n_obs, dtype=np.intp), found[0])
        return cls(tuple(names), tuple(found), tuple(within), outermost)

    def samples(self, fitted: FittedModel, generator: np.random.Generator, m: int) -> list[Sample]:
        """m samples of the rows."""
        return [self._sample(fitted, generator) for _ in range(m)]

    def _sample(self, fitted: FittedModel, generator: np.random.Generator) -> Sample:
        rows, unit = self.outermost.drawn(generator)
        units = [unit]
        for codes in self.codes[1:]:
            inner = Levels.within(unit, codes[rows])
            before, unit = inner.drawn(generator)
            rows, units = rows[before], [*(own[before] for own in units), unit]
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


def without_level(fitted: FittedModel, codes: Codes, level: int) -> Sample:
    """The rows without those of a level, with the levels that are left."""
    rows = np.flatnonzero(codes != level)
    parts = [_renumbered(term.group.codes[rows].astype(np.intp)) for term in fitted.design.terms]
    return rows.astype(np.uint32), [code for code, _ in parts], [n for _, n in parts]


def is_rows(fitted: FittedModel, name: str) -> bool:
    """Whether a name stands for the rows themselves."""
    return name == ROWS and all(term.group.label != ROWS for term in fitted.design.terms)


def _codes(fitted: FittedModel, name: str) -> Codes:
    if is_rows(fitted, name):
        return np.arange(fitted.n_obs)
    codes = row_labels(fitted, name, "cases").codes
    return np.unique(codes, return_inverse=True)[1].astype(np.intp)


def _within(fitted: FittedModel, name: str, outer: Codes) -> str:
    """A grouping factor that a column of this name is a part of, within another factor; or empty."""
    groups = [term.group for term in fitted.design.terms if len(term.group.levels) > outer.max() + 1]
    parts = (group.label for group in groups if name in group.columns and _nested(group.codes, outer))
    return next(parts, "")


def _nested(inner: NDArray[np.integer], outer: NDArray[np.integer]) -> bool:
    """Whether each level of the inner factor lies in one level of the outer."""
    first = np.zeros(int(inner.max()) + 1, dtype=np.intp)
    first[inner] = outer
    return bool((first[inner] == outer).all())


@dataclass(frozen=True, eq=False)
class Levels:
    """
    The levels of a factor within units, as places of their rows.

    Attributes
    ----------
    order : ndarray of int, shape (n,)
        The rows by unit and level.
    starts, sizes : ndarray of int, shape (n_levels,)
        Where the rows of each level begin in `order`, and their number.
    first, count : ndarray of int, shape (n_levels,)
        For each level the first level of its unit, and the number of these.
    """

    order: Codes
    starts: Codes
    sizes: Codes
    first: Codes
    count: Codes

    @classmethod
    def within(cls, unit: Codes, codes: Codes) -> Levels:
        """The levels of rows with these units and codes."""
        key = unit * (int(codes.max()) + 1) + codes
        order = np.argsort(key, kind="stable")
        starts = np.flatnonzero(np.diff(key[order], prepend=-1))
        counts = np.bincount(unit[order[starts]])
        counts = counts[counts > 0]
        first = np.cumsum(counts) - counts
        sizes = np.diff(starts, append=len(order))
        return cls(order, starts, sizes, np.repeat(first, counts), np.repeat(counts, counts))

    def drawn(self, generator: np.random.Generator) -> tuple[Codes, Codes]:
        """
        Draw, within each unit, as many levels as it has.

        Returns
        -------
        tuple
            The places of the rows, and for each of them the number of its level among those drawn.
        """
        levels = self.first + generator.integers(self.count)
        sizes = self.sizes[levels]
        ends = np.cumsum(sizes)
        # Within each level its rows one after the other.
        places = np.arange(ends[-1]) + np.repeat(self.starts[levels] - (ends - sizes), sizes)
        return self.order[places], np.repeat(np.arange(len(levels)), sizes)


def _renumbered(codes: Codes) -> tuple[NDArray[np.uint32], int]:
    """Codes without gaps, in the order of the old ones, and their number."""
    largest = int(codes.max(initial=-1))
    if largest > _SPARSE * len(codes):
        values, number = np.unique(codes, return_inverse=True)
        return number.astype(np.uint32), len(values)
    present = np.zeros(largest + 1, dtype=bool)
    present[codes] = True
    number = np.cumsum(present) - 1
    return number[codes].astype(np.uint32), int(present.sum())
