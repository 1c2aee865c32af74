"""Principal components of the random effects of each grouping factor."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..design.theta import factors
from ..errors import UnknownItemError
from ..fit.state import FittedModel
from ..render.frame_table import table_of
from ..render.page import Page, Section
from ..render.printed import Printed
from ..render.style import Style
from .undetermined import undetermined_variances

# Components with a smaller share of the variance do not count.
_SHARE = 1e-4
# Below this share of the largest standard deviation only rounding is left.
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class GroupPCA:
    """
    The components of one grouping factor.

    Attributes
    ----------
    group : str
    names : tuple of str
        The k effects.
    sdev : ndarray, shape (k,)
        Standard deviations of the components, relative to sigma for a linear model; decreasing.
    rotation : ndarray, shape (k, k)
        The components in its columns, in the effects.
    proportion : ndarray, shape (k,)
        Their shares of the variance.
    """

    group: str
    names: tuple[str, ...]
    sdev: NDArray[np.float64]
    rotation: NDArray[np.float64]
    proportion: NDArray[np.float64]

    @property
    def dimension(self) -> int:
        """How many components have more than 0.01 percent of the variance."""
        return int(np.count_nonzero(self.proportion > _SHARE))

    @property
    def condition(self) -> float:
        """
        Condition number of the relative covariance factor; infinite where it is singular.

        The ratio of the largest to the smallest standard deviation of a component. It depends on the units of
        the effects.
        """
        largest, smallest = float(self.sdev[0]), float(self.sdev[-1])
        return largest / smallest if smallest > np.finfo(float).eps * largest else float("inf")


@dataclass(frozen=True, eq=False, repr=False)
class RandomEffectsPCA(Printed):
    """
    The principal components of the random effects, by grouping factor.

    Attributes
    ----------
    groups : tuple of GroupPCA
    notes : tuple of str
        Which variances the data do not determine: their numbers mean nothing.
    """

    groups: tuple[GroupPCA, ...]
    notes: tuple[str, ...] = ()

    def __getitem__(self, group: str) -> GroupPCA:
        for part in self.groups:
            if part.group == group:
                return part
        raise UnknownItemError(
            f"no group {group!r}; the groups are: {', '.join(p.group for p in self.groups)}"
        )

    def to_frame(self) -> pd.DataFrame:
        """
        A row for each component.

        Returns
        -------
        DataFrame
            Columns ``group``, ``component``, ``std.dev``, ``proportion`` and ``cumulative``.
        """
        frames = [
            pd.DataFrame(
                {
                    "group": part.group,
                    "component": np.arange(1, len(part.sdev) + 1),
                    "std.dev": part.sdev,
                    "proportion": part.proportion,
                    "cumulative": np.cumsum(part.proportion),
                }
            )
            for part in self.groups
        ]
        return pd.concat(frames, ignore_index=True)

    def _page(self, style: Style) -> Page:
        sections = []
        for part in self.groups:
            frame = pd.DataFrame(
                [part.sdev, part.proportion, np.cumsum(part.proportion)],
                index=pd.Index(["Standard deviation", "Proportion of variance", "Cumulative"], dtype=object),
                columns=[f"PC{j + 1}" for j in range(len(part.sdev))],
            )
            heading = f"{part.group}: {part.dimension} of {len(part.sdev)} dimensions have variance"
            sections.append(Section((heading,), table_of(frame, style)))
        if self.notes:
            last = sections[-1]
            sections[-1] = replace(last, notes=self.notes)
        return Page(tuple(sections))


def random_effects_pca(fitted: FittedModel) -> RandomEffectsPCA:
    """
    Principal components of the relative covariance matrix of the random effects, by grouping factor.

    Terms of the same factor are taken together; they are independent.
    """
    from scipy.linalg import block_diag

    parts: dict[str, tuple[list[str], list[NDArray[np.float64]]]] = {}
    for term, factor in zip(fitted.design.terms, factors(fitted.design, fitted.estimates.theta), strict=True):
        names, blocks = parts.setdefault(term.group.label, ([], []))
        names += term.names
        blocks.append(factor)
    found = []
    for group, (names, blocks) in parts.items():
        rotation, sdev, _ = np.linalg.svd(np.asarray(block_diag(*blocks), dtype=np.float64))
        sdev[sdev < _ROUNDING * sdev.max(initial=0.0)] = 0.0
        total = float(np.square(sdev).sum())
        share = np.square(sdev) / total if total > 0 else np.zeros(len(sdev))
        found.append(GroupPCA(group, tuple(names), sdev, rotation, share))
    return RandomEffectsPCA(tuple(found), undetermined_variances(fitted))
