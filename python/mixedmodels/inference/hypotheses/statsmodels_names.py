"""Tests of the coefficients in the shapes that users of statsmodels know."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ...checks import probability
from ...fit.state import FittedModel
from ..basis.choice import DdfName, Vcov, basis_of
from ..basis.intervals import coefficient_limits
from .coefficient_tests import coefficient_tests


def t_values(fitted: FittedModel) -> pd.Series:
    """Estimates over standard errors, by name."""
    return coefficient_tests(fitted).table.iloc[:, -2].rename("tvalues")


def p_values(fitted: FittedModel) -> pd.Series:
    """Two-sided p-values by the model's default degrees of freedom, by name."""
    return coefficient_tests(fitted).table.iloc[:, -1].rename("pvalues")


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
