"""Means, contrasts and trends in a figure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..checks import flag, probability
from ..errors import ArgumentError
from ..plot.intervals import Series, interval_plot
from ..plot.style import COLOURS
from ..wording import counted
from .arrows import arrow_lengths
from .contrasts import contrasts_of
from .rows import CONTRAST, EstimatedRows, families, group_rows, variables_of
from .scale import axis_label, response_shown
from .specs import row_labels, show
from .table import estimate_table


def draw_rows(means: EstimatedRows, ax: Any, comparisons: Any, alpha: Any, adjust: Any) -> Any:
    """The rows with their intervals, see `Emmeans.plot`."""
    alpha, pairs = probability("alpha", alpha), None
    if flag("comparisons", comparisons):
        if means.contrasts:
            raise ArgumentError("comparisons=True compares means; these rows are contrasts already")
        pairs = contrasts_of(means, "pairwise", adjust, None, False)
    table = estimate_table(means, True, False)
    frame = table[[means.scale.name, "lower.CL", "upper.CL"]].to_numpy(float)
    arrows, misleading = (None, 0) if pairs is None else _arrows(means, pairs, alpha)
    colours, in_rows = _split(means)
    keys = _names(means, colours) if colours else [""] * len(means)
    names = _names(means, in_rows)
    places = {name: i for i, name in enumerate(dict.fromkeys(names))}
    rows = np.array([places[name] for name in names], dtype=np.intp)
    series: list[Series] = []
    for key in dict.fromkeys(keys):
        chosen = np.array([own == key for own in keys])
        ends = None if arrows is None else arrows[chosen]
        estimates, low, high = frame[chosen].T
        series.append(Series(key, rows[chosen], estimates, low, high, ends))
    ratios = means.contrasts and means.scale.link is not None
    slopes = means.scale.name.endswith(".trend")
    remarks = [f"arrows that do not overlap: different at {alpha:g}"] if arrows is not None else []
    remarks += [f"arrows mislead for {counted(misleading, 'pair')}"] if misleading else []
    return interval_plot(
        list(places),
        series,
        (_axis(means), CONTRAST if means.contrasts and not in_rows else ", ".join(in_rows)),
        legend=", ".join(colours),
        reference=float(means.scale.shown(np.zeros(1))[0]) if means.contrasts or slopes else 0.0,
        always=means.contrasts or slopes,
        ratios=ratios,
        remark="\n".join(remarks),
        ax=ax,
    )


def _axis(means: EstimatedRows) -> str:
    fitted = means.functions.space.undetermined.fitted
    link = fitted.family.link
    shown = f" ({link} scale)" if link != "identity" and means.scale.link is None else ""
    response = response_shown(fitted, means.scale.link is not None)
    return f"{axis_label(means.scale.name, response)}{shown}, {100 * means.level:.4g} % intervals"


def _split(means: EstimatedRows) -> tuple[list[str], list[str]]:
    """
    The variables that colours tell apart, and those that name the rows.

    Colours are for the groups; without groups and with several variables for that with the fewest levels.
    Where these are more than the colours, they are in the rows.
    """
    labels = [str(name) for name in means.labels]
    by = list(means.by)
    rest = [name for name in labels if name not in by]
    if by:
        few = len(means.labels[by].drop_duplicates()) <= len(COLOURS)
        return (by, rest) if few else ([], [*by, *rest])
    variables = variables_of(means)
    if means.contrasts or len(variables) < 2:
        return [], rest
    # Of two with as many levels the last.
    fewest = min(reversed(variables), key=lambda name: means.labels[name].nunique())
    if not 1 < means.labels[fewest].nunique() <= len(COLOURS):
        return [], rest
    return [fewest], [name for name in rest if name != fewest]


def _names(means: EstimatedRows, names: list[str]) -> list[str]:
    """A row's values of these variables; the level alone where the axis names a single factor."""
    frame = pd.DataFrame(means.labels[names])
    if len(names) == 1:
        return [show(value) for value in frame[names[0]]]
    return row_labels(frame)


def _arrows(means: EstimatedRows, pairs: EstimatedRows, alpha: float) -> tuple[NDArray[np.float64], int]:
    """The ends of the arrows of every mean, as shown; and the number of pairs that they do not show."""
    estimate = means.functions.estimate
    ends, misleading = np.repeat(estimate[:, None], 2, axis=1), 0
    half = np.full(len(pairs), np.nan)
    for chosen, family in families(pairs):
        half[chosen] = family.critical(1.0 - alpha, pairs.adjust)
    half *= pairs.functions.standard_error
    start = 0
    for group in group_rows(means):
        m = len(group)
        critical = np.full((m, m), np.nan)
        first, second = np.triu_indices(m, 1)
        own = half[start : start + len(first)]
        critical[first, second] = critical[second, first] = own
        start += len(first)
        known = np.isfinite(estimate[group])
        lengths, wrong = arrow_lengths(estimate[group[known]], critical[np.ix_(known, known)])
        ends[group[known]] += lengths * np.array([-1.0, 1.0])
        misleading += wrong
    shown = means.scale.shown(ends.ravel()).reshape(-1, 2)
    return shown, misleading
