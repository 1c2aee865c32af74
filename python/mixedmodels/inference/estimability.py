"""Which linear functions of the coefficients the data determine (Searle 1971, Linear Models, section 5.4)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..fitted_model import FittedModel

# A function whose parts cancel to this share of their size in a direction that the data say nothing
# about does not depend on that direction.
_TOLERANCE = 1e-8


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
        return np.setdiff1d(np.arange(self.fitted.design.x.shape[1]), self.fitted.estimates.kept)

    @cached_property
    def directions(self) -> NDArray[np.float64]:
        """Shape (p, p - rank)."""
        x, kept, dropped = self.fitted.design.x, self.fitted.estimates.kept, self.dropped
        null = np.zeros((x.shape[1], len(dropped)))
        if len(dropped):
            size = np.linalg.norm(x[:, kept], axis=0)
            found, *_ = np.linalg.lstsq(x[:, kept] / size, x[:, dropped], rcond=None)
            # What is exactly zero but for rounding must not make functions look dependent on it.
            found[np.abs(found) < 1e-10 * np.abs(found).max(axis=0, initial=0.0)] = 0.0
            null[kept] = -found / size[:, None]
            null[dropped] = np.eye(len(dropped))
        return null

    @cached_property
    def _rounding(self) -> NDArray[np.float64]:
        """How far the rows of the fit are from not depending on each direction, shape (p - rank,)."""
        return 2.0 * np.abs(self.fitted.design.x @ self.directions).max(axis=0)

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
        if not len(self.dropped):
            return np.zeros((len(rows), 0), dtype=bool)
        parts = np.abs(rows @ self.directions)
        size = np.abs(rows) @ np.abs(self.directions)
        return (parts > _TOLERANCE * size) & (parts > self._rounding)

    def estimable(self, rows: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which of these functions (shape (m, p)) the data determine, shape (m,)."""
        return np.logical_not(np.any(self.depends(rows), axis=1))
