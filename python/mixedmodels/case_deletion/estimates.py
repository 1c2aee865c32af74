"""The estimates without sets of rows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Estimates:
    """
    The estimates without each of m sets of rows.

    Attributes
    ----------
    change : ndarray, shape (m, q)
        Of the q coefficients that are estimated, deleted less full; NaN where the other rows do not determine
        one.
    covariance : ndarray, shape (m, q, q)
        Their covariance, by refits as that of the model.
    reference : ndarray, shape (q, q)
        The same when nothing is deleted.
    sigma : ndarray, shape (m,)
    variances : ndarray, shape (m, v)
        Variances of the random effects and, for families with a scale, of the residuals.
    messages : tuple of str
        Why there is no fit, or none that converged; otherwise empty.
    singular : ndarray of bool, shape (m,)
    """

    change: NDArray[np.float64]
    covariance: NDArray[np.float64]
    reference: NDArray[np.float64]
    sigma: NDArray[np.float64]
    variances: NDArray[np.float64]
    messages: tuple[str, ...]
    singular: NDArray[np.bool_]

    @classmethod
    def joined(cls, parts: list[Estimates]) -> Estimates:
        """One after the other."""
        first = parts[0]
        if len(parts) == 1:
            return first
        arrays = {
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in ("change", "covariance", "sigma", "variances", "singular")
        }
        return replace(first, messages=sum((part.messages for part in parts), ()), **arrays)
