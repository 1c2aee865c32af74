"""Wald confidence limits of the coefficients, in the layout that R's confint has."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...checks import one_of, probability
from ...fit.state import FittedModel
from ...not_here import CONFINT_METHODS, refuse_not_here
from ...render.result_table import ResultTable, result_table
from ..basis.choice import DdfName, Vcov, basis_of
from ..basis.degrees_of_freedom import DegreesOfFreedom, limits_note
from ..estimates.all_parameters import scale_name, variance_names


def confidence_intervals(
    fitted: FittedModel,
    level: float = 0.95,
    method: Any = "wald",
    ddf: DdfName | None = None,
    vcov: Vcov | None = None,
) -> ResultTable:
    """
    Confidence limits of the parameters.

    Parameters
    ----------
    fitted : FittedModel
    level : float
    method : {"wald"}
        Estimate ± quantile times standard error.
    ddf, vcov
        See :func:`~mixedmodels.inference.basis.choice.basis_of`.

    Returns
    -------
    ResultTable
        The limits in two columns named by their percentages. Rows ``sd_...`` and ``cor_...`` of the
        random effects and of the scale are NaN: Wald intervals are not suitable for variances. Then the
        coefficients.
    """
    level = probability("level", level)
    if isinstance(method, str):
        refuse_not_here(CONFINT_METHODS, method.lower(), f"confint(method={method!r})")
    one_of("confint: method", method.lower() if isinstance(method, str) else method, ("wald",))
    basis = basis_of(fitted, ddf, vcov)
    variances = [*variance_names(fitted), *scale_name(fitted)]
    limits = np.full((len(variances) + len(fitted.design.x_names), 2), np.nan)
    limits[len(variances) + fitted.estimates.kept] = coefficient_limits(basis, level)
    limits[len(variances) + fitted.estimates.held] = np.nan
    names = [f"{100 * share:.4g} %" for share in ((1 - level) / 2, (1 + level) / 2)]
    notes = [limits_note(basis, level), *basis.notes]
    if variances:
        notes.append("Wald limits are not suitable for variance parameters: NaN")
    table = result_table(
        dict(zip(names, limits.T, strict=True)), [*variances, *fitted.design.x_names], notes=notes
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
