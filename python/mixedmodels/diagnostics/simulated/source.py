"""Responses simulated from a model, and how the data and each of them compare with others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...fit.draws import as_responses, draw_many, fixed_part
from ...fit.parameters import Parameters, estimated
from ...fit.refits import Refits, refit_responses
from ...fit.sources import ResponseSource, source_of
from ...fit.state import FittedModel
from ...repeat.seeds import Streams
from .given_data import predictor_given_data
from .standard import Standard, Variance
from .within import Effects

Values = NDArray[np.float64]
# Values that are in memory at a time.
_AT_ONCE = 2**21
_LARGEST_BLOCK = 50
# Responses with which every other one is compared.
N_REFERENCE = 19
_REFERENCE, _BLOCKS, _TIES, _REFITS, _EFFECTS = range(5)


@dataclass(frozen=True)
class Block:
    """
    Some simulated responses.

    Attributes
    ----------
    values : ndarray, shape (m, n)
    numbers : ndarray of int, shape (m,)
        The replicates; without those that could not be fitted.
    ties : Generator
        For random numbers that break ties.
    refits : Refits or None
    """

    values: Values
    numbers: NDArray[np.int64]
    ties: np.random.Generator
    refits: Refits | None


@dataclass(frozen=True)
class Source:
    """
    A model to simulate from.

    Attributes
    ----------
    fitted : FittedModel
    streams : Streams
    conditional : bool
        Draw the random effects once, given the data, and keep them in all simulated responses.
    refit : bool
        Compare each simulated response with others at the parameters estimated from it, as the data are.
    predictor : ndarray, shape (n,)
        The linear predictor without random effects, or with those drawn given the data.
    """

    fitted: FittedModel
    streams: Streams
    conditional: bool
    refit: bool
    predictor: Values

    @classmethod
    def of(cls, fitted: FittedModel, streams: Streams, conditional: bool, refit: bool) -> Source:
        """Draws the random effects given the data where the responses are to share them."""
        if conditional:
            predictor = predictor_given_data(fitted, streams.generator(_EFFECTS))
        else:
            predictor = fixed_part(fitted)
        return cls(fitted, streams, conditional, refit, predictor)

    @property
    def size(self) -> int:
        """Replicates that share a random stream; depends on the number of rows alone."""
        return int(np.clip(_AT_ONCE // max(self.fitted.n_obs, 1), 1, _LARGEST_BLOCK))

    @property
    def observed(self) -> Values:
        """The responses of the data, shape (n,)."""
        return self.fitted.observed

    @property
    def discrete(self) -> bool:
        """Whether responses can be equal."""
        return self.fitted.family.discrete

    @cached_property
    def standard(self) -> Standard:
        """What the data are compared with, and without refits all simulated responses."""
        fitted, generator = self.fitted, self.streams.generator(_REFERENCE)
        reference = self._drawn(generator, N_REFERENCE).T
        own = estimated(fitted)
        mean = fitted.family.mean(self.predictor)
        expected = mean if self.conditional else reference.mean(axis=0)
        return self._standard(reference, expected, self.predictor, own)

    def block(self, start: int, stop: int) -> Block:
        """The replicates from `start`, where a block begins, to `stop`."""
        key = start // self.size
        drawn = self._drawn(self.streams.generator(_BLOCKS, key), stop - start)
        numbers, ties = np.arange(start, stop), self.streams.generator(_TIES, key)
        if not self.refit:
            return Block(drawn.T, numbers, ties, None)
        refits = refit_responses(self.fitted, as_responses(self.fitted, drawn))
        good = np.isfinite(refits.objective) & np.isfinite(refits.beta[:, self.fitted.estimates.kept]).all(
            axis=1
        )
        chosen = np.flatnonzero(good)
        return Block(np.ascontiguousarray(drawn.T[chosen]), numbers[chosen], ties, refits.rows(chosen))

    def compared(self, block: Block) -> Iterator[tuple[Values, Standard]]:
        """The responses of a block, shape (m, n), with what they are compared with."""
        if block.refits is None:
            yield block.values, self.standard
            return
        for i, number in enumerate(block.numbers.tolist()):
            yield block.values[i : i + 1], self._standard_of(block.refits, i, number)

    def ties(self) -> np.random.Generator:
        """The generator that breaks the ties of the data."""
        return self.streams.generator(_TIES)

    def _drawn(self, generator: np.random.Generator, m: int) -> Values:
        """Responses of the model, shape (n, m)."""
        if not self.conditional:
            return draw_many(self.fitted, generator, m)
        fitted = self.fitted
        source = ResponseSource(self.predictor, (), fitted.family, fitted.prior_weights, fitted.dispersion)
        return source.draw_many(generator, m)

    def _standard_of(self, refits: Refits, i: int, number: int) -> Standard:
        fitted = self.fitted
        beta = np.zeros(refits.beta.shape[1])
        beta[fitted.estimates.kept] = refits.beta[i, fitted.estimates.kept]
        own = Parameters(beta, refits.theta[i], float(refits.dispersion[i]), float(refits.scale[i]))
        source = source_of(fitted, own)
        reference = source.draw_many(self.streams.generator(_REFITS, number), N_REFERENCE).T
        eta = fitted.design.x @ beta
        if fitted.design.offset is not None:
            eta = eta + fitted.design.offset
        return self._standard(reference, reference.mean(axis=0), eta, own)

    def _standard(self, reference: Values, expected: Values, eta: Values, own: Parameters) -> Standard:
        fitted = self.fitted
        variance = Variance(fitted.family, own.dispersion, fitted.prior_weights)
        weights = _weights(variance(fitted.family.mean(eta)))
        effects = []
        if not self.conditional:
            slope = fitted.family.functions.slope(eta)[:, None]
            factors = own.factors(fitted.design)
            for term, factor in zip(fitted.design.terms, factors, strict=True):
                effects.append(Effects.of(term.group.codes, term.z @ factor * slope, weights))
        return Standard(reference, expected, weights, variance, tuple(effects))


def _weights(variance: Values) -> Values:
    """One over variances, shape (n,); next to nothing counts as little."""
    usual = np.isfinite(variance) & (variance > 0)
    least = 1e-6 * float(np.median(variance[usual])) if usual.any() else 1.0
    return 1.0 / np.where(np.isfinite(variance), np.maximum(variance, least), np.inf)
