"""Likelihood-ratio tests between fitted models."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..design import GeneralizedDesign
from ..errors import ArgumentError, DataError
from ..fitted_model import Fitted, FittedModel
from ..fitting import by_criterion
from ..formatting import format_p_value
from . import criteria
from .anova_table import AnovaTable, anova_table
from .boundary import covariances_of_added_effect, mixture_p_value


def likelihood_ratio_table(
    models: Sequence[FittedModel], names: Sequence[str] | None = None, refit_ml: bool = True
) -> AnovaTable:
    """
    Compare nested models by their likelihoods, in the order of their numbers of parameters.

    Parameters
    ----------
    models : sequence of FittedModel
        Two or more, fitted to the same response.
    names : sequence of str, optional
        Row names; by default ``model 1``, ``model 2``, ... in the order given.
    refit_ml : bool
        Fit models again by ML that were fitted by REML. REML criteria can be compared (False) between
        models with the same fixed effects only.

    Returns
    -------
    AnovaTable
        Columns npar, AIC, BIC, logLik, -2*log(L), Chisq, Df, Pr(>Chisq).

    Raises
    ------
    ArgumentError, DataError
        For fewer than two models, different responses or rows, or REML criteria that cannot be compared.
    """
    labels = _check_names(models, names)
    check_same_data(models, labels)
    linear = [model for model in models if isinstance(model, Fitted)]
    if len(linear) == len(models):
        models, heading = _by_one_criterion(linear, labels, refit_ml)
    elif linear:
        raise ArgumentError(
            "anova() compares linear mixed models with each other, or generalized ones with each other"
        )
    else:
        check_same_approximation(models, labels)
        heading = []
    order = sorted(range(len(models)), key=lambda i: models[i].n_parameters)
    models, labels = [models[i] for i in order], [labels[i] for i in order]
    heading += [f"{label}: {model.design.formula.text}" for label, model in zip(labels, models, strict=True)]
    columns = _columns(models)
    return anova_table(columns, labels, [*heading, *_remarks(models, labels, columns)])


def _by_one_criterion(
    models: Sequence[Fitted], labels: Sequence[str], refit_ml: bool
) -> tuple[Sequence[Fitted], list[str]]:
    """Linear mixed models whose criteria can be compared, and what was done for that."""
    heading = []
    by_reml = [model.reml for model in models]
    if refit_ml and any(by_reml):
        models = [by_criterion(model, reml=False) for model in models]
        which = (
            "the models" if all(by_reml) else ", ".join(n for n, r in zip(labels, by_reml, strict=True) if r)
        )
        heading.append(f"Fitted again by ML (instead of REML) for this comparison: {which}")
        for label, model, refitted in zip(labels, models, by_reml, strict=True):
            if refitted and not model.convergence.converged:
                heading.append(f"Warning: {label}: {'; '.join(model.convergence.messages)}")
    elif any(by_reml):
        _check_same_fixed_effects(models, by_reml)
        heading.append("Restricted likelihoods (REML): the models have the same fixed effects")
    return models, heading


def check_same_approximation(models: Sequence[FittedModel], labels: Sequence[str]) -> None:
    """Likelihoods by different approximations differ by more than the models do."""
    arguments = [model.arguments for model in models]
    first = arguments[0]
    for label, other in zip(labels[1:], arguments[1:], strict=True):
        if other.n_agq != first.n_agq:
            raise ArgumentError(
                f"{labels[0]} has nAGQ = {first.n_agq} and {label} nAGQ = {other.n_agq}: likelihoods by the "
                "Laplace approximation and by quadrature cannot be compared; fit both in the same way"
            )
        if other.information != first.information:
            raise ArgumentError(
                f"{labels[0]} was fitted with information={first.information!r} and {label} with "
                f"{other.information!r}: fit both in the same way"
            )


def _columns(models: Sequence[FittedModel]) -> dict[str, NDArray[np.float64]]:
    from scipy.special import chdtrc

    deviance = np.array([model.estimates.objective for model in models])
    df = np.array([model.n_parameters for model in models])
    chisq = np.concatenate([[np.nan], np.maximum(0.0, -np.diff(deviance))])
    steps = np.concatenate([[np.nan], np.diff(df)])
    p = np.full(len(models), np.nan)
    testable = steps > 0
    p[testable] = chdtrc(steps[testable], chisq[testable])
    return {
        "npar": df,
        "AIC": np.array([criteria.aic(model) for model in models]),
        "BIC": np.array([criteria.bic(model) for model in models]),
        "logLik": -deviance / 2,
        "-2*log(L)": deviance,
        "Chisq": chisq,
        "Df": steps,
        "Pr(>Chisq)": p,
    }


def _remarks(
    models: Sequence[FittedModel], labels: Sequence[str], columns: dict[str, NDArray[np.float64]]
) -> list[str]:
    remarks = []
    worse = (np.diff(columns["-2*log(L)"]) > 1e-6) & (np.diff(columns["npar"]) > 0)
    if worse.any():
        remarks.append(
            "A model with more parameters has a lower likelihood than the one above it: "
            "they are not nested, or one of the fits has not converged"
        )
    random = {tuple(sorted((t.text, t.covariance) for t in model.design.terms)) for model in models}
    if len(random) > 1:
        remarks.append(
            "The random parts differ: where a variance is zero under the smaller model, "
            "the p-value is too large (the test is conservative)"
        )
    for i, (smaller, larger) in enumerate(pairwise(models), start=1):
        covariances = covariances_of_added_effect(smaller.design, larger.design)
        if covariances is not None and columns["Df"][i] == covariances + 1:
            p = mixture_p_value(columns["Chisq"][i], covariances)
            remarks.append(
                f"{labels[i]} has one random effect more than {labels[i - 1]}: by the half-half mixture of "
                f"χ² with {covariances} and {covariances + 1} degrees of freedom p = {format_p_value(p)}"
            )
    return remarks


def _check_names(models: Sequence[FittedModel], names: Sequence[str] | None) -> list[str]:
    if len(models) < 2:
        raise ArgumentError(
            "anova() compares likelihoods and needs two or more models, as in anova(m1, m2); "
            f"{len(models)} given"
        )
    if names is None:
        return [f"model {i + 1}" for i in range(len(models))]
    labels = [names] if isinstance(names, str) else list(names)
    if len(labels) != len(models) or len(set(labels)) != len(labels):
        raise ArgumentError(f"names must be {len(models)} different names, got {labels!r}")
    return [str(label) for label in labels]


def check_same_data(models: Sequence[FittedModel], labels: Sequence[str]) -> None:
    first = models[0]
    for label, model in zip(labels[1:], models[1:], strict=True):
        if model.n_obs != first.n_obs:
            raise DataError(
                f"{labels[0]} was fitted to {first.n_obs} rows and {label} to {model.n_obs}; models can be "
                "compared on the same rows only (missing values in one model's columns? fit both to the "
                "complete rows)"
            )
        if not np.array_equal(_data_of(model), _data_of(first)):
            raise DataError(
                f"{labels[0]} ({first.design.response_name}) and {label} ({model.design.response_name}) "
                "were fitted to different responses, so their likelihoods cannot be compared"
            )


def _data_of(model: FittedModel) -> NDArray[np.float64]:
    """The response, with the numbers of trials of a binomial one."""
    design = model.design
    if isinstance(design, GeneralizedDesign) and design.form.binomial:
        return np.column_stack([design.y, design.unit_weights])
    return design.y


def _check_same_fixed_effects(models: Sequence[Fitted], by_reml: Sequence[bool]) -> None:
    if not all(by_reml):
        raise ArgumentError(
            "refit=False cannot compare REML with ML fits; let anova() refit them (refit=True)"
        )
    first = models[0].design
    for model in models[1:]:
        x = model.design.x
        if x.shape != first.x.shape or not np.array_equal(x, first.x):
            raise ArgumentError(
                "REML criteria of models with different fixed effects cannot be compared; "
                "let anova() refit them by ML (refit=True)"
            )
