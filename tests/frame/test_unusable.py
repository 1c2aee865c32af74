"""Dates, times and time spans tell groups apart, and are nothing else."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from mixedmodels.errors import DataError
from mixedmodels.frame import Factor, Frame, LabelsOnly, as_factor

DAYS = pd.to_datetime(["2024-03-02", "2024-03-01", None, "2024-03-02"])
DATES = [None if pd.isna(day) else day.date() for day in DAYS]
WHOLE_DAYS = ("2024-03-01", "2024-03-02")

COLUMNS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "datetime64": (DAYS.to_numpy(), WHOLE_DAYS),
    "datetime64[D]": (DAYS.to_numpy().astype("M8[D]"), WHOLE_DAYS),
    "Series": (pd.Series(DAYS), WHOLE_DAYS),
    "with a time zone": (
        pd.Series(DAYS).dt.tz_localize("UTC"),
        tuple(f"{d} 00:00:00+00:00" for d in WHOLE_DAYS),
    ),
    "dates": (DATES, WHOLE_DAYS),
    "datetimes": (list(DAYS.to_pydatetime()), WHOLE_DAYS),
    "periods": (DAYS.to_period("M").to_series().to_numpy(), ("2024-03",)),
    "months": (pd.Series(DAYS).dt.to_period("M"), ("2024-03",)),
    "moments": (DAYS + pd.Timedelta("90min"), tuple(f"{d} 01:30:00" for d in WHOLE_DAYS)),
    "time spans": (DAYS - DAYS[1], ("0 days 00:00:00", "1 days 00:00:00")),
    "times of day": ([datetime.time(12), datetime.time(9, 30)], ("09:30:00", "12:00:00")),
    "polars dates": (pl.Series(DATES), WHOLE_DAYS),
    "polars moments": (pl.Series(DATES).cast(pl.Datetime("ns")), WHOLE_DAYS),
    "polars time spans": (
        pl.Series(DATES) - datetime.date(2024, 3, 1),
        ("0 days 00:00:00", "1 days 00:00:00"),
    ),
    "polars times of day": (pl.Series([datetime.time(12), None, datetime.time(9)]), ("09:00:00", "12:00:00")),
    "arrow dates": (pl.Series(DATES).to_arrow(), WHOLE_DAYS),
    "arrow moments": (pl.Series(DATES).cast(pl.Datetime("us", "UTC")).to_arrow(), ()),
    "arrow time spans": ((pl.Series(DATES) - datetime.date(2024, 3, 1)).to_arrow(), ()),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_labels_in_order_of_time(name: str) -> None:
    values, levels = COLUMNS[name]
    frame = Frame.from_any({"day": values})
    column = frame.labels("day")
    assert isinstance(column, LabelsOnly)
    if levels:
        assert as_factor(column).labels() == levels
    codes: dict[str, tuple[int, ...]] = {
        "periods": (0, 0, -1, 0),
        "months": (0, 0, -1, 0),
        "times of day": (1, 0),
        "polars times of day": (1, -1, 0),
    }
    assert tuple(column.codes) == codes.get(name, (1, 0, -1, 1))
    # Rows of a frame are of the same kind.
    part = frame.rows(np.arange(len(values)) > 0)
    assert isinstance(part.labels("day"), LabelsOnly)
    for one in (frame, part):
        with pytest.raises(DataError, match=r"'day' holds (dates or times|time spans).*write factor\(\)"):
            one.column("day")


def test_dates_next_to_moments_have_no_order() -> None:
    mixed = [datetime.date(2024, 1, 1), datetime.datetime(2024, 1, 1, 5)]
    with pytest.raises(DataError, match="dates or times"):
        Frame.from_any({"day": mixed}).labels("day")


def test_a_factor_is_no_such_column() -> None:
    assert type(Frame.from_any({"f": ["a", "b"]}).labels("f")) is Factor
