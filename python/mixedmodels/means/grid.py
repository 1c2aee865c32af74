"""The reference grid: the model's predictions at every combination of its predictors' values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..checks import finite_number, one_of
from ..errors import ArgumentError
from ..fit.state import FittedModel
from ..formula.nodes import variables as variables_in
from ..frame import Frame
from ..frame.sources import find_source
from .linear_functions import LinearFunctions, Space
from .specs import Specs
from .variables import GridVariable, grid_variables

_MOST_CELLS = 10_000
WEIGHTS = {
    "equal": "equally weighted",
    "proportional": "weighted by the frequencies of their combinations in the data",
    "outer": "weighted by the frequencies of their levels in the data",
    "cells": "weighted by the frequencies of the cells in the data",
    "flat": "equally weighted where there are data",
}


@dataclass(frozen=True, eq=False)
class ReferenceGrid:
    """
    Rows of the model matrix on a grid (Searle, Speed & Milliken 1980).

    Attributes
    ----------
    variables : dict of str to GridVariable
        One axis each.
    x : ndarray, shape (*number of values of each variable, p)
    offset : float
        Added to every cell: the mean offset of the fit unless another one was asked for.
    """

    variables: dict[str, GridVariable]
    x: NDArray[np.float64]
    offset: float

    def axis(self, name: str) -> int:
        """The axis of a variable."""
        return list(self.variables).index(name)

    def counts(self) -> NDArray[np.float64]:
        """Rows of the fit in each cell; a covariate at chosen values counts each of them alike."""
        shape = self.x.shape[:-1]
        cells = np.ones(shape)
        coded = [(i, v.codes) for i, v in enumerate(self.variables.values()) if v.codes is not None]
        if not coded:
            return cells
        inside = np.logical_and.reduce([codes >= 0 for _, codes in coded])
        found = np.zeros([shape[i] for i, _ in coded])
        np.add.at(found, tuple(codes[inside] for _, codes in coded), 1.0)
        wide = [shape[i] if v.codes is not None else 1 for i, v in enumerate(self.variables.values())]
        return cells * found.reshape(wide)


def reference_grid(
    fitted: FittedModel,
    at: Mapping[str, Any] | None = None,
    offset: float | None = None,
    cov_reduce: Any = None,
) -> ReferenceGrid:
    """
    The grid of a fit.

    Parameters
    ----------
    fitted : FittedModel
    at : mapping of str to values, optional
        Values of predictors instead of their means or all their levels.
    offset : float, optional
    cov_reduce : str, callable, False, or mapping of str to these, optional
        Replaces the means of covariates, see `emmeans`.

    Raises
    ------
    ArgumentError
        For a grid of more than 10,000 cells, and for a model of arrays.
    """
    if fitted.arguments.of_arrays:
        raise ArgumentError(
            "means, trends and effects need the variables of a formula, and this model was made from arrays: "
            "nothing says which columns are the levels of one factor, or products of others. Fit the model "
            "from a formula, or test combinations of coefficients with linear_hypothesis()"
        )
    return grid_of(fitted, grid_variables(fitted, at, cov_reduce), _offset(fitted, offset))


def grid_of(fitted: FittedModel, variables: dict[str, GridVariable], offset: float) -> ReferenceGrid:
    """The grid of variables with their values."""
    shape = tuple(len(v.values) for v in variables.values())
    if math.prod(shape) > _MOST_CELLS:
        sizes = ", ".join(f"{v.name}: {len(v.values)}" for v in variables.values() if len(v.values) > 1)
        raise ArgumentError(
            f"the reference grid would have {math.prod(shape)} cells ({sizes}), more than {_MOST_CELLS}; "
            "choose some of the levels with at="
        )
    what = "the reference grid"
    # A model of an intercept alone has a grid without columns.
    rows = fitted.design.recipe.new_x(Frame(find_source(cells(variables), what), what))
    return ReferenceGrid(variables, rows.reshape(*shape, rows.shape[1]), offset)


def cells(variables: Mapping[str, GridVariable]) -> pd.DataFrame:
    """The combinations of the variables' values, the last one varying fastest."""
    listed = list(product(*(v.values for v in variables.values())))
    columns = {name: [row[i] for row in listed] for i, name in enumerate(variables)}
    # A model with nothing but an intercept has one cell.
    return pd.DataFrame(columns, index=pd.RangeIndex(len(listed)))


def _offset(fitted: FittedModel, wanted: float | None) -> float:
    if wanted is not None:
        return finite_number("offset", wanted)
    given = fitted.design.offset
    return 0.0 if given is None else float(given.mean())


def check_weights(weights: Any) -> str:
    """The ``weights`` argument."""
    return one_of("weights", weights, WEIGHTS)


def averaged(
    grid: ReferenceGrid, space: Space, specs: Specs, weights: str
) -> tuple[pd.DataFrame, LinearFunctions]:
    """
    The means of the grid for each combination of the variables asked for.

    Returns
    -------
    labels : DataFrame, shape (m, number of variables)
        The first variable varies fastest.
    functions : LinearFunctions
    """
    chosen = [grid.axis(name) for name in reversed(specs.all)]
    others = [i for i in range(len(grid.variables)) if i not in chosen]
    x = np.transpose(grid.x, [*chosen, *others, len(grid.variables)])
    counts = np.transpose(grid.counts(), [*chosen, *others])
    m = int(np.prod(counts.shape[: len(chosen)], dtype=int))
    x, counts = x.reshape(m, counts.size // m, x.shape[-1]), counts.reshape(m, *counts.shape[len(chosen) :])
    shares = _shares(counts, weights)
    rows = np.einsum("ij,ijk->ik", shares, x)
    labels = cells({name: grid.variables[name] for name in reversed(specs.all)})
    return labels.reindex(columns=pd.Index(specs.all, dtype=object)), LinearFunctions(
        rows, np.full(m, grid.offset), space
    )


def _shares(counts: NDArray[np.float64], weights: str) -> NDArray[np.float64]:
    """The weight of each cell of the averaged factors (flattened) in each mean; rows sum to one."""
    flat = counts.reshape(len(counts), -1)
    if weights == "equal":
        found = np.ones_like(flat)
    elif weights == "proportional":
        found = np.broadcast_to(flat.sum(axis=0), flat.shape)
    elif weights == "outer":
        total = counts.sum(axis=0)
        product: NDArray[np.float64] = np.ones(())
        for axis in range(total.ndim):
            rest = tuple(i for i in range(total.ndim) if i != axis)
            product = np.multiply.outer(product, total.sum(axis=rest))
        found = np.broadcast_to(product.reshape(-1), flat.shape)
    else:
        found = flat if weights == "cells" else (flat > 0).astype(np.float64)
    with np.errstate(invalid="ignore"):
        # A mean over no data at all is not estimable: NaN.
        return found / found.sum(axis=1, keepdims=True)


def model_terms(fitted: FittedModel) -> list[frozenset[str]]:
    """The columns that each fixed-effects term reads."""
    listed = fitted.design.formula.fixed_terms
    return [
        frozenset(name for i in term for name in variables_in(listed.factors[i])) for term in listed.terms
    ]


def interacting(terms: list[frozenset[str]], names: set[str], others: set[str]) -> bool:
    """Whether some term has variables of both sets."""
    return any(term & names and term & others for term in terms)
