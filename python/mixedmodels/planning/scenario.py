"""The truth of a power analysis, and the model that is fitted to what is drawn from it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..design import Design
from ..design.rows import columns_of
from ..design.theta import slices
from ..design.used_rows import as_pandas
from ..errors import ArgumentError, DataError, MixedModelsWarning
from ..fit.arguments import GeneralizedArguments, ModelArguments
from ..fit.changes import fit_at
from ..fit.fitting import Point
from ..fit.parameters import complete_parameters, parameters_with
from ..fit.sources import ResponseSource, source_of
from ..fit.state import FittedModel
from ..formula import ModelFormula, check_functions
from ..formula.nodes import Name, is_plain
from ..frame import Frame
from ..notices import warn_user
from ..prediction.new_source import new_responses
from ..prediction.simulate_formula import source_from, unfitted
from ..wording import listed

# Responses that are drawn for one that can be modelled.
_TRIES = 100
# Share of the largest value that is rounding.
_EXACT = 1e-7


@dataclass(frozen=True, eq=False)
class Scenario:
    """
    Where responses come from and what is fitted to them.

    Attributes
    ----------
    fitted : FittedModel
        The design and arguments of the model.
    source : ResponseSource
        In the rows of its design.
    beta : ndarray, shape (p,)
        The true coefficients; NaN where those of the design cannot express the true fixed part.
    formula : str
        As the user knows it.
    """

    fitted: FittedModel
    source: ResponseSource
    beta: NDArray[np.float64]
    formula: str


def scenario_of(
    fitted: FittedModel,
    params: Any = None,
    data: Any = None,
    weights: Any = None,
    offset: Any = None,
    function: str = "power",
) -> Scenario:
    """
    A fitted model as the truth, with other parameters or other data.

    Parameters
    ----------
    fitted : FittedModel
    params : mapping, optional
        Parameters that replace the estimates.
    data : data frame, optional
        Rows of the study that is planned; by default those of the fit.
    weights, offset : str or array-like of shape (n,), optional
        Replace those of the fit for `data`.
    function : str
        For messages.
    """
    own = parameters_with(fitted, params)
    if data is None:
        if weights is not None or offset is not None:
            name = "offset" if weights is None else "weights"
            raise ArgumentError(f"{function}: {name}= of a fitted model needs data=")
        return Scenario(fitted, source_of(fitted, own), own.beta, fitted.design.formula.text)
    frame = Frame.from_any(data)
    rows = new_responses(fitted, frame, own, {}, weights, offset, function)
    old = fitted.design
    prior = None if rows.weights is None else rows.pad(rows.weights)

    def point(design: Design) -> Point:
        return Point(_theta_in(design, old, own.theta), _nearest(design.x, rows.fixed), own.dispersion)

    state = _with_response(
        fitted.arguments,
        old.formula,
        frame,
        rows.source,
        rows.pad,
        prior,
        fitted.arguments.offset if offset is None else offset,
        point,
    )
    beta = _true_coefficients(state, rows.fixed, dict(zip(old.x_names, own.beta.tolist(), strict=True)))
    return Scenario(state, rows.source, beta, old.formula.text)


def scenario_from(arguments: ModelArguments, params: Any) -> Scenario:
    """A model that is described by a formula, data and all its parameters."""
    family = arguments.family if isinstance(arguments, GeneralizedArguments) else None
    model = unfitted(arguments, family)
    design = model.predictors
    source, own = source_from(model, params), complete_parameters(design, params, family)
    weights = None if model.weights is None else design.missing.pad(model.weights)

    def point(_: Design) -> Point:
        return Point(own.theta, own.beta, own.dispersion)

    frame = Frame.from_any(arguments.data)
    formula = dataclasses.replace(design.formula, response_node=model.response)
    state = _with_response(
        arguments, formula, frame, source, design.missing.pad, weights, arguments.offset, point
    )
    left = arguments.formula.rpartition("~")[0].strip()
    return Scenario(state, source, own.beta, f"{left} {design.formula.text}".strip())


def _with_response(
    arguments: ModelArguments,
    formula: ModelFormula,
    frame: Frame,
    source: ResponseSource,
    pad: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    weights: NDArray[np.float64] | None,
    offset: Any,
    point: Callable[[Design], Point],
) -> FittedModel:
    """The model of the data with a response that is drawn, in a column of numbers or proportions."""
    name = formula.response_node.name if isinstance(formula.response_node, Name) else _new_name(frame)
    functions = check_functions(arguments.functions)
    names = [variable for variable in formula.variables if variable in frame and variable != name]
    if isinstance(offset, str):
        names += columns_of(offset, frame, functions)
    columns = {variable: as_pandas(frame.labels(variable)) for variable in dict.fromkeys(names)}
    columns[name] = pad(_possible(source))
    right = formula.text[formula.text.index("~") :]
    described = dataclasses.replace(
        arguments,
        formula=f"{_quoted(name)} {right}",
        data=columns,
        weights=weights,
        offset=offset,
        subset=None,
        start=None,
        na_action="omit",
    )
    return fit_at(described, point)


def _new_name(frame: Frame) -> str:
    name = "simulated"
    while name in frame:
        name += "_"
    return name


def _quoted(name: str) -> str:
    return name if is_plain(name) else f"`{name}`"


def _possible(source: ResponseSource) -> NDArray[np.float64]:
    """A response that is not constant."""
    for seed in range(_TRIES):
        drawn = source.draw(np.random.default_rng(seed))
        if len(drawn) and np.ptp(drawn) > 0:
            return drawn
    raise DataError("every simulated response is constant: check params= and the data")


def _nearest(x: NDArray[np.float64], fixed: NDArray[np.float64]) -> NDArray[np.float64]:
    """The coefficients whose Xβ is nearest to a fixed part."""
    size = np.linalg.norm(x, axis=0)
    size[size == 0] = 1.0
    return np.linalg.lstsq(x / size, fixed, rcond=None)[0] / size


def _true_coefficients(
    state: FittedModel, fixed: NDArray[np.float64], before: Mapping[str, float]
) -> NDArray[np.float64]:
    """
    The coefficients of a design that give the fixed part of the truth; NaN where none do.

    Those of the fit, by their names, have another meaning where columns depend on the rows: without a level
    of a factor, with poly() and scale().
    """
    names, kept = state.design.x_names, state.estimates.kept
    x, largest = state.design.x[:, kept], _EXACT * np.abs(fixed).max(initial=0.0)

    def are_true(beta: NDArray[np.float64]) -> bool:
        return bool(np.abs(fixed - x @ beta[kept]).max(initial=0.0) <= largest)

    same = np.array([before.get(name, np.nan) for name in names])
    if are_true(same):
        return same
    beta = np.zeros(len(names))
    beta[kept] = _nearest(x, fixed)
    equals = np.abs(x * (beta - same)[kept]).max(axis=0, initial=0.0) <= largest
    changed = [names[j] for j, equal in zip(kept.tolist(), equals.tolist(), strict=True) if not equal]
    warn_user(
        f"data: with these rows {listed(list(map(repr, changed)))} mean something else than in the fit, "
        "as the reference level is another, or columns such as poly() and scale() depend on the rows; "
        "the truth is the same, and the test and its true value are of the new coefficients",
        MixedModelsWarning,
    )
    return beta if are_true(beta) else np.full_like(beta, np.nan)


def _theta_in(design: Design, old: Design, theta: NDArray[np.float64]) -> NDArray[np.float64]:
    """Theta in the order of another design: terms are in the order of their numbers of levels."""
    parts: dict[str, list[NDArray[np.float64]]] = {}
    for term, part in slices(old):
        parts.setdefault(term.text, []).append(theta[part])
    found = []
    for term, _ in slices(design):
        left = parts.get(term.text, [])
        own = left.pop(0) if left else np.zeros(0)
        count = term.structure.n_parameters
        found.append(own if len(own) == count else np.ones(count))
    return np.concatenate([np.zeros(0), *found])
