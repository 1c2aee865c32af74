"""Coefficients and variance components in figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..checks import chosen, flag, probability, several_texts
from ..errors import ArgumentError
from ..fit.state import FittedModel
from ..inference.estimates.variance_components import variance_components
from ..inference.hypotheses.confidence_limits import confidence_intervals
from ..plot.intervals import Series, interval_plot
from ..plot.style import COLOURS
from ..report.tidy import ratio_name, tidy_table

_INTERCEPT = "(Intercept)"


def plot_coef(
    models: Sequence[FittedModel],
    *,
    names: Any = None,
    parm: Any = None,
    intercept: Any = False,
    exponentiate: Any = False,
    level: float = 0.95,
    ddf: Any = None,
    vcov: Any = None,
    ax: Any = None,
) -> Any:
    """Coefficients of one or several models, see `MixedModel.plot_coef`."""
    flag("intercept", intercept)
    titles = _titles(names, len(models))
    tables = [
        tidy_table(one, "fixed", True, level, ddf, own, exponentiate)
        for one, own in zip(models, _one_each(vcov, len(models)), strict=True)
    ]
    # An interaction has one row, in whichever order the models have its factors.
    rows_of: dict[tuple[str, ...], str] = {}
    for table in tables:
        table["term"] = [rows_of.setdefault(tuple(sorted(_factors(term))), term) for term in table["term"]]
    known = list(rows_of.values())
    shown = [known[j] for j in chosen("parm", parm, known)]
    if parm is None and not intercept and len(shown) > 1:
        shown = [name for name in shown if name != _INTERCEPT]
    if not shown:
        raise ArgumentError("plot_coef: the models have no coefficients")
    series: list[Series] = []
    scales = [ratio_name(one) if exponentiate else _scale(one) for one in models]
    several = len(set(scales)) > 1
    for title, scale, table in zip(titles, scales, tables, strict=True):
        part: pd.DataFrame = table.loc[table["term"].isin(shown) & table["estimate"].notna()]
        rows = np.array([shown.index(term) for term in part["term"]], dtype=np.intp)
        columns = part[["estimate", "conf.low", "conf.high"]].to_numpy(dtype=float)
        series.append(
            Series(
                f"{title}: {scale}" if several else title, rows, columns[:, 0], columns[:, 1], columns[:, 2]
            )
        )
    what = " or ".join(dict.fromkeys(scales)) if exponentiate else "coefficient"
    if not exponentiate and (several or models[0].family.link != "identity"):
        what += " (scales differ)" if several else f" ({scales[0]})"
    return interval_plot(
        shown,
        series,
        (f"{what}, {100 * probability('level', level):.4g} % intervals", ""),
        reference=1.0 if exponentiate else 0.0,
        always=True,
        ratios=bool(exponentiate),
        ax=ax,
    )


def _scale(fitted: FittedModel) -> str:
    """The scale of coefficients: the link, or the response whose units they have."""
    link = fitted.family.link
    return f"in units of {fitted.design.response_name}" if link == "identity" else f"{link} scale"


def _factors(name: str) -> list[str]:
    """The factors of a coefficient's name, which colons outside brackets separate."""
    parts, depth = [""], 0
    for c in name:
        depth += (c in "([{") - (c in ")]}")
        if c == ":" and depth == 0:
            parts.append("")
        else:
            parts[-1] += c
    return parts


def plot_variances(fitted: FittedModel, intervals: Any = None, ax: Any = None) -> Any:
    """Standard deviations of the random effects, see `MixedModel.plot_variances`."""
    labels = confidence_intervals(fitted, ddf="residual" if fitted.exact_likelihood else None).index
    names: list[str] = []
    values: list[float] = []
    places: list[str] = []
    position = 0
    for component in variance_components(fitted):
        for parameter in component.parameters:
            if parameter.kind == "sd":
                names.append(f"{component.group}: {', '.join(parameter.effects)}")
                values.append(parameter.value)
                places.append(str(labels[position]))
            position += 1
    if fitted.residual_sd is not None:
        names.append("residual")
        values.append(fitted.residual_sd)
        places.append("sigma")
    estimates = np.array(values)
    limits = _limits(intervals, places)
    scale = "response" if fitted.family.link == "identity" else f"{fitted.family.link} scale"
    label = f"standard deviation ({scale})"
    return interval_plot(
        names,
        [Series("", np.arange(len(names)), estimates, *limits)],
        (label, ""),
        reference=0.0,
        always=True,
        ax=ax,
    )


def _limits(intervals: Any, places: list[str]) -> tuple[Any, Any]:
    if intervals is None:
        return None, None
    if not isinstance(intervals, pd.DataFrame) or intervals.shape[1] < 2:
        raise ArgumentError("intervals must be a table of confint() with rows such as 'sd_(Intercept)|g'")
    missing = [name for name in places if name not in intervals.index]
    if len(missing) == len(places):
        raise ArgumentError(f"intervals has no row {missing[0]!r}; give a table of confint() of this model")
    found = intervals.iloc[:, :2].astype(float).reindex(places).to_numpy()
    return found[:, 0], found[:, 1]


def _titles(names: Any, count: int) -> list[str]:
    if names is None:
        return [f"model {i + 1}" for i in range(count)] if count > 1 else [""]
    titles = several_texts("names", names)
    if len(titles) != count or len(set(titles)) < count:
        raise ArgumentError(f"names must be {count} different names, one for each model")
    if count > len(COLOURS):
        raise ArgumentError(f"plot_coef draws at most {len(COLOURS)} models in one figure")
    return titles


def _one_each(vcov: Any, count: int) -> Sequence[Any]:
    if isinstance(vcov, (list, tuple)) and len(vcov) == count and count > 1:
        return vcov
    if vcov is not None and count > 1:
        raise ArgumentError(f"vcov must be a list of {count}, one (or None) for each model")
    return [vcov] * count
