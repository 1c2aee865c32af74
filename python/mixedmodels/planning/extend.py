"""Larger and smaller studies of the same design: copies of its rows with new labels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..checks import shown, whole_number
from ..design.matrix import check_memory
from ..errors import ArgumentError, MissingColumnError, MixedModelsWarning
from ..notices import warn_user
from ..wording import listed
from .tables import Table, table_of

_NUMBERED = re.compile(r"(.*?)(\d+)")


def extended(data: Any, n: Any, along: Any = None, within: Any = None, function: str = "extend") -> Any:
    """A data set with other numbers of levels or rows, see :func:`mixedmodels.extend`."""
    n = whole_number("n", n, 1)
    table = table_of(data)
    if (along is None) == (within is None):
        raise ArgumentError(
            f"{function}: give either along= (a column that gets n levels) or within= (n rows each)"
        )
    if within is not None:
        names = [within] if isinstance(within, str) else within
        return _within(table, names, n, function)
    if not isinstance(along, str):
        raise ArgumentError(f"along must be the name of a column, not {shown(along)}")
    return _along(table, along, n, function)


def _known(table: Table, names: Sequence[Any], function: str) -> None:
    for name in names:
        if name not in table.names:
            raise MissingColumnError(
                f"{function}: the data has no column {name!r}; its columns are {listed(table.names, most=20)}"
            )


def _within(table: Table, names: Any, n: int, function: str) -> Any:
    if not isinstance(names, (list, tuple)) or not names or not all(isinstance(name, str) for name in names):
        raise ArgumentError(f"within must be the name of a column or a list of names, not {shown(names)}")
    _known(table, names, function)
    cells = pd.MultiIndex.from_arrays([table.codes(name)[0] for name in names])
    codes = pd.factorize(cells)[0]
    check_memory(float(n) * (codes.max(initial=-1) + 1), 8 * len(table.names), "the data")
    parts = [np.resize(np.flatnonzero(codes == cell), n) for cell in range(codes.max(initial=-1) + 1)]
    return table.rows(np.concatenate([np.zeros(0, dtype=np.intp), *parts]), {})


def _along(table: Table, along: str, n: int, function: str) -> Any:
    _known(table, [along], function)
    codes, labels = table.codes(along)
    k = len(labels)
    if k == 0:
        raise ArgumentError(f"{function}: the column {along!r} has no values")
    if n == k:
        return table.rows(np.arange(len(codes)), {})
    if n < k:
        # Rows without a level go with the levels that are left out.
        return table.rows(np.flatnonzero((codes >= 0) & (codes < n)), {})
    check_memory(float(n) * max(1.0, len(codes) / k), 8 * len(table.names), "the data")
    rows = [np.arange(len(codes))]
    rows += [np.flatnonzero(codes == level % k) for level in range(k, n)]
    copies = np.repeat(np.arange(len(rows)), [len(part) for part in rows])
    chosen = np.concatenate(rows)
    new = [*labels, *_more(labels, n - k, along, function)]
    own = np.where(copies == 0, codes[chosen], k - 1 + copies)
    columns = {along: (own, new)}
    for name in table.names:
        if name != along and _is_nested(table, name, codes) and _are_labels(table, name, along, function):
            columns[name] = _copied(table, name, chosen, copies, k)
    return table.rows(chosen, columns)


def _is_nested(table: Table, name: str, outer: NDArray[np.intp]) -> bool:
    """Whether each value of a column is in one level, and there are more values than levels."""
    codes, labels = table.codes(name)
    used = (codes >= 0) & (outer >= 0)
    if len(labels) <= len(np.unique(outer[used])):
        return False
    pairs = np.unique(codes[used] * (outer.max(initial=0) + 1) + outer[used])
    return len(pairs) == len(np.unique(codes[used]))


def _are_labels(table: Table, name: str, along: str, function: str) -> bool:
    """Whether values that are nested in the levels label parts of them, instead of measuring something."""
    codes, labels = table.codes(name)
    if table.is_text(name):
        return True
    if not _are_whole(labels):
        return False
    without_gaps = table.is_integer(name) and max(labels) - min(labels) == len(labels) - 1
    repeated = bool(np.bincount(codes[codes >= 0]).min() > 1)
    if table.is_categorical(name) or (without_gaps and repeated):
        return True
    # Numbers of which none is repeated may be counts.
    if repeated or without_gaps:
        warn_user(
            f"{function}: each number in column {name!r} occurs in one level of {along!r} only, and copies "
            "have the same numbers; if they are labels, such as those of a grouping factor, make them text",
            MixedModelsWarning,
        )
    return False


def _are_whole(labels: Sequence[Any]) -> bool:
    numbers = all(isinstance(own, (int, float)) and not isinstance(own, bool) for own in labels)
    return numbers and all(float(own).is_integer() for own in labels)


def _copied(
    table: Table, name: str, rows: NDArray[np.intp], copies: NDArray[np.intp], k: int
) -> tuple[NDArray[np.intp], list[Any]]:
    """Labels of parts of the levels, with new ones in the copies."""
    codes, labels = table.codes(name)
    own, new, known = codes[rows].copy(), list(labels), set(labels)
    numbers = _are_whole(labels)
    largest = max(labels) if numbers else 0
    for copy in range(1, int(copies.max(initial=0)) + 1):
        at = np.flatnonzero((copies == copy) & (own >= 0))
        for code in np.unique(own[at]).tolist():
            generation = 2 + (copy - 1) // k
            label = f"{labels[code]}_{generation}"
            while label in known:
                generation += 1
                label = f"{labels[code]}_{generation}"
            if numbers:
                label = largest = largest + 1
            known.add(label)
            own[at[own[at] == code]] = len(new)
            new.append(label)
    return own, new


def _more(labels: Sequence[Any], count: int, name: str, function: str) -> list[Any]:
    """Labels for new levels, in the manner of those that there are."""
    if all(isinstance(label, (bool, np.bool_)) for label in labels):
        raise ArgumentError(f"{function}: the column {name!r} is True or False and cannot have more levels")
    if all(isinstance(label, (int, float, np.number)) for label in labels):
        return _next_numbers(np.asarray(labels, dtype=np.float64), count, labels)
    if not all(isinstance(label, str) for label in labels):
        raise ArgumentError(
            f"{function}: the column {name!r} has neither text nor numbers, so there are no labels"
        )
    found = [_NUMBERED.fullmatch(label) for label in labels]
    matches = [match for match in found if match is not None]
    if len(matches) == len(labels) and len({match[1] for match in matches}) == 1:
        last, width = max(int(match[2]) for match in matches), min(len(match[2]) for match in matches)
        return [f"{matches[0][1]}{last + i:0{width}d}" for i in range(1, count + 1)]
    known, result = set(labels), []
    for i in range(count):
        generation = 2 + i // len(labels)
        label = f"{labels[i % len(labels)]}_{generation}"
        while label in known:
            label += "_"
        known.add(label)
        result.append(label)
    return result


def _next_numbers(values: NDArray[np.float64], count: int, labels: Sequence[Any]) -> list[Any]:
    """The numbers after the largest, by the step between the last two."""
    order = np.sort(values)
    step = order[-1] - order[-2] if len(order) > 1 else 1.0
    new = order[-1] + step * np.arange(1, count + 1)
    whole = all(isinstance(label, (int, np.integer)) for label in labels)
    return [round(value) for value in new.tolist()] if whole else new.tolist()


def sized(along: str | None, within: Any) -> str:
    """The name of the size of a study that a power curve goes along."""
    if along is not None:
        return f"levels of {along}"
    names = [within] if isinstance(within, str) else list(within)
    return f"rows within {' and '.join(names)}"
