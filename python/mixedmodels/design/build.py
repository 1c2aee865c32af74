"""From formula and data to the arrays of a model."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, FormulaError, FormulaWarning
from ..families import Family
from ..formula import ModelFormula, RandomTermSpec, check_functions, parse_formula
from ..formula.nodes import Call, Node, walk
from ..frame import Frame
from ..notices import warn_user
from .arguments import DesignArguments, check_action
from .column_checks import warn_of_columns, warn_of_self_products
from .contrast_table import ContrastTable, check_contrasts
from .evaluator import Evaluator, Memory
from .grouping import GroupingFactor, GroupRecipe, check_several_levels, component_evaluator, make_group
from .matrix import Levels, label_of
from .merged_terms import BuiltTerm, merge_repeated
from .model_size import Sizes
from .plan_columns import make_plan
from .random_term import RandomTerm, check_distinct_from_residuals
from .recipe import DesignRecipe, offset_of
from .repeated_effects import overlapping_terms
from .response import ResponseForm, numeric_response, read_response
from .rows import ChosenRows, MissingRows, choose_rows, columns_of
from .term_structure import structure_of_term

CheckEffects = Literal["error", "warning", "ignore"]
P = TypeVar("P", bound="Predictors")


@dataclass(frozen=True, eq=False, kw_only=True)
class Predictors:
    """
    The arrays of a model except its response; n is the number of rows used. All arrays are read-only.

    Attributes
    ----------
    formula : ModelFormula
    x : ndarray, shape (n, p), column-major
        The fixed-effects model matrix. Its coding avoids structural linear dependence; other dependence is
        not checked.
    x_names : tuple of str
    terms : tuple of RandomTerm
        In decreasing number of levels, otherwise in the order of the formula.
    weights, offset : ndarray, shape (n,), or None
    missing : MissingRows
    row_labels : index or None
        Labels of the rows used, when the data is a pandas data frame.
    recipe : DesignRecipe
    x_terms : tuple of (str, slice)
        Fixed-effects terms and their columns, the intercept as "(Intercept)".
    """

    formula: ModelFormula
    x: NDArray[np.float64]
    x_names: tuple[str, ...]
    terms: tuple[RandomTerm, ...]
    weights: NDArray[np.float64] | None
    offset: NDArray[np.float64] | None
    missing: MissingRows
    row_labels: Any | None
    recipe: DesignRecipe
    x_terms: tuple[tuple[str, slice], ...]

    @property
    def n_rows(self) -> int:
        """How many rows are used."""
        return len(self.x)

    @property
    def has_offset(self) -> bool:
        """Whether the linear predictor has an offset."""
        return self.offset is not None

    @property
    def has_weights(self) -> bool:
        """Whether there are prior weights or numbers of trials."""
        return self.weights is not None

    @property
    def mean_offset(self) -> float:
        """The mean of the offset, 0 without one."""
        return 0.0 if self.offset is None else float(self.offset.mean())

    @cached_property
    def surplus_parameters(self) -> int:
        """The number of redundant covariance parameters, where terms of the same groups overlap."""
        return sum(surplus for _, _, surplus in overlapping_terms(self.terms))

    def with_response(self: P, **parts: Any) -> P:
        """The same predictors with another response; facts computed from the terms are kept."""
        other = replace(self, **parts)
        if "surplus_parameters" in vars(self):
            vars(other)["surplus_parameters"] = self.surplus_parameters
        return other


@dataclass(frozen=True, eq=False, kw_only=True)
class Design(Predictors):
    """
    The arrays of a model: predictors and a response.

    Attributes
    ----------
    response_name : str
        The response as written, such as ``"log(Reaction)"``.
    y : ndarray, shape (n,)
        Numbers of successes for the binomial family, whose `weights` are numbers of trials (None: one each).
    form : ResponseForm
        How the response was specified.
    new_response : bool
        Whether `y` was given to `refit` rather than read from the data.
    """

    response_name: str
    y: NDArray[np.float64]
    form: ResponseForm = field(default_factory=ResponseForm)
    new_response: bool = False

    @property
    def unit_weights(self) -> NDArray[np.float64]:
        """Trials or prior weights, ones where there are none, shape (n,)."""
        return np.ones(len(self.y)) if self.weights is None else self.weights

    @property
    def observed(self) -> NDArray[np.float64]:
        """The response on the scale of its mean, shape (n,): proportions for the binomial family."""
        return self.y / self.unit_weights if self.form.binomial else self.y


def build_design(
    arguments: DesignArguments, *, check_effects: CheckEffects = "warning", sigma_known: bool = False
) -> Design:
    """
    Build the arrays of a linear mixed model.

    Rows are chosen first (``subset``, then missing values and zero weights, jointly over every column
    used); levels, contrasts and the constants of transforms such as ``scale`` come from the rows
    that remain, so omitted rows have no influence at all.

    Parameters
    ----------
    arguments : DesignArguments
    check_effects : {"error", "warning", "ignore"}
        As in :class:`mixedmodels.Control`; "ignore" accepts effects that the data may not determine.
    sigma_known : bool
        Whether the residual standard deviation is known, which allows a grouping factor with one row per
        level.

    Returns
    -------
    Design

    Raises
    ------
    FormulaError, MissingColumnError, DataError, ArgumentError
        Naming the term, column or argument at fault.

    Examples
    --------
    >>> from mixedmodels.design import DesignArguments, build_design
    >>> data = {"y": [1.0, 2.0, 4.0, 3.0], "dose": [0, 1, 0, 1], "batch": ["a", "a", "b", "b"]}
    >>> design = build_design(DesignArguments(formula="y ~ dose + (1 | batch)", data=data))
    >>> design.x_names, design.terms[0].group.levels
    (('(Intercept)', 'dose'), ('a', 'b'))
    """
    rows, predictors, y = assemble(arguments, numeric_response, check_effects=check_effects)
    if check_effects != "ignore" and not sigma_known:
        for term in predictors.terms:
            check_distinct_from_residuals(term, rows.weights)
    y.flags.writeable = False
    return Design(**parts_of(predictors), response_name=predictors.formula.response, y=y)


def build_generalized_design(
    arguments: DesignArguments, family: Family, *, check_effects: CheckEffects = "warning"
) -> Design:
    """
    Build the arrays of a generalized linear mixed model.

    Parameters
    ----------
    arguments : DesignArguments
        For the binomial family the weights are numbers of trials, and none may be zero.
    family : Family
        Determines which responses are valid.
    check_effects : {"error", "warning", "ignore"}
        As for :func:`build_design`.

    Returns
    -------
    Design

    Raises
    ------
    FormulaError, MissingColumnError, DataError, ArgumentError
        Naming the term, column, row or argument at fault.

    Examples
    --------
    >>> from mixedmodels.design import DesignArguments, build_generalized_design
    >>> from mixedmodels.families import Binomial
    >>> data = {"hits": [3, 1, 0, 2], "misses": [1, 3, 4, 2], "batch": ["a", "a", "b", "b"]}
    >>> arguments = DesignArguments(formula="cbind(hits, misses) ~ 1 + (1 | batch)", data=data)
    >>> design = build_generalized_design(arguments, Binomial())
    >>> design.y, design.weights
    (array([3., 1., 0., 2.]), array([4., 4., 4., 4.]))
    """
    _, predictors, response = assemble(
        arguments,
        lambda node, evaluator, rows: read_response(node, evaluator, rows, family),
        check_effects=check_effects,
        drop_zero_weights=not family.trials,
    )
    for array in (response.y, response.weights):
        if array is not None:
            array.flags.writeable = False
    parts = {**parts_of(predictors), "weights": response.weights}
    return Design(**parts, response_name=predictors.formula.response, y=response.y, form=response.form)


def build_predictors(
    arguments: DesignArguments, responses: Collection[str] = (), *, check_effects: CheckEffects = "warning"
) -> tuple[Predictors, NDArray[np.intp]]:
    """
    Build the arrays of a model without its response, from a one-sided formula.

    Parameters
    ----------
    arguments : DesignArguments
    responses : collection of str
        Columns that contain responses; ``.`` in the formula omits them.
    check_effects : {"error", "warning", "ignore"}
        As for :func:`build_design`.

    Returns
    -------
    predictors : Predictors
    rows : ndarray of int, shape (n,)
        The rows of the data that are used.

    Raises
    ------
    FormulaError, MissingColumnError, DataError, ArgumentError
        Naming the term, column or argument at fault.
    """
    rows, predictors, _ = assemble(arguments, None, responses, check_effects=check_effects)
    if check_effects != "ignore":
        for term in predictors.terms:
            check_distinct_from_residuals(term, rows.weights)
    return predictors, rows.positions


_CONTRASTS_MATTER = (
    "; with other contrasts, other columns are independent, so the model depends on the contrasts"
)

# Turns the left side of the formula into the response of a kind of model.
ReadResponse = Callable[[Node, Evaluator, ChosenRows], Any]


def assemble(
    arguments: DesignArguments,
    read_response: ReadResponse | None,
    responses: Collection[str] = (),
    *,
    check_effects: CheckEffects = "warning",
    drop_zero_weights: bool = True,
) -> tuple[ChosenRows, Predictors, Any]:
    """
    The rows used, their predictors, and the result of `read_response`.

    Without `read_response` the formula has no response; ``.`` then omits the columns in `responses`.
    """
    need_response = read_response is not None
    check_action(arguments.na_action)
    table = check_contrasts(arguments.contrasts)
    own = check_functions(arguments.functions)
    frame = Frame.from_any(arguments.data)
    beside = {
        v
        for a in (arguments.weights, arguments.offset)
        if isinstance(a, str)
        for v in columns_of(a, frame, own)
    }
    parsed = parse_formula(
        arguments.formula, frame.names, own, used=beside.union(responses), need_response=need_response
    )
    if not need_response and parsed.response:
        raise FormulaError(
            "the formula must not name a response, as there are several: write "
            f"{parsed.text[parsed.text.index('~') :]!r} and pass {parsed.response} as responses="
        )
    if isinstance(arguments.subset, str):
        beside.update(columns_of(arguments.subset, frame, own))
    frame.prefetch(dict.fromkeys((*parsed.variables, *beside, *responses)))
    if frame.n_rows == 0:
        raise DataError("the data has no rows")

    rows = choose_rows(parsed, frame, arguments, drop_zero_weights=drop_zero_weights)
    memory = Memory()
    evaluator = Evaluator(rows.frame, memory, own, fitting=True)
    response = None
    if read_response is not None and parsed.response_node is not None:
        response = read_response(parsed.response_node, evaluator, rows)
    fixed = make_plan(parsed.fixed_terms, evaluator, table.of_fixed())
    x = fixed.build(evaluator, "F")
    grouping = component_evaluator(rows.frame, own)
    known: dict[tuple[str, ...], tuple[GroupingFactor, GroupRecipe]] = {}
    sizes = Sizes(check_effects)
    built = [
        _random_term(spec, evaluator, grouping, known, table.of_term(spec), sizes) for spec in parsed.random
    ]
    built.sort(key=lambda part: -len(part[0].group.levels))
    warn_of_columns(parsed, rows.frame, fixed)
    warn_of_self_products(parsed.self_products, evaluator)
    table.check_all_used(parsed, [fixed, *(plan for _, plan, _ in built)])
    built, left_out = merge_repeated(built)
    total = rows.offset
    if parsed.offset_nodes:
        inside = offset_of(parsed.offset_nodes, evaluator, None)
        total = inside if total is None else inside + total
    for array in (x, rows.weights, total, *(term.z for term, _, _ in built)):
        if array is not None:
            array.flags.writeable = False
    recipe = DesignRecipe(
        parsed,
        fixed,
        tuple([(plan, group) for _, plan, group in built]),
        memory,
        _called(parsed, own),
        left_out,
    )
    predictors = Predictors(
        formula=parsed,
        x=x,
        x_names=fixed.names,
        terms=tuple([term for term, _, _ in built]),
        weights=rows.weights,
        offset=total,
        missing=rows.missing,
        row_labels=rows.frame.index,
        recipe=recipe,
        x_terms=fixed.terms,
    )
    return rows, predictors, response


def parts_of(predictors: Predictors) -> dict[str, Any]:
    """The fields by name, for a design that adds a response."""
    return {field.name: getattr(predictors, field.name) for field in fields(Predictors)}


def _random_term(
    spec: RandomTermSpec,
    evaluator: Evaluator,
    grouping: Evaluator,
    known: dict[tuple[str, ...], tuple[GroupingFactor, GroupRecipe]],
    contrasts: ContrastTable,
    sizes: Sizes,
) -> BuiltTerm:
    group, recipe = make_group(spec, grouping, known)
    plan = make_plan(spec.terms, evaluator, contrasts)
    k = len(plan.names)
    factors = [label_of(n) for n, c in zip(plan.nodes, plan.codings, strict=True) if isinstance(c, Levels)]
    coded = [c for c in plan.codings if isinstance(c, Levels) and not c.full]
    if spec.uncorrelated and coded and k > 1:
        by_contrasts = any(reduced for block in plan.blocks for _, reduced in block)
        warn_user(
            f"{spec.text}: the double bar makes all {k} columns independent, including the levels of "
            f"{' and '.join(map(repr, factors))}: {k} variance parameters "
            f"(a single bar has {k * (k + 1) // 2}){_CONTRASTS_MATTER if by_contrasts else ''}",
            FormulaWarning,
        )
    structure = structure_of_term(spec, plan, evaluator)
    check_several_levels(spec, group, structure)
    sizes.add(spec, structure, group, factors)
    z = plan.build(evaluator, "C")
    term = RandomTerm(group, plan.names, z, structure.name, spec.text, structure.times)
    return term, plan, recipe


def _called(parsed: ModelFormula, own: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """The caller's own functions that the formula calls."""
    if not own:
        return {}
    response = [] if parsed.response_node is None else [parsed.response_node]
    random = [n for spec in parsed.random for n in (*spec.terms.factors, *spec.group_nodes)]
    nodes = [*response, *parsed.fixed_terms.factors, *parsed.offset_nodes, *random]
    called = {n.function for node in nodes for n in walk(node) if isinstance(n, Call)}
    return {name: function for name, function in own.items() if name in called}
