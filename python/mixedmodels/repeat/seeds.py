"""Random numbers that depend on the replicate alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..checks import random_generator


@dataclass(frozen=True)
class Streams:
    """
    Independent random streams, one for each replicate or block of replicates.

    Stream i is the same in whatever order, process or thread the replicates run (`numpy.random.SeedSequence`
    with i as its spawn key).

    Attributes
    ----------
    entropy : tuple of int
        Shared by all streams of a repetition.
    """

    entropy: tuple[int, ...]

    @classmethod
    def of(cls, rng: Any) -> Streams:
        """The streams of the argument `rng`: an int, a Generator (which advances) or None."""
        return cls(tuple(random_generator(rng).integers(0, 2**32, size=4).tolist()))

    def generator(self, *key: int) -> np.random.Generator:
        """The generator of a stream."""
        return np.random.default_rng(np.random.SeedSequence(self.entropy, spawn_key=key))
