"""The data of a model by group, as the likelihood needs them: columns of Z, and their cross-products."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from .components import Component
from .groups import Groups

# Products of groups are taken together as long as they fill less than this many numbers.
_CHUNK = 4_000_000


@dataclass(frozen=True, eq=False)
class Batch:
    """
    Groups with the same columns of Z.

    Attributes
    ----------
    effects : ndarray of int, shape (m, q)
        The columns of Z of each group.
    owner : ndarray of int, shape (q,)
        The random coefficient of each column, or k_re plus the number of its component.
    """

    effects: NDArray[np.intp]
    owner: NDArray[np.intp]


class Products:
    """
    The columns of Z of all groups, coefficients before components, and their cross-products.

    Attributes
    ----------
    k_re, k_vc : int
    z : sparse array, shape (n, q)
    group : ndarray of int, shape (q,)
        The group of each column.
    """

    def __init__(
        self, exog_re: NDArray[np.float64] | None, components: list[Component], groups: Groups
    ) -> None:
        n_groups = len(groups.labels)
        blocks: list[Any] = []
        owner: list[NDArray[np.intp]] = []
        group: list[NDArray[np.intp]] = []
        self.k_re = 0 if exog_re is None else exog_re.shape[1]
        self.k_vc = len(components)
        if exog_re is not None and self.k_re:
            n, k = exog_re.shape
            place = (groups.codes.astype(np.intp)[:, None] * k + np.arange(k)).ravel()
            shape = (n, k * n_groups)
            blocks.append(sparse.csr_array((exog_re.ravel(), place, np.arange(n + 1) * k), shape=shape))
            owner.append(np.tile(np.arange(k), n_groups))
            group.append(np.repeat(np.arange(n_groups), k))
        for j, part in enumerate(components):
            blocks.append(part.z)
            owner.append(np.full(part.z.shape[1], self.k_re + j))
            group.append(np.repeat(np.arange(n_groups), np.diff(part.starts)))
        self.z: Any = sparse.hstack(blocks, format="csr") if len(blocks) > 1 else blocks[0]
        self.owner, self.group = np.concatenate(owner), np.concatenate(group)
        self.n_groups = n_groups

    @cached_property
    def transposed(self) -> Any:
        """Z' in rows."""
        return self.z.T.tocsr()

    @cached_property
    def _squares(self) -> Any:
        """Z'Z, which has a block for each group."""
        return (self.transposed @ self.z).tocsr()

    @cached_property
    def batches(self) -> list[Batch]:
        """The groups, those with equal numbers of columns of each kind together."""
        kinds = self.k_re + self.k_vc
        widths = np.bincount(self.group * kinds + self.owner, minlength=self.n_groups * kinds)
        patterns, which = np.unique(widths.reshape(self.n_groups, kinds), axis=0, return_inverse=True)
        order = np.argsort(self.group, kind="stable")
        starts = np.concatenate([[0], np.cumsum(np.bincount(self.group, minlength=self.n_groups))])
        members = np.split(
            np.argsort(which.ravel(), kind="stable"),
            np.cumsum(np.bincount(which.ravel(), minlength=len(patterns)))[:-1],
        )
        found = []
        for pattern, own in zip(patterns, members, strict=True):
            q = int(pattern.sum())
            if q:
                effects = order[starts[own][:, None] + np.arange(q)]
                found.append(Batch(effects, np.repeat(np.arange(kinds), pattern)))
        return found

    def chunks(self, arrays_per_group: int) -> Iterator[tuple[Batch, NDArray[np.float64]]]:
        """Batches of bounded size with Z'Z of their groups, shape (m, q, q)."""
        for batch in self.batches:
            q = len(batch.owner)
            size = max(1, _CHUNK // (q * q * arrays_per_group))
            for first in range(0, len(batch.effects), size):
                part = Batch(batch.effects[first : first + size], batch.owner)
                yield part, self.squares_of(part)

    def squares_of(self, batch: Batch) -> NDArray[np.float64]:
        """Z'Z of the groups of a batch, shape (m, q, q)."""
        m, q = batch.effects.shape
        position = np.empty(self.z.shape[1], dtype=np.intp)
        position[batch.effects.ravel()] = np.tile(np.arange(q), m)
        rows = self._squares[batch.effects.ravel()]
        row = np.repeat(np.arange(m * q), np.diff(rows.indptr))
        found = np.zeros((m * q, q))
        found[row, position[rows.indices]] = rows.data
        return found.reshape(m, q, q)
