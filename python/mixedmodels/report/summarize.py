"""The summary of a fit: the numbers and lines that it consists of."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..checks import optional_flag
from ..errors import MixedModelError
from ..fit.state import FittedModel
from ..inference.basis.choice import DdfName, Vcov
from ..inference.basis.degrees_of_freedom import by_method
from ..inference.estimates import criteria, fixed_effects
from ..inference.estimates.fixed_effects import standard_error_line
from ..inference.estimates.random_effects import numbers_of_levels
from ..inference.hypotheses.coefficient_tests import CoefficientTests, coefficient_tests
from ..render.numbers import DIGITS, PStyle, check_digits, check_p_style
from ..render.result_table import ResultTable
from .describe import head_lines
from .notes import data_notes, family_parameter, fit_notes
from .summary import Summary
from .varcorr import group_line, var_corr

# From this many coefficients on their correlations are printed on request only.
_MOST_CORRELATIONS = 12


def summarize(
    fitted: FittedModel,
    correlation: bool | None = None,
    *,
    ddf: DdfName | None = None,
    vcov: Vcov | None = None,
    digits: int = DIGITS,
    p_style: PStyle = "exact",
) -> Summary:
    """
    Collect the summary of a fit.

    Parameters
    ----------
    fitted : FittedModel
    correlation : bool, optional
        Whether to show the correlations of the coefficients; by default up to 12 coefficients.
    ddf, vcov
        See :func:`~mixedmodels.inference.basis.choice.basis_of`.
    digits : int
        Significant digits of the smallest number in a column of estimates.
    p_style : {"exact", "apa"}
    """
    correlation = optional_flag("correlation", correlation)
    digits, p_style = check_digits(digits), check_p_style(p_style)
    p = fitted.rank
    shown = (2 <= p <= _MOST_CORRELATIONS) if correlation is None else bool(correlation) and p > 1
    notes = fit_notes(fitted)
    if correlation is None and p > _MOST_CORRELATIONS:
        notes.append(f"Correlations of {p} fixed effects not shown: summary(correlation=True), or vcov()")
    tests = _tests(fitted, ddf, vcov)
    notes += [note for note in tests.notes if note not in notes]
    return Summary(
        head=tuple(head_lines(fitted)),
        formula=fitted.design.formula.text,
        criteria=criteria_of(fitted),
        residual_quantiles=_quantiles(fitted),
        varcorr=var_corr(fitted),
        nobs=fitted.n_obs,
        ngrps=numbers_of_levels(fitted),
        group_line=group_line(fitted),
        data_notes=tuple(data_notes(fitted)),
        parameter=family_parameter(fitted),
        coefficients=ResultTable(tests.table),
        tests=_tests_line(tests) if fitted.exact_likelihood or vcov is not None else "",
        errors=standard_error_line(fitted) if vcov is None else "",
        correlation=fixed_effects.correlation(fitted, complete=False) if shown else None,
        convergence=fitted.convergence,
        notes=tuple(notes),
        digits=digits,
        p_style=p_style,
        held=tuple([fitted.design.x_names[j] for j in fitted.estimates.held]),
    )


def criteria_of(fitted: FittedModel) -> dict[str, float]:
    """The criteria that a summary shows."""
    if fitted.restricted:
        return {fitted.criterion: fitted.estimates.objective}
    return {
        "AIC": criteria.aic(fitted),
        "BIC": criteria.bic(fitted),
        "logLik": -fitted.estimates.objective / 2,
        fitted.criterion: fitted.estimates.objective,
        "df.resid": fitted.n_obs - fitted.n_parameters,
    }


def _tests(fitted: FittedModel, ddf: DdfName | None, vcov: Vcov | None) -> CoefficientTests:
    """The tests of the coefficients; without degrees of freedom where they fail and were not asked for."""
    try:
        if fitted.rank:
            return coefficient_tests(fitted, ddf, vcov)
        reason = ""
    except MixedModelError as error:
        if ddf is not None or vcov is not None:
            raise
        reason = f"No degrees of freedom: {error}"
    estimate, error = fixed_effects.fixed_effects(fitted), fixed_effects.standard_errors(fitted)
    with np.errstate(divide="ignore", invalid="ignore"):
        table = pd.DataFrame({"Estimate": estimate, "Std. Error": error, "t value": estimate / error})
    return CoefficientTests(table, None, (reason,) if reason else ())


def _tests_line(tests: CoefficientTests) -> str:
    if tests.basis is None:
        return ""
    return by_method(f"{'z' if 'z value' in tests.table else 't'} tests", tests.basis)


def _quantiles(fitted: FittedModel) -> pd.Series:
    return pd.Series(fitted.derived(_residual_quantiles).copy(), index=["Min", "1Q", "Median", "3Q", "Max"])


def _residual_quantiles(fitted: FittedModel) -> NDArray[np.float64]:
    # Residuals of a diverged fit may be infinite.
    with np.errstate(invalid="ignore"):
        return np.quantile(fitted.scaled_residuals(), [0.0, 0.25, 0.5, 0.75, 1.0])
