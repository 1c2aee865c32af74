"""Tests of quantile residuals by predictor, time and place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...checks import whole_number
from ...errors import ArgumentError
from ...wording import counted
from ..check import Check, tested
from ..rows import RowValues, row_values
from .groups import Groups
from .source import Source, Values
from .statistics import DurbinWatson, LocationAndSpread, Moran, compared, p_value

_MOST_PLACES = 4000


def predictor(source: Source, n_sim: int, residuals: Values, x: Any, bins: int) -> Check:
    """Location and spread of the residuals in groups of rows with similar values."""
    bins = whole_number("bins", bins, 2)
    if x is None:
        if np.ptp(source.predictor) == 0:
            raise ArgumentError("the linear predictor is the same in all rows; give x, a variable to look at")
        values = RowValues("linear predictor", source.predictor, np.empty(0, dtype=np.int64), ())
    else:
        values = row_values(source.fitted, x, "x")
    codes, labels = _groups(values, bins)
    groups = Groups.of(codes)
    own, simulated = compared(source, LocationAndSpread(groups, _ranks(values)), n_sim)
    each = [p_value(own[j], simulated[:, j]) for j in range(len(own))]
    p = min(1.0, len(each) * min(each))
    means = groups.means(residuals[None, :])[0]
    name = values.name
    verdict = tested(p)
    what = "spread" if each[1] < min(each[0], each[-1]) else "location"
    return Check(
        name=f"residuals by {name}",
        measure="largest deviation of a mean from 0.5",
        value=float(np.abs(means - 0.5).max()),
        p_value=p,
        verdict=verdict,
        text=(
            f"the {what} of the residuals depends on {name}"
            if verdict == "attention"
            else f"no dependence of the residuals on {name}"
        )
        + _left_out(codes, name),
        advice=""
        if verdict != "attention"
        else f"let the mean depend on {name} in another way, or look at the link"
        if what == "location"
        else f"the variance depends on {name}: look at the family, or weight the rows",
        table=pd.DataFrame(
            {
                name: labels,
                "nobs": groups.sizes,
                "mean": means,
                "spread": groups.means(np.abs(2.0 * residuals - 1.0)[None, :])[0],
            }
        ),
    )


def _left_out(codes: NDArray[np.intp], name: str) -> str:
    """Words on rows without a value."""
    missing = int(np.count_nonzero(codes < 0))
    return f"; {counted(missing, 'row')} without {name} left out" if missing else ""


def _ranks(variable: RowValues) -> Values | None:
    """Ranks of numbers, of mean zero and length one; zero for missing values. None for labels."""
    if variable.values is None:
        return None
    codes, _ = _coded(variable)
    known = codes >= 0
    ends = np.cumsum(np.bincount(codes[known]))
    rank = np.zeros(len(codes))
    # Equal values share a rank, the mean of theirs.
    rank[known] = ((ends + np.append(0, ends[:-1])) / 2.0)[codes[known]]
    rank[known] -= rank[known].mean()
    size = np.linalg.norm(rank)
    return rank / size if size > 0 else None


def _groups(variable: RowValues, bins: int) -> tuple[NDArray[np.intp], list[str]]:
    """Codes of groups of rows, -1 for missing values, and the labels of the groups."""
    codes, levels = _coded(variable)
    if variable.values is not None and len(levels) > bins:
        cut = pd.Categorical(pd.qcut(pd.Series(variable.values), bins, duplicates="drop"))
        codes = np.asarray(cut.codes, dtype=np.intp)
        present, own = _renumbered(codes)
        ends = [variable.values[own == j] for j in range(len(present))]
        names = [_range(values.min(), values.max()) for values in ends]
    else:
        present, own = _renumbered(codes)
        names = [_label(levels[int(code)]) for code in present]
    if len(present) < 2:
        raise ArgumentError("x is the same in all rows used")
    return own, names


def _renumbered(codes: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The codes that there are, and each row's position among them; -1 stays."""
    present, positions = np.unique(codes[codes >= 0], return_inverse=True)
    own = np.full(len(codes), -1, dtype=np.intp)
    own[codes >= 0] = positions
    return present, own


def _range(low: Any, high: Any) -> str:
    first, last = _label(low), _label(high)
    return first if first == last else f"{first} to {last}"


def _label(value: Any) -> str:
    """A number with four digits; a date without its time if that is midnight."""
    if isinstance(value, (np.datetime64, pd.Timestamp)):
        return str(pd.Timestamp(value)).removesuffix(" 00:00:00")
    return f"{value:.4g}" if isinstance(value, (float, np.floating)) else str(value)


def _coded(variable: RowValues) -> tuple[NDArray[np.intp], Any]:
    """Distinct values in order, and for each row which of them it has; -1 for a missing one."""
    if variable.values is None:
        return variable.codes.astype(np.intp), list(variable.levels)
    codes, levels = pd.factorize(variable.values, sort=True)
    return codes.astype(np.intp), levels


def temporal(source: Source, n_sim: int, residuals: Values, time: Any, by: Any) -> Check:
    """The statistic of Durbin and Watson."""
    when = row_values(source.fitted, time, "time")
    if when.values is None:
        raise ArgumentError(
            f"time must be numbers or dates, but {when.name!r} has labels, whose order is not known"
        )
    times, order = _coded(when)
    series = np.zeros(len(times), dtype=np.intp)
    if by is not None:
        series = _coded(row_values(source.fitted, by, "by"))[0]
    cells = np.where((times < 0) | (series < 0), -1, series * len(order) + times)
    present, codes = np.unique(cells[cells >= 0], return_inverse=True)
    own_codes = np.full(len(cells), -1, dtype=np.intp)
    own_codes[cells >= 0] = codes
    groups = Groups.of(own_codes)
    statistic = DurbinWatson(groups, present // max(len(order), 1))
    if np.count_nonzero(np.diff(statistic.series) == 0) < 2:
        raise ArgumentError("test_temporal needs at least three times in a series")
    own, simulated = compared(source, statistic, n_sim)
    p = p_value(own[0], simulated[:, 0], "two-sided")
    value = float(statistic(residuals[None, :])[0, 0])
    verdict = tested(p)
    usual = float(simulated.mean())
    return Check(
        name="temporal autocorrelation",
        measure="Durbin-Watson",
        value=value,
        p_value=p,
        verdict=verdict,
        text=f"Durbin-Watson statistic {value:.3g}, {usual:.3g} expected by the model"
        + _shared_times(int(groups.sizes.max()), by is not None)
        + _left_out(cells, "time" if by is None else "time or series"),
        advice=""
        if verdict != "attention"
        else "model the course over time: a trend, a random slope, or ar1(0 + time | group)",
    )


def _shared_times(most: int, series: bool) -> str:
    """Words on rows of the same time."""
    if most == 1:
        return ""
    return f"; up to {most} rows of the same time are averaged" + (
        "" if series else ": by= tells series apart"
    )


def spatial(source: Source, n_sim: int, residuals: Values, x: Any, y: Any) -> Check:
    """Moran's I."""
    coordinates = np.column_stack([_numbers(source, x, "x"), _numbers(source, y, "y")])
    known = np.asarray(np.isfinite(coordinates).all(axis=1))
    places, codes = np.unique(coordinates[known], axis=0, return_inverse=True)
    if not 4 <= len(places) <= _MOST_PLACES:
        raise ArgumentError(
            f"test_spatial needs from 4 to {_MOST_PLACES} different places; there are {len(places)}"
        )
    own_codes = np.full(len(known), -1, dtype=np.intp)
    own_codes[known] = codes.ravel()
    left_out = _left_out(np.where(known, 0, -1), "a place")
    distance = np.sqrt(np.square(places[:, None, :] - places[None, :, :]).sum(axis=2))
    np.fill_diagonal(distance, np.inf)
    weights = 1.0 / distance
    weights /= weights.sum(axis=1, keepdims=True)
    statistic = Moran(Groups.of(own_codes), weights)
    own, simulated = compared(source, statistic, n_sim)
    p = p_value(own[0], simulated[:, 0], "two-sided")
    value = float(statistic(residuals[None, :])[0, 0])
    verdict = tested(p)
    return Check(
        name="spatial autocorrelation",
        measure="Moran's I",
        value=value,
        p_value=p,
        verdict=verdict,
        text=f"Moran's I {value:.3g}, {float(simulated.mean()):.3g} expected by the model{left_out}",
        advice=""
        if verdict != "attention"
        else "add spatial predictors or a random effect of the region, (1 | region)",
    )


def _numbers(source: Source, given: Any, argument: str) -> Values:
    variable = row_values(source.fitted, given, argument)
    if variable.values is None or variable.values.dtype.kind != "f":
        raise ArgumentError(f"{argument} must be numeric, but {variable.name!r} is not")
    return variable.values
