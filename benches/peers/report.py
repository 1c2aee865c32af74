"""Timings as a table or as JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from typing import Any

from .measure import Timing
from .models import Model

_HEAD = (
    f"{'peer':<12} {'minimum':>10} {'median':>10} {'fits':>5} {'ratio':>8} {'objective':>20} {'excess':>9}"
)


def rows(timings: Sequence[Timing], baseline: str) -> list[dict[str, Any]]:
    """
    Timings of one model as plain data.

    ``ratio`` is the peer's minimum over the baseline's (above 1: the peer is slower), ``excess`` its
    objective minus the lowest one found.
    """
    base = next((timing.minimum for timing in timings if timing.peer == baseline), None)
    best = min((timing.objective for timing in timings if timing.objective is not None), default=None)
    result = []
    for timing in timings:
        excess = None if timing.objective is None or best is None else timing.objective - best
        result.append(
            {
                "model": timing.model,
                "peer": timing.peer,
                "minimum_s": timing.minimum,
                "median_s": timing.median,
                "fits": len(timing.seconds),
                "ratio": timing.minimum / base if timing.minimum is not None and base else None,
                "objective": timing.objective,
                "excess": excess if timing.minimum is not None else None,
                "error": timing.error,
            }
        )
    return result


def table(model: Model, model_rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows of one model as text."""
    lines = [f"{model.name}: {model.formula}  [{model.dataset}, {model.criterion}]", _HEAD]
    for row in model_rows:
        if row["error"]:
            lines.append(f"{row['peer']:<12} {row['error']}")
            continue
        ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
        lines.append(
            f"{row['peer']:<12} {_duration(row['minimum_s']):>10} {_duration(row['median_s']):>10} "
            f"{row['fits']:>5} {ratio:>8} {row['objective']:>20.9f} {row['excess']:>9.1e}"
        )
    return "\n".join(lines) + "\n"


def as_json(results: Sequence[Mapping[str, Any]], versions: Mapping[str, str], baseline: str) -> str:
    """Everything as one JSON document."""
    document = {
        "machine": {"processor": platform.machine(), "cores": os.cpu_count(), "system": platform.system()},
        "baseline": baseline,
        "peers": dict(versions),
        "results": list(results),
    }
    return json.dumps(document, indent=1)


def _duration(seconds: float) -> str:
    return f"{seconds * 1e3:.3f} ms" if seconds < 0.1 else f"{seconds * 1e3:,.0f} ms"
