"""Statistics and interruptions for other processes; they must be importable there."""

import os
from typing import Any

import numpy as np

from mixedmodels import ConvergenceError


def ratio(model: Any) -> float:
    return float(model.VarCorr()["Subject"].sd[1] / model.sigma)


def named(model: Any) -> dict[str, float]:
    return {"slope": float(model.fixef()["Days"]), "sigma": model.sigma}


def die(model: Any) -> float:
    """Fits without harm in the process that made the model, and ends any other."""
    if os.environ.get("MIXEDMODELS_TEST_PARENT") != str(os.getpid()):
        os._exit(1)
    return 1.0


def interrupting(calls: int) -> Any:
    """A statistic that the user interrupts at its call of this number."""
    seen = [0]

    def statistic(model: Any) -> float:
        seen[0] += 1
        if seen[0] == calls:
            raise KeyboardInterrupt
        return model.sigma

    return statistic


def failing(model: Any) -> float:
    """Fails where the slope is above its estimate."""
    slope = float(model.fixef()["Days"])
    if slope > 10.4673:
        raise ConvergenceError("too steep")
    return np.log(slope)
