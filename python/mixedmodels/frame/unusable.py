"""Columns that a model cannot compute with: errors that say what to do, and dates and times as labels."""

from __future__ import annotations

import datetime
import decimal
import numbers
from typing import Any

import numpy as np
import pandas as pd

from ..errors import DataError
from .column import LabelsOnly

_ADVICE = {
    "dates or times": "to use it as a number, compute the days or seconds since a starting point; "
    "to use it as a factor, write factor()",
    "time spans": "to use it as a number, divide it by a unit (such as one day); "
    "to use it as a factor, write factor()",
    "complex numbers": "use the real part, the imaginary part or the modulus",
    "bytes": "decode it to text",
    "nested values": "unnest it into columns with one number or label in each row",
    "intervals": "convert it to a categorical, or use the midpoints",
}


def refusal(name: str, holds: str, dtype: Any = None) -> DataError:
    """The error for a column that ``holds`` unusable values (a key of the table above, or free text)."""
    kind = "" if dtype is None else f" (dtype {dtype})"
    advice = _ADVICE.get(holds, "convert it to numbers or text first")
    use = "compute with" if holds in ("dates or times", "time spans") else "use"
    return DataError(f"column {name!r} holds {holds}{kind}, which a model cannot {use}; {advice}")


def too_large(name: str) -> DataError:
    """The error for integers that exceed 64 bits."""
    return DataError(
        f"column {name!r} holds integers beyond 64 bits; convert it to text to use it as a factor, "
        "or to float to use it as a number"
    )


def is_number(value: Any) -> bool:
    """Whether a value of an object column is a real number (True and False are not)."""
    return isinstance(value, (numbers.Real, decimal.Decimal)) and not isinstance(value, (bool, np.bool_))


def mixed_or_odd(name: str, values: Any) -> DataError:
    """The error for an object column that is not all text, all numbers or all True/False."""
    missing = pd.isna(values)
    first: tuple[int, str] | None = None
    for row in np.flatnonzero(~missing):
        holds = _holds(values[row])
        if holds not in ("text", "numbers", "True or False"):
            return _at_row(refusal(name, holds), int(row), values[row])
        if first is None:
            first = int(row), holds
        elif holds != first[1]:
            there = values[first[0]]
            return DataError(
                f"column {name!r} mixes {first[1]} and {holds}: row {row} (counting from 0) holds "
                f"{_show(values[row])} ({type(values[row]).__name__}) while row {first[0]} holds "
                f"{_show(there)} ({type(there).__name__}); convert all values to text, or all to numbers"
            )
    return refusal(name, "values of unknown kind")


def _holds(value: Any) -> str:
    if isinstance(value, str):
        return "text"
    if isinstance(value, (bool, np.bool_)):
        return "True or False"
    if is_number(value):
        return "numbers"
    if isinstance(value, numbers.Complex):
        return "complex numbers"
    if isinstance(value, (bytes, bytearray)):
        return "bytes"
    if isinstance(value, (datetime.timedelta, np.timedelta64)):
        return "time spans"
    if isinstance(value, (datetime.date, datetime.time, np.datetime64, pd.Period)):
        return "dates or times"
    if isinstance(value, pd.Interval):
        return "intervals"
    if isinstance(value, (list, tuple, dict, set, frozenset, np.ndarray, pd.Series)):
        return "nested values"
    return f"{type(value).__name__} objects"


def _at_row(error: DataError, row: int, value: Any) -> DataError:
    return DataError(f"{error} (row {row}, counting from 0, holds {_show(value)})")


def _show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


def time_labels(name: str, values: Any, refused: DataError) -> LabelsOnly:
    """
    A column of dates, times or time spans.

    Levels are in chronological order. A date, or midnight, is shown as ``2024-03-01``.

    Parameters
    ----------
    name : str
    values : array that pandas can factorize
    refused : DataError
        The error for use as a number or predictor.
    """
    try:
        codes, found = pd.factorize(values, sort=True)
    except TypeError:
        # Dates and times cannot be ordered among each other.
        raise refused from None
    levels = tuple(map(_text, found))
    if len(set(levels)) < len(levels):
        raise refused
    codes = codes.astype(np.int32)
    codes.flags.writeable = False
    return LabelsOnly(name, codes, levels, refusal=str(refused))


def _text(value: Any) -> str:
    if isinstance(value, np.timedelta64 | datetime.timedelta):
        return str(pd.Timedelta(value))
    if isinstance(value, np.datetime64 | datetime.datetime):
        # Midnight, without a time zone, is shown as the date.
        return str(pd.Timestamp(value)).removesuffix(" 00:00:00")
    return str(value)
