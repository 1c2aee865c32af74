"""Quantile residuals of a model by simulation."""

from __future__ import annotations

from typing import Any

from ...checks import flag, whole_number
from ...errors import ArgumentError
from ...fit.state import FittedModel
from ...repeat.chunks import run_chunks
from ...repeat.seeds import Streams
from ..check import ALPHA
from .counts import Counts, count
from .result import QuantileResiduals, result_of
from .source import Source

# Chunks of replicates whose counts are in memory at the same time.
_CHUNKS = 20
# The least two-sided p-value is 2/(nsim + 1), and test_predictor() adjusts for three tests.
LEAST = int(3 / ALPHA)


def quantile_residuals(
    fitted: FittedModel,
    nsim: int = 250,
    conditional: bool = False,
    refit: bool = False,
    rng: Any = None,
    executor: Any = None,
    progress: Any = False,
) -> QuantileResiduals:
    """See :func:`mixedmodels.quantile_residuals`."""
    nsim = whole_number("nsim", nsim, 1)
    if nsim < LEAST:
        raise ArgumentError(
            f"nsim must be at least {LEAST}: among {nsim} simulations no test can have a p-value below "
            f"{ALPHA:g}, whatever the data"
        )
    conditional, refit = flag("conditional", conditional), flag("refit", refit)
    if conditional and refit:
        raise ArgumentError(
            "quantile_residuals: refits are to responses with new random effects; leave out conditional or "
            "refit"
        )
    source = Source.of(fitted, Streams.of(rng), conditional, refit)
    blocks = -(-nsim // source.size)
    size = source.size * max(1, blocks // _CHUNKS)
    done = run_chunks(
        count, source, nsim, size=size, executor=executor, progress=progress, what="simulations"
    )
    parts = [part for part in done.results if part is not None]
    if not parts:
        raise ArgumentError("quantile_residuals: the model could not be refitted to responses drawn from it")
    return result_of(source, Counts.merged(parts), nsim)
