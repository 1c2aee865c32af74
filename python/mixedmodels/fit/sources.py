"""Where simulated responses come from: a linear predictor, distributions of random effects, a family."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..families import Family
from .parameters import Parameters, estimated
from .state import FittedModel


@dataclass(frozen=True, eq=False)
class RandomPart:
    """
    The effects of a term, of which all or some are drawn.

    Attributes
    ----------
    codes : ndarray of int, shape (n,)
        The level of each row.
    z : ndarray, shape (n, k)
    n_levels : int
    factor : ndarray, shape (k, k)
        The effects of a level are `center` + factor u with u standard normal.
    center : ndarray, shape (n_centered, k)
        The effects that are kept, and the expectation of the others given these. The levels after the first
        n_centered have none: their effects are drawn with `new_factor`.
    new_factor : ndarray, shape (k, k)
    """

    codes: NDArray[np.integer]
    z: NDArray[np.float64]
    n_levels: int
    factor: NDArray[np.float64]
    center: NDArray[np.float64]
    new_factor: NDArray[np.float64]

    def draw(self, rng: np.random.Generator, *m: int) -> NDArray[np.float64]:
        """Zb with effects drawn, shape (n,), or (m, n)."""
        known, k = len(self.center), len(self.factor)
        u = rng.standard_normal((*m, self.n_levels, k))
        b = (u.reshape(-1, k) @ self.new_factor.T).reshape(u.shape)
        if known:
            b[..., :known, :] = u[..., :known, :] @ self.factor.T + self.center
        total = np.zeros((*m, len(self.codes)))
        for j in range(k):
            # A column at a time: (m, n, k) values would be many more than the result has.
            values = np.ascontiguousarray(b[..., j])[..., self.codes]
            if not (self.z[:, j] == 1.0).all():
                values *= self.z[:, j]
            total += values
        return total


@dataclass(frozen=True, eq=False)
class ResponseSource:
    """
    What responses are drawn from.

    Attributes
    ----------
    eta : ndarray, shape (n,)
        The linear predictor as far as it is not drawn: Xβ, offset, and terms whose effects are all kept.
    parts : tuple of RandomPart
    family : Family
    weights : ndarray, shape (n,)
        Numbers of trials or prior weights.
    dispersion : float
    """

    eta: NDArray[np.float64]
    parts: tuple[RandomPart, ...]
    family: Family
    weights: NDArray[np.float64]
    dispersion: float

    def draw(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """
        A response on the scale of its mean, shape (n,): proportions for the binomial family.

        Raises
        ------
        DataError
            When a mean is out of the range of the family.
        """
        mean = self._mean(rng)
        with self._explaining(mean):
            return self.family.draw(rng, mean, self.weights, self.dispersion)

    def draw_many(self, rng: np.random.Generator, m: int) -> NDArray[np.float64]:
        """
        Several responses at once, shape (n, m), column-major.

        The random numbers are used in another order than by m calls of `draw`.
        """
        mean = np.broadcast_to(self._mean(rng, m), (m, len(self.eta)))
        with self._explaining(mean):
            drawn = self.family.draw_many(rng, mean, self.weights, self.dispersion)
        return np.asarray(drawn, dtype=np.float64).T

    @contextmanager
    def _explaining(self, mean: NDArray[np.float64]) -> Iterator[None]:
        """Explain what numpy says of parameters of a distribution."""
        try:
            yield
        except ValueError as error:
            if self.family.sequential:
                raise
            raise DataError(
                f"responses of family {self.family!r} cannot be drawn: some means are out of its range (from "
                f"{np.min(mean):.3g} to {np.max(mean):.3g}); take another link, or smaller effects"
            ) from error

    def _mean(self, rng: np.random.Generator, *m: int) -> NDArray[np.float64]:
        eta = self.eta
        for part in self.parts:
            eta = eta + part.draw(rng, *m)
        return self.family.mean(eta)


def source_of(
    fitted: FittedModel,
    parameters: Parameters | None = None,
    kept: Mapping[int, NDArray[np.intp]] | None = None,
) -> ResponseSource:
    """
    The source of responses in the rows of a fit.

    Parameters
    ----------
    fitted : FittedModel
    parameters : Parameters, optional
        By default the estimates.
    kept : mapping of int to ndarray of int, optional
        The columns, by term, whose effects stay at their conditional modes; by default none.
    """
    own = estimated(fitted) if parameters is None else parameters
    design = fitted.design
    eta = design.x @ own.beta
    if design.offset is not None:
        eta = eta + design.offset
    parts = []
    for t, (term, factor) in enumerate(zip(design.terms, own.factors(design), strict=True)):
        levels, codes = len(term.group.levels), term.group.codes
        columns = (kept or {}).get(t)
        if columns is not None and len(columns) == len(factor):
            eta = eta + np.einsum("ij,ij->i", term.z, fitted.estimates.b[t][codes])
        else:
            parts.append(part_of(codes, term.z, levels, factor, columns, fitted.estimates.b[t]))
    return ResponseSource(eta, tuple(parts), fitted.family, fitted.prior_weights, own.dispersion)


def part_of(
    codes: NDArray[np.integer],
    z: NDArray[np.float64],
    n_levels: int,
    factor: NDArray[np.float64],
    columns: NDArray[np.intp] | None = None,
    b: NDArray[np.float64] | None = None,
) -> RandomPart:
    """
    A term of which some effects are kept; the others are drawn given these.

    Parameters
    ----------
    codes : ndarray of int, shape (n,)
    z : ndarray, shape (n, k)
    n_levels : int
    factor : ndarray, shape (k, k)
        Of the covariance matrix of the effects.
    columns : ndarray of int, optional
        The effects that are kept; by default none.
    b : ndarray, shape (n_known, k), optional
        Their values, in these columns, for the first n_known levels.
    """
    if columns is None or not len(columns) or b is None:
        return RandomPart(codes, z, n_levels, factor, np.zeros((0, len(factor))), factor)
    rows = factor[columns]
    # Given rows u, the least u that gives them, and what is orthogonal to the rows.
    inverse = np.linalg.pinv(rows)
    spread = factor @ (np.eye(len(factor)) - inverse @ rows)
    center = b[:, columns] @ inverse.T @ factor.T
    spread[columns], center[:, columns] = 0.0, b[:, columns]
    return RandomPart(codes, z, n_levels, spread, center, factor)
