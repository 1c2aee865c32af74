"""The data of a fit with fitted values, residuals and influence, with the columns of R's broom.mixed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..checks import flag
from ..design.used_rows import as_data_frame, used_data
from ..diagnostics.leverage import cooks_distances
from ..diagnostics.residuals import residuals_used
from ..errors import DataError
from ..fit.state import FittedModel
from ..frame.alignment import in_row_order


def augmented_data(fitted: FittedModel, data: Any = None, influence: Any = False) -> pd.DataFrame:
    """The rows used with what the model makes of them, see :func:`mixedmodels.augment`."""
    flag("influence", influence)
    used = used_data(fitted.design, fitted.arguments)
    added = _added_columns(fitted, influence)
    if data is None:
        frame = pd.DataFrame(used.columns(fitted.design.formula.variables))
        if fitted.design.row_labels is not None:
            frame.index = fitted.design.row_labels
    else:
        frame = as_data_frame(data)
        labels = fitted.design.row_labels
        if len(frame) == used.n_total != fitted.n_obs:
            added = {name: _spread(values, used.positions, len(frame)) for name, values in added.items()}
            labels = fitted.arguments.data.index
        elif len(frame) != fitted.n_obs:
            raise DataError(
                f"augment: data has {len(frame)} rows, but the model used {fitted.n_obs} of {used.n_total}"
            )
        if labels is not None and isinstance(data, pd.DataFrame):
            rows = in_row_order(pd.DataFrame(added, index=labels), frame.index, "augment", "data given")
            added = {name: rows[name].to_numpy() for name in added}
    taken = [name for name in added if name in frame]
    if taken:
        raise DataError(f"augment: the data already has a column {taken[0]!r}")
    return frame.assign(**added)


def _added_columns(fitted: FittedModel, influence: bool) -> dict[str, NDArray[np.float64]]:
    design, estimates = fitted.design, fitted.estimates
    fixed = design.x[:, estimates.kept] @ estimates.beta[estimates.kept]
    offset = np.zeros(fitted.n_obs) if design.offset is None else np.asarray(design.offset)
    eta = fitted.linear_predictor.copy()
    columns = {".fitted": eta, ".resid": residuals_used(fitted, fitted.residual_type)}
    if influence:
        hat = fitted.leverages()
        columns |= {".hat": hat, ".cooksd": cooks_distances(fitted, hat)}
    return columns | {
        ".fixed": fixed + offset,
        ".mu": fitted.mean.copy(),
        ".offset": offset.copy(),
    }


def _spread(values: NDArray[np.float64], positions: NDArray[np.intp], n: int) -> NDArray[np.float64]:
    whole = np.full(n, np.nan)
    whole[positions] = values
    return whole
