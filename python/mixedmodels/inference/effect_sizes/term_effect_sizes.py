"""
Effect sizes of terms from their F tests: partial eta, omega and epsilon squared.

All three estimate the share of variance that a term explains of what it does not share with other terms, eta
squared with the largest bias (Olejnik & Algina 2003; Okada 2013). Their confidence limits are
limits of this share, from the noncentral F distribution (Steiger 2004).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...checks import probability
from ...errors import ArgumentError
from ...fit.state import FittedModel, fitted_of
from ...render.anova_table import AnovaTable, anova_table
from ...render.numbers import percent
from ..basis.choice import DdfName, Vcov
from ..hypotheses.term_tests import term_table

Values = NDArray[np.float64]
# The columns of F, numerator and denominator degrees of freedom: of anova() and of joint_tests().
_COLUMNS = (("F value", "NumDF", "DenDF"), ("F.ratio", "df1", "df2"))


def eta_squared(f: Values, df1: Values, df2: Values) -> Values:
    """Partial eta squared (Cohen 1973)."""
    return f * df1 / (f * df1 + df2)


def omega_squared(f: Values, df1: Values, df2: Values) -> Values:
    """Partial omega squared (Hays 1963): (F - 1) df1 over (F - 1) df1 + N, N = df1 + df2 + 1."""
    return np.maximum(0.0, (f - 1) * df1 / (f * df1 + df2 + 1))


def epsilon_squared(f: Values, df1: Values, df2: Values) -> Values:
    """Partial epsilon squared (Kelley 1935)."""
    return np.maximum(0.0, (f - 1) * df1 / (f * df1 + df2))


_MEASURES: dict[str, Callable[[Values, Values, Values], Values]] = {
    "eta": eta_squared,
    "omega": omega_squared,
    "epsilon": epsilon_squared,
}


def effect_size_table(
    measure: str,
    source: Any,
    partial: Any = True,
    level: float | None = 0.95,
    type: Any = 3,
    ddf: DdfName | None = None,
    vcov: Vcov | None = None,
) -> AnovaTable:
    """
    Effect sizes of the terms of a model, or of a table of F tests; see :func:`mixedmodels.eta_squared`.

    Parameters
    ----------
    measure : {"eta", "omega", "epsilon"}
    source : FittedModel, or a table with F tests
    """
    if partial is not True:
        raise ArgumentError(
            f"{measure}_squared: partial must be True, as a mixed model has no total sum of squares"
        )
    table = source if hasattr(source, "columns") else _f_table(measure, source, type, ddf, vcov)
    names, (f, df1, df2) = _f_tests(measure, table)
    with np.errstate(invalid="ignore", divide="ignore"):
        size = _MEASURES[measure](f, df1, df2)
    columns: dict[str, Any] = {"F value": f, "NumDF": df1, "DenDF": df2, f"partial {measure}2": size}
    if level is not None:
        level = probability("level", level)
        limits = np.array([_limits(*test, level) for test in zip(f, df1, df2, strict=True)]).reshape(-1, 2)
        for side, share in enumerate(((1 - level) / 2, (1 + level) / 2)):
            columns[percent(share)] = limits[:, side]
    notes: list[str] = [*getattr(table, "notes", ())]
    if np.isnan(size).any():
        notes.append("NaN: no effect size without an F test")
    heading = [f"Partial {measure} squared of terms", *getattr(table, "heading", ())]
    return anova_table(columns, names, heading, notes)


def _f_table(measure: str, source: Any, type: Any, ddf: DdfName | None, vcov: Vcov | None) -> AnovaTable:
    """The F tests of a model."""
    fitted: FittedModel = fitted_of(source)
    if not fitted.exact_likelihood:
        raise ArgumentError(
            f"{measure}_squared: a generalized model has no F tests and no variance that the terms could "
            "explain; take odds ratios and the like from emmeans(), or r2() for the whole model"
        )
    return term_table(fitted, type, "F", ddf, vcov)


def _f_tests(measure: str, table: Any) -> tuple[list[str], tuple[Values, Values, Values]]:
    """Names of the terms, F and its degrees of freedom."""
    found = next((names for names in _COLUMNS if set(names) <= set(table.columns)), None)
    if found is None:
        raise ArgumentError(
            f"{measure}_squared: F tests are needed: a linear mixed model, its anova(), or joint_tests()"
        )
    f, df1, df2 = (table[name].to_numpy(dtype=float) for name in found)
    if np.isinf(df2).any():
        raise ArgumentError(
            f"{measure}_squared: tests with infinite degrees of freedom do not measure explained variance; "
            "take another ddf"
        )
    labels = [str(name) for name in getattr(table, "labels", ()) if name in table.columns]
    if not labels:
        return [str(name) for name in table.index], (f, df1, df2)
    rows = zip(*(table[name] for name in labels), strict=True)
    return [", ".join(map(str, row)) for row in rows], (f, df1, df2)


def _limits(f: float, df1: float, df2: float, level: float) -> tuple[float, float]:
    """Confidence limits of the share: limits of the noncentrality parameter over themselves plus df2."""
    if not (math.isfinite(f) and df1 > 0 and df2 > 0):
        return math.nan, math.nan
    low, high = (_noncentrality(f, df1, df2, p) for p in ((1 + level) / 2, (1 - level) / 2))
    return low / (low + df2), high / (high + df2)


def _noncentrality(f: float, df1: float, df2: float, probability: float) -> float:
    """The noncentrality with which a smaller F has this probability; zero where all have a lower one."""
    from scipy.optimize import brentq
    from scipy.special import fdtr, ncfdtr

    if fdtr(df1, df2, f) <= probability:
        return 0.0
    high = df1 * f + 1.0
    while ncfdtr(df1, df2, high, f) > probability:
        high *= 2.0
    found: Any = brentq(lambda nc: ncfdtr(df1, df2, nc, f) - probability, 0.0, high, xtol=1e-10)
    return float(found)
