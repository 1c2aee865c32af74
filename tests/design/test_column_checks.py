"""Columns that hold something other than what the model makes of them are named."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest

from design.building import build_design
from mixedmodels import DataWarning, fit_many, glmer, lmer, load_sleepstudy
from mixedmodels.errors import DataError, MixedModelsWarning

N = 120


def make_data() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    return pd.DataFrame(
        {
            "y": rng.normal(size=N),
            "x": rng.normal(size=N).round(3),
            "age": [str(20 + i % 30) for i in range(N)],
            "site": np.tile(["North", "South", "East"], N // 3),
            "g": np.repeat([f"g{i}" for i in range(10)], N // 10),
        }
    )


def told(formula: str, data: object) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        build_design(formula, data)
    assert all(w.category is DataWarning for w in caught)
    return [str(w.message) for w in caught]


def test_text_that_is_numbers_but_for_a_few_rows() -> None:
    data = make_data()
    data.loc[[3, 60], "age"] = "unknown"
    data.loc[7, "age"] = "?"
    for source in (data, pl.from_pandas(data), data.astype({"age": "category"})):
        for term in ("age", "(age | g)"):
            found = told(f"y ~ x + {'age + (1 | g)' if term == 'age' else term}", source)
            assert len(found) == 1
            assert found[0].startswith(
                "column 'age' is text: 117 of 120 rows look like numbers, others are '?' (1 row)"
            )
            assert "'unknown' (2 rows). The model treats it as a factor with 32 levels" in found[0]
    # Nothing is odd about such labels of groups, nor where the column is not used.
    assert not told("y ~ x + (1 | age)", data)
    assert not told("y ~ x + (1 | g)", data)


def test_a_response_of_such_text_is_refused_for_it() -> None:
    data = make_data().assign(y=lambda d: d.y.astype(str))
    data.loc[5, "y"] = "n/a"
    with pytest.raises(
        DataError, match=r"the response y is text: 119 of 120 rows look like numbers.*'n/a' \(1 row\)"
    ):
        build_design("y ~ x + (1 | g)", data)


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("North", "north", "'North' (39 rows) and 'north' (1 row)"),
        ("East", "East ", "'East' (39 rows) and 'East ' (1 row)"),
        ("South", " SOUTH", "' SOUTH' (1 row) and 'South' (39 rows)"),
    ],
)
@pytest.mark.parametrize("formula", ["y ~ site + (1 | g)", "y ~ x + (1 | site)", "y ~ x + (0 + site | g)"])
def test_levels_that_differ_by_case_or_blanks(old: str, new: str, shown: str, formula: str) -> None:
    data = make_data()
    assert not told(formula, data)
    data.loc[data.index[data["site"] == old][0], "site"] = new
    found = told(formula, data)
    assert len(found) == 1
    start = "column 'site' has 2 levels that differ from others only by case or surrounding blanks"
    assert found[0].startswith(start)
    assert shown in found[0]


def test_levels_without_rows_do_not_count() -> None:
    data = make_data()
    data["site"] = pd.Categorical(data["site"], ["North", "South", "East", "north"])
    assert not told("y ~ site + (1 | g)", data)
    data.loc[0, "site"] = "north"
    assert told("y ~ site + (1 | g)", data)
    # A row that is left out takes its level along.
    data.loc[0, "x"] = np.nan
    assert not told("y ~ x + site + (1 | g)", data)


def test_a_factor_with_a_level_for_nearly_every_row() -> None:
    data = make_data().assign(text=lambda d: d.x.astype(str))
    n_levels = data["text"].nunique()
    with pytest.warns(DataWarning) as caught:
        build_design("y ~ text + (1 | g)", data)
    assert f"factor 'text' in the fixed part has {n_levels} levels ('-" in str(caught[0].message)
    assert "in 120 rows; if it contains numbers" in str(caught[0].message)
    assert not told("y ~ x + (1 | g)", data)
    assert not told("y ~ factor(age) + (1 | g)", data)


@pytest.mark.filterwarnings("ignore::mixedmodels.errors.SingularFitWarning")
def test_every_kind_of_fit_warns_once() -> None:
    data = make_data()
    data.loc[0, "site"] = "south"
    data["k"] = np.arange(N) % 4
    for fit in (
        lambda: lmer("y ~ x + site + (1 | g)", data),
        lambda: glmer("k ~ x + site + (1 | g)", data, "poisson"),
        lambda: fit_many("~ x + site + (1 | g)", data, ["y", "k"]),
    ):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            fit()
        found = [w for w in caught if w.category is DataWarning]
        assert len(found) == 1
        assert found[0].filename == __file__


def test_packaged_data_are_as_they_should_be() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", MixedModelsWarning)
        lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())


@pytest.mark.parametrize("levels", [["AA", "Aa", "aa"], ["BB", "Bb", "bb"], ["id7", "ID7", "Id7"]])
def test_levels_that_case_tells_apart_on_purpose(levels: list[str]) -> None:
    data = make_data().assign(site=np.tile(levels, N // 3))
    for formula in ("y ~ site + (1 | g)", "y ~ x + (1 | site)"):
        assert not told(formula, data)
    # One that is rare beside another, or has blanks around it, is a typing error among them.
    for typo in (levels[1].swapcase(), levels[1] + " "):
        spoilt = data.copy()
        spoilt.loc[0, "site"] = typo
        if typo in levels:
            continue
        (found,) = told("y ~ site + (1 | g)", spoilt)
        assert "has 2 levels" in found
        assert f"{typo!r} (1 row)" in found


def test_identifiers_with_one_row_each() -> None:
    data = make_data().assign(plate=[f"{'aA'[i % 2]}{i // 2}" for i in range(N)])
    data["plate"] = data["plate"].where(data.index < 90, "z9")
    assert not told("y ~ x + (1 | plate)", data)
