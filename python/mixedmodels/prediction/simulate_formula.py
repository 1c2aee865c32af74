"""Responses drawn from a formula, data and parameters, without a fit."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..checks import random_generator, whole_number
from ..design import DesignArguments, Predictors, ResponseForm, build_predictors
from ..design.response import is_two_columns, trials_of
from ..errors import ArgumentError, FormulaError, MissingColumnError
from ..families import Family, as_family
from ..families.gaussian import Gaussian
from ..fit.fixed import names_of_parameters
from ..fit.parameters import complete_parameters
from ..fit.sources import ResponseSource, part_of
from ..formula import Scope, check_functions, parse_expression
from ..formula.nodes import Name, Node, variables
from ..frame import Frame
from .new_weights import checked_weights
from .simulate import as_given, draws, warn_of_weights


@dataclass(frozen=True, eq=False)
class Unfitted:
    """
    A model that is described but not fitted.

    Attributes
    ----------
    predictors : Predictors
    family : Family or None
        None for a linear model.
    weights : ndarray, shape (n,), or None
    form : ResponseForm
    index : index or None
    response : Node or None
        The left side of the formula: a column, which the data may lack, or an expression of columns.
    """

    predictors: Predictors
    family: Family | None
    weights: NDArray[np.float64] | None
    form: ResponseForm
    index: Any
    response: Node | None


def simulated_formula(
    arguments: DesignArguments, params: Any, family: Family | None, nsim: Any, rng: Any
) -> pd.DataFrame:
    """Draw responses, see :func:`mixedmodels.simulate_formula`."""
    nsim, generator = whole_number("nsim", nsim, 1), random_generator(rng)
    model = unfitted(arguments, family)
    drawn = draws(source_from(model, params), nsim, generator)
    missing = model.predictors.missing
    frame = as_given(drawn, model.form, model.weights, missing.pad, not missing.n_dropped)
    return frame if model.index is None else frame.set_index(pd.Index(model.index))


def parameters_of_formula(arguments: DesignArguments, family: Family | None) -> list[str]:
    """The names of all parameters, see :func:`mixedmodels.parameter_names`."""
    return names_of_parameters(unfitted(arguments, family).predictors, family)


def linear_or_family(family: Any, link: Any) -> Family | None:
    """The family of a generalized model; None for a linear one."""
    if family is None and link is None:
        return None
    chosen = as_family("gaussian" if family is None else family, link)
    return None if isinstance(chosen, Gaussian) and chosen.link == "identity" else chosen


def unfitted(arguments: DesignArguments, family: Family | None) -> Unfitted:
    """The design of a model whose response need not be among the data."""
    if not isinstance(arguments.formula, str):
        raise FormulaError(f"formula must be a string, not {type(arguments.formula).__name__}")
    frame = Frame.from_any(arguments.data)
    left, _, right = arguments.formula.rpartition("~")
    node, known = _response(left, frame, arguments)
    own = dataclasses.replace(arguments, formula=f"~{right}", data=frame, na_action="exclude")
    responses = [] if node is None else [name for name in variables(node) if name in frame]
    form, trials = ResponseForm(), None
    if family is not None and family.trials:
        form, trials = _trials(left, node, frame, own)
        if trials is not None:
            own = dataclasses.replace(own, weights=trials)
    predictors, _ = build_predictors(own, responses, check_effects="ignore")
    weights = predictors.weights
    if weights is not None:
        checked_weights(weights, trials=form.binomial)
    response = node if known or isinstance(node, Name) else None
    return Unfitted(predictors, family, weights, form, frame.index, response)


def source_from(model: Unfitted, params: Any) -> ResponseSource:
    """The source of responses at these parameters."""
    design = model.predictors
    own = complete_parameters(design, params, model.family)
    family = Gaussian() if model.family is None else model.family
    weights = np.ones(len(design.x)) if model.weights is None else model.weights
    warn_of_weights(family, model.weights)
    eta = design.x @ own.beta
    if design.offset is not None:
        eta = eta + design.offset
    parts = [
        part_of(term.group.codes, term.z, len(term.group.levels), factor)
        for term, factor in zip(design.terms, own.factors(design), strict=True)
    ]
    return ResponseSource(eta, tuple(parts), family, weights, own.dispersion)


def _response(left: str, frame: Frame, arguments: DesignArguments) -> tuple[Node | None, bool]:
    """The left side of the formula, None when there is none, and whether the data have its columns."""
    if not left.strip():
        return None, False
    functions = frozenset(check_functions(arguments.functions))
    try:
        return parse_expression(left, Scope(frame.names, functions)), True
    except MissingColumnError:
        return parse_expression(left, Scope(_Anything(), functions)), False


class _Anything(Collection[str]):
    """The names of columns that may still come."""

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _trials(
    left: str, node: Node | None, frame: Frame, arguments: DesignArguments
) -> tuple[ResponseForm, NDArray[np.float64] | None]:
    """How a binomial response is written, and its numbers of trials if the response holds them."""
    if arguments.weights is None and node is not None:
        found = trials_of(node, frame, check_functions(arguments.functions))
        if found is not None:
            return ResponseForm("counts", binomial=True), found
    two_columns = node is not None and is_two_columns(node)
    if arguments.weights is None and two_columns:
        raise ArgumentError(
            f"the data do not hold the numbers of trials, which {left.strip()} reads: add its columns, or "
            "give the numbers as weights="
        )
    kind = "counts" if two_columns else "number" if arguments.weights is None else "proportion"
    return ResponseForm(kind, binomial=True), None
