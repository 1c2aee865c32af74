"""Grouping factors, as level codes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..covariance import Structure
from ..errors import DataError, NewLevelsError
from ..formula import RandomTermSpec
from ..formula.nodes import Name, Node
from ..frame import Factor, Frame, as_factor, drop_unused, interact
from .evaluator import Evaluator, Memory
from .matrix import label_of
from .values import Coded, check_no_gaps, translate


@dataclass(frozen=True, eq=False)
class GroupingFactor:
    """
    The factor behind a bar.

    Attributes
    ----------
    label : str
        Its name: ``"Subject"``, or ``"dept:service"`` for an interaction.
    columns : tuple of str
        The variables from which it is made.
    levels : tuple of str
        Labels of the observed levels, in order; cells of an interaction in lexicographic order.
    codes : ndarray of uint32, shape (n,)
        The level of each row.
    """

    label: str
    columns: tuple[str, ...]
    levels: tuple[str, ...]
    codes: NDArray[np.uint32]


@dataclass(frozen=True, eq=False)
class GroupRecipe:
    """
    How to find the levels of new rows.

    Attributes
    ----------
    nodes : tuple of Node
        The variables from which the factor is made.
    labels : tuple of tuple of str
        Levels of each variable.
    cells : ndarray of int64, shape (n_levels,), or None
        For an interaction: the key of each level's cell, increasing.
    """

    label: str
    nodes: tuple[Node, ...]
    labels: tuple[tuple[str, ...], ...]
    cells: NDArray[np.int64] | None

    def codes(self, evaluator: Evaluator, allow_new: bool) -> NDArray[np.int64]:
        """The level of each row; new and missing levels are an error, or -1 if allowed."""
        key = np.zeros(evaluator.n, dtype=np.int64)
        new = np.zeros(evaluator.n, dtype=bool)
        for node, labels in zip(self.nodes, self.labels, strict=True):
            factor = _component(node, evaluator)
            codes, unseen = translate(factor, labels)
            if not allow_new:
                if unseen:
                    shown = ", ".join(map(repr, unseen[:5])) + (", ..." if len(unseen) > 5 else "")
                    raise NewLevelsError(
                        f"grouping factor {label_of(node)!r} has levels that were not in the fit: {shown}; "
                        "allow_new_levels=True predicts them at the population level",
                        factor.name,
                        tuple(unseen),
                    )
                if factor.gaps:
                    raise DataError(
                        f"grouping factor {label_of(node)!r} has missing values; "
                        "allow_new_levels=True predicts them at the population level"
                    )
            new |= codes < 0
            key = key * len(labels) + codes
        if self.cells is not None:
            place = np.searchsorted(self.cells, key)
            place[place == len(self.cells)] = 0
            absent = (self.cells[place] != key) & ~new
            if absent.any() and not allow_new:
                row = int(np.flatnonzero(absent)[0])
                raise DataError(
                    f"grouping factor {self.label!r} has cells that were not in the fit (first in row {row}, "
                    "counting from 0); allow_new_levels=True predicts them at the population level"
                )
            key, new = place, new | absent
        key[new] = -1
        return key

    def all_codes(self, evaluator: Evaluator) -> NDArray[np.int64]:
        """
        The level of each row.

        Levels that were not in the fit follow those that were; -1 where a variable is missing.
        """
        key = np.zeros(evaluator.n, dtype=np.int64)
        missing = np.zeros(evaluator.n, dtype=bool)
        for node, labels in zip(self.nodes, self.labels, strict=True):
            factor = _component(node, evaluator)
            _, unseen = translate(factor, labels)
            codes, _ = translate(factor, (*labels, *unseen))
            missing |= codes < 0
            # Keys of the fit, and others for cells with a level that was not in it.
            key = key * (len(labels) + len(unseen)) + np.maximum(codes, 0)
        known = self._known_keys(evaluator)
        new = np.setdiff1d(key[~missing], known)
        order = np.argsort(known)
        place = np.searchsorted(known, key, sorter=order)
        place[place == len(known)] = 0
        codes = order[place].astype(np.int64)
        strange = known[codes] != key
        codes[strange] = len(known) + np.searchsorted(new, key[strange])
        codes[missing] = -1
        return codes

    def _known_keys(self, evaluator: Evaluator) -> NDArray[np.int64]:
        """The keys of the levels of the fit, in bases that have room for the new levels."""
        if self.cells is None:
            return np.arange(len(self.labels[0]), dtype=np.int64)
        rest, digits = self.cells.copy(), []
        for labels in reversed(self.labels):
            rest, digit = np.divmod(rest, len(labels))
            digits.append(digit)
        key = np.zeros(len(self.cells), dtype=np.int64)
        for node, labels, digit in zip(self.nodes, self.labels, reversed(digits), strict=True):
            _, unseen = translate(_component(node, evaluator), labels)
            key = key * (len(labels) + len(unseen)) + digit
        return key


def make_group(
    spec: RandomTermSpec,
    evaluator: Evaluator,
    known: dict[tuple[str, ...], tuple[GroupingFactor, GroupRecipe]],
) -> tuple[GroupingFactor, GroupRecipe]:
    """The grouping factor of a term on the fitting data; terms with the same one share it."""
    label = ":".join(label_of(node) for node in spec.group_nodes)
    if spec.group in known:
        return known[spec.group]
    components = [drop_unused(_component(node, evaluator)) for node in spec.group_nodes]
    factor = components[0] if len(components) == 1 else interact(components)
    check_no_gaps(factor, f"grouping factor {label!r}", None)
    n, n_levels = evaluator.n, len(factor.levels)
    cells = None
    if len(components) > 1:
        first = np.empty(n_levels, dtype=np.int64)
        first[factor.codes[::-1]] = np.arange(n - 1, -1, -1)
        cells = np.zeros(n_levels, dtype=np.int64)
        for component in components:
            cells = cells * len(component.levels) + component.codes[first]
    group = GroupingFactor(label, tuple(map(label_of, spec.group_nodes)), factor.labels(), _unsigned(factor))
    recipe = GroupRecipe(label, spec.group_nodes, tuple(c.labels() for c in components), cells)
    known[spec.group] = group, recipe
    return known[spec.group]


def check_several_levels(spec: RandomTermSpec, group: GroupingFactor, structure: Structure) -> None:
    """
    Refuse a single level, unless the effects of one level determine the covariance matrix.

    Raises
    ------
    DataError
    """
    if len(group.levels) == 1 and not structure.told_by_one_level:
        raise DataError(
            f"grouping factor {group.label!r} has only one level ({group.levels[0]!r}) in the rows used; "
            f"a random-effects term needs at least two, so drop {spec.text}"
        )


def component_evaluator(frame: Frame, functions: Mapping[str, Callable[..., Any]]) -> Evaluator:
    """
    An evaluator for grouping variables, which accepts any levels so that new ones can be recognized.
    """
    return Evaluator(frame, Memory(), functions, fitting=True)


def _component(node: Node, evaluator: Evaluator) -> Factor:
    if isinstance(node, Name):
        return as_factor(evaluator.frame.labels(node.name))
    value = evaluator.value(node)
    if isinstance(value, Coded):
        return value.factor
    if isinstance(value, Factor):
        return value
    raise DataError(f"{label_of(node)} cannot be a grouping factor; write factor({label_of(node)})")


def _unsigned(factor: Factor) -> NDArray[np.uint32]:
    # Every row has a level here, so the bits are the same.
    return factor.codes.view(np.uint32)
