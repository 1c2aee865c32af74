"""Profile-likelihood confidence limits: where ζ comes to the quantiles of the normal distribution."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ...errors import MixedModelsWarning
from ...fit.state import FittedModel
from ...notices import warn_user
from ...render.numbers import percent
from ...render.result_table import ResultTable, result_table
from ...wording import listed
from ..estimates.parameter_rows import ParameterRow, chosen_rows, parameter_rows
from .base import base_of, is_tied, profilable
from .walks import REASONS, Curve, Limit, walk


def quantile(level: float) -> float:
    """The normal quantile of a two-sided interval."""
    from scipy.special import ndtri

    return float(ndtri(0.5 + level / 2))


def profile_limits(
    fitted: FittedModel, level: float, parm: Any = None, progress: Any = False, reml: bool = False
) -> ResultTable:
    """
    Profile-likelihood confidence limits.

    Parameters
    ----------
    fitted : FittedModel
    level : float
    parm : str or sequence of str, optional
        See `chosen_rows`.
    progress : bool or callable
        See `reporting`.
    reml : bool
        Of the REML criterion, which does not depend on the coefficients.

    Returns
    -------
    ResultTable
        As `confidence_intervals`; NaN for parameters that are not estimated.
    """
    rows = chosen_rows("parm", parm, parameter_rows(fitted))
    z = quantile(level)
    curves = walk(base_of(fitted, reml), profilable(fitted, rows, reml), [(z, True)], progress)
    warn_of_better(curves)
    return limits_table(fitted, rows, {curve.row.name: curve for curve in curves}, level, reml)


def limits_table(
    fitted: FittedModel,
    rows: Sequence[ParameterRow],
    curves: Mapping[str, Curve],
    level: float,
    reml: bool,
    transform: Any = None,
) -> ResultTable:
    """The table of limits that curves have at a level."""
    z = quantile(level)
    limits: dict[str, tuple[Limit, Limit]] = {
        row.name: curves[row.name].limits[z]
        for row in rows
        if row.name in curves and z in curves[row.name].limits
    }
    nothing = (Limit(math.nan, "met"), Limit(math.nan, "met"))
    values = np.array([[side.value for side in limits.get(row.name, nothing)] for row in rows])
    names = [row.name for row in rows]
    if transform is not None:
        names, values = transform(rows, values)
    columns = percentages(level)
    table = result_table(
        dict(zip(columns, values.reshape(-1, 2).T, strict=True)),
        names,
        notes=_notes(fitted, rows, limits, curves, level, reml),
    )
    table.attrs.update(method="profile", level=level)
    return table


def percentages(level: float) -> list[str]:
    """The names of the two columns."""
    return [percent(share) for share in ((1 - level) / 2, (1 + level) / 2)]


def _notes(
    fitted: FittedModel,
    rows: Iterable[ParameterRow],
    limits: Mapping[str, tuple[Limit, Limit]],
    curves: Mapping[str, Curve],
    level: float,
    reml: bool,
) -> list[str]:
    criterion = "REML criterion" if reml else "likelihood"
    notes = [f"Limits at level {percent(level)} from the profile {criterion}"]
    if fitted.restricted and not reml:
        notes[0] += " (the model was fitted by REML)"
    for end, text in REASONS.items():
        found = [
            f"{name} ({'lower' if i == 0 else 'upper'})"
            for name, sides in limits.items()
            for i, side in enumerate(sides)
            if side.end == end
        ]
        if found and end == "bound":
            notes.append(f"One-sided, the other limit is the bound: {listed(found, most=12)}")
        elif found and text:
            notes.append(f"{text[0].upper()}{text[1:]}: {listed(found, most=12)}")
    for curve in curves.values():
        if curve.failure:
            notes.append(f"No profile of {curve.row.name}: {curve.failure}")
    tied = [row.name for row in rows if row.free and is_tied(fitted, row)]
    if tied:
        notes.append(
            "No limits, as entries of theta of their term, or a standard deviation of zero, are held fixed: "
            f"{listed(tied, most=12)}"
        )
    held = [row.name for row in rows if not row.free and not math.isnan(row.estimate)]
    if held:
        notes.append(f"Held fixed, without limits: {listed(held, most=12)}")
    return notes


def warn_of_better(curves: Sequence[Curve]) -> None:
    """Warn when a walk came below the optimum of the fit."""
    names = [curve.row.name for curve in curves if curve.better is not None]
    if names:
        warn_user(
            f"along the profile of {listed(names)} the criterion falls below its value at the estimates, so "
            "they are not the global optimum, and there are no limits on that side; model.profile().better "
            "is a better fit",
            MixedModelsWarning,
        )
