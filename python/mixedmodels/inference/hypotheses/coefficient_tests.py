"""Tests that single coefficients, or linear functions of them, are zero."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...fit.state import FittedModel
from ...render.anova_table import AnovaTable, anova_table
from ..basis.choice import DdfName, Vcov, basis_of
from ..basis.degrees_of_freedom import DegreesOfFreedom, by_method


@dataclass(frozen=True, eq=False)
class CoefficientTests:
    """
    The coefficients of a fit and their tests.

    Attributes
    ----------
    table : DataFrame, shape (p, 5) or (p, 4)
        Columns Estimate, Std. Error, df, t value, Pr(>|t|), or for infinite degrees of freedom Estimate,
        Std. Error, z value, Pr(>|z|). NaN for dropped coefficients.
    basis : DegreesOfFreedom or None
        None when there are no degrees of freedom.
    notes : tuple of str
    """

    table: pd.DataFrame
    basis: DegreesOfFreedom | None
    notes: tuple[str, ...]


def coefficient_tests(
    fitted: FittedModel, ddf: DdfName | None = None, vcov: Vcov | None = None
) -> CoefficientTests:
    """
    Test every coefficient.

    Parameters
    ----------
    fitted : FittedModel
    ddf, vcov
        See :func:`~mixedmodels.inference.basis.choice.basis_of`.
    """
    basis = basis_of(fitted, ddf, vcov)
    names = pd.Index(fitted.design.x_names, dtype=object)
    table = function_tests(basis, np.eye(fitted.rank), np.zeros(fitted.rank))
    table.index = names[fitted.estimates.kept]
    held = np.isin(fitted.estimates.kept, fitted.estimates.held)
    if held.any():
        table.loc[held, table.columns != "Estimate"] = np.nan
    return CoefficientTests(table.reindex(names), basis, basis.notes)


def coefficient_table(
    fitted: FittedModel, ddf: DdfName | None = None, vcov: Vcov | None = None
) -> AnovaTable:
    """The tests of the coefficients as a table of results, see :func:`mixedmodels.coef_test`."""
    tests = coefficient_tests(fitted, ddf, vcov)
    heading = [] if tests.basis is None else [by_method("Coefficients", tests.basis)]
    columns = {str(name): tests.table[name].to_numpy() for name in tests.table}
    return anova_table(columns, fitted.design.x_names, heading, tests.notes)


def t_values(fitted: FittedModel) -> pd.Series:
    """Estimates over standard errors, by name."""
    return coefficient_tests(fitted).table.iloc[:, -2].rename("tvalues")


def p_values(fitted: FittedModel) -> pd.Series:
    """Two-sided p-values by the model's default degrees of freedom, by name."""
    return coefficient_tests(fitted).table.iloc[:, -1].rename("pvalues")


def function_tests(
    basis: DegreesOfFreedom, rows: NDArray[np.float64], rhs: NDArray[np.float64]
) -> pd.DataFrame:
    """
    Test the rows of Lβ = rhs one at a time.

    Parameters
    ----------
    basis : DegreesOfFreedom
    rows : ndarray, shape (m, rank)
    rhs : ndarray, shape (m,)

    Returns
    -------
    DataFrame, shape (m, 5) or (m, 4)
        Columns as in `CoefficientTests`.
    """
    estimate = rows @ basis.beta
    error = basis.standard_errors(rows)
    ratio = test_ratios(basis, estimate - rhs, error)
    columns = {"Estimate": estimate, "Std. Error": error}
    if basis.infinite:
        columns |= {"z value": ratio, "Pr(>|z|)": two_sided_p(ratio)}
    else:
        df = basis.df(rows)
        columns |= {"df": df, "t value": ratio, "Pr(>|t|)": two_sided_t(ratio, df)}
    return pd.DataFrame(columns)


def test_ratios(
    basis: DegreesOfFreedom, distance: NDArray[np.float64], error: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Distances from the hypotheses in standard errors; NaN without a test or a standard error above zero."""
    if not basis.testable:
        return np.full(len(distance), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(error > 0, distance / error, np.nan)


def two_sided_p(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """The probability of a standard normal variable at least as far from zero."""
    from scipy.special import erfc

    return erfc(np.abs(z) / math.sqrt(2.0))


def two_sided_t(t: NDArray[np.float64], df: NDArray[np.float64]) -> NDArray[np.float64]:
    """The probability of a t variable at least as far from zero."""
    from scipy.special import stdtr

    return np.where(np.isinf(df), two_sided_p(t), 2.0 * stdtr(df, -np.abs(t)))
