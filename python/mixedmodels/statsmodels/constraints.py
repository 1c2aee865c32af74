"""Linear hypotheses in the ways that users of statsmodels write them, for all of `params`."""

from __future__ import annotations

from typing import Any

import numpy as np


def of_fixed_effects(results: Any, r_matrix: Any) -> Any:
    """
    Hypotheses about fixed effects, with zeros for the variance parameters.

    Raises
    ------
    ValueError
        For arrays without one column for each fixed effect.
    """
    array = r_matrix[0] if isinstance(r_matrix, tuple) else r_matrix
    if not _is_text(array) and np.shape(array)[-1:] != (results.k_fe,):
        raise ValueError(f"r_matrix for t-test should have {results.k_fe:d} columns")
    return padded(results, r_matrix)


def padded(results: Any, r_matrix: Any) -> Any:
    """Hypotheses with zeros for the variance parameters where arrays have fixed effects only."""
    if isinstance(r_matrix, tuple):
        return padded(results, r_matrix[0]), *r_matrix[1:]
    if _is_text(r_matrix):
        return r_matrix
    matrix = np.atleast_2d(np.asarray(r_matrix, dtype=float))
    if matrix.shape[1] == len(results.params):
        return matrix
    if matrix.shape[1] != results.k_fe:
        raise ValueError(
            f"r_matrix has {matrix.shape[1]} columns, but there are {results.k_fe} fixed effects and "
            f"{len(results.params)} parameters"
        )
    return np.hstack([matrix, np.zeros((len(matrix), len(results.params) - results.k_fe))])


def refuse_unknown(results: Any, constraint: Any) -> None:
    """Refuse hypotheses, as arrays, about parameters without a standard error."""
    array = constraint[0] if isinstance(constraint, tuple) else constraint
    unknown = np.isnan(results.bse)
    if _is_text(array) or not unknown.any() or np.shape(array)[-1] != len(unknown):
        return
    concerned = unknown & np.any(array != 0, axis=0)
    if concerned.any():
        names = ", ".join(np.array(results.model.data.param_names, dtype=object)[concerned])
        raise ValueError(f"{names}: no test without a standard error")


def _is_text(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(v, str) for v in value)
    return isinstance(value, (str, dict))
