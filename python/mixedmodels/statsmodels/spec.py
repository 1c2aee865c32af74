"""`VCSpec`: variance components as a matrix for each group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from .components import Component, component_of_matrices
from .groups import Groups


class VCSpec:
    """
    The variance components of a :class:`MixedLM`.

    Parameters
    ----------
    names : list of str
        Names of the components.
    colnames : list of list of list of str
        ``colnames[k][i]`` names the columns of ``mats[k][i]``.
    mats : list of list of array-like or sparse
        ``mats[k][i]`` is the matrix of component k for the i-th group in sorted order, with a row for each
        row of the group; groups may have different numbers of columns.

    Examples
    --------
    >>> import numpy as np
    >>> from mixedmodels.statsmodels import VCSpec
    >>> spec = VCSpec(["cask"], [[["a", "b"]]], [[np.eye(2)]])
    >>> spec.names
    ['cask']
    """

    names: list[str]
    colnames: Any
    mats: Any

    def __init__(self, names: Sequence[str], colnames: Any, mats: Any) -> None:
        self.names, self.colnames, self.mats = list(names), colnames, mats

    def components(self, groups: Groups) -> list[Component]:
        """The components over all rows."""
        parts = zip(self.names, self.mats, self.colnames, strict=True)
        return [component_of_matrices(name, mats, labels, groups) for name, mats, labels in parts]

    def at_rows(self, rows: Any, before: Groups, after: Groups) -> ComponentSpec:
        """The components at some of the rows."""
        return ComponentSpec([part.at_rows(rows, before, after) for part in self.components(before)], after)


class ComponentSpec(VCSpec):
    """Components that are known over all rows; matrices by group are made when they are asked for."""

    def __init__(self, found: Sequence[Component], groups: Groups) -> None:
        self.names = [part.name for part in found]
        self._found, self._groups = list(found), groups

    def components(self, groups: Groups) -> list[Component]:
        return self._found

    @cached_property
    def colnames(self) -> Any:  # pyright: ignore[reportIncompatibleVariableOverride]
        numbers = range(len(self._groups.labels))
        return [[part.labels(g) for g in numbers] for part in self._found]

    @cached_property
    def mats(self) -> Any:  # pyright: ignore[reportIncompatibleVariableOverride]
        numbers = range(len(self._groups.labels))
        return [[part.matrix(g, self._groups) for g in numbers] for part in self._found]


def spec_of_dictionaries(given: Mapping[str, Mapping[Any, Any]], groups: Groups) -> VCSpec:
    """
    Components in the old form, ``{name: {group: matrix}}``.

    A group without a matrix has no columns.

    Raises
    ------
    ValueError
        For groups that the data do not have.
    """
    names, mats, labels = sorted(given), [], []
    for name in names:
        own = given[name]
        strange = [g for g in own if g not in groups.numbers]
        if strange:
            raise ValueError(f"exog_vc: component {name!r} has a matrix for {strange[0]!r}, no group")
        empty = [np.zeros((size, 0)) for size in groups.sizes]
        mats.append([own.get(g, none) for g, none in zip(groups.labels, empty, strict=True)])
        labels.append([_columns(matrix) for matrix in mats[-1]])
    return VCSpec(names, labels, mats)


def _columns(matrix: Any) -> list[str]:
    if hasattr(matrix, "columns"):
        return [str(name) for name in matrix.columns]
    return [str(j) for j in range(matrix.shape[1] if np.ndim(matrix) > 1 or hasattr(matrix, "nnz") else 1)]
