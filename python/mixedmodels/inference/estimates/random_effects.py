"""Conditional modes of the random effects by grouping factor, and the coefficients of each group."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...checks import flag
from ...design.grouping import GroupingFactor
from ...errors import ArgumentError
from ...fit.state import FittedModel
from ...render.frame_table import rows_left_out, table_of
from ...render.page import Page, Section
from ...render.printed import Printed
from ...render.result_table import ResultTable
from ...render.style import Style
from ...wording import counted, unique_names

# Printed of each grouping factor; the methods write them all.
MOST_LEVELS = 20


@dataclass(frozen=True, eq=False, repr=False)
class RandomEffects(Printed, Mapping[str, pd.DataFrame]):
    """
    Random effects by grouping factor.

    Iterating gives the names of the grouping factors; ``effects["Subject"]`` is a data frame with a
    row for each level and a column for each effect. Terms of one grouping factor share its frame.

    Attributes
    ----------
    condvar : dict or None
        For each grouping factor a list with one array for each of its terms, shape
        (n_levels, k, k): the conditional covariance matrices, given the estimates. None when they
        were not asked for.
    """

    _frames: dict[str, pd.DataFrame]
    _terms: dict[str, tuple[int, ...]]
    condvar: dict[str, list[NDArray[np.float64]]] | None = None

    def __getitem__(self, group: str) -> pd.DataFrame:
        if group not in self._frames:
            known = ", ".join(map(repr, self._frames))
            raise KeyError(f"no grouping factor {group!r}; the grouping factors are: {known}")
        return self._frames[group]

    def __iter__(self) -> Iterator[str]:
        return iter(self._frames)

    def __len__(self) -> int:
        return len(self._frames)

    def to_frame(self) -> ResultTable:
        """
        One row for each effect of each level.

        Returns
        -------
        ResultTable
            A data frame with columns ``grpvar``, ``term``, ``grp``, ``condval`` and, with conditional
            variances, ``condsd``. R: ``as.data.frame(ranef(m))``.
        """
        parts = []
        for group, frame in self._frames.items():
            n = len(frame)
            sds = self._standard_deviations(group)
            for j, name in enumerate(frame.columns):
                part: dict[str, object] = {
                    "grpvar": [group] * n,
                    "term": [name] * n,
                    "grp": list(frame.index),
                }
                part["condval"] = frame.iloc[:, j].to_numpy()
                if sds is not None:
                    part["condsd"] = sds[:, j]
                parts.append(pd.DataFrame(part))
        return ResultTable(pd.concat(parts, ignore_index=True))

    def condvar_frame(self) -> ResultTable:
        """
        The conditional covariance matrices as a table: a row for each variance and covariance of each level.

        Returns
        -------
        ResultTable
            Columns ``grpvar``, ``grp``, ``var1``, ``var2`` (None for a variance), ``vcov`` (variance or
            covariance) and ``sdcor`` (standard deviation or correlation, NaN next to a variance of zero).

        Raises
        ------
        ArgumentError
            When the effects were made without ``condVar=True``.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> m.ranef(condVar=True).condvar_frame().head(3).round(2)
            grpvar  grp         var1  var2    vcov  sdcor
        0  Subject  308  (Intercept)  None  145.71  12.07
        1  Subject  308         Days  None    5.31   2.30
        2  Subject  308  (Intercept)  Days  -21.44  -0.77
        """
        if self.condvar is None:
            raise ArgumentError("condvar_frame: ask for the conditional variances by ranef(condVar=True)")
        parts = []
        for group, frame in self._frames.items():
            start = 0
            for covariances in self.condvar[group]:
                names = frame.columns[start : start + covariances.shape[1]]
                parts.append(_covariance_rows(group, frame.index, list(names), covariances))
                start += len(names)
        # Text columns stay objects: string columns of pandas 3 would show NaN for None.
        return ResultTable(pd.concat(parts, ignore_index=True))

    def _standard_deviations(self, group: str) -> NDArray[np.float64] | None:
        """Conditional standard deviations, levels by columns of the frame."""
        if self.condvar is None:
            return None
        diagonals = [np.diagonal(part, axis1=1, axis2=2) for part in self.condvar[group]]
        return np.sqrt(np.concatenate(diagonals, axis=1))

    def _page(self, style: Style) -> Page:
        """A table for each grouping factor, in displays its first levels."""
        if style.most_rows is not None:
            style = dataclasses.replace(style, most_rows=MOST_LEVELS)
        return Page(
            tuple(
                Section(
                    (f"{group} ({counted(len(frame), 'level')})",),
                    table_of(frame, style),
                    tuple(rows_left_out(frame, style)),
                )
                for group, frame in self._frames.items()
            )
        )


def random_effects(fitted: FittedModel, condvar: bool = False, uscale: bool = False) -> RandomEffects:
    """Conditional modes by grouping factor, b or (with `uscale`) u; see `RandomEffects`."""
    condvar, uscale = flag("condVar", condvar), flag("uscale", uscale)
    if condvar and uscale:
        raise ArgumentError("ranef: conditional variances are those of b; leave out condVar or uscale")
    terms, modes = terms_by_group(fitted), fitted.estimates.u if uscale else fitted.estimates.b
    frames = {}
    for group, members in terms.items():
        values = np.concatenate([modes[t] for t in members], axis=1)
        names = unique_names([n for t in members for n in fitted.design.terms[t].names])
        index = level_index(fitted.design.terms[members[0]].group)
        frames[group] = pd.DataFrame(values, index=index, columns=names)
    return RandomEffects(frames, terms, conditional_variances(fitted) if condvar else None)


def level_index(group: GroupingFactor) -> pd.Index:
    """The levels of a grouping factor, as row labels."""
    return pd.Index(group.levels, dtype=object, name=group.label)


def _covariance_rows(
    group: str, levels: pd.Index, names: list[str], covariances: NDArray[np.float64]
) -> pd.DataFrame:
    """Variances, then covariances, of each level in turn."""
    k, m = len(names), len(levels)
    pairs = [(j, j) for j in range(k)] + [(i, j) for i in range(k) for j in range(i + 1, k)]
    rows, columns = np.array([i for i, _ in pairs]), np.array([j for _, j in pairs])
    values = covariances[:, rows, columns]
    sds = np.sqrt(np.diagonal(covariances, axis1=1, axis2=2))
    with np.errstate(invalid="ignore", divide="ignore"):
        correlations = values / (sds[:, rows] * sds[:, columns])
    labels = [names[j] if i != j else None for i, j in pairs]
    return pd.DataFrame(
        {
            "grpvar": group,
            "grp": np.repeat(levels.to_numpy(), len(pairs)),
            "var1": pd.Series([names[i] for i in rows] * m, dtype=object),
            "var2": pd.Series(labels * m, dtype=object),
            "vcov": values.ravel(),
            "sdcor": np.where(rows == columns, sds[:, rows], correlations).ravel(),
        }
    )


def conditional_variances(fitted: FittedModel) -> dict[str, list[NDArray[np.float64]]]:
    """
    Covariance matrices of the random effects given data and estimates, one array a term.

    A variance that rounding leaves below zero is zero.
    """
    by_term: dict[int, NDArray[np.float64]] = {}
    for members, raw in fitted.level_variances():
        values, start = raw.copy(), 0
        diagonal = np.arange(values.shape[1])
        values[:, diagonal, diagonal] = np.maximum(values[:, diagonal, diagonal], 0.0)
        for t in members:
            stop = start + len(fitted.design.terms[t].names)
            by_term[t] = values[:, start:stop, start:stop]
            start = stop
    return {group: [by_term[t] for t in members] for group, members in terms_by_group(fitted).items()}


def group_coefficients(fitted: FittedModel) -> dict[str, pd.DataFrame]:
    """
    For each grouping factor the sum of fixed and random effects of every level.

    An effect that is random only has a fixed part of zero.
    """
    kept = fitted.estimates.kept
    fixed = dict(zip((fitted.design.x_names[j] for j in kept), fitted.estimates.beta[kept], strict=True))
    result = {}
    for group, members in terms_by_group(fitted).items():
        index = level_index(fitted.design.terms[members[0]].group)
        columns = {name: np.full(len(index), value) for name, value in fixed.items()}
        for t in members:
            for name, values in zip(fitted.design.terms[t].names, fitted.estimates.b[t].T, strict=True):
                columns[name] = columns.get(name, 0.0) + values
        result[group] = pd.DataFrame(columns, index=index)
    return result


def terms_by_group(fitted: FittedModel) -> dict[str, tuple[int, ...]]:
    """Positions of the terms of each grouping factor."""
    found: dict[str, tuple[int, ...]] = {}
    for t, term in enumerate(fitted.design.terms):
        found[term.group.label] = (*found.get(term.group.label, ()), t)
    return found


def numbers_of_levels(fitted: FittedModel) -> dict[str, int]:
    """Number of levels of each grouping factor."""
    return {term.group.label: len(term.group.levels) for term in fitted.design.terms}
