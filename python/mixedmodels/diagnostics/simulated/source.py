"""Responses simulated from a model, as they are compared with the data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...design.theta import factors
from ...fit.draws import as_responses, draw_many, fixed_part
from ...fit.refits import refit_responses
from ...fit.state import FittedModel
from ...repeat.seeds import Streams

Values = NDArray[np.float64]
# Values that are in memory at a time.
_AT_ONCE = 2**21
_LARGEST_BLOCK = 50
# Responses with which every other one is compared.
N_REFERENCE = 19
_REFERENCE, _BLOCKS, _TIES, _OWN_JITTER = range(4)


@dataclass(frozen=True)
class Source:
    """
    A model to simulate from.

    Attributes
    ----------
    fitted : FittedModel
    streams : Streams
    conditional : bool
        Keep the random effects at their conditional modes.
    refit : bool
        Compare the residuals of the model refitted to each response, not the responses.
    """

    fitted: FittedModel
    streams: Streams
    conditional: bool
    refit: bool

    @property
    def block(self) -> int:
        """Replicates that share a random stream; depends on the number of rows alone."""
        return int(np.clip(_AT_ONCE // max(self.fitted.n_obs, 1), 1, _LARGEST_BLOCK))

    @cached_property
    def observed(self) -> Values:
        """The values of the data, shape (n,)."""
        y = self.fitted.observed
        if not self.refit:
            return y
        return self._jittered(y - self.center, self.streams.generator(_OWN_JITTER))

    @cached_property
    def center(self) -> Values:
        """Means without random effects, or at the conditional modes; shape (n,)."""
        return self.fitted.family.mean(self.predictor)

    @cached_property
    def predictor(self) -> Values:
        """The linear predictor without random effects, or at the conditional modes; shape (n,)."""
        return self.fitted.linear_predictor if self.conditional else fixed_part(self.fitted)

    @cached_property
    def weights(self) -> Values:
        """One over approximate variances of the responses, shape (n,); their order of magnitude is enough."""
        fitted = self.fitted
        variance = fitted.family.variance(self.center, fitted.dispersion) / fitted.prior_weights
        if not self.conditional:
            variance = variance + np.square(fitted.family.functions.slope(self.predictor)) * _spread(fitted)
        usual = np.isfinite(variance) & (variance > 0)
        least = 1e-6 * float(np.median(variance[usual])) if usual.any() else 1.0
        return 1.0 / np.where(np.isfinite(variance), np.maximum(variance, least), np.inf)

    @cached_property
    def reference(self) -> Values:
        """The responses with which every other one is compared, shape (at most N_REFERENCE, n)."""
        values = self._values(self.streams.generator(_REFERENCE), N_REFERENCE)
        return values[np.isfinite(values).all(axis=1)] if self.refit else values

    def simulated(self, block: int, m: int) -> tuple[Values, np.random.Generator]:
        """m replicates of a block, shape (m, n), NaN where a refit failed; and a generator for ties."""
        values = self._values(self.streams.generator(_BLOCKS, block), m)
        return values, self.streams.generator(_TIES, block)

    def ties(self) -> np.random.Generator:
        """The generator that breaks the ties of the data."""
        return self.streams.generator(_TIES)

    def _values(self, generator: np.random.Generator, m: int) -> Values:
        drawn = draw_many(self.fitted, generator, m, self.conditional)
        if not self.refit:
            return drawn.T
        fitted = self.fitted
        refits = refit_responses(fitted, as_responses(fitted, drawn))
        kept = fitted.estimates.kept
        eta = refits.beta[:, kept] @ fitted.design.x[:, kept].T
        if fitted.design.offset is not None:
            eta += fitted.design.offset
        values = drawn.T - fitted.family.mean(eta)
        values[refits.failed] = np.nan
        return self._jittered(values, generator)

    def _jittered(self, values: Values, generator: np.random.Generator) -> Values:
        """Residuals of discrete responses, spread over the distance of two responses."""
        family = self.fitted.family
        if not family.discrete:
            return values
        unit = 1.0 / self.fitted.prior_weights if family.trials else 1.0
        return values + (generator.random(values.shape) - 0.5) * unit


def _spread(fitted: FittedModel) -> Values:
    """Variances of the random part of the linear predictor, shape (n,)."""
    total = np.zeros(fitted.n_obs)
    for term, factor in zip(fitted.design.terms, factors(fitted.design, fitted.estimates.theta), strict=True):
        total += np.square(term.z @ factor).sum(axis=1)
    return fitted.scale**2 * total
