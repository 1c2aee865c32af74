"""Tables of means, contrasts and trends: estimates with intervals and tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..checks import finite_number
from ..errors import ArgumentError
from ..inference.basis.kinds import JointTest
from ..inference.hypotheses.coefficient_tests import test_ratios
from ..wording import capital
from .adjustments import checked_adjustment, interval_method, title
from .table import MeansTable, means_table

if TYPE_CHECKING:
    from .estimates import Emmeans


def check_infer(infer: Any) -> tuple[bool, bool]:
    """The ``infer`` argument: whether to show limits, and tests."""
    if isinstance(infer, (bool, np.bool_)):
        return bool(infer), bool(infer)
    pair = tuple(infer) if isinstance(infer, (tuple, list)) else ()
    if len(pair) == 2 and all(isinstance(part, (bool, np.bool_)) for part in pair):
        return bool(pair[0]), bool(pair[1])
    raise ArgumentError(f"infer must be True, False, or two of these (limits, tests), not {infer!r}")


def estimate_table(
    means: Emmeans,
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
        By default that of the object, as the adjustment is.
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
        low, high = (scale.shown(eta) for eta in _limits(means, level, interval))
        columns["lower.CL"], columns["upper.CL"] = np.fmin(low, high), np.fmax(low, high)
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
            for places, family in means.families():
                p[places] = family.p_values(ratio[places], method)
        notes.append(adjustment_note(means, method, "tests"))
        if scale.link is not None:
            notes.append(f"Tests are made on the {scale.link.name} scale")
    if limits or tests:
        notes.append(scale.spread_note)
    labels = [str(name) for name in means.labels]
    return means_table(columns, labels, means.by, [*filter(None, notes), *_all_notes(means)])


def joint_table(means: Emmeans) -> MeansTable:
    """Joint tests of the rows of each group, see `Emmeans.joint`."""
    groups = means.group_rows()
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


def adjustment_note(means: Emmeans, method: str, what: str) -> str:
    """How tests or intervals are adjusted, in a sentence; empty where there is nothing to tell."""
    titles = adjustment_titles(means, method, what)
    if not titles:
        return ""
    if method == "none":
        return f"{what.capitalize()} are not adjusted for their number" if means.contrasts else ""
    return f"{'p-values' if what == 'tests' else 'Intervals'} adjusted by {titles}"


def adjustment_titles(means: Emmeans, method: str, what: str) -> str:
    """The method in words; empty where no group has several tests."""
    return title([family for _, family in means.families() if len(family.df) > 1], method, what)


def _limits(means: Emmeans, level: float, method: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    half = np.full(len(means), np.nan)
    for places, family in means.families():
        half[places] = family.critical(level, method)
    half *= means.functions.standard_error
    return means.functions.estimate - half, means.functions.estimate + half


def _all_notes(means: Emmeans) -> list[str]:
    notes = [*means.notes]
    if means.predictor:
        notes.append(f"Results are on the {means.predictor} scale, not that of the response")
    functions = means.functions
    if not functions.estimable.all():
        notes.append(means.not_estimable or "nonEst: the data do not determine these rows")
    error, df = (values[functions.estimable] for values in (functions.standard_error, functions.df))
    if not np.all((error > 0) & (df > 0)):
        notes.append("NaN: without degrees of freedom or standard error there are no intervals and tests")
    return notes
