"""The criterion of a linear model at a residual standard deviation that is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .._engine import Lmm


def at_sigma(result: Mapping[str, Any], engine: Lmm, reml: bool, sigma: float) -> dict[str, Any]:
    """What the engine finds at theta, for this residual standard deviation instead of the best one."""
    df = len(result["fitted"]) - (engine.rank if reml else 0)
    pwrss = result["pwrss"]
    best = df * (1.0 + np.log(2.0 * np.pi * pwrss / df))
    here = df * np.log(2.0 * np.pi * sigma**2) + pwrss / sigma**2
    return {**result, "objective": float(result["objective"] - best + here), "sigma": sigma}
