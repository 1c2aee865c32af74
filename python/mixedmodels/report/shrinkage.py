"""How far the model pulls each group towards the population."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..design.theta import factors
from ..diagnostics.within_groups import within_group_estimates
from ..fit.state import FittedModel
from ..inference.estimates.random_effects import MOST_LEVELS, level_index, terms_by_group
from ..render.frame_table import rows_left_out, table_of
from ..render.page import Page, Section
from ..render.printed import Printed
from ..render.result_table import ResultTable
from ..render.style import Style
from ..wording import counted, unique_names

# Shares of the largest singular value, and of a distance, that are rounding.
_ROUNDING = 1e-10
_NORM = "norm"


@dataclass(frozen=True, eq=False, repr=False)
class Shrinkage(Printed, Mapping[str, pd.DataFrame]):
    """
    Unshrunken estimates, conditional modes and their distance, by grouping factor.

    Iterating gives the names of the grouping factors; ``shrinkage["Subject"]`` is a data frame with a row for
    each level and the distance (``norm``) of each random-effects term; further terms have ``norm.1``, ...

    Attributes
    ----------
    unshrunken, modes : dict of str to DataFrame
        For each grouping factor levels by effects: least-squares estimates from the rows of the level alone,
        and conditional modes.
    """

    unshrunken: dict[str, pd.DataFrame]
    modes: dict[str, pd.DataFrame]
    _norms: dict[str, pd.DataFrame]

    def __getitem__(self, group: str) -> pd.DataFrame:
        if group not in self._norms:
            known = ", ".join(map(repr, self._norms))
            raise KeyError(f"no grouping factor {group!r}; the grouping factors are: {known}")
        return self._norms[group]

    def __iter__(self) -> Iterator[str]:
        return iter(self._norms)

    def __len__(self) -> int:
        return len(self._norms)

    def to_frame(self) -> ResultTable:
        """
        One row for each effect of each level.

        Returns
        -------
        ResultTable
            Columns ``group``, ``term``, ``level``, ``unshrunken``, ``mode`` and ``shift``, mode minus
            unshrunken estimate.
        """
        parts = []
        for group, modes in self.modes.items():
            for j, name in enumerate(modes.columns):
                before, after = self.unshrunken[group].iloc[:, j].to_numpy(), modes.iloc[:, j].to_numpy()
                part = {"group": group, "term": name, "level": list(modes.index)}
                parts.append(
                    pd.DataFrame({**part, "unshrunken": before, "mode": after, "shift": after - before})
                )
        return ResultTable(pd.concat(parts, ignore_index=True))

    def _page(self, style: Style) -> Page:
        if style.most_rows is not None:
            style = replace(style, most_rows=MOST_LEVELS)
        sections = []
        for group, norms in self._norms.items():
            frame = pd.concat([self.unshrunken[group], self.modes[group], norms], axis=1)
            names = [f"{name}, unshrunken" for name in self.unshrunken[group].columns]
            frame.columns = [*names, *self.modes[group].columns, *norms.columns]
            heading = f"{group} ({counted(len(frame), 'level')})"
            sections.append(Section((heading,), table_of(frame, style), tuple(rows_left_out(frame, style))))
        return Page(tuple(sections))


def shrinkage(fitted: FittedModel) -> Shrinkage:
    """Unshrunken estimates, modes and distances; see `MixedModel.shrinkage`."""
    relative = factors(fitted.design, fitted.estimates.theta)
    unshrunken, modes, norms = {}, {}, {}
    for group, members in terms_by_group(fitted).items():
        terms = [fitted.design.terms[t] for t in members]
        index = level_index(terms[0].group)
        names = unique_names([name for term in terms for name in term.names])
        before = [within_group_estimates(fitted, t) for t in members]
        after = [fitted.estimates.b[t] for t in members]
        distances = [
            _distances(b - a, fitted.scale * relative[t])
            for t, b, a in zip(members, before, after, strict=True)
        ]
        unshrunken[group] = pd.DataFrame(np.concatenate(before, axis=1), index=index, columns=names)
        modes[group] = pd.DataFrame(np.concatenate(after, axis=1), index=index, columns=names)
        labels = unique_names([_NORM] * len(members))
        norms[group] = pd.DataFrame(np.column_stack(distances), index=index, columns=labels)
    return Shrinkage(unshrunken, modes, norms)


def _distances(shifts: NDArray[np.float64], factor: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    √(d'Σ⁻¹d) for the rows d, with Σ = FF'; shape (m,).

    Infinite where Σ has no variance in the direction of d.
    """
    left, singular, _ = np.linalg.svd(factor)
    rotated = shifts @ left
    positive = singular > _ROUNDING * singular[0]
    inside = np.sqrt(np.sum(np.square(rotated[:, positive] / singular[positive]), axis=1))
    lengths = np.sqrt(np.sum(np.square(shifts), axis=1))
    outside = np.sqrt(np.sum(np.square(rotated[:, ~positive]), axis=1)) > _ROUNDING * lengths
    return np.where(outside & ~np.isnan(inside), np.inf, inside)
