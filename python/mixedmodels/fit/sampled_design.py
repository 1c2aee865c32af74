"""The design of a sample of rows, as `refit_samples` takes it, for a fit of its own."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from ..design import Design, RandomTerm
from ..design.grouping import GroupingFactor, GroupRecipe
from ..design.rows import MissingRows
from .record import read_only
from .state import Sample


def sampled_design(design: Design, sample: Sample) -> Design:
    """
    The design in the rows of a sample, whose copies of levels have names of their own: ``308``, ``308 (2)``.

    Parameters
    ----------
    design : Design
    sample : Sample
    """
    rows, codes, n_levels = sample
    terms = [
        _term(term, rows, own, count) for term, own, count in zip(design.terms, codes, n_levels, strict=True)
    ]
    random = [
        (plan, _recipe(group, term.group))
        for (plan, group), term in zip(design.recipe.random, terms, strict=True)
    ]
    return dataclasses.replace(
        design,
        x=_closed(np.asfortranarray(design.x[rows])),
        terms=tuple(terms),
        weights=None if design.weights is None else read_only(design.weights[rows]),
        offset=None if design.offset is None else read_only(design.offset[rows]),
        y=read_only(design.y[rows]),
        missing=MissingRows(len(rows), None, design.missing.action, {}),
        row_labels=None,
        recipe=dataclasses.replace(design.recipe, random=tuple(random)),
        new_response=True,
    )


def _closed(array: NDArray[np.float64]) -> NDArray[np.float64]:
    array.flags.writeable = False
    return array


def _term(term: RandomTerm, rows: NDArray[np.uint32], codes: NDArray[np.uint32], count: int) -> RandomTerm:
    group = GroupingFactor(
        term.group.label, term.group.columns, _levels(term, rows, codes, count), read_only(codes, np.uint32)
    )
    return dataclasses.replace(term, group=group, z=_closed(np.ascontiguousarray(term.z[rows])))


def _levels(
    term: RandomTerm, rows: NDArray[np.uint32], codes: NDArray[np.uint32], count: int
) -> tuple[str, ...]:
    """Names of the levels: those of the originals, numbered where there are several."""
    original = np.zeros(count, dtype=np.int64)
    original[codes] = term.group.codes[rows]
    copies: dict[int, int] = {}
    names = []
    for code in original.tolist():
        copies[code] = copies.get(code, 0) + 1
        label = term.group.levels[code]
        names.append(label if copies[code] == 1 else f"{label} ({copies[code]})")
    return tuple(names)


def _recipe(recipe: GroupRecipe, group: GroupingFactor) -> GroupRecipe:
    """How to find these levels in new data; the copies of cells of an interaction are in no data."""
    if recipe.cells is None:
        return dataclasses.replace(recipe, labels=(group.levels,))
    return dataclasses.replace(recipe, cells=np.full(len(group.levels), -1, dtype=np.int64))
