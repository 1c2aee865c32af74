"""Variance components as sparse matrices over all rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from .groups import Groups, factorized


@dataclass(frozen=True, eq=False)
class Component:
    """
    A variance component: columns whose effects are independent and have one variance.

    Attributes
    ----------
    name : str
    z : sparse array, shape (n, q)
        Each group has its own columns, in the order of the groups.
    starts : ndarray, shape (n_groups + 1,)
        The first column of each group.
    labels : callable
        The names of the columns of a group, by its number. Pickles contain it, so it is no local function.
    levels : callable, optional
        For a categorical column: the names of all its levels, and the places of the columns of a group, by
        its number, among them. Levels without rows in the group have no column; their effects are zero.
    """

    name: str
    z: Any
    starts: NDArray[np.intp]
    labels: Callable[[int], list[str]]
    levels: Callable[[int], tuple[list[str], NDArray[np.intp]]] | None = None

    @cached_property
    def single(self) -> tuple[NDArray[np.intp], NDArray[np.float64]] | None:
        """
        The column of each row and its value, when no row has more than one; None otherwise.

        Such a component is a grouping factor with a random intercept or slope.
        """
        z = self.z
        counts = np.diff(z.indptr)
        if counts.max(initial=0) > 1:
            return None
        codes, values = np.zeros(z.shape[0], dtype=np.intp), np.zeros(z.shape[0])
        rows = np.flatnonzero(counts)
        codes[rows], values[rows] = z.indices, z.data
        return codes, values

    def dense(self, groups: Groups) -> NDArray[np.float64]:
        """The columns of each row's group, padded by zeros to the largest number; shape (n, k)."""
        found = np.zeros((self.z.shape[0], int(np.diff(self.starts).max(initial=0))))
        row = np.repeat(np.arange(self.z.shape[0]), np.diff(self.z.indptr))
        found[row, self.z.indices - self.starts[groups.codes[row]]] = self.z.data
        return found

    def cells(self, groups: Groups) -> list[str]:
        """Texts for all columns: the levels of a factor, after the group if there are several."""
        found = []
        for number, group in enumerate(groups.labels):
            before = f"{group}:" if len(groups.labels) > 1 else ""
            found += [before + _level(column) for column in self.labels(number)]
        return found

    def matrix(self, group: int, groups: Groups) -> NDArray[np.float64]:
        """The columns of one group, at its rows."""
        rows, own = groups.rows[group], slice(self.starts[group], self.starts[group + 1])
        return self.z[rows][:, own].toarray()

    def at_rows(self, rows: NDArray[np.bool_], before: Groups, after: Groups) -> Component:
        """The component at some of the rows: groups without any lose their columns."""
        numbers = {label: g for g, label in enumerate(before.labels)}
        kept = [numbers[label] for label in after.labels]
        widths = np.diff(self.starts)[kept]
        columns = np.concatenate([np.arange(self.starts[g], self.starts[g + 1]) for g in kept])
        z = self.z[rows][:, columns].tocsr()
        levels = None if self.levels is None else partial(_renumbered, self.levels, kept)
        return Component(self.name, z, _starts(widths), partial(_renumbered, self.labels, kept), levels)


def component_of_matrices(
    name: str, matrices: Sequence[Any], labels: Sequence[Sequence[str]], groups: Groups
) -> Component:
    """
    A component from a matrix for each group.

    Parameters
    ----------
    name : str
    matrices : sequence of array-like or sparse, shape (n_g, q_g) each
    labels : sequence of sequences of str
    groups : Groups

    Raises
    ------
    ValueError
        For a matrix that does not fit its group.
    """
    if len(matrices) != len(groups.labels):
        raise ValueError(
            f"exog_vc: component {name!r} has {len(matrices)} matrices, but there are {len(groups.labels)} "
            "groups"
        )
    widths = np.zeros(len(matrices), dtype=np.intp)
    parts: list[tuple[Any, Any, Any]] = []
    total = 0
    for g, given in enumerate(matrices):
        own: Any = sparse.coo_array(given if sparse.issparse(given) else _two_columns(given))
        if own.shape[0] != len(groups.rows[g]):
            raise ValueError(
                f"exog_vc: the matrix of component {name!r} for group {groups.labels[g]!r} has "
                f"{own.shape[0]} rows, but the group has {len(groups.rows[g])}"
            )
        row, column = own.coords
        parts.append((groups.rows[g][row], column + total, own.data))
        widths[g] = own.shape[1]
        total += own.shape[1]
    if not total:
        raise ValueError(f"component {name!r} of vc_formula (exog_vc) has no columns")
    rows, columns, values = (np.concatenate(part) for part in zip(*parts, strict=True))
    values = values.astype(np.float64)
    if not np.isfinite(values).all():
        raise ValueError(f"exog_vc: component {name!r} has missing or infinite values")
    z = sparse.csr_array((values, (rows, columns)), shape=(len(groups.codes), total))
    z.eliminate_zeros()
    names = [[str(label) for label in own] for own in labels]
    return Component(name, z, _starts(widths), names.__getitem__)


def component_of_levels(name: str, levels: Any, groups: Groups, label: str) -> Component:
    """
    A component with an effect for each level within each group.

    Parameters
    ----------
    name : str
    levels : array-like, shape (n,)
        A Categorical may have levels without rows; its order is that of the columns.
    groups : Groups
    label : str
        What the name of a column has before the level.
    """
    categorical = isinstance(levels, pd.Categorical)
    codes, unique = (
        (levels.codes, levels.categories.tolist()) if categorical else factorized(np.asarray(levels))
    )
    cells = groups.codes.astype(np.int64) * len(unique) + codes
    used, effect = np.unique(cells, return_inverse=True)
    own_group, own_level = used // len(unique), used % len(unique)
    starts = _starts(np.bincount(own_group, minlength=len(groups.labels)))
    n = len(codes)
    z = sparse.csr_array((np.ones(n), effect, np.arange(n + 1)), shape=(n, len(used)))
    every = None
    if categorical:
        every = partial(_all_levels, [f"{label}[{level}]" for level in unique], own_level, starts)
    return Component(name, z, starts, partial(_of_levels, label, unique, own_level, starts), every)


def component_of_columns(name: str, columns: Any, names: Sequence[str], groups: Groups) -> Component:
    """
    A component with the same columns in all groups.

    Parameters
    ----------
    name : str
    columns : ndarray, shape (n, k)
    names : sequence of str
    groups : Groups
    """
    n, k = columns.shape
    place = (groups.codes.astype(np.intp)[:, None] * k + np.arange(k)).ravel()
    values = np.array(columns, dtype=np.float64).ravel()
    z = sparse.csr_array((values, place, np.arange(n + 1) * k), shape=(n, k * len(groups.labels)))
    z.eliminate_zeros()
    listed = list(names)
    return Component(name, z, np.arange(len(groups.labels) + 1) * k, partial(_alike, listed))


def _of_levels(
    label: str, unique: list[Any], levels: NDArray[np.intp], starts: NDArray[np.intp], group: int
) -> list[str]:
    return [f"{label}[{unique[level]}]" for level in levels[starts[group] : starts[group + 1]]]


def _alike(listed: list[str], group: int) -> list[str]:
    del group
    return listed


def _all_levels(
    names: list[str], levels: NDArray[np.intp], starts: NDArray[np.intp], group: int
) -> tuple[list[str], NDArray[np.intp]]:
    return names, levels[starts[group] : starts[group + 1]]


def _renumbered(labels: Callable[[int], Any], numbers: list[int], group: int) -> Any:
    return labels(numbers[group])


def _level(column: str) -> str:
    """The level in a name such as ``C(plate)[a]``."""
    _, bracket, rest = column.partition("[")
    return rest[:-1] if bracket and rest.endswith("]") and "[" not in rest else column


def _starts(widths: NDArray[np.intp]) -> NDArray[np.intp]:
    return np.concatenate([[0], np.cumsum(widths)]).astype(np.intp)


def _two_columns(values: Any) -> NDArray[np.float64]:
    own = np.asarray(values, dtype=np.float64)
    return own[:, None] if own.ndim == 1 else own
