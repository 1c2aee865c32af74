"""`simulate_formula`: responses from a formula, data and parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd  # pyright: ignore[reportMissingTypeStubs]

from ..design import DesignArguments
from ..families import Family
from ..fit.arguments import check_formula_first
from ..prediction.simulate_formula import linear_or_family, parameters_of_formula, simulated_formula
from ..public import public
from .arguments import Contrasts, Data, Functions, Rng, Rows


@public
def simulate_formula(
    formula: str,
    data: Data,
    params: Mapping[Any, Any],
    *,
    family: str | Family | type[Family] | None = None,
    link: str | None = None,
    weights: Rows | None = None,
    offset: Rows | None = None,
    contrasts: Contrasts | None = None,
    functions: Functions | None = None,
    nsim: int = 1,
    rng: Rng = None,
) -> pd.DataFrame:
    """
    Draw responses of a model that is not fitted: from its formula, data and parameters.

    Parameters
    ----------
    formula : str
        lme4-style. The response need not be a column of the data and may be left out:
        ``"~ Days + (Days | Subject)"``.
    data : data frame
        The predictors and grouping factors; n rows.
    params : mapping
        A value for each parameter, by the names that :func:`mixedmodels.parameter_names` lists: coefficients
        such as ``"Days"``, ``"sd__(Intercept)"``, ``"cor__(Intercept).Days"``, and ``"sigma"`` or the
        parameter of the family. ``"beta"`` takes all coefficients as a list or a mapping, ``"theta"`` the
        covariance parameters of the random effects relative to sigma, as in lme4.
    family : str or Family, optional
        As for :func:`mixedmodels.glmer`; by default a linear mixed model.
    link : str, optional
        By default the first link of the family.
    weights : str or array-like of shape (n,), optional
        Numbers of trials for the binomial family, otherwise prior weights.
    offset : str or array-like of shape (n,), optional
        Known part of the linear predictor.
    contrasts, functions : as for `lmer`, optional
        Coding of factors, and your own functions for the formula.
    nsim : int, default 1
        Number of responses.
    rng : int, Generator or None, optional
        Seed or random number generator.

    Returns
    -------
    DataFrame, n rows
        Columns ``sim_1``, ``sim_2``, ...; for a binomial response written as ``cbind(a, b)`` or ``a / n`` two
        columns each, successes and failures. NaN in rows with a missing predictor, weight or level.

    Raises
    ------
    ArgumentError
        When a parameter is missing (the message lists all of them), unknown or out of its range.
    FormulaError, DataError
        When formula and data do not describe a model.

    See Also
    --------
    mixedmodels.MixedModel.simulate : Responses from a fitted model.

    Examples
    --------
    >>> import pandas as pd
    >>> from mixedmodels import simulate_formula
    >>> data = pd.DataFrame({"x": [0.0, 1.0, 2.0] * 4, "g": ["a", "b", "c", "d"] * 3})
    >>> params = {"(Intercept)": 10.0, "x": 2.0, "sd__(Intercept)": 3.0, "sigma": 1.0}
    >>> data["y"] = simulate_formula("~ x + (1 | g)", data, params, rng=1)["sim_1"]
    >>> data["y"].round(2).tolist()[:3]
    [11.94, 14.91, 14.45]
    """
    check_formula_first("simulate_formula", formula, data)
    arguments = _arguments(formula, data, weights, offset, contrasts, functions)
    return simulated_formula(arguments, params, linear_or_family(family, link), nsim, rng)


@public
def parameter_names(
    formula: str,
    data: Data,
    *,
    family: str | Family | type[Family] | None = None,
    link: str | None = None,
    contrasts: Contrasts | None = None,
    functions: Functions | None = None,
) -> list[str]:
    """
    The parameters of a model that is not fitted, by the names that ``params=`` takes.

    Parameters
    ----------
    formula : str
        lme4-style; the response need not be a column of the data.
    data : data frame
        The predictors and grouping factors.
    family : str or Family, optional
        As for :func:`mixedmodels.glmer`; by default a linear mixed model.
    link : str, optional
        By default the first link of the family.
    contrasts, functions : as for `lmer`, optional
        Coding of factors, and your own functions for the formula.

    Returns
    -------
    list of str
        Coefficients, standard deviations and correlations of random effects, and the scale. Names that
        several terms have are preceded by the grouping factor: ``"Subject.sd__(Intercept)"``.

    Raises
    ------
    FormulaError, DataError
        When formula and data do not describe a model.

    Examples
    --------
    >>> from mixedmodels import load_sleepstudy, parameter_names
    >>> parameter_names("~ Days + (Days | Subject)", load_sleepstudy())[2:]
    ['sd__(Intercept)', 'sd__Days', 'cor__(Intercept).Days', 'sigma']
    """
    check_formula_first("parameter_names", formula, data)
    arguments = _arguments(formula, data, None, None, contrasts, functions)
    return parameters_of_formula(arguments, linear_or_family(family, link))


def _arguments(
    formula: str, data: Any, weights: Any, offset: Any, contrasts: Any, functions: Any
) -> DesignArguments:
    return DesignArguments(
        formula=formula, data=data, weights=weights, offset=offset, contrasts=contrasts, functions=functions
    )
