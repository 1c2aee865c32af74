"""Information criteria of several models side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...checks import one_of
from ...errors import ArgumentError
from ...fit.changes import by_ml
from ...fit.state import FittedModel
from ...render.anova_table import AnovaTable, anova_table
from ..estimates import criteria
from .likelihood_ratio import check_same_approximation, check_same_data
from .model_differences import check_names, described

_CRITERIA = {"AIC": criteria.aic, "AICc": criteria.aicc, "BIC": criteria.bic}


def criteria_table(models: Sequence[FittedModel], names: Any = None) -> AnovaTable:
    """Criteria in the order given, see :func:`mixedmodels.aic_table`."""
    labels = check_names(models, names)
    comparable, heading = comparable_fits(models, labels)
    return anova_table(
        _columns(comparable), labels, ["Information criteria", *heading], described(models, labels)
    )


def selection_table(models: Sequence[FittedModel], criterion: str = "AICc", names: Any = None) -> AnovaTable:
    """Best model first, with weights; see :func:`mixedmodels.model_selection`."""
    one_of("criterion", criterion, _CRITERIA)
    labels = check_names(models, names)
    comparable, heading = comparable_fits(models, labels)
    values = np.array([_CRITERIA[criterion](model) for model in comparable])
    if np.isinf(values).all():
        raise ArgumentError(
            f"{criterion} is infinite for every model, as they have as many parameters as observations; "
            "take another criterion"
        )
    delta = values - values.min()
    weight = np.exp(-delta / 2)
    columns = {**_columns(comparable), "Delta": delta, "Weight": weight / weight.sum()}
    order = np.argsort(values, kind="stable")
    columns = {name: np.asarray(column)[order] for name, column in columns.items()}
    ordered = [labels[i] for i in order]
    heading = [f"Model selection by {criterion}", *heading]
    return anova_table(columns, ordered, heading, described([models[i] for i in order], ordered))


def comparable_fits(
    models: Sequence[FittedModel], labels: Sequence[str]
) -> tuple[list[FittedModel], list[str]]:
    """
    The models with likelihoods that can be compared, and what was done for that.

    REML fits with different fixed effects are refitted by ML.

    Raises
    ------
    ArgumentError, DataError
        For different responses or rows, linear and generalized models, or different approximations.
    """
    check_same_data(models, labels)
    exact = [model.exact_likelihood for model in models]
    if not any(exact):
        check_same_approximation(models, labels)
        return list(models), []
    if not all(exact):
        raise ArgumentError("linear and generalized models are fitted to different likelihoods")
    by_reml = [model.restricted for model in models]
    if not any(by_reml):
        return list(models), []
    if all(by_reml) and _same_fixed_part(models):
        return list(models), ["From restricted likelihoods (REML): the models have the same fixed effects"]
    refitted = [by_ml(model) for model in models]
    heading = ["Refitted by ML (instead of REML), as restricted likelihoods are not comparable"]
    for label, model in zip(labels, refitted, strict=True):
        if not model.convergence.converged:
            heading.append(f"Warning: {label}: {'; '.join(model.convergence.messages)}")
    return list(refitted), heading


def _same_fixed_part(models: Sequence[FittedModel]) -> bool:
    first = models[0].design.x
    return all(
        model.design.x.shape == first.shape and np.array_equal(model.design.x, first) for model in models
    )


def _columns(models: Sequence[FittedModel]) -> dict[str, Any]:
    return {
        "npar": np.array([model.n_parameters for model in models]),
        "logLik": np.array([-model.estimates.objective / 2 for model in models]),
        **{name: np.array([function(model) for model in models]) for name, function in _CRITERIA.items()},
    }
