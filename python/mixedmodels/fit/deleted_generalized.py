"""Generalized models without sets of rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..design import Design, theta as theta_layout
from ..errors import MixedModelError
from .engine_terms import engine_terms
from .row_sets import GivenTheta, RowSets
from .state import FittedModel, Sample


def without(design: Design, rows: NDArray[np.uint32]) -> Sample:
    """The other rows, with the levels that are left."""
    kept = np.ones(len(design.y), dtype=bool)
    kept[rows] = False
    codes, n_levels = [], []
    for term in design.terms:
        own = term.group.codes[kept]
        present = np.zeros(len(term.group.levels), dtype=bool)
        present[own] = True
        codes.append((np.cumsum(present) - 1)[own].astype(np.uint32))
        n_levels.append(int(present.sum()))
    return np.flatnonzero(kept).astype(np.uint32), codes, n_levels


def deleted_in_last_step(fitted: FittedModel, sets: RowSets, theta: NDArray[np.float64]) -> GivenTheta:
    """The estimates in the last weighted least-squares step: a quadratic approximation at the modes."""
    from .._engine import Lmm, delete_given_theta

    design, held = fitted.design, fitted.held
    weights = np.maximum(fitted.working_weights(), np.finfo(float).tiny ** 0.5)
    eta = fitted.linear_predictor
    working = eta + fitted.family.working(fitted.observed, eta)
    x, offset = held.free_columns(design.x), held.offset(design.x, design.offset)
    engine = Lmm(working, x, engine_terms(design), weights, offset)
    found = delete_given_theta(engine, sets.rows, sets.ranges, False, theta)
    sigma = np.where(np.isfinite(found["sigma"]), fitted.sigma, np.nan)
    return GivenTheta(found["beta"], found["covariance"], sigma, found["objective"])


def with_joint_covariance(
    fitted: FittedModel, samples: Sequence[Sample], found: dict[str, Any]
) -> dict[str, Any]:
    """The fits with the covariance of the coefficients from the Hessian in all parameters, if it has one."""
    for j, sample in enumerate(samples):
        point = (found[name][j] for name in ("theta", "beta", "sigma"))
        joint = _joint_covariance(fitted, sample, *point)
        if joint is not None:
            found["covariance"][j] = joint
    return found


def _joint_covariance(
    fitted: FittedModel,
    sample: Sample,
    theta: NDArray[np.float64],
    beta: NDArray[np.float64],
    dispersion: float,
) -> NDArray[np.float64] | None:
    from .._engine import Glmm

    rows, codes, n_levels = sample
    design, arguments, kept = fitted.design, fitted.arguments, np.isfinite(beta)
    if not (kept.any() and np.isfinite(theta).all()):
        return None
    parts = zip(engine_terms(design), codes, n_levels, strict=True)
    offset = fitted.held.offset(design.x, design.offset)
    log_dispersion = math.log(dispersion) if fitted.family.estimates_dispersion else 0.0
    try:
        engine = Glmm(
            design.y[rows],
            np.asfortranarray(fitted.held.free_columns(design.x)[rows][:, kept]),
            [
                (own, n, np.ascontiguousarray(z[rows]), name, times)
                for (_, _, z, name, times), own, n in parts
            ],
            arguments.family.for_engine(),
            None if design.weights is None else design.weights[rows],
            None if offset is None else offset[rows],
            arguments.n_agq,
            arguments.information,
        )
        hessian = engine.hessian(theta, beta[kept], log_dispersion)
    except MixedModelError:
        return None
    inner = np.ones(len(hessian), dtype=bool)
    inner[: len(theta)] = theta_layout.interior(design, theta)
    own = hessian[np.ix_(inner, inner)]
    try:
        np.linalg.cholesky(own)
    except np.linalg.LinAlgError:
        return None
    first, count = int(inner[: len(theta)].sum()), int(kept.sum())
    part = slice(first, first + count)
    result = np.full((len(beta), len(beta)), np.nan)
    result[np.ix_(kept, kept)] = 2.0 * np.linalg.inv(own)[part, part]
    return result
