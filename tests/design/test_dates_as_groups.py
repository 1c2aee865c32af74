"""Dates, times, time spans, True and False as groups: only which rows are alike counts."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from mixedmodels import emmeans, glmer, lmer, load_sleepstudy
from mixedmodels.errors import DataError

SLEEP = load_sleepstudy().assign(number=lambda d: d.Subject.cat.codes)
DAYS = pd.Timestamp("2024-02-25") + pd.to_timedelta(SLEEP["number"], unit="D")

KINDS: dict[str, Callable[[], Any]] = {
    "days": lambda: DAYS,
    "moments": lambda: DAYS + pd.Timedelta("7h"),
    "time zone": lambda: DAYS.dt.tz_localize("Europe/Vienna"),
    "dates": lambda: DAYS.dt.date,
    "periods": lambda: DAYS.dt.to_period("D"),
    "time spans": lambda: DAYS - DAYS.iloc[0],
}
FITS: dict[str, Callable[[Any], Any]] = {
    "linear": lambda data: lmer("Reaction ~ Days + (Days | day)", data),
    "generalized": lambda data: glmer("round(Reaction / 2) ~ Days + (1 | day)", data, "poisson"),
}


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_fit_is_that_of_the_labels(kind: str, fit: str) -> None:
    data = SLEEP.assign(day=KINDS[kind]())
    model, wanted = FITS[fit](data), FITS[fit](SLEEP.assign(day=SLEEP["number"]))
    assert model.objective == pytest.approx(wanted.objective, abs=1e-9)
    np.testing.assert_allclose(model.ranef()["day"].to_numpy(), wanted.ranef()["day"].to_numpy(), atol=1e-6)
    np.testing.assert_allclose(model.predict(data), model.predict(), atol=1e-9)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(data), model.predict(data))


@pytest.mark.parametrize("library", ["polars", "arrow"])
def test_of_every_library(library: str) -> None:
    table = pl.from_pandas(SLEEP.assign(day=DAYS)).with_columns(pl.col("day").cast(pl.Date))
    model = lmer("Reaction ~ Days + (1 | day)", table if library == "polars" else table.to_arrow())
    assert model._fitted.design.terms[0].group.levels[:2] == ("2024-02-25", "2024-02-26")
    assert model.objective == pytest.approx(lmer("Reaction ~ Days + (1 | number)", SLEEP).objective, abs=1e-9)
    # A date in any form is that date.
    wanted = model.predict(table.head(1))
    for day in ("2024-02-25", DAYS.iloc[0], DAYS.iloc[0].date(), np.datetime64("2024-02-25")):
        new = pd.DataFrame({"Days": [0], "day": [day]})
        np.testing.assert_allclose(model.predict(new), wanted)


def test_missing_and_new_days() -> None:
    data = SLEEP.assign(day=DAYS.mask(SLEEP["number"] == 3))
    model = lmer("Reaction ~ Days + (1 | day)", data)
    assert (model.nobs, model.ngrps["day"]) == (170, 17)
    with pytest.raises(DataError, match="levels that were not in the fit: '2024-02-28'"):
        model.predict(SLEEP.assign(day=DAYS))


def test_in_cells_and_as_factor() -> None:
    data = SLEEP.assign(day=DAYS, week=SLEEP["Days"] > 4)
    nested = lmer("Reaction ~ Days + (1 | day/week)", data)
    wanted = lmer("Reaction ~ Days + (1 | number/week)", data)
    assert nested.objective == pytest.approx(wanted.objective, abs=1e-9)
    fixed = lmer("Reaction ~ factor(day) + (1 | Days)", data)
    assert fixed.fixef().index[1] == "factor(day)[T.2024-02-26]"
    other = lmer("Reaction ~ factor(number) + (1 | Days)", data)
    np.testing.assert_allclose(fixed.fixef().to_numpy(), other.fixef().to_numpy(), atol=1e-7)
    np.testing.assert_allclose(fixed.predict(data), fixed.predict(), atol=1e-9)
    assert emmeans(fixed, "~ day").to_frame()["day"].iloc[0] == "2024-02-25"


def test_true_and_false_are_two_groups() -> None:
    data = SLEEP.assign(late=SLEEP["Days"] > 4)
    model, wanted = (lmer("Reaction ~ 1 + (1 | late)", d) for d in (data, data.astype({"late": str})))
    assert model.ngrps == {"late": 2}
    assert model.objective == pytest.approx(wanted.objective, abs=1e-9)


@pytest.mark.parametrize(
    "formula",
    ["Reaction ~ day + (1 | Subject)", "Reaction ~ Days + (day | Subject)", "day ~ 1 + (1 | Subject)"],
)
def test_they_are_no_numbers(formula: str) -> None:
    with pytest.raises(DataError, match=r"column 'day' holds dates or times.*days or seconds since"):
        lmer(formula, SLEEP.assign(day=DAYS))
