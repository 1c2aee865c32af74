"""What a model that was fitted to other rows says about the linear predictors of held-out rows, jointly."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...design.theta import factors
from ...fit.state import FittedModel
from ...formula.nodes import variables
from ...frame import Factor, Frame
from ..fixed_part import determined_x
from ..rows import PredictedRows, RandomPart


@dataclass(frozen=True, eq=False)
class HeldOut:
    """
    Held-out rows for which there is a prediction.

    Attributes
    ----------
    fitted : FittedModel
        The fit to the other rows.
    predicted : PredictedRows
    rows : ndarray of int, shape (m,)
        Their positions among the rows used by the model of all rows.
    levels : tuple of ndarray of int, shape (m,) each
        The levels of each term in the model of all rows: they tell new levels apart.
    """

    fitted: FittedModel
    predicted: PredictedRows
    rows: NDArray[np.intp]
    levels: tuple[NDArray[np.int64], ...]

    def covariance(self, chosen: NDArray[np.intp]) -> NDArray[np.float64]:
        """Covariance matrix of the errors of the linear predictors of some rows, by position in `rows`."""
        total = self._of_estimates(chosen)
        for part, factor in zip(self.predicted.parts, self._factors, strict=True):
            new = part.codes[chosen] < 0
            if new.any():
                level = self.levels[part.term][chosen]
                shared = (level[:, None] == level) & new[:, None] & new
                z = part.z[chosen] @ (self.fitted.scale * factor)
                total += np.where(shared, z @ z.T, 0.0)
        return total

    @property
    def _factors(self) -> list[NDArray[np.float64]]:
        return factors(self.fitted.design, self.fitted.estimates.theta)

    def _of_estimates(self, chosen: NDArray[np.intp]) -> NDArray[np.float64]:
        """The part of the coefficients and of the effects of known levels."""
        fitted, estimates = self.fitted, self.fitted.estimates
        parts = self.predicted.parts
        if all((part.codes[chosen] < 0).all() for part in parts):
            x = self.predicted.x[np.ix_(chosen, estimates.kept)]
            return x @ fitted.conditional_covariance() @ x.T
        rows = np.zeros((len(chosen), self._joint.size))
        start = 0
        for part, factor in zip(parts, self._factors, strict=True):
            k, codes = factor.shape[1], part.codes[chosen]
            known = np.flatnonzero(codes >= 0)
            columns = start + codes[known, None] * k + np.arange(k)
            rows[known[:, None], columns] = part.z[chosen[known]] @ factor
            start += k * len(fitted.design.terms[part.term].group.levels)
        rows[:, start:] = self.predicted.x[np.ix_(chosen, estimates.free)]
        return fitted.scale**2 * (rows @ self._joint.solve(rows.T))

    @cached_property
    def _joint(self) -> _JointPrecision:
        return _JointPrecision(self.fitted)


class _JointPrecision:
    """The precision of spherical random effects and coefficients relative to the scale, as a factor."""

    def __init__(self, fitted: FittedModel) -> None:
        from scipy.sparse import block_array, coo_array, csc_array, eye_array
        from scipy.sparse.linalg import splu

        n = fitted.n_obs
        root = np.sqrt(fitted.working_weights()) * fitted.scale
        parts = []
        for term, factor in zip(
            fitted.design.terms, factors(fitted.design, fitted.estimates.theta), strict=True
        ):
            z = root[:, None] * (term.z @ factor)
            k = z.shape[1]
            columns = term.group.codes.astype(np.int64)[:, None] * k + np.arange(k)
            place = (np.repeat(np.arange(n), k), columns.ravel())
            parts.append(coo_array((z.ravel(), place), shape=(n, k * len(term.group.levels))))
        z = csc_array(block_array([parts]))
        x = root[:, None] * fitted.design.x[:, fitted.estimates.free]
        across = csc_array(z.T @ x)
        q = z.shape[1]
        whole = block_array([[z.T @ z + eye_array(q), across], [across.T, csc_array(x.T @ x)]])
        self.size = q + x.shape[1]
        self._factor = splu(csc_array(whole))

    def solve(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return self._factor.solve(values)


def held_out(full: FittedModel, fitted: FittedModel, frame: Frame, rows: NDArray[np.bool_]) -> HeldOut:
    """
    The held-out rows that the fit to the others can predict.

    Not among them: rows with a level of a predictor that no other row has, and those whose fixed part the
    other rows do not determine.

    Parameters
    ----------
    full : FittedModel
        The model of all rows.
    fitted : FittedModel
        Its fit to the other rows.
    frame : Frame
        The rows that `full` used.
    rows : ndarray of bool, shape (n,)
        Which are held out.
    """
    usable = rows & ~_with_new_level(fitted, frame, rows)
    part = frame.rows(usable)
    x = determined_x(fitted, part)
    good = ~np.isnan(x).any(axis=1)
    if not good.all():
        usable[np.flatnonzero(usable)[~good]] = False
        part, x = frame.rows(usable), x[good]
    recipe, terms = fitted.design.recipe, fitted.design.terms
    found = recipe.new_random(part, True) if usable.any() else ()
    parts = [RandomPart(t, np.arange(len(terms[t].names)), new.codes, new.z) for t, new in enumerate(found)]
    offset = None if full.design.offset is None else full.design.offset[usable]
    predicted = PredictedRows(fitted, x, tuple(parts), offset, part)
    levels = tuple([term.group.codes[usable].astype(np.int64) for term in full.design.terms])
    return HeldOut(fitted, predicted, np.flatnonzero(usable), levels)


def _with_new_level(fitted: FittedModel, frame: Frame, rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Rows with a level of a factor of the fixed part that the rows of the fit do not have."""
    result = np.zeros(len(rows), dtype=bool)
    nodes = fitted.design.recipe.fixed.nodes
    for name in dict.fromkeys(name for node in nodes for name in variables(node)):
        column: Any = frame.column(name)
        if isinstance(column, Factor):
            known = np.zeros(len(column.levels) + 1, dtype=bool)
            known[column.codes[~rows]] = True
            result |= ~known[column.codes]
    return result
