"""Alternating timings of one model by several peers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from .models import Model
from .peer import Peer, PeerError


@dataclass
class Timing:
    """What one peer did on one model; ``error`` is empty when it fitted."""

    model: str
    peer: str
    seconds: list[float] = field(default_factory=list)
    objective: float | None = None
    error: str = ""

    @property
    def minimum(self) -> float | None:
        return min(self.seconds, default=None)

    @property
    def median(self) -> float | None:
        return median(self.seconds) if self.seconds else None


@dataclass(frozen=True)
class Plan:
    """How often to repeat: ``repeats`` turns, or until a peer has used ``budget`` seconds on the model."""

    repeats: int
    burst: float
    budget: float


def measure(model: Model, peers: Sequence[Peer], stem: Path, plan: Plan) -> list[Timing]:
    """Warm every peer up once, then let them take turns; a failing peer drops out with its message."""
    timings = {peer.name: Timing(model.name, peer.name) for peer in peers}
    for turn in range(plan.repeats + 1):
        for peer in peers:
            timing = timings[peer.name]
            if timing.error or sum(timing.seconds) > plan.budget:
                continue
            try:
                seconds, timing.objective = peer.fit(model, stem, 0.0 if turn == 0 else plan.burst)
            except PeerError as error:
                timing.error = str(error)
                continue
            # The warm-up counts only where a second fit would be too slow.
            if turn > 0 or sum(seconds) > plan.budget:
                timing.seconds += seconds
    return list(timings.values())
