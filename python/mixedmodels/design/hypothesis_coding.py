"""Contrasts from hypotheses: each coefficient is a weighted sum of the means of the levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import ArgumentError

_INTERCEPT = "(Intercept)"
# Weights are typed with few digits: 0.33 is no third.
_ROUNDING = 1e-8


def hypothesis_matrix(
    given: Any, labels: Sequence[str], factor: str
) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """
    The names of the columns and their values at each level, from hypotheses about the means of the levels.

    The contrast matrix is the generalized inverse of the matrix of hypotheses (Schad, Vasishth, Hohenstein
    and Kliegl, 2020, Journal of Memory and Language 110, 104038).

    Parameters
    ----------
    given : mapping, DataFrame or array-like
        Weights of n levels, by the name of the hypothesis: a mapping of levels to weights (0 for the others)
        or n numbers. Or a matrix with a row for each hypothesis and a column for each level; the columns of a
        DataFrame are matched to the levels. There are n - 1 hypotheses whose weights sum to 0, and, if the
        intercept is not to be the mean of all levels, one whose weights sum to 1: named "(Intercept)", or the
        first row of a matrix without names.
    labels : sequence of str
        The levels.
    factor : str
        For errors.

    Raises
    ------
    ArgumentError
        Naming the hypothesis at fault.
    """
    what = f"contrasts of {factor!r}"
    names, weights = _read(given, labels, what)
    n = len(labels)
    if not np.isfinite(weights).all():
        raise ArgumentError(f"{what}: the hypotheses contain weights that are not finite")
    own = names is None and len(weights) == n
    rows = list(names) if names is not None else [*([_INTERCEPT] if own else []), *map(str, range(1, n))]
    intercept = rows.index(_INTERCEPT) if _INTERCEPT in rows else None
    wanted = n - 1 + (intercept is not None)
    if len(weights) != wanted:
        raise ArgumentError(
            f"{what}: {n} levels need {n - 1} hypotheses besides the intercept, got "
            f"{len(weights) - (intercept is not None)}"
        )
    for i, (name, row) in enumerate(zip(rows, weights, strict=True)):
        total = 1.0 if i == intercept else 0.0
        if abs(row.sum() - total) > _ROUNDING * max(1.0, float(np.abs(row).sum())):
            raise ArgumentError(
                f"{what}: the weights of the hypothesis {name!r} must sum to {total:g}, not {row.sum():.6g}"
            )
    if np.linalg.matrix_rank(weights) < len(weights):
        raise ArgumentError(f"{what}: one of the hypotheses follows from the others; leave it out")
    keep = [i for i in range(len(rows)) if i != intercept]
    # With the mean of all levels as the intercept the inverse has the generalized inverse of the other rows.
    first = np.full(n, 1.0 / n) if intercept is None else weights[intercept]
    inverse = np.asarray(np.linalg.inv(np.vstack([first, weights[keep]])), dtype=np.float64)
    return tuple([rows[i] for i in keep]), np.ascontiguousarray(inverse[:, 1:])


def _read(given: Any, labels: Sequence[str], what: str) -> tuple[tuple[str, ...] | None, NDArray[np.float64]]:
    """The names of the hypotheses, if they have any, and their weights."""
    n = len(labels)
    if isinstance(given, pd.DataFrame):
        columns = [str(c) for c in given.columns]
        if sorted(columns) != sorted(labels):
            raise ArgumentError(
                f"{what}: the columns of the hypotheses are {columns}, but the levels are {list(labels)}"
            )
        numbers = given.to_numpy()[:, [columns.index(label) for label in labels]]
        return tuple(map(str, given.index)), _numbers(numbers, what)
    if isinstance(given, Mapping):
        rows = [_row(str(name), weights, labels, what) for name, weights in given.items()]
        return tuple(map(str, given)), np.array(rows).reshape(len(rows), n)
    numbers = _numbers(given, what)
    if numbers.ndim == 1 and n == 2:
        numbers = numbers[None, :]
    if numbers.ndim != 2 or numbers.shape[1] != n or numbers.shape[0] not in (n - 1, n):
        raise ArgumentError(
            f"{what}: the matrix of hypotheses has shape {numbers.shape}; {n} levels need {(n - 1, n)}, or "
            f"{(n, n)} with the intercept in the first row"
        )
    return None, numbers


def _row(name: str, weights: Any, labels: Sequence[str], what: str) -> NDArray[np.float64]:
    if isinstance(weights, Mapping):
        by_level = {str(level): weight for level, weight in weights.items()}
        unknown = [level for level in by_level if level not in labels]
        if unknown:
            raise ArgumentError(
                f"{what}: {unknown[0]!r} in the hypothesis {name!r} is not one of the levels "
                f"{list(labels[:20])}"
            )
        weights = [by_level.get(label, 0.0) for label in labels]
    row = _numbers(weights, what)
    if row.shape != (len(labels),):
        raise ArgumentError(
            f"{what}: the hypothesis {name!r} needs a weight for each of {len(labels)} levels"
        )
    return row


def _numbers(values: Any, what: str) -> NDArray[np.float64]:
    try:
        return np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ArgumentError(f"{what}: the weights of the hypotheses must be numbers") from None
