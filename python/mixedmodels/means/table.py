"""Tables of means, contrasts and trends: estimates with intervals and tests, printed in groups."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..checks import finite_number
from ..errors import ArgumentError
from ..inference.basis.degrees_of_freedom import JointTest
from ..inference.hypotheses.coefficient_tests import test_ratios
from ..render.frame_table import rows_left_out
from ..render.numbers import format_column, format_fixed
from ..render.page import Page, Section, Table
from ..render.result_table import ResultTable
from ..render.style import Style, cells_of
from ..wording import capital
from .adjustments import checked_adjustment, interval_method, title
from .rows import EstimatedRows, families, group_rows
from .specs import show

Infer: TypeAlias = bool | tuple[bool, bool]

_RATIOS = frozenset({"t.ratio", "z.ratio", "F.ratio"})
_LIMITS = frozenset({"lower.CL", "upper.CL"})
_DEGREES = frozenset({"df", "df1", "df2"})
# Columns that need degrees of freedom.
_FROM_DF = _LIMITS | {"df", "df2", "p.value"}
# The columns beside the estimate.
_BESIDE = _RATIOS | _LIMITS | _DEGREES | {"SE", "null", "p.value"}
# Significant digits of estimates, unless others are asked for.
_DIGITS = 4


class MeansTable(ResultTable):
    """
    Means or contrasts: a data frame that prints in groups, with notes on how it was made.

    Columns are named as in R's emmeans: the variables, the estimate (``emmean``, ``estimate``, ``prob`` ...),
    ``SE``, ``df``, ``lower.CL``, ``upper.CL``, ``t.ratio`` or ``z.ratio``, ``p.value``.

    Attributes
    ----------
    by : tuple of str
        The columns that the rows are grouped by.
    labels : tuple of str
        The columns that name the rows.
    notes : tuple of str
        Degrees of freedom, confidence level, adjustment, variables averaged over.

    Examples
    --------
    >>> from mixedmodels import emmeans, lmer, load_machines
    >>> table = emmeans(lmer("score ~ Machine + (1 | Worker)", load_machines()), "~ Machine").confint()
    >>> table["emmean"].round(2).tolist()
    [52.36, 60.32, 66.27]
    """

    _metadata: ClassVar[list[str]] = ["by", "notes", "labels"]
    by: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    def _page(self, style: Style) -> Page:
        names = [str(name) for name in self.columns if name not in self.by]
        cells = self._cells(style)
        left = [i for i, name in enumerate(names) if name in self.labels]
        columns = [(name, cells[name]) for name in names]
        joined = [j for j in range(1, len(names)) if {*names[j - 1 : j + 1]} <= _LIMITS]
        table = Table.from_columns(columns, left, len(left), self._groups(style.most_rows), joined)
        return Page((Section((), table, (*rows_left_out(self, style), *self.notes), spaced=True),))

    def _cells(self, style: Style) -> dict[str, list[str]]:
        cells = {str(name): self._column(str(name), style) for name in self.columns}
        for name in _LIMITS & cells.keys():
            # As many decimals as the standard error has, also where a limit is close to zero.
            cells[name] = _like(cells["SE"], self[name], cells[name])
        for i in self._without_df():
            for name in _FROM_DF & cells.keys():
                cells[name][i] = cells[name][i] or "NaN"
        return cells

    def _column(self, name: str, style: Style) -> list[str]:
        if name in self.labels or name in self.by:
            return [show(value) for value in self[name]]
        if name == "p.value":
            write = style.p_values
        elif name in _RATIOS:
            write = style.ratios
        elif name in _DEGREES:
            values = self[name].to_numpy(dtype=float)
            finite = values[np.isfinite(values)]
            whole = bool((np.abs(finite - np.round(finite)) < 5e-3).all())
            write = partial(format_fixed, decimals=0) if whole else style.degrees
        else:
            digits = style.digits or _DIGITS
            write = partial(format_column, digits=digits, most_decimals=digits + 1)
        return cells_of(self[name], write, ["" if name in _BESIDE else "nonEst"] * len(self))

    def _without_df(self) -> list[int]:
        """Rows with a standard error or a statistic, but no degrees of freedom."""
        df = next((name for name in ("df", "df2") if name in self), None)
        known = next((name for name in ("SE", "F.ratio") if name in self), None)
        if df is None or known is None:
            return []
        return np.flatnonzero(self[df].isna() & self[known].notna()).tolist()

    def _groups(self, most_rows: int | None) -> list[tuple[str, list[int]]]:
        """Titles and rows of the groups; the headings alone of an empty table."""
        found: dict[tuple[Any, ...], list[int]] = {}
        for i in range(len(self) if most_rows is None else min(len(self), most_rows)):
            found.setdefault(tuple(self[name].iloc[i] for name in self.by), []).append(i)
        return [
            (", ".join(f"{name} = {show(v)}" for name, v in zip(self.by, values, strict=True)), places)
            for values, places in found.items()
        ] or [("", [])]


def means_table(
    columns: dict[str, Any], labels: Sequence[str], by: Sequence[str], notes: Sequence[str]
) -> MeansTable:
    """A table; `labels` are the columns that label its rows."""
    table = MeansTable(columns)
    table.labels, table.by, table.notes = tuple(labels), tuple(by), tuple(notes)
    return table


def _like(errors: Sequence[str], column: pd.Series, otherwise: list[str]) -> list[str]:
    """Numbers with the decimals of their standard errors; as they were where these have exponents."""
    fractions = {text.strip().partition(".")[2] for text in errors if text.strip()}
    decimals = {len(fraction) for fraction in fractions}
    if len(decimals) != 1 or not all(fraction.isdigit() for fraction in fractions):
        return otherwise
    values = column.to_numpy(dtype=float)
    return ["" if np.isnan(v) else format_fixed([v], min(decimals))[0] for v in values]


def check_infer(infer: Any) -> tuple[bool, bool]:
    """The ``infer`` argument: whether to show limits, and tests."""
    if isinstance(infer, (bool, np.bool_)):
        return bool(infer), bool(infer)
    pair = tuple(infer) if isinstance(infer, (tuple, list)) else ()
    if len(pair) == 2 and all(isinstance(part, (bool, np.bool_)) for part in pair):
        return bool(pair[0]), bool(pair[1])
    raise ArgumentError(f"infer must be True, False, or two of these (limits, tests), not {infer!r}")


def estimate_table(
    means: EstimatedRows,
    limits: bool,
    tests: bool,
    level: float | None = None,
    adjust: Any = None,
    null: float = 0.0,
) -> MeansTable:
    """
    The rows of an object, with confidence limits, tests, or both; see `Emmeans.summary`.

    Parameters
    ----------
    level : float, optional
        Level and adjustment default to those of the object.
    """
    method = means.adjust if adjust is None else checked_adjustment(adjust, means.pairwise)
    null = finite_number("null", null)
    functions, scale = means.functions, means.scale
    estimate, error = functions.estimate, functions.standard_error
    columns: dict[str, Any] = {str(name): means.labels[name].to_numpy() for name in means.labels}
    columns[scale.name] = scale.shown(estimate)
    columns["SE"], columns["df"] = scale.error(estimate, error), functions.df
    notes = [capital(functions.space.basis.label)]
    if limits:
        level, interval = means.level if level is None else level, interval_method(method)
        low, high = scale.limits(*_limits(means, level, interval))
        columns["lower.CL"], columns["upper.CL"] = low, high
        notes += [f"Confidence level: {level:g}", adjustment_note(means, interval, "intervals")]
        if scale.link is not None:
            notes.append(f"Intervals are transformed from the {scale.link.name} scale")
    if tests:
        if scale.link is not None or null:
            columns["null"] = scale.shown(np.full(len(means), null))
        ratio = test_ratios(functions.space.basis, estimate - null, error)
        columns["z.ratio" if functions.space.basis.infinite else "t.ratio"] = ratio
        columns["p.value"] = p = np.full(len(means), np.nan)
        with np.errstate(divide="ignore"):
            # The logarithm of zero where a p-value is one.
            for places, family in families(means):
                p[places] = family.p_values(ratio[places], method)
        notes.append(adjustment_note(means, method, "tests"))
        if scale.link is not None:
            notes.append(f"Tests are made on the {scale.link.name} scale")
    if limits or tests:
        notes.append(scale.spread_note)
    labels = [str(name) for name in means.labels]
    return means_table(columns, labels, means.by, [*filter(None, notes), *_all_notes(means)])


def joint_table(means: EstimatedRows) -> MeansTable:
    """Joint tests of the rows of each group, see `Emmeans.joint`."""
    groups = group_rows(means)
    estimable = means.functions.estimable
    tests = [means.functions.part(places[estimable[places]]).joint() for places in groups]
    first = [int(places[0]) for places in groups if len(places)]
    columns: dict[str, Any] = {name: means.labels[name].to_numpy()[first] for name in means.by}
    columns.update(joint_columns(tests))
    if not means.by:
        columns = {"model term": ["(all rows)"], **columns}
    labels = list(means.by) or ["model term"]
    return means_table(columns, labels, (), [capital(means.functions.space.basis.label), *_all_notes(means)])


def joint_columns(tests: list[JointTest]) -> dict[str, NDArray[Any]]:
    """Joint tests as columns of a table."""
    return {
        "df1": np.array([test.df1 for test in tests], dtype=int),
        "df2": np.array([test.df2 for test in tests], dtype=float),
        "F.ratio": np.array([test.statistic for test in tests], dtype=float),
        "p.value": np.array([test.p_value for test in tests], dtype=float),
    }


def adjustment_note(means: EstimatedRows, method: str, what: str) -> str:
    """How tests or intervals are adjusted, in a sentence; empty where no adjustment applies."""
    titles = adjustment_titles(means, method, what)
    if not titles:
        return ""
    if method == "none":
        return f"{what.capitalize()} are not adjusted for their number" if means.contrasts else ""
    return f"{'p-values' if what == 'tests' else 'Intervals'} adjusted by {titles}"


def adjustment_titles(means: EstimatedRows, method: str, what: str) -> str:
    """The method in words; empty where no group has several tests."""
    return title([family for _, family in families(means) if len(family.df) > 1], method, what)


def _limits(
    means: EstimatedRows, level: float, method: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    half = np.full(len(means), np.nan)
    for places, family in families(means):
        half[places] = family.critical(level, method)
    half *= means.functions.standard_error
    return means.functions.estimate - half, means.functions.estimate + half


def _all_notes(means: EstimatedRows) -> list[str]:
    notes = [*means.notes]
    if means.predictor:
        notes.append(f"Results are on the {means.predictor} scale, not the response scale")
    functions = means.functions
    if not functions.estimable.all():
        notes.append(means.not_estimable or "nonEst: the data do not determine these rows")
    error, df = (values[functions.estimable] for values in (functions.standard_error, functions.df))
    if not np.all((error > 0) & (df > 0)):
        notes.append("NaN: no degrees of freedom or no standard error, so no intervals and tests")
    return notes
