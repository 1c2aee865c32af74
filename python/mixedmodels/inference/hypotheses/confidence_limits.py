"""Confidence limits of parameters, in the layout that R's confint has, by each of the methods."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...checks import one_of, probability
from ...errors import ArgumentError
from ...fit.state import FittedModel
from ...render.result_table import ResultTable, result_table
from ..basis.choice import DdfName, Vcov, basis_of
from ..basis.degrees_of_freedom import DegreesOfFreedom, limits_note
from ..estimates.parameter_rows import chosen_rows, parameter_rows
from ..profiles.limits import percentages, profile_limits


def confidence_intervals(
    fitted: FittedModel,
    level: float = 0.95,
    method: Any = "wald",
    *,
    parm: Any = None,
    ddf: DdfName | None = None,
    vcov: Vcov | None = None,
    methods: Mapping[str, Callable[..., ResultTable]] | None = None,
    **options: Any,
) -> ResultTable:
    """
    Confidence limits of the parameters.

    Parameters
    ----------
    fitted : FittedModel
    level : float
    method : str
        "wald", a key of `METHODS` or one of `methods`.
    parm : str or sequence of str, optional
        See :func:`~mixedmodels.inference.estimates.parameter_rows.chosen_rows`.
    ddf, vcov
        For "wald" alone, see :func:`~mixedmodels.inference.basis.choice.basis_of`.
    methods : mapping of str to callable, optional
        More methods.
    **options
        Of the method; those of other methods must be None.

    Returns
    -------
    ResultTable
        The limits in two columns named by their percentages. Rows ``sd_...`` and ``cor_...`` of the
        random effects, then the scale, then the coefficients.
    """
    level = probability("level", level)
    name = method.lower() if isinstance(method, str) else method
    known = {"wald": wald_limits, **METHODS, **(methods or {})}
    one_of("confint: method", name, known)
    given = {"ddf": ddf, "vcov": vcov, **options}
    takes = {own: frozenset(signature(function).parameters) for own, function in known.items()}
    for argument, value in given.items():
        if value is not None and value is not False and argument not in takes[name]:
            theirs = " and ".join(f"method={own!r}" for own in known if argument in takes[own])
            raise ArgumentError(f"confint: {argument} is for {theirs}, not {method!r}")
    own = {key: value for key, value in given.items() if key in takes[name] and value is not None}
    return known[name](fitted, level, parm, **own)


# Everything but Wald's, by name: functions of the fit, the level and the parameters.
METHODS: dict[str, Callable[..., ResultTable]] = {"profile": profile_limits}


def wald_limits(
    fitted: FittedModel,
    level: float,
    parm: Any = None,
    ddf: DdfName | None = None,
    vcov: Vcov | None = None,
) -> ResultTable:
    """Estimate ± quantile times standard error; NaN for variance parameters."""
    rows = chosen_rows("parm", parm, parameter_rows(fitted))
    basis = basis_of(fitted, ddf, vcov)
    known = np.full((len(fitted.design.x_names), 2), np.nan)
    known[fitted.estimates.kept] = coefficient_limits(basis, level)
    known[fitted.estimates.held] = np.nan
    limits = np.array(
        [known[row.place[0]] if row.kind == "coefficient" else (np.nan, np.nan) for row in rows]
    ).reshape(-1, 2)
    notes = [limits_note(basis, level), *basis.notes]
    if any(row.kind != "coefficient" for row in rows):
        notes.append("Wald limits are not suitable for variance parameters: NaN; use method='profile'")
    table = result_table(
        dict(zip(percentages(level), limits.T, strict=True)), [row.name for row in rows], notes=notes
    )
    table.attrs.update(method="Wald", level=level, ddf=basis.label)
    return table


def interval(
    fitted: FittedModel,
    alpha: float = 0.05,
    ddf: DdfName | None = None,
    vcov: Vcov | None = None,
) -> pd.DataFrame:
    """Confidence limits of the coefficients in columns 0 and 1; t quantiles where df are finite."""
    level = 1.0 - probability("alpha", alpha)
    basis = basis_of(fitted, ddf, vcov)
    limits = np.full((len(fitted.design.x_names), 2), np.nan)
    limits[fitted.estimates.kept] = coefficient_limits(basis, level)
    limits[fitted.estimates.held] = np.nan
    table = pd.DataFrame(limits, index=pd.Index(fitted.design.x_names, dtype=object))
    table.attrs.update(method="Wald", level=level, ddf=basis.label)
    return table


def t_quantile(p: float, df: Any) -> NDArray[np.float64]:
    """Quantiles of t distributions, of the normal one for infinite degrees of freedom; shape of df."""
    from scipy.special import ndtri, stdtrit

    df = np.asarray(df, dtype=float)
    finite = np.where(np.isinf(df), 1.0, df)
    return np.where(np.isinf(df), ndtri(p), stdtrit(finite, p))


def normal_quantile(p: float) -> float:
    """A quantile of the standard normal distribution."""
    from scipy.special import ndtri

    return float(ndtri(p))


def coefficient_limits(basis: DegreesOfFreedom, level: float) -> NDArray[np.float64]:
    """
    Confidence limits of the kept coefficients: estimate ± quantile times standard error.

    Parameters
    ----------
    basis : DegreesOfFreedom
    level : float

    Returns
    -------
    ndarray, shape (rank, 2)
        NaN where the degrees of freedom or standard errors are.
    """
    df = basis.df(np.eye(len(basis.beta)))
    half = t_quantile(0.5 + probability("level", level) / 2, df) * basis.standard_errors()
    return np.column_stack([basis.beta - half, basis.beta + half])
