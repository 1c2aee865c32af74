"""Dates, times and time spans as labels: what tells groups apart, though no model computes with it."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd

from ..errors import DataError
from .column import LabelsOnly


def time_labels(name: str, values: Any, refused: DataError) -> LabelsOnly:
    """
    A column of dates, times or time spans.

    Levels are in order of time. A date, or the first moment of a day, is shown as ``2024-03-01``.

    Parameters
    ----------
    name : str
    values : array that pandas can number
    refused : DataError
        The error for its use as a number or predictor.
    """
    try:
        codes, found = pd.factorize(values, sort=True)
    except TypeError:
        # Dates next to moments have no order.
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
        # The first moment of a day, without a time zone, is written like the day.
        return str(pd.Timestamp(value)).removesuffix(" 00:00:00")
    return str(value)
