"""Factors made from other columns: from numbers, without unused levels, as interactions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import ArgumentError
from .column import Column, Factor, distinct_factor, make_factor

# Up to this many cells per row, a table of all cells is cheaper than hashing the rows.
_TABLE = 8


def as_factor(column: Column) -> Factor:
    """
    Convert a column to a factor whose levels are the distinct values in increasing order.

    A whole number is shown without a decimal point (``3``), any other number in the shortest form
    that reads back as the same number (``0.1``). A factor is returned unchanged.

    Parameters
    ----------
    column : Numeric or Factor, n rows

    Returns
    -------
    Factor, n rows
        Missing values stay missing.

    Examples
    --------
    >>> from mixedmodels.frame import Frame, as_factor
    >>> days = Frame.from_any({"days": [2.0, 0.0, 10.0, 2.0]}).column("days")
    >>> as_factor(days).labels()
    ('0', '2', '10')
    """
    if isinstance(column, Factor):
        return column
    if column.integers:
        codes, values = _number(column.stored, column.filled)
        return distinct_factor(column.name, codes, tuple(values.tolist()))
    codes, values = pd.factorize(column.values, sort=True)
    levels = map(bool if column.kind == "bool" else _plain, values.tolist())
    return distinct_factor(column.name, codes, tuple(levels))


def drop_unused(factor: Factor) -> Factor:
    """
    Drop the unused levels of a factor; the order of the others does not change.

    Parameters
    ----------
    factor : Factor, n rows

    Returns
    -------
    Factor, n rows
        The same object when every level is used.
    """
    used = np.zeros(len(factor.levels) + 1, dtype=bool)
    used[factor.codes] = True
    used = used[:-1]
    if used.all():
        return factor
    new = np.append(np.cumsum(used, dtype=np.int32) - 1, np.int32(-1))
    levels = tuple(level for level, keep in zip(factor.levels, used.tolist(), strict=True) if keep)
    return distinct_factor(factor.name, new[factor.codes], levels, factor.ordered)


def interact(factors: Sequence[Factor]) -> Factor:
    """
    The observed cells of several crossed factors, as one factor.

    A row is missing when any of its factors is. Levels are in lexicographic order, the first
    factor varying slowest; their text joins the labels with ``":"``. A label that itself contains
    ``":"`` or ``'"'`` is put in double quotes (doubling those inside), so that no two cells have
    the same label.

    Parameters
    ----------
    factors : sequence of Factor, n rows each

    Returns
    -------
    Factor, n rows
        Named like the factors, joined with ``":"``. Never larger than the data: time and
        memory grow with n, not with the number of possible cells.

    Raises
    ------
    ArgumentError
        When no factor is given or their lengths differ.

    Examples
    --------
    >>> from mixedmodels.frame import Frame, interact
    >>> data = Frame.from_any({"batch": ["A", "A", "B"], "cask": ["b", "a", "a"]})
    >>> interact([data.column("batch"), data.column("cask")]).levels
    ('A:a', 'A:b', 'B:a')
    """
    if not factors:
        raise ArgumentError("an interaction needs at least one factor")
    lengths = {len(factor) for factor in factors}
    if len(lengths) > 1:
        raise ArgumentError(f"factors to be crossed must have the same length, not {sorted(lengths)}")
    if len(factors) == 1:
        return drop_unused(factors[0])
    codes = factors[0].codes
    n_cells = len(factors[0].levels)
    parts: list[NDArray[np.int64]] = [np.arange(n_cells)]
    for factor in factors[1:]:
        width = len(factor.levels)
        # Both counts fit 31 bits (cells are re-counted below, at most one a row), the key fits 62.
        key = codes.astype(np.int64) * width + factor.codes
        key[(codes < 0) | (factor.codes < 0)] = -1
        codes, cells = _compress(key, n_cells * width)
        parts = [part[cells // width] for part in parts] + [cells % width]
        n_cells = len(cells)
    texts = [
        np.array([*map(_quoted, f.labels())], dtype=object)[p].tolist()
        for f, p in zip(factors, parts, strict=True)
    ]
    return make_factor(":".join(f.name for f in factors), codes, map(":".join, zip(*texts, strict=True)))


def _number(
    integers: NDArray[Any], filled: NDArray[np.bool_] | None
) -> tuple[NDArray[np.int32], NDArray[Any]]:
    """Number the distinct integers in increasing order (-1 where filled): codes of the rows, integers."""
    known = integers if filled is None else integers[~filled]
    if not len(known):
        return np.full(len(integers), -1, dtype=np.int32), known
    low, high = int(known.min()), int(known.max())
    if _table_pays(high - low + 1, len(integers)) and high < 2**63:
        key = integers.astype(np.int64)
        key -= low
        if filled is not None:
            key[filled] = -1
        codes, found = _compress(key, high - low + 1)
        return codes, found + low
    codes = np.full(len(integers), -1, dtype=np.int32)
    where = slice(None) if filled is None else ~filled
    codes[where], values = pd.factorize(known, sort=True)
    return codes, np.asarray(values)


def _compress(key: NDArray[np.int64], n_keys: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Number the distinct keys in increasing order (-1 stays): codes of the rows, sorted keys."""
    if _table_pays(n_keys, len(key)):
        used = np.zeros(n_keys + 1, dtype=bool)
        used[key] = True
        used[-1] = False
        new = np.cumsum(used, dtype=np.int32)
        new -= 1
        new[-1] = -1
        return new[key], np.flatnonzero(used)
    present = key >= 0
    codes = np.full(len(key), -1, dtype=np.int32)
    codes[present], cells = pd.factorize(key[present], sort=True)
    return codes, np.asarray(cells)


def _table_pays(n_keys: int, n_rows: int) -> bool:
    return n_keys <= _TABLE * n_rows + 1024


def _plain(value: float) -> Any:
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _quoted(label: str) -> str:
    if ":" in label or '"' in label:
        return '"' + label.replace('"', '""') + '"'
    return label
