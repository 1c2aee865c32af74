"""Fits of parts of a model, on the rows of its own fit."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...design import INTERCEPT, RandomTerm
from ...errors import ArgumentError
from ...fit.changes import refitted_design
from ...fit.fixed import without_coefficients
from ...fit.state import FittedModel
from ..terms.term_hypotheses import left_null


def with_fixed_part(fitted: FittedModel, basis: NDArray[np.float64]) -> FittedModel:
    """
    The maximum-likelihood fit with the coefficients confined to a subspace.

    Parameters
    ----------
    fitted : FittedModel
    basis : ndarray, shape (rank, dimension)
        In the kept coefficients.
    """
    x = np.asfortranarray(fitted.design.x[:, fitted.estimates.kept] @ basis)
    x.flags.writeable = False
    names = tuple(f"column {j + 1}" for j in range(x.shape[1]))
    return _fit(fitted, {"x": x, "x_names": names}, {"reml": False})


@dataclass(frozen=True, eq=False)
class ConfinedFit:
    """
    A fit by `with_fixed_part` that can travel: no formula describes its columns, so it is made again there.

    Attributes
    ----------
    full : FittedModel
    basis : ndarray, shape (rank, dimension)
    """

    full: FittedModel
    basis: NDArray[np.float64]

    @property
    def fitted(self) -> FittedModel:
        return self._made

    @cached_property
    def _made(self) -> FittedModel:
        return with_fixed_part(self.full, self.basis)

    def __getstate__(self) -> dict[str, Any]:
        return {"full": self.full, "basis": self.basis}


def with_intercept_only(fitted: FittedModel) -> Any:
    """The fit with an intercept as the only coefficient, by the same criterion."""
    x = np.ones((fitted.n_obs, 1), order="F")
    x.flags.writeable = False
    return _fit(fitted, {"x": x, "x_names": ("(Intercept)",)}, {})


def with_random_terms(fitted: FittedModel, terms: Sequence[RandomTerm]) -> FittedModel:
    """The fit by the same criterion with other random-effects terms, at least one."""
    return _fit(fitted, {"terms": tuple(terms)}, {})


def _fit(fitted: FittedModel, parts: dict[str, Any], changes: dict[str, Any]) -> FittedModel:
    design = dataclasses.replace(fitted.design, **parts)
    if "x" in parts:
        # The columns are others.
        changes = {**changes, "fixed": without_coefficients(fitted.arguments.fixed, fitted.design.x_names)}
    known = {field.name for field in dataclasses.fields(fitted.arguments)}
    own = {name: value for name, value in changes.items() if name in known}
    return refitted_design(fitted, design, own)


def generalized_without_random_effects(fitted: FittedModel) -> FittedModel:
    """The fit of a generalized model with one random effect, whose variance is held at zero."""
    design = fitted.design
    term = min(design.terms, key=lambda own: len(own.group.levels))
    ones = np.ones((fitted.n_obs, 1))
    group = term.group.label
    none = RandomTerm(term.group, (INTERCEPT,), ones, "us", f"(1 | {group})")
    held = {**(fitted.arguments.fixed or {}), f"sd_{INTERCEPT}|{group}": 0.0}
    return _fit(fitted, {"terms": (none,)}, {"fixed": held})


def objective_without_random_effects(fitted: FittedModel, basis: NDArray[np.float64] | None = None) -> float:
    """
    The criterion of the linear model without random effects, by weighted least squares.

    Parameters
    ----------
    fitted : FittedModel
    basis : ndarray, shape (rank, dimension), optional
        Confines the kept coefficients to a subspace, in a model that holds none.
    """
    design, kept, held = fitted.design, fitted.estimates.free, fitted.held
    x = design.x[:, kept] if basis is None else design.x[:, kept] @ basis
    root = np.ones(fitted.n_obs) if design.weights is None else np.sqrt(design.weights)
    offset = held.offset(design.x, design.offset)
    y = design.y if offset is None else design.y - offset
    q, r = np.linalg.qr(root[:, None] * x)
    residual = root * y - q @ (q.T @ (root * y))
    df = fitted.n_obs - (x.shape[1] if fitted.restricted else 0)
    squares = float(residual @ residual)
    if held.sigma is None:
        objective = df * (1 + math.log(2 * math.pi * squares / df))
    else:
        objective = df * math.log(2 * math.pi * held.sigma**2) + squares / held.sigma**2
    log_det_x = 2 * float(np.log(np.abs(np.diag(r))).sum())
    return objective - 2 * float(np.log(root).sum()) + (log_det_x if fitted.restricted else 0.0)


def restriction(full: FittedModel, reduced: FittedModel) -> NDArray[np.float64]:
    """
    The restriction of the larger fixed part to the smaller one.

    Returns
    -------
    ndarray, shape (df, rank)
        L of the hypothesis Lβ = 0.

    Raises
    ------
    ArgumentError
        When the fixed parts are not nested, or equal.
    """
    x = full.design.x[:, full.estimates.kept]
    inner = reduced.design.x[:, reduced.estimates.kept]
    size = np.linalg.norm(x, axis=0)
    inner = inner / np.linalg.norm(inner, axis=0)
    basis = np.linalg.lstsq(x / size, inner, rcond=None)[0]
    if np.abs(inner - (x / size) @ basis).max(initial=0.0) > 1e-7:
        raise ArgumentError(
            f"the fixed part of {reduced.design.formula.text!r} is not contained in the fixed part of "
            f"{full.design.formula.text!r}"
        )
    if inner.shape[1] == x.shape[1]:
        raise ArgumentError("the models have the same fixed part: nothing to test")
    return left_null(basis).T * size
