"""Cross-validation: the model is fitted without each fold, and predicts it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...checks import random_generator
from ...design.used_rows import used_data
from ...errors import ArgumentError, MixedModelError
from ...fit.changes import fitted_to_rows
from ...fit.state import FittedModel
from ...frame import Frame
from ...inference.basis.testable import refuse_evaluated
from ...repeat.chunks import run_chunks
from ...repeat.seeds import Streams
from ..uncertainty import variances_given_theta
from .folds import Folds, make_folds
from .held_out import HeldOut, held_out
from .result import CrossValidation, FoldScores, summarized
from .scores import (
    Responses,
    joint_log_score,
    log_scores,
    normal_joint_log_score,
    normal_log_scores,
    predicted_centers,
)

# Rows of a group that are scored jointly: their covariance matrix is dense.
_MOST_TOGETHER = 5_000


@dataclass(frozen=True, eq=False)
class _Repetition:
    fitted: FittedModel
    folds: Folds
    streams: Streams


def cross_validation(
    fitted: FittedModel,
    folds: Any = 5,
    by: Any = "rows",
    *,
    rng: Any = None,
    executor: Any = None,
    progress: Any = False,
) -> CrossValidation:
    """Predict the rows of each fold from the others, see :func:`mixedmodels.cross_validate`."""
    refuse_evaluated(fitted, "cross_validate")
    generator = random_generator(rng)
    chosen = make_folds(fitted, folds, by, generator)
    if chosen.grouped:
        sizes = np.bincount(chosen.units.codes)
        if sizes.max() > _MOST_TOGETHER:
            raise ArgumentError(
                f"cross_validate: a level of {chosen.units.name!r} has {sizes.max()} rows, which would be "
                f"scored jointly (at most {_MOST_TOGETHER}); use by='rows'"
            )
    state = _Repetition(fitted, chosen, Streams.of(generator))
    chunks = run_chunks(_work, state, chosen.n, size=1, executor=executor, progress=progress, what="folds")
    return summarized(fitted, chosen, [scores for part in chunks.results for scores in part])


def _work(state: _Repetition, start: int, stop: int) -> list[FoldScores]:
    fitted = state.fitted
    frame = used_data(fitted.design, fitted.arguments).frame
    return [_scores(state, frame, fold) for fold in range(start, stop)]


def _scores(state: _Repetition, frame: Frame, fold: int) -> FoldScores:
    full, rows = state.fitted, state.folds.held_out(fold)
    try:
        trained = fitted_to_rows(full, ~rows)
        held = held_out(full, trained, frame, rows)
    except MixedModelError as error:
        return FoldScores.failed(fold, int(rows.sum()), str(error))
    if not len(held.rows):
        return FoldScores.failed(fold, int(rows.sum()), "no row could be predicted")
    eta = held.predicted.linear_predictor()
    variance = variances_given_theta(held.predicted)
    responses = Responses(
        trained.family, full.observed[held.rows], full.prior_weights[held.rows], trained.dispersion
    )
    if state.folds.grouped:
        units, scores, errors = _by_unit(state, held, responses, eta, fold)
    else:
        units, scores = held.rows, _by_row(trained, responses, eta, variance)
        errors = np.zeros(len(scores))
    weights = trained.prior_weights
    return FoldScores(
        fold=fold,
        n=int(rows.sum()),
        rows=held.rows,
        predicted=predicted_centers(trained.family, eta, variance),
        reference=float(np.average(trained.observed, weights=weights)),
        units=units,
        log_scores=scores,
        errors=errors,
        problem="" if trained.convergence.converged else "; ".join(trained.convergence.messages),
    )


def _by_row(
    trained: FittedModel, responses: Responses, eta: NDArray[np.float64], variance: NDArray[np.float64]
) -> NDArray[np.float64]:
    if trained.exact_likelihood:
        return normal_log_scores(responses.y - eta, variance + responses.dispersion / responses.weights)
    return log_scores(responses, eta, variance)


def _by_unit(
    state: _Repetition, held: HeldOut, responses: Responses, eta: NDArray[np.float64], fold: int
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
    """The groups of a fold, the log-density of all rows of each, and its Monte Carlo error."""
    codes = state.folds.units.codes[held.rows]
    units = np.unique(codes)
    scores, errors = np.empty(len(units)), np.zeros(len(units))
    for i, unit in enumerate(units.tolist()):
        chosen = np.flatnonzero(codes == unit)
        covariance, own = held.covariance(chosen), responses.some(chosen)
        if held.fitted.exact_likelihood:
            covariance[np.diag_indices(len(chosen))] += own.dispersion / own.weights
            scores[i] = normal_joint_log_score(own.y - eta[chosen], covariance)
        else:
            rng = state.streams.generator(fold, unit)
            scores[i], errors[i] = joint_log_score(own, eta[chosen], covariance, rng)
    return units, scores, errors
