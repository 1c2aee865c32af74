"""The parameters of a model that are held, by their places."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...design.theta import HasTerms, slices


@dataclass(frozen=True)
class Held:
    """
    What a fit holds.

    Attributes
    ----------
    theta : tuple of (int, float)
        Entries of theta and their values.
    natural : tuple of (int, int, float)
        Term, natural parameter and value: absolute standard deviations, and correlations.
    sigma : float or None
        The residual standard deviation of a linear model.
    dispersion : float or None
        The parameter of a family; the family itself holds it.
    coefficients : tuple of (int, float)
        Columns of x and the values of their coefficients, by column.
    texts : tuple of str
        Each in words: ``"sd__Days = 5"``.
    surplus : int
        Correlations that mean nothing, as a standard deviation is held at zero.
    """

    theta: tuple[tuple[int, float], ...] = ()
    natural: tuple[tuple[int, int, float], ...] = ()
    sigma: float | None = None
    dispersion: float | None = None
    coefficients: tuple[tuple[int, float], ...] = ()
    texts: tuple[str, ...] = ()
    surplus: int = 0

    @property
    def random(self) -> bool:
        """Whether the covariance parameters of random effects are concerned."""
        return bool(self.theta or self.natural)

    @property
    def variances(self) -> bool:
        """Whether parameters of the objective of the engine are held, the family's own apart."""
        return self.random or self.sigma is not None

    @property
    def n_variances(self) -> int:
        """How many covariance parameters fewer are estimated, σ included."""
        return len(self.theta) + len(self.natural) + self.surplus + (self.sigma is not None)

    @cached_property
    def columns(self) -> NDArray[np.int64]:
        """The columns of x whose coefficients are held."""
        columns = np.array([column for column, _ in self.coefficients], dtype=np.int64)
        columns.flags.writeable = False
        return columns

    def terms(self, design: HasTerms) -> frozenset[int]:
        """The terms some of whose covariance parameters are held."""
        if not self.random:
            return frozenset()
        places = [i for i, _ in self.theta]
        by_theta = [
            t
            for t, (_, part) in enumerate(slices(design))
            if any(part.start <= i < part.stop for i in places)
        ]
        return frozenset([*by_theta, *(term for term, _, _ in self.natural)])

    def zeros(self, t: int, design: HasTerms) -> frozenset[int]:
        """The effects of a term whose standard deviation is held at zero."""
        parts = design.terms[t].structure.parameters
        held = [parts[i] for own, i, value in self.natural if own == t and value == 0.0]
        return frozenset(j for part in held if part.kind == "sd" for j in part.columns)

    def for_engine(self) -> dict[str, Any] | None:
        """As the engine takes it; None when it need not know."""
        if not self.variances:
            return None
        return {"theta": list(self.theta), "natural": list(self.natural), "sigma": self.sigma}

    def free_columns(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """The columns of x whose coefficients are estimated."""
        if not self.coefficients:
            return x
        result = np.asfortranarray(np.delete(x, self.columns, axis=1))
        result.flags.writeable = False
        return result

    def offset(
        self, x: NDArray[np.float64], offset: NDArray[np.float64] | None
    ) -> NDArray[np.float64] | None:
        """The offset with what the coefficients that are held add to it."""
        if not self.coefficients:
            return offset
        known = x[:, self.columns] @ np.array([value for _, value in self.coefficients])
        return known if offset is None else offset + known

    def in_all_columns(self, free: NDArray[np.int64], p: int) -> NDArray[np.int64]:
        """Positions among the p columns of x from those among its free columns, with the held ones."""
        if not self.coefficients:
            return free
        others = np.setdiff1d(np.arange(p, dtype=np.int64), self.columns)
        result = np.sort(np.concatenate([others[free], self.columns]))
        result.flags.writeable = False
        return result

    def beta(self, free: NDArray[np.float64], p: int) -> NDArray[np.float64]:
        """The coefficients of all columns from those of the free ones."""
        if not self.coefficients:
            return free
        result = np.empty(p)
        result[np.setdiff1d(np.arange(p), self.columns)] = free
        result[self.columns] = [value for _, value in self.coefficients]
        result.flags.writeable = False
        return result


NOTHING_HELD = Held()


def embedded(
    matrices: NDArray[np.float64], kept: NDArray[np.int64], held: Collection[int]
) -> NDArray[np.float64]:
    """
    Matrices of the free coefficients, shape (..., f, f), with zeros for those that are held.

    Parameters
    ----------
    matrices : ndarray
    kept : ndarray of int, shape (rank,)
        The coefficients of the result.
    held : collection of int
        Those of them that are held.
    """
    if not len(held):
        return matrices
    free = np.flatnonzero(~np.isin(kept, list(held)))
    result = np.zeros((*matrices.shape[:-2], len(kept), len(kept)))
    result[..., free[:, None], free] = matrices
    result.flags.writeable = False
    return result
