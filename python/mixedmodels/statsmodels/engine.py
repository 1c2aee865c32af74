"""A model in the engine: arrays in, the state of a fitted model out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..design import ArrayTerm, model_of_arrays, theta as theta_layout
from ..fit.arguments import FitArguments
from ..fit.changes import prepared, with_options
from ..fit.control import Control, as_control
from ..fit.endpoint.undetermined import undetermined_notices
from ..fit.fitted_linear import FittedLinear
from .params import MixedLMParams, lower_root
from .plan import Block, plan
from .words import Notice, Words

_INTERCEPTS = ("Intercept", "(Intercept)", "const", "Group")


class EngineModel:
    """
    A model as the engine takes it.

    Parameters
    ----------
    model : MixedLM
    blocks : sequence of Block
    reml : bool
    control : Control
    labelled : bool
        Whether groups have their labels instead of numbers, which are quicker.
    """

    def __init__(
        self, model: Any, blocks: Sequence[Block], reml: bool, control: Control, labelled: bool = False
    ) -> None:
        names = _Names()
        response = names.unused(str(model.endog_names), model.endog)
        x = np.asarray(model.exog, dtype=np.float64)
        self.x_names = names.of_columns(model.exog_names, x)
        terms = [_term(model, block, names, labelled) for block in blocks]
        arrays = model_of_arrays(model.endog, x, terms, self.x_names, response)
        # The columns that the design reads are copied; a frame keeps the arrays themselves beside them.
        data = pd.DataFrame(arrays.data, copy=False)
        arguments = FitArguments(
            formula=arrays.formula, data=data, reml=reml, of_arrays=True, control=control
        )
        self._words = Words(model, blocks, arrays.formula, list(arrays.data))
        self._warnings: list[Notice] = []
        with self._words.errors(), self._words.collected(self._warnings):
            self._fitting = prepared(arguments)
        self.layout = self._places(terms, blocks)
        # Of the model, and of what the data do not determine by the last fit.
        self.notices: list[Any] = []

    def fit(self, fixed: Mapping[int, float], start: MixedLMParams | None) -> FittedLinear:
        """The model fitted from a start; `fixed` holds coefficients, by the number of their column."""
        options: dict[str, Any] = {}
        if held := self._held(fixed):
            options["fixed"] = held
        if start is not None:
            options["start"] = self._theta(start)
        fitting: Any = with_options(self._fitting, options) if options else self._fitting
        with self._words.errors():
            fitted = fitting.fit(quiet=True)
        design, held = fitting.design, fitting.held
        found = undetermined_notices(design, fitted.term_roots, held.terms(design))
        found += fitting.own_notices(fitted, None) + fitting.too_many_effects()
        self.notices = [*self._warnings, *[(category, self._words.of(text)) for category, text in found]]
        return fitted

    def at(self, params: MixedLMParams, fixed: Mapping[int, float]) -> FittedLinear:
        """The model at parameters; `fixed` holds coefficients."""
        held = {self._coefficient(j): value for j, value in fixed.items()}
        options = {"optimizer": None, "start": self._theta(params), "fixed": held or None}
        return with_options(self._fitting, options).fit(quiet=True)

    def factors(self, fitted: FittedLinear) -> list[NDArray[np.float64]]:
        """The relative covariance factors of the blocks."""
        found = theta_layout.factors(fitted.design, fitted.estimates.theta)
        return [found[place] for _, place in self.layout]

    def again(self, fitted: FittedLinear) -> FittedLinear:
        """The model fitted as another of the same blocks was."""
        options = {name: getattr(fitted.arguments, name) for name in ("start", "optimizer", "fixed")}
        return with_options(self._fitting, options).fit(quiet=True)

    def _theta(self, params: MixedLMParams) -> NDArray[np.float64]:
        """The entries of theta at parameters."""
        theta: list[Any] = [None] * len(self._fitting.design.terms)
        for block, place in self.layout:
            theta[place] = _theta(self._fitting.design.terms[place], block, params)
        return np.concatenate(theta)

    def _coefficient(self, j: int) -> Any:
        return ("fixed", self._fitting.design.x_names[j])

    def _held(self, fixed: Mapping[int, float]) -> dict[Any, Any]:
        found: dict[Any, Any] = {self._coefficient(j): value for j, value in fixed.items()}
        if any(block.held is not None for block, _ in self.layout):
            theta: list[float | None] = []
            order = {place: block for block, place in self.layout}
            for place, term in enumerate(self._fitting.design.terms):
                own: list[float | None] = [None] * term.structure.n_parameters
                own[0] = order[place].held
                theta += own
            found["theta"] = theta
        return found

    def _places(self, terms: Sequence[ArrayTerm], blocks: Sequence[Block]) -> list[tuple[Block, int]]:
        """
        The blocks with the places of their terms in the design, which sorts them.

        It leaves out coefficients that repeat others, whose variance is then that of both together.
        """
        known = [(term.group.label, term.names) for term in self._fitting.design.terms]
        found = []
        for term, block in zip(terms, blocks, strict=True):
            names = ["(Intercept)" if name == "Intercept" else name for name in term.names or ("Intercept",)]
            for place, (group, kept) in enumerate(known):
                if group == term.group and set(kept) <= set(names):
                    columns = block.columns and tuple(block.columns[names.index(name)] for name in kept)
                    found.append((replace(block, columns=columns), place))
        return found


def state_at(model: Any, params: MixedLMParams, coefficients: bool) -> tuple[FittedLinear, Any]:
    """
    The state of a model at parameters, and the layout of its terms.

    Parameters
    ----------
    model : MixedLM
    params : MixedLMParams
    coefficients : bool
        Whether to hold the fixed effects at their values, too, instead of taking the best ones.
    """
    blocks = plan(None, params)
    assert blocks is not None
    engine = EngineModel(model, blocks, model.reml, Control())
    held = dict(enumerate(np.asarray(params.fe_params).tolist())) if coefficients else {}
    return engine.at(params, held), engine.layout


def with_labels(model: Any, fitted: Any, params: MixedLMParams, free: MixedLMParams | None) -> FittedLinear:
    """
    A fit whose grouping factors have the labels of the groups, for users to see and predict for.

    Parameters
    ----------
    model : MixedLM
    fitted : FittedLinear
        The fit with numbers of groups.
    params : MixedLMParams
        Its estimates.
    free : MixedLMParams or None
        Its mask.
    """
    own = fitted.arguments
    blocks = plan(None if own.optimizer is None else free, params)
    assert blocks is not None
    return EngineModel(model, blocks, model.reml, as_control(own.control), labelled=True).again(fitted)


class _Names:
    """Names for columns: each has one, and columns that are equal may share it."""

    def __init__(self) -> None:
        self._taken: dict[str, Any] = {}

    def of_columns(self, wanted: Sequence[Any], x: NDArray[np.float64]) -> list[str]:
        """Names for the columns of a matrix, all different even where columns are equal."""
        found: list[str] = []
        for j, name in enumerate(wanted):
            own = self.of(str(name), x[:, j], j)
            if own in found:
                own = self._next(own, None)
                self._taken[own] = x[:, j]
            found.append(own)
        return found

    def of(self, name: str, values: Any, position: int) -> str:
        """The name of a column of numbers; "Intercept" for a first column of ones."""
        if position == 0 and np.all(values == 1.0):
            return "Intercept"
        return self.unused("x" if name in _INTERCEPTS else name, values)

    def unused(self, name: str, values: Any) -> str:
        """The name, or the name with a number if another column has it."""
        clean = name.replace("`", "'").strip() or "x"
        found = self._next(clean, values)
        self._taken[found] = values
        return found

    def _next(self, name: str, values: Any) -> str:
        """The name with the first number that no column, or an equal one, has."""
        found, number = name, 1
        while found in self._taken and (values is None or not np.array_equal(self._taken[found], values)):
            number += 1
            found = f"{name}.{number}"
        return found


def _term(model: Any, block: Block, names: _Names, labelled: bool) -> ArrayTerm:
    groups = model.groups_of_rows
    of_rows = _factor(groups.codes, groups.labels) if labelled else groups.codes
    if block.component < 0:
        label = names.unused(str(model.groups_name or "Group"), groups.codes)
        z = model.exog_re[:, block.columns]
        wanted = [str(model.data.exog_re_names[i]) for i in block.columns]
        own = names.of_columns(wanted, z)
        return ArrayTerm(of_rows, np.ascontiguousarray(z), own, label, block.structure)
    part = model.components[block.component]
    if part.single is None:
        label = names.unused(str(model.groups_name or "Group"), groups.codes)
        z = part.dense(groups)
        own = names.of_columns([f"{part.name}.{j + 1}" for j in range(z.shape[1])], z)
        structure = "us" if z.shape[1] == 1 else "homdiag"
        return ArrayTerm(of_rows, z, own, label, structure)
    codes, values = part.single
    label = names.unused(part.name, codes)
    cells = _factor(codes, part.cells(groups)) if labelled else codes
    if np.all(values == 1.0):
        return ArrayTerm(cells, group=label)
    return ArrayTerm(cells, values[:, None], [names.unused(f"{part.name}.value", values)], label)


def _factor(codes: NDArray[np.intp], labels: Sequence[Any]) -> Any:
    """Labels as a factor; the numbers if labels are not different as texts."""
    texts = [str(label) for label in labels]
    return pd.Categorical.from_codes(codes, texts) if len(set(texts)) == len(texts) else codes


def _theta(term: Any, block: Block, params: MixedLMParams) -> NDArray[np.float64]:
    if block.component >= 0:
        return np.array([np.sqrt(params.vcomp[block.component])])
    cov = np.asarray(params.cov_re, dtype=np.float64)[np.ix_(block.columns, block.columns)]
    return term.structure.theta_of_factor(lower_root(cov))
