"""The replicates of a bootstrap: a chunk of them, the same whatever the chunks and wherever they run."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..design import Response
from ..errors import MixedModelError
from ..fit.changes import refitted, refitted_design
from ..fit.endpoint.singularity import singular_fits
from ..fit.record import read_only
from ..fit.refits import FAILED, Refits, refit_responses, refit_samples
from ..fit.sampled_design import sampled_design
from ..fit.state import FittedModel, Sample
from ..inference.estimates.refitted_values import refitted_values
from ..repeat.seeds import Streams
from .cases import Cases
from .schemes import Scheme
from .statistic import Statistic

# Replicates that share a generator, so that they are drawn together; fewer where there are many rows.
_BLOCK = 32
_MOST_VALUES = 2**22


@dataclass(frozen=True, eq=False)
class Plan:
    """
    What all replicates share.

    Attributes
    ----------
    fitted : FittedModel
    scheme : Scheme or Cases
    streams : Streams
    statistic : Statistic or None
        None for all parameters of the model.
    """

    fitted: FittedModel
    scheme: Scheme | Cases
    streams: Streams
    statistic: Statistic | None

    @property
    def block(self) -> int:
        """Replicates in a block: it depends on the data alone."""
        return max(1, min(_BLOCK, _MOST_VALUES // max(self.fitted.n_obs, 1)))

    def sendable(self) -> Plan | None:
        """The plan if it can be pickled; None for a statistic that cannot, such as a lambda."""
        try:
            pickle.dumps(self.statistic)
        except Exception:  # The errors of pickling have many classes.
            return None
        return self


@dataclass(frozen=True, eq=False)
class Replicates:
    """
    Some replicates.

    Attributes
    ----------
    values : ndarray, shape (m, q)
        NaN where there is no fit.
    status, messages : list of str
        How each fit ended; the messages of those that converged are empty.
    singular : ndarray of bool, shape (m,)
    """

    values: NDArray[np.float64]
    status: list[str]
    messages: list[str]
    singular: NDArray[np.bool_]


def replicates(plan: Plan, start: int, stop: int) -> Replicates:
    """
    The replicates from `start` to `stop`.

    Blocks are drawn as a whole, though a chunk may use a part of them: replicate i is the same for any number
    of replicates and any chunks.
    """
    scheme = plan.scheme
    if isinstance(scheme, Cases):
        samples: list[Sample] = []
        for generator, wanted in _blocks(plan, start, stop):
            samples += scheme.samples(plan.fitted, generator, wanted.stop)[wanted]
        return of_samples(plan.fitted, plan.statistic, samples)
    responses = np.empty((stop - start, plan.fitted.n_obs)).T
    done = 0
    for generator, wanted in _blocks(plan, start, stop):
        drawn = scheme.responses(plan.fitted, generator, plan.block)[:, wanted]
        responses[:, done : done + drawn.shape[1]] = drawn
        done += drawn.shape[1]
    return _of_responses(plan, responses)


def _blocks(plan: Plan, start: int, stop: int) -> Iterator[tuple[np.random.Generator, slice]]:
    """The generator of each block, and which of its replicates are wanted."""
    size = plan.block
    for block in range(start // size, (stop - 1) // size + 1):
        first = block * size
        yield plan.streams.generator(block), slice(max(start - first, 0), min(stop - first, size))


def _of_responses(plan: Plan, responses: NDArray[np.float64]) -> Replicates:
    fitted = plan.fitted
    if plan.statistic is None:
        return _of_refits(fitted, refit_responses(fitted, responses))
    design = fitted.design

    def fit(j: int) -> FittedModel:
        response = Response(read_only(responses[:, j]), design.weights, design.form)
        return refitted(fitted, response=response, quiet=True)

    return _of_models(plan.statistic, fit, responses.shape[1])


def of_samples(fitted: FittedModel, statistic: Statistic | None, samples: list[Sample]) -> Replicates:
    """The replicates that samples of the rows give: of a statistic, or of all parameters."""
    if statistic is None:
        return _of_refits(fitted, refit_samples(fitted, samples))

    def fit(j: int) -> FittedModel:
        return refitted_design(fitted, sampled_design(fitted.design, samples[j]))

    return _of_models(statistic, fit, len(samples))


def _of_refits(fitted: FittedModel, refits: Refits) -> Replicates:
    ends = zip(refits.status, refits.messages, strict=True)
    messages = ["" if status == "converged" else message for status, message in ends]
    return Replicates(refitted_values(fitted, refits), list(refits.status), messages, refits.singular)


def _of_models(statistic: Statistic, fit: Callable[[int], FittedModel], m: int) -> Replicates:
    values = np.full((m, len(statistic.names)), np.nan)
    status, messages = [FAILED] * m, [""] * m
    singular = np.zeros(m, dtype=bool)
    for j in range(m):
        try:
            fitted = fit(j)
        except MixedModelError as error:
            messages[j] = str(error)
            continue
        singular[j] = singular_fits(fitted.design, fitted.estimates.theta[None], fitted.term_roots)[0]
        try:
            values[j] = statistic.values(fitted)
        except Exception as error:  # The user's function: what it says of one replicate ends no other.
            messages[j] = f"statistic: {type(error).__name__}: {error}"
            continue
        convergence = fitted.convergence
        status[j] = "converged" if convergence.converged else convergence.status
        messages[j] = "" if convergence.converged else convergence.problem or convergence.message
    return Replicates(values, status, messages, singular)
