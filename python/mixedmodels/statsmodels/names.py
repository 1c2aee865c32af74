"""Names of the columns and parameters of a model, as statsmodels makes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def names_of_columns(exog_re: Any) -> list[str]:
    """Names of the columns of random coefficients: their own, or x_re1, x_re2, ..."""
    columns = getattr(exog_re, "columns", None)
    if columns is not None:
        return [str(name) for name in columns]
    name = getattr(exog_re, "name", None)
    if name is not None and np.ndim(exog_re) == 1:
        return [str(name)]
    return [f"x_re{k + 1}" for k in range(1 if np.ndim(exog_re) == 1 else np.shape(exog_re)[1])]


def names_of_covariances(names: Sequence[str]) -> list[str]:
    """Names of the lower triangle of a covariance matrix, row by row."""
    return [
        f"{names[i]} Var" if i == j else f"{names[j]} x {names[i]} Cov"
        for i in range(len(names))
        for j in range(i + 1)
    ]


def set_names(model: Any, names: Sequence[str]) -> None:
    """Name the parameters of a model after its random coefficients."""
    full, components = names_of_covariances(names), list(model.exog_vc.names)
    data = model.data
    data.exog_re_names, data.exog_re_names_full, data.vcomp_names = list(names), full, components
    data.param_names = [*model.exog_names, *full, *(f"{name} Var" for name in components)]
