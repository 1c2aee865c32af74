"""
The uncertainty of the variance parameters in predictions.

By the delta method (Kackar & Harville 1984, JASA 79, 853-862): the predictions change with the parameters,
whose covariance matrix is known for large samples. By parametric bootstrap (Butar & Lahiri 2003, Journal of
Statistical Planning and Inference 112, 63-76): with g(ψ) the variance given parameters ψ, the mean squared
error is

    2 g(ψ̂) - E g(ψ*) + E (prediction at ψ* - prediction at ψ̂)²

over estimates ψ* from responses drawn at ψ̂; predictions and g are those for the response observed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import one_of, whole_number
from ..errors import ArgumentError, MixedModelsWarning, ModesError
from ..fit.draws import as_responses, draw_many
from ..fit.refits import FAILED, UNBOUNDED, refit_responses
from ..notices import warn_user
from ..repeat.chunks import run_chunks
from ..repeat.seeds import Streams
from .errors import PredictionErrors
from .rows import PredictedRows
from .uncertainty import parameters_of, variances_given_theta

# Replicates that are drawn and refitted together.
_BLOCK = 25
DEFAULT_REFITS = 500
METHODS = ("none", "delta", "bootstrap")


@dataclass(frozen=True)
class Uncertainty:
    """
    How the uncertainty of the parameters enters.

    Attributes
    ----------
    method : {"none", "delta", "bootstrap"}
    n : int
        Refits of the bootstrap.
    rng, executor, progress
        See `MixedModel.predict`.
    """

    method: str = "none"
    n: int = DEFAULT_REFITS
    rng: Any = None
    executor: Any = None
    progress: Any = False

    def __post_init__(self) -> None:
        one_of("parameter_uncertainty", self.method, METHODS)
        whole_number("nsim", self.n, 2)
        if self.method != "bootstrap" and self.n != DEFAULT_REFITS:
            raise ArgumentError("predict: nsim= needs parameter_uncertainty='bootstrap'")


def with_parameters(
    rows: PredictedRows, errors: PredictionErrors, uncertainty: Uncertainty
) -> PredictionErrors:
    """The errors with the uncertainty of the parameters added."""
    if uncertainty.method == "none":
        return errors
    if uncertainty.method == "delta":
        return replace(errors, variance=_by_delta(rows, errors.variance))
    return replace(errors, variance=_by_bootstrap(rows, errors.variance, uncertainty))


def _by_delta(rows: PredictedRows, variance: NDArray[np.float64]) -> NDArray[np.float64]:
    fitted = rows.fitted
    variance = _given_parameters(rows, variance)
    parameters = parameters_of(fitted)
    return variance + parameters.spread(parameters.slopes(rows.linear_predictor))


def _given_parameters(rows: PredictedRows, variance: NDArray[np.float64]) -> NDArray[np.float64]:
    """The variance that is left when all parameters are known, NaN where the data do not determine it."""
    if rows.fitted.profiled_coefficients:
        return variance
    # The coefficients are among the parameters.
    return np.where(np.isnan(variance), np.nan, variances_given_theta(rows, coefficients=False))


@dataclass(frozen=True, eq=False)
class _Task:
    """What a worker needs: the rows without the data that they come from."""

    rows: PredictedRows
    streams: Streams


@dataclass(frozen=True, eq=False)
class _Sums:
    """Sums over replicates: of the variance given the parameters, of the squared change of the prediction."""

    given: NDArray[np.float64]
    change: NDArray[np.float64]
    done: int


def _by_bootstrap(
    rows: PredictedRows, variance: NDArray[np.float64], uncertainty: Uncertainty
) -> NDArray[np.float64]:
    fitted = rows.fitted
    if fitted.arguments.optimizer is None:
        raise ArgumentError(
            "parameter_uncertainty='bootstrap': the model was evaluated at start=, not fitted "
            "(optimizer=None); fit it with an optimizer"
        )
    task = _Task(replace(rows, frame=None), Streams.of(uncertainty.rng))
    chunks = run_chunks(
        _replicates,
        task,
        uncertainty.n,
        size=_BLOCK,
        executor=uncertainty.executor,
        progress=uncertainty.progress,
    )
    done = sum(part.done for part in chunks.results)
    if done < 2:
        raise ArgumentError("parameter_uncertainty='bootstrap': none of the refits has finite estimates")
    if done < chunks.done:
        warn_user(
            f"{chunks.done - done} of {chunks.done} refits have no finite estimates and are left out",
            MixedModelsWarning,
        )
    given = sum(part.given for part in chunks.results) / done
    change = sum(part.change for part in chunks.results) / done
    variance = _given_parameters(rows, variance)
    with np.errstate(divide="ignore", invalid="ignore"):
        # Where the correction for bias would leave nothing, by the same factor instead of the difference.
        corrected = np.where(given < variance, 2.0 * variance - given, variance**2 / given)
    return np.where(variance == 0.0, 0.0, corrected) + change


def _replicates(task: _Task, start: int, stop: int) -> _Sums:
    """The sums over some replicates, a block with a stream of its own."""
    rows, fitted = task.rows, task.rows.fitted
    here, profiled = rows.linear_predictor(), fitted.profiled_coefficients
    generator = task.streams.generator(start // _BLOCK)
    drawn = as_responses(fitted, draw_many(fitted, generator, _BLOCK)[:, : stop - start])
    refits = refit_responses(fitted, drawn)
    given, change, done = np.zeros(len(rows)), np.zeros(len(rows)), 0
    # Coefficients that run off to infinity have no squared error.
    usable = [status not in (FAILED, UNBOUNDED) for status in refits.status]
    for j in np.flatnonzero(usable).tolist():
        try:
            there = fitted.at(refits.theta[j], refits.beta[j], float(refits.dispersion[j]))
        except ModesError:
            continue
        given += variances_given_theta(rows, there, coefficients=profiled)
        change += np.square(rows.linear_predictor(there) - here)
        done += 1
    return _Sums(given, change, done)
