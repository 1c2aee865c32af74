"""Joint tests of the terms of a model on its reference grid."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..fit.state import FittedModel
from ..inference.basis.choice import DdfName, Vcov
from ..inference.basis.degrees_of_freedom import JointTest
from ..wording import capital
from .empty_cells import reasons
from .grid import ReferenceGrid, averaged, cells, check_weights, grid_of, model_terms, reference_grid
from .linear_functions import LinearFunctions, Space, space_of
from .specs import Specs, names_of, read_specs, show
from .table import MeansTable, joint_columns, means_table
from .variables import STEP, GridVariable


def joint_tests(
    fitted: FittedModel,
    by: Any = None,
    *,
    at: Mapping[str, Any] | None = None,
    weights: str = "equal",
    cov_reduce: Any = None,
    ddf: DdfName | None = None,
    vcov: Vcov | None = None,
) -> MeansTable:
    """Joint tests of the marginal means of each set of predictors, see :func:`mixedmodels.joint_tests`."""
    grid = reference_grid(fitted, at, cov_reduce=cov_reduce)
    groups = names_of(by, "by")
    read_specs([], groups, grid.variables)
    single = {name: v for name, v in grid.variables.items() if _is_held(name, v, groups)}
    variables = {name: v if name in groups else _two_values(v) for name, v in grid.variables.items()}
    grid = grid_of(fitted, variables, grid.offset)
    weights, space = check_weights(weights), space_of(fitted, ddf, vcov)
    labels = cells({name: variables[name] for name in reversed(groups)})
    names: list[str] = []
    tests: list[JointTest] = []
    group_of: list[int] = []
    full: list[int] = []
    for group in range(len(labels)):
        for effect in _effects(model_terms(fitted), variables, groups):
            test, size = _test(grid, space, Specs(effect, groups), weights, group)
            names.append(":".join(effect))
            tests.append(test)
            group_of.append(group)
            full.append(size)
    places = np.array(group_of, dtype=int)
    columns: dict[str, Any] = {name: labels[name].to_numpy()[places] for name in groups}
    columns["model term"] = np.array(names, dtype=object)
    columns.update(joint_columns(tests))
    notes = [capital(space.basis.label), *space.basis.notes]
    if single:
        notes.append(f"At {', '.join(f'{name} = {show(v.values[0])}' for name, v in single.items())}")
    notes += _notes(fitted, grid, tests, full)
    return means_table(columns, [*groups, "model term"], groups, notes)


def _notes(fitted: FittedModel, grid: ReferenceGrid, tests: list[JointTest], full: list[int]) -> list[str]:
    """Remarks on the tests; `full` has their df1 without empty cells."""
    if not tests:
        return ["The model has no predictors to test"]
    notes = []
    if any(test.df1 < size for test, size in zip(tests, full, strict=True)):
        why = reasons(fitted, grid)
        notes.append(f"df1 is smaller where an effect is only partly estimable{f' ({why})' if why else ''}")
    if any(test.df1 and math.isnan(test.p_value) and not test.undetermined for test in tests):
        notes.append("NaN: no degrees of freedom or no covariance matrix, so no test")
    return notes


def _is_held(name: str, variable: GridVariable, groups: tuple[str, ...]) -> bool:
    """Whether effects are tested at one value of this covariate."""
    return variable.covariate and len(variable.values) == 1 and name not in groups


def _two_values(variable: GridVariable) -> GridVariable:
    """A covariate at its mean, instead at two values around it."""
    if not variable.covariate or len(variable.values) > 1 or not variable.spread:
        return variable
    step = STEP * variable.spread
    values = tuple(middle + side for middle in variable.values for side in (-step, step))
    return replace(variable, values=values, codes=None)


def _effects(
    terms: list[frozenset[str]], variables: Mapping[str, GridVariable], groups: tuple[str, ...]
) -> list[tuple[str, ...]]:
    """The sets of predictors, apart from those of the groups, that occur together in a term."""
    varying = [name for name, v in variables.items() if len(v.values) > 1 and name not in groups]
    return [
        chosen
        for size in range(1, len(varying) + 1)
        for chosen in combinations(varying, size)
        if any(term.issuperset(chosen) for term in terms)
    ]


def _test(grid: ReferenceGrid, space: Space, specs: Specs, weights: str, group: int) -> tuple[JointTest, int]:
    """
    All contrasts of contrasts of the means in one group that can be estimated; and how many there are that
    the model tells apart.
    """
    _, functions = averaged(grid, space, specs, weights)
    sizes = [len(grid.variables[name].values) for name in specs.factors]
    # The first variable varies fastest.
    contrasts: NDArray[np.float64] = np.ones((1, 1))
    for size in sizes:
        contrasts = np.kron(np.diff(np.eye(size), axis=0), contrasts).astype(np.float64)
    k = contrasts.shape[1]
    means = functions.part(np.arange(group * k, (group + 1) * k))
    present = replace(means, rows=np.where(np.isfinite(means.rows), means.rows, 0.0))
    rows = present.combined(contrasts).rows
    size = np.linalg.matrix_rank(rows / np.maximum(np.abs(rows).max(axis=0), np.finfo(float).tiny), tol=1e-8)
    return _estimable_part(means, contrasts, rows).joint(), int(size)


def _estimable_part(
    means: LinearFunctions, contrasts: NDArray[np.float64], rows: NDArray[np.float64]
) -> LinearFunctions:
    """
    As many independent combinations of the contrasts (shape (m, k)) as can be estimated; `rows` are those of
    the contrasts, with zeros in place of means without any data.
    """
    absent = np.logical_not(np.isfinite(means.rows).all(axis=1))
    undetermined = means.space.undetermined.parts(rows)
    if np.abs(undetermined).max(initial=0.0) > 0:
        undetermined = undetermined / np.abs(undetermined).max()
    # What has no data at all must not have any part in a combination either.
    excluded = np.hstack([undetermined, contrasts[:, absent]])
    if not excluded.any():
        return means.combined(contrasts)
    left, values, _ = np.linalg.svd(excluded)
    rank = int(np.count_nonzero(values > 1e-8 * values[0]))
    weights = left[:, rank:].T @ contrasts
    weights[:, absent] = 0.0
    return means.combined(weights)
