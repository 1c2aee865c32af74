"""One covariance structure for a number of columns, as the engine describes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import FormulaError

if TYPE_CHECKING:
    from .._engine import Covariance

# A theta that moves the natural parameters by less has reached a bound, where they turn back.
_AT_BOUND = 1e-6


class Parameter(NamedTuple):
    """
    A natural parameter of a structure.

    Attributes
    ----------
    kind : {"sd", "cor"}
        Standard deviation or correlation.
    label : str
        Empty where the columns name it.
    columns : tuple of int
        The columns with this standard deviation; the pair with this correlation, none for a correlation
        that several pairs share.
    lower, upper : float
        Bounds.
    """

    kind: str
    label: str
    columns: tuple[int, ...]
    lower: float
    upper: float

    @property
    def shared(self) -> bool:
        """Whether several columns, or pairs of columns, have it."""
        return len(self.columns) != (1 if self.kind == "sd" else 2)


class Structure:
    """
    A covariance structure for k columns.

    Its *natural* parameters are standard deviations (relative to the residual one) and correlations, in this
    order. *Theta* is what the optimizer moves: the entries of the lower triangular factor for structures
    that leave variances and covariances free, else a free parametrisation with an entry for each
    natural parameter.

    Attributes
    ----------
    name : str
        As in formulas.
    k : int
    n_parameters : int
    times : tuple of float or None
        Of the columns, for structures in continuous time.
    """

    def __init__(self, engine: Covariance, times: tuple[float, ...] | None = None) -> None:
        self._engine = engine
        self.name, self.k, self.n_parameters, self.times = engine.name, engine.k, engine.n_parameters, times

    def __repr__(self) -> str:
        return f"Structure({self.name!r}, {self.k})"

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """The natural parameters."""
        engine = self._engine
        bounds = zip(engine.parameters, engine.lower.tolist(), engine.upper.tolist(), strict=True)
        return tuple(
            [
                Parameter(kind, label, tuple(columns), lower, upper)
                for (kind, label, columns), lower, upper in bounds
            ]
        )

    @cached_property
    def entries(self) -> list[tuple[int, int]] | None:
        """Rows and columns of the factor that theta fills; None where theta is something else."""
        return self._engine.entries

    @cached_property
    def blocks(self) -> tuple[tuple[int, ...], ...] | None:
        """Sets of columns with a free covariance matrix, independent of each other; None without such."""
        if self.entries is None:
            return None
        first = list(range(self.k))
        for i, j in self.entries:
            first[i] = min(first[i], first[j])
        return tuple([tuple([i for i in range(self.k) if first[i] == j]) for j in dict.fromkeys(first)])

    @property
    def linear(self) -> bool:
        """Whether the covariance matrices are a linear space, to which the identity then belongs."""
        return self._engine.is_linear

    @property
    def correlated(self) -> bool:
        """Whether there are correlations among its parameters."""
        # There are k standard deviations at most; a list of millions of parameters takes seconds.
        return self.n_parameters > self.k or any(part.kind == "cor" for part in self.parameters)

    @cached_property
    def ordered(self) -> bool:
        """Whether correlations depend on how far apart the columns are in their order."""
        own_pairs = sum(part.kind == "cor" and not part.shared for part in self.parameters)
        if self.times is not None or own_pairs == self.k * (self.k - 1) // 2:
            return False
        factor = self.factor(self._generic_theta)
        rows = factor / np.linalg.norm(factor, axis=1)[:, None]
        return bool(np.ptp((rows @ rows.T)[np.tril_indices(self.k, -1)]) > 1e-6)

    @property
    def told_by_one_level(self) -> bool:
        """
        Whether the effects of a single level determine the parameters.

        They are like many observations where all have one variance, and are independent or have
        correlations that fall with their distance; a common correlation needs several levels.
        """
        if self.n_parameters >= self.k or not all(
            part.shared for part in self.parameters if part.kind == "sd"
        ):
            return False
        return not self.correlated or self.ordered or self.times is not None

    @cached_property
    def _generic_theta(self) -> NDArray[np.float64]:
        """Theta for different standard deviations, and correlations that halve from one to the next."""
        n_sd = int(np.count_nonzero(self._is_sd))
        sds = 1.0 + np.arange(n_sd) / (n_sd + 1.0)
        return self.theta(np.append(sds, 0.5 ** np.arange(1.0, self.n_parameters - n_sd + 1.0)))

    @cached_property
    def generic_changes(self) -> NDArray[np.float64]:
        """
        Slopes of the covariance matrix in theta at a point without symmetries, shape (n_parameters, k, k).

        What they span has the dimension that the covariance matrices have nearly everywhere.
        """
        half = self.factor_slopes(self._generic_theta) @ self.factor(self._generic_theta).T
        return half + half.transpose(0, 2, 1)

    def factor(self, theta: NDArray[np.float64]) -> NDArray[np.float64]:
        """The relative covariance factor λ, shape (..., k, k), for theta of shape (..., n_parameters)."""
        if self.entries is None:
            if theta.ndim == 1:
                return self._engine.relative_factor(np.ascontiguousarray(theta))
            return self._for_each(self._engine.relative_factor, theta, (self.k, self.k))
        result = np.zeros((*theta.shape[:-1], self.k, self.k))
        values = theta.tolist() if theta.ndim == 1 else np.moveaxis(theta, -1, 0)
        for (row, column), value in zip(self.entries, values, strict=True):
            result[..., row, column] = value
        return result

    def factor_slopes(self, theta: NDArray[np.float64]) -> NDArray[np.float64]:
        """Derivatives of the factor in theta, shape (n_parameters, k, k)."""
        return self._engine.factor_slopes(np.ascontiguousarray(theta))

    def natural(self, theta: NDArray[np.float64]) -> NDArray[np.float64]:
        """
        The natural parameters for theta, both of shape (..., n_parameters).

        NaN for the correlation of a pair of columns one of which has no variance.
        """
        if self.entries is None:
            return self._for_each(self._engine.natural, theta, (self.n_parameters,))
        factor = self.factor(theta)
        sizes = np.linalg.norm(factor, axis=-1)
        with np.errstate(invalid="ignore", divide="ignore"):
            rows = factor / sizes[..., None]
        result = [
            sizes[..., part.columns[0]]
            if part.kind == "sd"
            else np.clip(
                np.sum(rows[..., part.columns[0], :] * rows[..., part.columns[1], :], axis=-1), -1, 1
            )
            for part in self.parameters
        ]
        return np.stack(result, axis=-1)

    def natural_slopes(self, theta: NDArray[np.float64]) -> NDArray[np.float64]:
        """Derivatives of the natural parameters (rows) in theta (columns)."""
        return self._engine.natural_slopes(np.ascontiguousarray(theta))

    def theta(self, natural: NDArray[np.float64]) -> NDArray[np.float64]:
        """
        Theta for natural parameters, both of shape (n_parameters,).

        Raises
        ------
        ValueError
            When there is no such covariance matrix.
        """
        return np.asarray(self._engine.theta(np.ascontiguousarray(natural)))

    def element_change(self, move: NDArray[np.float64]) -> NDArray[np.float64]:
        """
        The change of the covariance matrix along a direction in its distinct elements, shape (k, k).

        For structures whose covariance matrices are a linear space; others have no such elements.
        """
        return np.tensordot(move, self.element_matrices(), 1)

    def element_matrices(self) -> NDArray[np.float64]:
        """What each distinct element contributes to the covariance matrix, shape (n_parameters, k, k)."""
        elements = self._engine.elements or []
        result = np.zeros((len(elements), self.k, self.k))
        for matrix, entries in zip(result, elements, strict=True):
            for i, j in entries:
                matrix[i, j] = matrix[j, i] = 1.0
        return result

    @cached_property
    def bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Lower and upper bounds between which every covariance matrix has its theta."""
        return self._engine.theta_bounds

    def theta_of_factor(self, factor: NDArray[np.float64]) -> NDArray[np.float64]:
        """Theta of a structure whose theta fills the factor."""
        assert self.entries is not None
        return np.array([factor[i, j] for i, j in self.entries])

    def interior(self, theta: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which entries of theta are off the boundary, shape (n_parameters,)."""
        if self.entries is not None:
            columns = np.array([j for _, j in self.entries])
            used = {int(j): bool(np.any(theta[columns == j])) for j in set(columns.tolist())}
            return np.array([used[j] for j in columns.tolist()], dtype=bool)
        natural = self.natural(theta)
        if not natural[self._is_sd].any():
            return np.zeros(len(theta), dtype=bool)
        moved = np.linalg.norm(self.natural_slopes(theta), axis=0) > _AT_BOUND
        return moved & ~(self._is_sd & (natural == 0.0))

    def at_bound(self, theta: NDArray[np.float64], tol: float) -> list[tuple[Parameter, float]]:
        """Correlations within `tol` of a bound, and that bound."""
        found = []
        for part, value in zip(self.parameters, self.natural(theta).tolist(), strict=True):
            if part.kind == "cor":
                found += [(part, bound) for bound in (part.lower, part.upper) if abs(value - bound) < tol]
        return found

    def grown(
        self, theta: NDArray[np.float64], marked: NDArray[np.bool_], ratio: float
    ) -> NDArray[np.float64]:
        """Theta with marked entries, or standard deviations, `ratio` times as large."""
        if self.entries is not None or not marked.any():
            return np.where(marked, theta * ratio, theta)
        natural = self.natural(theta)
        return self.theta(np.where(self._is_sd, natural * ratio, natural))

    def growth(self, theta: NDArray[np.float64], marked: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Derivative of `grown` in the logarithm of the ratio."""
        if self.entries is not None or not marked.any():
            return np.where(marked, theta, 0.0)
        natural = np.where(self._is_sd, self.natural(theta), 0.0)
        moved, *_ = np.linalg.lstsq(self.natural_slopes(theta), natural, rcond=None)
        return np.asarray(moved, dtype=np.float64)

    @cached_property
    def _is_sd(self) -> NDArray[np.bool_]:
        return np.array([part.kind == "sd" for part in self.parameters], dtype=bool)

    def effects(self, names: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
        """
        The kind of each natural parameter and what it belongs to.

        The name of a column, or the names of two; the structure where columns share the parameter, followed
        by its label.
        """
        for part in self.parameters:
            if not part.shared:
                yield part.kind, tuple([names[j] for j in part.columns])
            elif part.kind == "sd":
                yield part.kind, (self.name,)
            else:
                yield part.kind, (self.name, part.label or "rho")

    def _for_each(
        self,
        compute: Callable[[NDArray[np.float64]], NDArray[np.float64]],
        theta: NDArray[np.float64],
        shape: tuple[int, ...],
    ) -> NDArray[np.float64]:
        rows = np.ascontiguousarray(theta.reshape(-1, theta.shape[-1]))
        values = [compute(row) if np.isfinite(row).all() else np.full(shape, np.nan) for row in rows]
        return np.array(values).reshape(*theta.shape[:-1], *shape)


@lru_cache(maxsize=256)
def structure_of(name: str, k: int, times: tuple[float, ...] | None = None) -> Structure:
    """
    The structure of this name for k columns.

    Parameters
    ----------
    name : str
    k : int
    times : tuple of float, optional
        What the columns have for times; structures that need none do not get them.

    Raises
    ------
    FormulaError
        When the structure needs times and the columns have none.
    """
    from .._engine import Covariance

    try:
        return Structure(Covariance(name, k))
    except ValueError:
        if times is None:
            raise FormulaError(
                f"{name}() needs a time for each column: write {name}(0 + numFactor(time) | group) with a "
                "column of numbers, or a factor whose levels are numbers"
            ) from None
    return Structure(Covariance(name, k, list(times)), times)


def without_correlations(structure: Structure) -> str | None:
    """The name of the structure with the same standard deviations and no correlations; None without one."""
    from .._engine import COVARIANCES

    own = [part.columns for part in structure.parameters if part.kind == "sd"]
    for name in COVARIANCES:
        try:
            other = structure_of(name, structure.k)
        except FormulaError:
            continue
        if not other.correlated and [part.columns for part in other.parameters] == own:
            return name
    return None
