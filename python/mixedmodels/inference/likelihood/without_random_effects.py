"""
Models without random effects as states, to be compared with mixed models by their likelihoods.

A formula is fitted here, as a mixed model whose only variance is held at zero: the likelihood is that of the
regression, for every family. Results of statsmodels come with their own likelihood.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ...design.contrast_table import FIXED
from ...design.matrix import label_of
from ...errors import ArgumentError, DataError
from ...families import Binomial, Family, NegativeBinomial, Poisson
from ...fit.changes import formula_fitted_to_rows
from ...fit.state import FittedModel, fitted_of
from ...formula import parse_formula
from ...formula.nodes import write

# By how much -2 log-likelihood of a regression may miss its minimum.
_SHORT = 1e-3
M = TypeVar("M", bound=FittedModel)
_NONE = np.empty(0)
_GENERALIZED = "GLM with binomial, Poisson or negative binomial family, Logit, Probit and Poisson"
# Links by their classes in statsmodels.
_LINKS = {
    "Logit": "logit",
    "Probit": "probit",
    "CLogLog": "cloglog",
    "Cauchy": "cauchit",
    "Log": "log",
    "Identity": "identity",
    "Sqrt": "sqrt",
}


def comparable(fitted: FittedModel, other: Any) -> FittedModel:
    """
    What a mixed model is compared with, as a state.

    Parameters
    ----------
    fitted : FittedModel
    other : MixedModel, str, or results of statsmodels
        A formula is fitted to the rows that the mixed model used, with its other arguments, held coefficients
        among them. Results of our MixedLM are those of the mixed model.

    Raises
    ------
    ArgumentError, DataError
        For other objects, for families that statsmodels does not fit by maximum likelihood, for estimates
        that are not at the maximum, and for other rows.
    """
    if isinstance(other, str):
        return _formula(fitted, other)
    if hasattr(other, "to_mixedmodels"):
        return fitted_of(other.to_mixedmodels())
    if any(kind.__module__.partition(".")[0] == "statsmodels" for kind in type(other).__mro__):
        return _regression(fitted, other)
    return fitted_of(other)


def _formula(fitted: FittedModel, text: str) -> FittedModel:
    given = fitted.arguments
    parsed = parse_formula(text, given.data.names, given.functions, need_random=False)
    if parsed.random:
        return formula_fitted_to_rows(fitted, text, given.fixed)
    term = min(fitted.design.terms, key=lambda own: len(own.group.levels))
    specs = {":".join(map(label_of, spec.group_nodes)): spec for spec in fitted.design.formula.random}
    spec = specs[term.group.label]
    group = ":".join(write(node) for node in spec.group_nodes)
    zero = {f"sd_(Intercept)|{term.group.label}": 0.0}
    found = formula_fitted_to_rows(fitted, f"{text} + (1 | {group})", {**_held(fitted), **zero})
    own = {key: value for key, value in (found.arguments.fixed or {}).items() if key not in zero}
    arguments: dict[str, Any] = {"arguments": dataclasses.replace(found.arguments, fixed=own or None)}
    return _without_terms(found, {"formula": parsed}, **arguments)


def _held(fitted: FittedModel) -> dict[Any, float]:
    """What a fit holds apart from its random effects, as the argument ``fixed`` of other formulas."""
    held, names = fitted.held, fitted.design.x_names
    found: dict[Any, float] = {(FIXED, names[j]): value for j, value in held.coefficients}
    if held.sigma is not None:
        found["sigma"] = held.sigma
    if held.dispersion is not None:
        found["dispersion"] = held.dispersion
    return found


def _without_terms(
    fitted: M, design: dict[str, Any], estimates: dict[str, Any] | None = None, **others: Any
) -> M:
    """The state without random effects."""
    none: dict[str, Any] = {"theta": _NONE, "b": (), "u": ()}
    state: Any = fitted
    result = dataclasses.replace(
        state,
        design=dataclasses.replace(fitted.design, terms=(), **design),
        estimates=dataclasses.replace(fitted.estimates, **none, **(estimates or {})),
        term_roots=(),
        _engine=None,
        **others,
    )
    return result.concluded(fitted.convergence)


def _regression(fitted: FittedModel, results: Any) -> FittedModel:
    """A result of statsmodels."""
    model: Any = getattr(results, "model", None)
    if not hasattr(model, "exog") or not hasattr(results, "params"):
        raise ArgumentError(
            f"anova: {type(results).__name__} of statsmodels is no fitted regression; give the results of "
            "fit()"
        )
    kind = type(model).__name__
    x = np.asfortranarray(model.exog, dtype=np.float64)
    if len(x) != fitted.n_obs:
        raise DataError(
            f"the model of statsmodels was fitted to {len(x)} rows and the mixed model to {fitted.n_obs}: "
            "fit it to the rows used, or give its formula as text, which is fitted to these rows"
        )
    y = np.asarray(model.endog, dtype=np.float64)
    weights, family, others = None, None, {}
    if fitted.exact_likelihood:
        if kind not in ("OLS", "WLS") and not _is_normal(model, kind):
            raise ArgumentError(_refusal(kind, "OLS, WLS and GLM with the identity link"))
        weights = np.asarray(model.weights, dtype=np.float64) if kind == "WLS" else None
        others = {
            "reml": False,
            "arguments": dataclasses.replace(fitted.arguments, weights=weights, offset=None, fixed=None),
        }
    else:
        family = _family(model, kind)
        arguments: Any = fitted.arguments
        plain = {"weights": None, "offset": None, "fixed": None}
        others = {"arguments": dataclasses.replace(arguments, family=family, **plain)}
        if family.trials and getattr(model, "n_trials", None) is not None:
            trials = np.broadcast_to(np.asarray(model.n_trials, dtype=np.float64), y.shape)
            # GLM keeps proportions beside the numbers of trials.
            y, weights = np.round(y * trials), None if (trials == 1).all() else trials
    given = [getattr(model, name, 1.0) for name in ("var_weights", "freq_weights")]
    if any((np.asarray(values) != 1.0).any() for values in given):
        raise ArgumentError(
            "anova: give a regression with weights as a formula in text, which has the model's weights"
        )
    names = tuple(map(str, getattr(model, "exog_names", range(x.shape[1]))))
    text = getattr(model, "formula", None) or f"{model.endog_names} ~ {' + '.join(names)}"
    formula = dataclasses.replace(fitted.design.formula, text=str(text), random=(), offsets=())
    _check_maximum(results, kind)
    return _without_terms(
        fitted,
        {
            "formula": formula,
            "response_name": str(model.endog_names),
            "x": x,
            "x_names": names,
            "y": y,
            "weights": weights,
            "offset": _offset(model, len(y)),
        },
        {
            "objective": -2.0 * float(results.llf),
            "beta": np.asarray(results.params, dtype=np.float64)[: x.shape[1]],
            "kept": _independent(x),
            "held": np.empty(0, dtype=np.int64),
        },
        **others,
    )


def _is_normal(model: Any, kind: str) -> bool:
    """Whether a generalized model is the linear one."""
    family = getattr(model, "family", None)
    link = type(getattr(family, "link", None)).__name__
    return kind == "GLM" and type(family).__name__ == "Gaussian" and link == "Identity"


def _offset(model: Any, n: int) -> NDArray[np.float64] | None:
    """Offset plus exposure, of which the model keeps the logarithm."""
    parts = [np.asarray(getattr(model, name, None)) for name in ("offset", "exposure")]
    given = [part.astype(np.float64) for part in parts if part.shape == (n,)]
    return np.sum(given, axis=0) if given else None


def _check_maximum(results: Any, kind: str) -> None:
    """Refuse estimates that constraints, penalties or an early end keep from the maximum."""
    model, params = results.model, np.asarray(results.params, dtype=np.float64)
    if kind in ("OLS", "WLS"):
        x, y = np.asarray(model.wexog), np.asarray(model.wendog)
        rest = y - x @ params
        change = x @ np.linalg.lstsq(x, rest, rcond=None)[0]
        short = len(y) * float(change @ change) / max(float(rest @ rest), np.finfo(float).tiny)
    else:
        slopes = np.asarray(model.score(params), dtype=np.float64)
        short = float(slopes @ np.linalg.pinv(-np.asarray(model.hessian(params)), hermitian=True) @ slopes)
    if not short < _SHORT:
        raise ArgumentError(
            "anova: the estimates of the regression are not at the maximum of its likelihood (constraints, a "
            "penalty, or an optimizer that stopped early); give its formula as text"
        )


def _family(model: Any, kind: str) -> Family:
    """The family of a model of statsmodels, whose likelihood has no parameter that it estimates otherwise."""
    if kind in ("Logit", "Probit"):
        return Binomial(kind.lower())
    if kind == "Poisson":
        return Poisson("log")
    family = getattr(model, "family", None)
    name = type(family).__name__
    link = _LINKS.get(type(getattr(family, "link", None)).__name__, "")
    if kind == "GLM" and link:
        if name == "Binomial":
            return Binomial(link)
        if name == "Poisson":
            return Poisson(link)
        if name == "NegativeBinomial":
            alpha: Any = getattr(family, "alpha", math.nan)
            return NegativeBinomial(link, size=1.0 / float(alpha))
    shown = f"{kind} ({name})" if family is not None else kind
    raise ArgumentError(_refusal(shown, _GENERALIZED))


def _refusal(kind: str, known: str) -> str:
    return (
        f"anova: {kind} of statsmodels cannot be compared with this model, but {known} can; give a formula "
        "as text, which is fitted by maximum likelihood with the family of the model"
    )


def _independent(x: NDArray[np.float64]) -> NDArray[np.int64]:
    """Columns of x that are linearly independent, in order."""
    from scipy.linalg import qr

    size = np.linalg.norm(x, axis=0)
    found: Any = qr(x / np.where(size > 0, size, 1.0), mode="economic", pivoting=True)
    _, triangle, order = found
    diagonal = np.abs(np.diag(triangle))
    rank = int(np.count_nonzero(diagonal > 1e-10 * diagonal.max(initial=0.0)))
    return np.sort(order[:rank]).astype(np.int64)
