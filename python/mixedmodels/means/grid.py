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

from ..errors import ArgumentError
from ..fit.state import FittedModel
from ..frame import Frame
from ..frame.sources import find_source
from .variables import GridVariable, grid_variables

_MOST_CELLS = 10_000


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
        What takes the place of the means of covariates, see `emmeans`.

    Raises
    ------
    ArgumentError
        For a grid of more than 10,000 cells.
    """
    return grid_of(fitted, grid_variables(fitted, at, cov_reduce), _offset(fitted, offset))


def grid_of(fitted: FittedModel, variables: dict[str, GridVariable], offset: float) -> ReferenceGrid:
    """The grid of variables with their values."""
    shape = tuple(len(v.values) for v in variables.values())
    if math.prod(shape) > _MOST_CELLS:
        sizes = ", ".join(f"{v.name}: {len(v.values)}" for v in variables.values() if len(v.values) > 1)
        raise ArgumentError(
            f"the reference grid would have {math.prod(shape)} cells ({sizes}), more than {_MOST_CELLS}; "
            "choose some of the levels by at="
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
        if isinstance(wanted, bool) or not isinstance(wanted, (int, float)) or not math.isfinite(wanted):
            raise ArgumentError(f"offset must be a finite number, not {wanted!r}")
        return float(wanted)
    given = fitted.design.offset
    return 0.0 if given is None else float(given.mean())
