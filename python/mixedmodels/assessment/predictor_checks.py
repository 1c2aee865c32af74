"""Checks of predictors and grouping factors."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..diagnostics.check import Check
from ..fit.state import FittedModel
from ..inference.hypotheses.collinearity import condition_number_of, variance_inflation

_HIGH, _VERY_HIGH = 5.0, 10.0
_FEW_LEVELS = 5


def check_collinearity(fitted: FittedModel) -> Check:
    """Variance inflation of the terms, see :func:`mixedmodels.check_collinearity`."""
    found = variance_inflation(fitted)
    factor = found["GVIF"].to_numpy()
    table = pd.DataFrame(
        {
            "term": found.index.astype(str),
            "VIF": factor,
            "Df": found["Df"].to_numpy(),
            "SE factor": np.sqrt(factor),
            "tolerance": 1.0 / factor,
        }
    )
    # A term of several columns by the inflation of one of them.
    size = np.square(found["GVIF^(1/(2*Df))"].to_numpy())
    worst = int(size.argmax())
    value, name = float(size[worst]), table["term"][worst]
    number = condition_number_of(fitted)
    advice = ""
    if value >= _HIGH:
        interaction = any(":" in term for term in table["term"])
        advice = (
            "centre the predictors of interactions, which removes this part of the collinearity"
            if interaction
            else "the data hardly tell these predictors apart: leave one out or combine them"
        )
    degree = "very high" if value >= _VERY_HIGH else "high" if value >= _HIGH else "low"
    return Check(
        name="collinearity",
        measure="largest variance inflation",
        value=value,
        verdict="attention" if value >= _HIGH else "ok",
        text=f"{degree} collinearity: variance inflation {value:.3g} for {name}, "
        f"condition number {number:.3g}",
        advice=advice,
        table=table,
    )


def check_group_sizes(fitted: FittedModel) -> Check:
    """Numbers of levels and of rows in each, see :func:`mixedmodels.check_group_sizes`."""
    factors = {term.group.label: term.group for term in fitted.design.terms}
    rows, faults = [], []
    for label, group in factors.items():
        sizes = np.bincount(group.codes, minlength=len(group.levels))
        rows.append(
            (label, len(sizes), sizes.min(), float(np.median(sizes)), sizes.max(), int((sizes == 1).sum()))
        )
        if len(sizes) < _FEW_LEVELS:
            faults.append(f"{label} has only {len(sizes)} levels, too few to estimate a variance well")
        elif sizes.max() == 1:
            faults.append(f"{label} has one row in each level")
    table = pd.DataFrame(
        rows, columns=["group", "levels", "least rows", "median rows", "most rows", "single rows"]
    )
    least = int(table["levels"].min())
    return Check(
        name="group sizes",
        measure="least number of levels",
        value=float(least),
        verdict="attention" if faults else "ok",
        text="; ".join(faults) or f"at least {least} levels in each grouping factor",
        advice=_advice(fitted, table) if faults else "",
        table=table,
    )


def _advice(fitted: FittedModel, table: pd.DataFrame) -> str:
    if (table["levels"] < _FEW_LEVELS).any():
        return (
            "consider fixed effects for a factor with few levels; look at profile intervals of its variance"
        )
    return "such a term stands for overdispersion" if not fitted.exact_likelihood else "more rows in a level"
