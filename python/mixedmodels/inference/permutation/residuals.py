"""Responses whose white residuals under the smaller model are permuted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...fit.draws import fixed_part
from ...fit.state import FittedModel
from .whitening import Whitening, whitening


@dataclass(frozen=True, eq=False)
class PermutedResiduals:
    """
    Responses of a linear model, by permutations of its white residuals.

    Attributes
    ----------
    mean : ndarray, shape (n,)
        The fixed part.
    white : ndarray, shape (n,)
        V^-½ times the weighted residuals.
    root_weights : ndarray, shape (n,)
    roots : Whitening
    within : ndarray of int, shape (n,), or None
        Residuals are permuted among the rows of a label only.
    """

    mean: NDArray[np.float64]
    white: NDArray[np.float64]
    root_weights: NDArray[np.float64]
    roots: Whitening
    within: NDArray[np.int64] | None

    def draw(self, rng: np.random.Generator, m: int) -> NDArray[np.float64]:
        permuted = np.column_stack([self._permuted(rng) for _ in range(m)])
        coloured = self.roots.colour(permuted) / self.root_weights[:, None]
        return np.asfortranarray(self.mean[:, None] + coloured)

    def _permuted(self, rng: np.random.Generator) -> NDArray[np.float64]:
        if self.within is None:
            return rng.permutation(self.white)
        return self.white[permutation_within(self.within, rng)]


def permuted_residuals(
    reduced: FittedModel, within: NDArray[np.int64] | None, function: str
) -> PermutedResiduals:
    """The white residuals of a fit."""
    roots = whitening(reduced, function)
    mean, weight = fixed_part(reduced), np.sqrt(reduced.prior_weights)
    return PermutedResiduals(mean, roots.whiten(weight * (reduced.design.y - mean)), weight, roots, within)


def permutation_within(labels: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.intp]:
    """A permutation that keeps every position among those with its label."""
    result = np.empty(len(labels), dtype=np.intp)
    result[np.argsort(labels, kind="stable")] = np.lexsort((rng.random(len(labels)), labels))
    return result
