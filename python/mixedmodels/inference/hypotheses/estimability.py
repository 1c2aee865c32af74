"""Which linear functions of the coefficients the data determine (Searle 1971, Linear Models, section 5.4)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...fit.state import FittedModel

# A function does not depend on a direction that the data say nothing about if its part in it is this small
# beside its coefficients of the columns that such directions involve, or (rounding) beside all of it.
_TOLERANCE = 1e-8
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Undetermined:
    """
    The directions of the coefficients of a fit that change no fitted value.

    Parameters
    ----------
    fitted : FittedModel
    """

    fitted: FittedModel

    @cached_property
    def dropped(self) -> NDArray[np.intp]:
        """The columns of the model matrix that depend on others, one for each direction."""
        return np.setdiff1d(np.arange(len(self.fitted.design.x_names)), self.fitted.estimates.kept)

    @cached_property
    def directions(self) -> NDArray[np.float64]:
        """Shape (p, p - rank); of length one in coefficients of columns with a root mean square of one."""
        return self._scaled / self._sizes[:, None]

    def parts(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """
        The parts of functions in the directions; zero where only rounding is left.

        A function is compared with its coefficients of the columns that some direction involves: other
        columns, such as a covariate at a huge value, have no bearing on this.

        Parameters
        ----------
        rows : ndarray, shape (m, p)

        Returns
        -------
        ndarray, shape (m, p - rank)
            NaN in rows with NaN.
        """
        if not len(self.dropped):
            return np.zeros((len(rows), 0))
        scaled = rows / self._sizes
        involved = (np.abs(self._scaled) > _TOLERANCE).any(axis=1)
        size = np.linalg.norm(scaled[:, involved], axis=1)
        limit = _TOLERANCE * size + _ROUNDING * np.linalg.norm(scaled, axis=1)
        parts = scaled @ self._scaled
        return np.where(np.abs(parts) <= np.maximum(limit[:, None], self._rounding), 0.0, parts)

    def depends(self, rows: NDArray[np.float64]) -> NDArray[np.bool_]:
        """
        Which of these functions depend on which directions.

        Parameters
        ----------
        rows : ndarray, shape (m, p)

        Returns
        -------
        ndarray of bool, shape (m, p - rank)
            False in rows with NaN.
        """
        return np.abs(self.parts(rows)) > 0

    def estimable(self, rows: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which of these functions (shape (m, p)) the data determine, shape (m,)."""
        return np.logical_not(self.depends(rows).any(axis=1))

    @property
    def _sizes(self) -> NDArray[np.float64]:
        return self.fitted.derived(_column_sizes)

    @property
    def _scaled(self) -> NDArray[np.float64]:
        return self.fitted.derived(_scaled_directions)

    @property
    def _rounding(self) -> NDArray[np.float64]:
        return self.fitted.derived(_distances)


def _column_sizes(fitted: FittedModel) -> NDArray[np.float64]:
    """Root mean squares of the columns, one for a column of zeros."""
    sizes = np.sqrt(np.mean(fitted.design.x**2, axis=0))
    return np.where(sizes > 0, sizes, 1.0)


def _scaled_directions(fitted: FittedModel) -> NDArray[np.float64]:
    """The directions in coefficients of the columns divided by their sizes, of length one."""
    x, kept, sizes = fitted.design.x, fitted.estimates.kept, fitted.derived(_column_sizes)
    dropped = Undetermined(fitted).dropped
    null = np.zeros((x.shape[1], len(dropped)))
    if len(dropped):
        null[kept] = -np.linalg.lstsq(x[:, kept] / sizes[kept], x[:, dropped] / sizes[dropped], rcond=None)[0]
        null[dropped] = np.eye(len(dropped))
        null /= np.linalg.norm(null, axis=0)
    return null


def _distances(fitted: FittedModel) -> NDArray[np.float64]:
    """How far the rows of the fit are from not depending on each direction, shape (p - rank,)."""
    return 2.0 * np.abs(fitted.design.x @ Undetermined(fitted).directions).max(axis=0)
