"""What a model that was fitted to other rows says about the linear predictors of held-out rows, jointly."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...design.theta import factors
from ...errors import ArgumentError
from ...fit.state import FittedModel
from ...formula.nodes import variables
from ...frame import Factor, Frame
from ..fixed_part import determined_x
from ..rows import PredictedRows, RandomPart

_MOST_KNOWN = 5_000
# Columns of an inverse that are solved for together.
_TOGETHER = 64


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
        if all((part.codes[chosen] < 0).all() for part in self.predicted.parts):
            x = self.predicted.x[np.ix_(chosen, estimates.kept)]
            return x @ fitted.conditional_covariance() @ x.T
        rows, covariance = self._known
        own = rows[chosen]
        return own @ (own @ covariance).T

    @cached_property
    def _known(self) -> tuple[Any, NDArray[np.float64]]:
        """
        What the held-out rows have of the spherical effects of known levels and of the coefficients, and the
        joint covariance matrix of these; without the effects that no held-out row has.
        """
        from scipy.sparse import coo_array, csr_array, hstack

        fitted, n = self.fitted, len(self.rows)
        blocks = []
        for part, factor in zip(self.predicted.parts, self._factors, strict=True):
            k, levels = factor.shape[1], len(fitted.design.terms[part.term].group.levels)
            known = np.flatnonzero(part.codes >= 0)
            columns = part.codes[known, None] * k + np.arange(k)
            place = (np.repeat(known, k), columns.ravel())
            values = (part.z[known] @ factor).ravel()
            blocks.append(coo_array((values, place), shape=(n, k * levels)))
        x = self.predicted.x[:, fitted.estimates.free]
        rows: Any = csr_array(hstack([*blocks, csr_array(x)]))
        used = np.unique(rows.nonzero()[1])
        if len(used) > _MOST_KNOWN:
            raise ArgumentError(
                f"held-out rows share {len(used)} known random effects with the other folds, and joint "
                f"scores need their covariance matrix (at most {_MOST_KNOWN}); use by='rows' or more folds"
            )
        return rows[:, used], fitted.scale**2 * _joint_covariance(fitted, used)


def _joint_covariance(fitted: FittedModel, used: NDArray[np.intp]) -> NDArray[np.float64]:
    """
    The covariance matrix of some of the spherical random effects and coefficients, in units of the scale.

    From the inverse of Henderson's equations, by a sparse factor.
    """
    from scipy.sparse import block_array, coo_array, csc_array, eye_array
    from scipy.sparse.linalg import splu

    n = fitted.n_obs
    root = np.sqrt(fitted.working_weights()) * fitted.scale
    parts = []
    for term, factor in zip(fitted.design.terms, factors(fitted.design, fitted.estimates.theta), strict=True):
        z = root[:, None] * (term.z @ factor)
        k = z.shape[1]
        columns = term.group.codes.astype(np.int64)[:, None] * k + np.arange(k)
        place = (np.repeat(np.arange(n), k), columns.ravel())
        parts.append(coo_array((z.ravel(), place), shape=(n, k * len(term.group.levels))))
    z: Any = csc_array(block_array([parts]))
    x = root[:, None] * fitted.design.x[:, fitted.estimates.free]
    across = csc_array(z.T @ x)
    q = z.shape[1]
    whole = block_array([[z.T @ z + eye_array(q), across], [across.T, csc_array(x.T @ x)]])
    solver = splu(csc_array(whole))
    result = np.empty((len(used), len(used)))
    for start in range(0, len(used), _TOGETHER):
        own = used[start : start + _TOGETHER]
        unit = np.zeros((q + x.shape[1], len(own)))
        unit[own, np.arange(len(own))] = 1.0
        result[:, start : start + len(own)] = solver.solve(unit)[used]
    return (result + result.T) / 2.0


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
