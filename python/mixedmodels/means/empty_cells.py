"""Why means are not estimable, in words."""

from __future__ import annotations

import numpy as np

from ..fit.state import FittedModel
from .grid import ReferenceGrid, averaged, model_terms
from .linear_functions import LinearFunctions
from .specs import Specs, show

# How many empty cells or columns a note lists.
_MOST = 4


def reasons(fitted: FittedModel, grid: ReferenceGrid) -> str:
    """The empty cells of the model's interactions, or the columns that were dropped."""
    empty = empty_cells(fitted, grid)
    if empty:
        return f"no data with {_listed(empty, '; or ')}"
    kept = set(fitted.estimates.kept.tolist())
    dropped = [name for j, name in enumerate(fitted.design.x_names) if j not in kept]
    verb = "is" if len(dropped) == 1 else "are"
    return f"{_listed(dropped, ', ')} {verb} linearly dependent on other columns" if dropped else ""


def empty_cells(fitted: FittedModel, grid: ReferenceGrid) -> list[str]:
    """
    Combinations of levels in the grid that no row of the fit has, in words.

    Of variables that occur together in a term; not those with an empty combination of fewer variables in
    them.
    """
    found: list[frozenset[tuple[str, str]]] = []
    coded = [name for name, v in grid.variables.items() if v.codes is not None and len(v.values) > 1]
    sets = {tuple(name for name in coded if name in term) for term in model_terms(fitted)}
    for names in sorted(sets, key=lambda s: (len(s), [coded.index(name) for name in s])):
        if len(names) < 2:
            continue
        others = tuple(i for i, name in enumerate(grid.variables) if name not in names)
        counts = grid.counts().sum(axis=others)
        axes = [name for name in grid.variables if name in names]
        for place in np.argwhere(counts == 0).tolist():
            values = [show(grid.variables[name].values[i]) for name, i in zip(axes, place, strict=True)]
            cell = frozenset(zip(axes, values, strict=True))
            if not any(other <= cell for other in found):
                found.append(cell)
    order = list(grid.variables)
    return [
        " and ".join(f"{name} = {value}" for name, value in sorted(cell, key=lambda p: order.index(p[0])))
        for cell in found
    ]


def not_estimable(
    fitted: FittedModel, grid: ReferenceGrid, functions: LinearFunctions, specs: Specs, weights: str
) -> str:
    """A note on means that cannot be estimated: why, and what helps; empty if there are none."""
    if functions.estimable.all():
        return ""
    why = reasons(fitted, grid)
    note = f"nonEst: the data do not determine these rows{f' ({why})' if why else ''}"
    if weights != "flat":
        _, flat = averaged(grid, functions.space, specs, "flat")
        if (flat.estimable & ~functions.estimable).any():
            note += "; weights='flat' averages over the cells that have data"
    return note


def _listed(names: list[str], separator: str) -> str:
    more = len(names) - _MOST
    return separator.join(names[:_MOST]) + (f" and {more} more" if more > 0 else "")
