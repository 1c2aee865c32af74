"""Estimates, and a fit in one row, as data frames with the columns of R's broom.mixed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from ..checks import flag, probability, some_of
from ..errors import ArgumentError
from ..fit.state import FittedModel
from ..inference.basis.choice import DdfName, Vcov, basis_of
from ..inference.basis.degrees_of_freedom import DegreesOfFreedom, by_method, limits_note
from ..inference.estimates import criteria
from ..inference.estimates.random_effects import conditional_variances, terms_by_group
from ..inference.hypotheses.coefficient_tests import test_ratios, two_sided_t
from ..inference.hypotheses.confidence_limits import coefficient_limits, t_quantile
from ..render.result_table import ResultTable
from .varcorr import var_corr

EFFECTS = ("fixed", "ran_pars", "ran_vals")
_COLUMNS = (
    "effect",
    "group",
    "level",
    "term",
    "estimate",
    "std.error",
    "statistic",
    "df",
    "p.value",
    "conf.low",
    "conf.high",
)
_TEXTS = frozenset({"effect", "group", "level", "term"})
# The meaning of exp(coefficient), by link.
RATIOS = {
    "log": "ratios of means",
    "logit": "odds ratios",
    "cloglog": "hazard ratios",
}


def tidy_table(
    fitted: FittedModel,
    effects: Any = "fixed",
    conf_int: bool = False,
    level: float = 0.95,
    ddf: DdfName | None = None,
    vcov: Vcov | None = None,
    exponentiate: bool = False,
) -> ResultTable:
    """One row for each estimate, see :func:`mixedmodels.tidy`."""
    wanted = _check_effects(effects)
    level = probability("level", level)
    flag("conf_int", conf_int)
    if flag("exponentiate", exponentiate):
        ratio_name(fitted)
    # Only the fixed effects need the basis; ddf and vcov are checked in any case.
    basis = basis_of(fitted, ddf, vcov) if "fixed" in wanted or ddf is not None or vcov is not None else None
    parts: list[dict[str, Any]] = []
    notes: list[str] = []
    for name in wanted:
        if name == "ran_pars":
            parts.append(_parameters(fitted))
        elif name == "ran_vals":
            parts.append(_values(fitted, level))
            notes += [f"{100 * level:.4g} % limits of random effects: normal quantiles"] * conf_int
        elif basis is not None:
            parts.append(fixed_rows(fitted, level, basis, exponentiate))
            notes += [by_method("Tests", basis), *[limits_note(basis, level)] * conf_int, *basis.notes]
    columns = [name for name in _COLUMNS if any(name in part for part in parts)]
    if not conf_int:
        columns = [name for name in columns if not name.startswith("conf.")]
    table = ResultTable(pd.concat([_complete(part, columns) for part in parts], ignore_index=True))
    table.notes = tuple(notes)
    return table


def glance_table(fitted: FittedModel) -> ResultTable:
    """One row about the whole fit, see :func:`mixedmodels.glance`."""
    objective = fitted.estimates.objective
    row: dict[str, Any] = {
        "nobs": fitted.n_obs,
        fitted.family.scale_name: fitted.sigma if math.isfinite(fitted.sigma) else math.nan,
        "logLik": -objective / 2,
        "AIC": criteria.aic(fitted),
        "BIC": criteria.bic(fitted),
        "REMLcrit" if fitted.restricted else "deviance": objective,
        "df.residual": fitted.n_obs - fitted.n_parameters,
    }
    return ResultTable([row])


def ratio_name(fitted: FittedModel) -> str:
    """
    The meaning of the exponentials of the coefficients.

    Raises
    ------
    ArgumentError
        For a link under which exponentials have no meaning.
    """
    link = fitted.family.link
    if link not in RATIOS:
        raise ArgumentError(
            f"exponentiate=True is for the links {', '.join(RATIOS)}; exponentials of coefficients under the "
            f"{link} link have no meaning, so leave it out"
        )
    return RATIOS[link]


def _check_effects(effects: Any) -> tuple[str, ...]:
    names = some_of("effects", effects, ("all", *EFFECTS))
    if not names:
        raise ArgumentError(f"effects must name some of {', '.join(map(repr, EFFECTS))}")
    return EFFECTS if "all" in names else names


def _complete(part: dict[str, Any], columns: list[str]) -> pd.DataFrame:
    n = len(part["estimate"])
    filled: dict[str, Any] = {}
    for name in columns:
        if name in _TEXTS:
            filled[name] = pd.Series(part.get(name, [None] * n), dtype=object)
        else:
            filled[name] = np.asarray(part.get(name, np.full(n, np.nan)), dtype=float)
    return pd.DataFrame(filled)


def fixed_rows(
    fitted: FittedModel, level: float, basis: DegreesOfFreedom, exponentiate: bool = False
) -> dict[str, Any]:
    """The columns of the fixed effects; NaN for dropped coefficients and for the tests of held ones."""
    names, kept = fitted.design.x_names, fitted.estimates.kept
    p = len(names)

    def spread(values: Any) -> Any:
        whole = np.full(p, np.nan)
        whole[kept] = values
        return whole

    def of_free(values: Any) -> Any:
        whole = spread(values)
        whole[fitted.estimates.held] = np.nan
        return whole

    estimate, error = basis.beta, basis.standard_errors()
    df = basis.df(np.eye(len(kept)))
    limits = coefficient_limits(basis, level)
    ratio = test_ratios(basis, estimate, error)
    if exponentiate:
        # The standard error by the delta method; the test is still that the coefficient is zero.
        with np.errstate(over="ignore", invalid="ignore"):
            estimate, limits = np.exp(estimate), np.exp(limits)
            error = estimate * error
    return {
        "effect": ["fixed"] * p,
        "group": [None] * p,
        "term": list(names),
        "estimate": spread(estimate),
        "std.error": of_free(error),
        "statistic": of_free(ratio),
        "df": of_free(df),
        "p.value": of_free(two_sided_t(ratio, df)),
        "conf.low": of_free(limits[:, 0]),
        "conf.high": of_free(limits[:, 1]),
    }


def _parameters(fitted: FittedModel) -> dict[str, Any]:
    groups, terms, estimates = [], [], []
    components = var_corr(fitted)
    for key, part in components.items():
        terms += [f"{own.kind}__{'.'.join(own.effects)}" for own in part.parameters]
        estimates += [own.value for own in part.parameters]
        groups += [key] * (len(terms) - len(groups))
    if components.sigma is not None:
        groups.append("Residual")
        terms.append("sd__Observation")
        estimates.append(components.sigma)
    own = own_parameter(fitted)
    if own is not None:
        groups.append("Residual")
        terms.append(own[0])
        estimates.append(own[1])
    return {"effect": ["ran_pars"] * len(terms), "group": groups, "term": terms, "estimate": estimates}


def own_parameter(fitted: FittedModel) -> tuple[str, float] | None:
    """Name and value of a family's own parameter: size, dispersion or precision; None for a scale."""
    if fitted.family.scale_name == "sigma":
        return None
    return fitted.family.scale_name, fitted.sigma


def _values(fitted: FittedModel, level: float) -> dict[str, Any]:
    groups, levels, terms = [], [], []
    estimates, errors = [], []
    variances = conditional_variances(fitted)
    for group, members in terms_by_group(fitted).items():
        labels = fitted.design.terms[members[0]].group.levels
        for t, variance in zip(members, variances[group], strict=True):
            for j, name in enumerate(fitted.design.terms[t].names):
                groups += [group] * len(labels)
                levels += labels
                terms += [name] * len(labels)
                estimates.append(fitted.estimates.b[t][:, j])
                errors.append(np.sqrt(variance[:, j, j]))
    estimate, error = np.concatenate(estimates), np.concatenate(errors)
    half = float(t_quantile(0.5 + level / 2, math.inf)) * error
    return {
        "effect": ["ran_vals"] * len(groups),
        "group": groups,
        "level": levels,
        "term": terms,
        "estimate": estimate,
        "std.error": error,
        "conf.low": estimate - half,
        "conf.high": estimate + half,
    }
