"""Linear hypotheses in the ways that users of statsmodels write them, for all of `params`."""

from __future__ import annotations

from typing import Any

import numpy as np
from statsmodels.formula._manager import FormulaManager


def check_alpha(alpha: Any) -> float:
    """One minus a confidence level."""
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"alpha must be between 0 and 1, such as 0.05, not {alpha!r}")
    return alpha


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


def tested_rows(results: Any, constraint: Any) -> Any:
    """
    The hypotheses that can be tested: those about dropped columns, without a standard error, are left out.

    Parameters
    ----------
    results : MixedLMResults
    constraint : array-like, str or tuple
        Of all parameters.

    Returns
    -------
    constraint : array-like, str or tuple
        As given where nothing is left out; otherwise coefficients and values, which may have no rows.
    left_out : int
        Number of hypotheses that were left out.

    Raises
    ------
    ValueError
        For variances without a standard error.
    """
    unknown = np.isnan(np.asarray(results.bse))
    if not unknown.any():
        return constraint, 0
    names = results.model.data.cov_names
    linear = FormulaManager().get_linear_constraints(constraint, names)
    matrix, values = np.asarray(linear.constraint_matrix), np.ravel(linear.constraint_values)
    concerned = unknown & np.any(matrix != 0, axis=0)
    if not concerned.any():
        return constraint, 0
    if concerned[results.k_fe :].any():
        shown = ", ".join(np.array(names, dtype=object)[concerned])
        raise ValueError(f"{shown}: no test without a standard error")
    rows = ~np.any(matrix[:, unknown] != 0, axis=1)
    return (matrix[rows], values[rows]), int(np.sum(~rows))


def _is_text(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(v, str) for v in value)
    return isinstance(value, (str, dict))
