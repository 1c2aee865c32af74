"""A fit in one row, with the columns of R's broom.mixed."""

from __future__ import annotations

import math
from typing import Any

from ..fit.fitted_generalized import FittedGeneralized
from ..fit.fitted_linear import FittedLinear
from ..fit.state import FittedModel
from ..inference.estimates import criteria
from ..render.result_table import ResultTable


def glance_table(fitted: FittedModel) -> ResultTable:
    """One row about the whole fit, see :func:`mixedmodels.glance`."""
    objective = fitted.estimates.objective
    restricted = isinstance(fitted, FittedLinear) and fitted.reml
    row: dict[str, Any] = {
        "nobs": fitted.n_obs,
        _sigma_name(fitted): _sigma(fitted),
        "logLik": -objective / 2,
        "AIC": criteria.aic(fitted),
        "BIC": criteria.bic(fitted),
        "REMLcrit" if restricted else "deviance": objective,
        "df.residual": fitted.n_obs - fitted.n_parameters,
    }
    return ResultTable([row])


def _sigma_name(fitted: FittedModel) -> str:
    return fitted.family.scale_name if isinstance(fitted, FittedGeneralized) else "sigma"


def _sigma(fitted: FittedModel) -> float:
    if isinstance(fitted, FittedLinear):
        return fitted.estimates.sigma
    model: Any = fitted
    value = float(model.family.sigma(model.dispersion))
    return value if math.isfinite(value) else math.nan
