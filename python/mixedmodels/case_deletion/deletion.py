"""The estimates without each set of rows: by refits, or in closed form with the variances held."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..covariance.structure import Structure
from ..design.theta import natural
from ..fit.block_costs import describe_engine
from ..fit.deletions import in_chunks
from ..fit.refits import Refits, refit_without_rows
from ..fit.row_sets import GivenTheta, RowSets
from ..fit.state import FittedModel
from ..inference.estimates.variance_components import variance_components
from ..repeat.progress import Listener, reporting
from .determined import of_determined
from .estimates import Estimates
from .shared_points import Optima, optima

# Values that a chunk of results may hold.
_VALUES = 2e7
# Refits of so many sets that take more than so many seconds have a shorter way.
_MANY_SETS = 30
_EVALUATIONS = 6
_PATIENCE = 60.0


def estimated(fitted: FittedModel) -> NDArray[np.intp]:
    """The columns of X whose coefficients are estimated."""
    kept = np.asarray(fitted.estimates.kept)
    return kept[~np.isin(kept, fitted.held.columns)]


def covariance_of_estimated(fitted: FittedModel) -> NDArray[np.float64]:
    """Of the coefficients that are estimated."""
    own = np.isin(fitted.estimates.kept, fitted.held.columns, invert=True)
    return fitted.covariance()[np.ix_(own, own)]


def variance_names(fitted: FittedModel) -> list[str]:
    """Names of the variances."""
    names = [
        f"{own.effects[0]}|{part.group}"
        for part in variance_components(fitted)
        for own in part.parameters
        if own.kind == "sd"
    ]
    return [*names, "Residual"] if fitted.residual_sd is not None else names


def variances(fitted: FittedModel) -> NDArray[np.float64]:
    """The variances of the fit."""
    values = [
        own.value**2 for part in variance_components(fitted) for own in part.parameters if own.kind == "sd"
    ]
    scale = [] if fitted.residual_sd is None else [fitted.residual_sd**2]
    return np.array([*values, *scale])


def exact(
    fitted: FittedModel, sets: RowSets, executor: Executor | None, progress: bool | Listener
) -> Estimates:
    """By a fit without each set, from the estimates."""
    if executor is None and _is_large(fitted, sets):
        with reporting(progress, len(sets), "deletions") as tell:
            near = optima(fitted, sets, tell)
        if near is not None:
            return _completed(fitted, sets, near, progress)
    return _by_refits(fitted, sets, executor, progress)


def _is_large(fitted: FittedModel, sets: RowSets) -> bool:
    """Whether refits would take minutes."""
    if not fitted.exact_likelihood or len(sets) < _MANY_SETS:
        return False
    costs = describe_engine(fitted.engine, fitted.design)
    return len(sets) * _EVALUATIONS * costs.seconds > _PATIENCE


def _completed(fitted: FittedModel, sets: RowSets, near: Optima, progress: bool | Listener) -> Estimates:
    """The optima that were found, and refits where they were not."""
    m = len(sets)
    natural_variances = _variances_at(fitted, near.theta, near.sigma)
    singular = np.zeros(m, dtype=bool)
    result = Estimates(
        change=near.change,
        covariance=near.covariance,
        reference=covariance_of_estimated(fitted),
        sigma=near.sigma,
        variances=natural_variances,
        messages=tuple([""] * m),
        singular=singular,
    )
    rest = np.flatnonzero(~near.found)
    if not len(rest):
        return result
    refits = _by_refits(fitted, RowSets.of([sets[j].astype(np.intp) for j in rest.tolist()]), None, progress)
    arrays: dict[str, NDArray[Any]] = {}
    for name in ("change", "covariance", "sigma", "variances", "singular"):
        arrays[name] = np.array(getattr(result, name))
        arrays[name][rest] = getattr(refits, name)
    messages = dict(zip(rest.tolist(), refits.messages, strict=True))
    return replace(result, messages=tuple(messages.get(j, "") for j in range(m)), **arrays)


def _by_refits(
    fitted: FittedModel, sets: RowSets, executor: Executor | None, progress: bool | Listener
) -> Estimates:
    parts = in_chunks(_refitted, fitted, sets, executor, progress)
    return of_determined(fitted, sets, estimated(fitted), Estimates.joined(parts))


def _refitted(state: tuple[FittedModel, RowSets], start: int, stop: int) -> Estimates:
    fitted, sets = state
    refits = refit_without_rows(fitted, sets.part(start, stop))
    own = estimated(fitted)
    assert refits.covariance is not None
    status = zip(refits.status, refits.messages, strict=True)
    return Estimates(
        change=refits.beta[:, own] - fitted.estimates.beta[own],
        covariance=refits.covariance[:, own[:, None], own],
        reference=covariance_of_estimated(fitted),
        sigma=refits.sigma,
        variances=_variances_of(fitted, refits),
        messages=tuple("" if name == "converged" else text or name for name, text in status),
        singular=refits.singular,
    )


def _variances_of(fitted: FittedModel, refits: Refits) -> NDArray[np.float64]:
    good = ~refits.failed
    found = np.full((len(refits), len(variances(fitted))), np.nan)
    if good.any():
        found[good] = _variances_at(fitted, refits.theta[good], refits.sigma[good])
    return found


def _variances_at(
    fitted: FittedModel, theta: NDArray[np.float64], sigma: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The variances at thetas of shape (m, n_theta)."""
    scale = sigma if fitted.exact_likelihood else np.ones(len(theta))
    columns = []
    for term, values in zip(fitted.design.terms, natural(fitted.design, theta), strict=True):
        structure: Structure = term.structure
        sds = [j for j, own in enumerate(structure.parameters) if own.kind == "sd"]
        columns.append(np.square(values[:, sds] * scale[:, None]))
    if fitted.residual_sd is not None:
        columns.append(np.square(sigma)[:, None])
    return np.hstack(columns)


def given_theta(fitted: FittedModel, sets: RowSets) -> Estimates:
    """In closed form, with the covariance parameters relative to sigma (linear) or as they are held."""
    q = len(estimated(fitted))
    size = max(1, int(_VALUES / (1 + q * q)))
    parts = [
        _closed_form(fitted, sets.part(start, min(start + size, len(sets))))
        for start in range(0, len(sets), size)
    ]
    return Estimates.joined(parts)


def _closed_form(fitted: FittedModel, sets: RowSets) -> Estimates:
    found = fitted.deletions_given_theta(sets.and_nothing())
    reference, found = found.covariance[-1], GivenTheta(*(values[:-1] for values in found))
    known = np.isfinite(found.sigma)
    ratio = np.square(found.sigma / fitted.sigma)
    values = np.where(known[:, None], variances(fitted), np.nan)
    if fitted.exact_likelihood:
        values = values * ratio[:, None]
    lost = "the other rows do not determine the coefficients"
    return Estimates(
        change=found.change,
        covariance=found.covariance,
        reference=reference,
        sigma=found.sigma,
        variances=values,
        messages=tuple("" if good else lost for good in known.tolist()),
        singular=np.zeros(len(sets), dtype=bool),
    )
