"""Descriptions of models that are compared: their formulas, and everything else in which they differ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ...checks import shown
from ...design.contrast_coding import contrasts_text
from ...errors import ArgumentError
from ...fit.state import FittedModel
from ...wording import one_line


def check_names(models: Sequence[FittedModel], names: Any) -> list[str]:
    """Labels of the models: ``model 1``, ``model 2``, ... when none are given."""
    if not models:
        raise ArgumentError("at least one model is needed")
    if names is None:
        return [f"model {i + 1}" for i in range(len(models))]
    if not isinstance(names, (str, Iterable)):
        raise ArgumentError(f"names must be {len(models)} different names, not {shown(names)}")
    labels = [names] if isinstance(names, str) else [str(name) for name in names]
    if len(labels) != len(models) or len(set(labels)) != len(labels):
        raise ArgumentError(f"names must be {len(models)} different names, got {labels!r}")
    return labels


def described(models: Sequence[FittedModel], labels: Sequence[str]) -> list[str]:
    """
    A line for each model: its formula, and whatever else differs between the models.

    That is family and link, criterion, weights, offset, contrasts, values of the predictors, and parameters
    that are held.
    """
    facts = [_facts(model, models[0]) for model in models]
    differing = [name for name in facts[0] if any(_differ(fact[name], facts[0][name]) for fact in facts)]
    lines = []
    for label, model, fact in zip(labels, models, facts, strict=True):
        parts = [one_line(model.design.formula.text), *(fact[name][0] for name in differing)]
        lines.append(f"{label}: {', '.join(part for part in parts if part)}")
    return lines


def family_text(fitted: FittedModel) -> str:
    """Family and link."""
    return repr(fitted.family)


def _facts(model: FittedModel, first: FittedModel) -> dict[str, tuple[str, Any]]:
    """For each fact its text, and a value by which the models are compared."""
    design, arguments = model.design, model.arguments
    contrasts = contrasts_text(arguments.contrasts)
    return {
        "family": (f"family {family_text(model)}", family_text(model)),
        "method": (model.method, model.method),
        "weights": _values("weights", arguments.weights, design.weights),
        "offset": _values("offset", arguments.offset, design.offset),
        "contrasts": (one_line(contrasts), contrasts),
        "predictors": _predictors(model, first),
        "fixed": (f"fixed: {', '.join(model.held.texts)}" if model.held.texts else "", model.held.texts),
    }


def _values(name: str, argument: Any, used: Any) -> tuple[str, Any]:
    if used is None or argument is None:
        return f"no {name}", None
    return f"{name} {argument if isinstance(argument, str) else 'given as values'}", used


def _predictors(model: FittedModel, first: FittedModel) -> tuple[str, Any]:
    """The columns of X whose values differ from the column of the same name in the first model."""
    if model.design.formula.text != first.design.formula.text or model.n_obs != first.n_obs:
        return "", ""
    theirs = dict(zip(first.design.x_names, first.design.x.T, strict=True))
    other = [
        name
        for name, column in zip(model.design.x_names, model.design.x.T, strict=True)
        if name in theirs and not np.array_equal(column, theirs[name])
    ]
    shown = ", ".join(map(one_line, other[:5])) + (", ..." if len(other) > 5 else "")
    return (f"other values of {shown}" if other else ""), tuple(other)


def _differ(one: tuple[str, Any], other: tuple[str, Any]) -> bool:
    if one[0] != other[0]:
        return True
    return not np.array_equal(one[1], other[1]) if isinstance(one[1], np.ndarray) else one[1] != other[1]
