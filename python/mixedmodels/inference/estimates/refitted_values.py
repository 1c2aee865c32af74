"""The estimates of all parameters of many refits, in the order of `parameter_rows`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...fit.refits import Refits
from ...fit.state import FittedModel
from .parameter_rows import parameter_rows


def refitted_values(fitted: FittedModel, refits: Refits) -> NDArray[np.float64]:
    """The estimates of refits of the model, shape (m, number of parameters); NaN as in `ParameterRow`."""
    rows = parameter_rows(fitted)
    scale = [refits.sigma[:, None] for row in rows if row.kind == "scale"]
    values = np.hstack([*refits.natural(fitted), *scale, refits.beta])
    for j, row in enumerate(rows):
        if not row.free and np.isfinite(row.estimate):
            # Held: without the rounding of a standard deviation relative to another sigma.
            values[np.isfinite(values[:, j]), j] = row.estimate
    return values
