"""Pickled models: what comes back, and what a pickle holds."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

import mixedmodels as mm
from frame.sleep_data import FORMULA, SLEEP
from mixedmodels import FormulaWarning, RankDeficiencyWarning, glmer, lmer
from mixedmodels.errors import MixedModelError


def models() -> dict[str, Any]:
    cbpp = mm.load_cbpp()
    gaps = SLEEP.copy()
    gaps.loc[gaps.index[:5], "Days"] = np.nan
    binomial = glmer("cbind(incidence, size - incidence) ~ period + (1 | herd)", cbpp, "binomial")
    plain = lmer("Reaction ~ Days + (Days | Subject)", SLEEP)
    with pytest.warns(FormulaWarning, match="double bar"):
        double = lmer("log(Reaction) ~ 0 + f + (0 + f || Subject)", SLEEP)
    with pytest.warns(RankDeficiencyWarning):
        deficient = lmer("Reaction ~ Days + I(2 * Days) + f + (1 | Subject)", SLEEP)
    return {
        "plain": plain,
        "rank deficient": deficient,
        "weights": lmer(
            FORMULA, SLEEP, weights=SLEEP["w"], offset=SLEEP["extra"].to_numpy(), contrasts="sum"
        ),
        "missing rows": lmer(FORMULA, gaps, na_action="exclude", subset="Days != 5"),
        "transforms": lmer("log(Reaction) ~ poly(Days, 2) + offset(extra / 100) + (1 | Subject)", SLEEP),
        "double bar": double,
        "refit": plain.refit(SLEEP["Reaction"] ** 0.5 + SLEEP["extra"]),
        "ML": plain.refit(REML=False),
        "binomial": binomial,
        "binomial, refit": binomial.refit(
            np.column_stack([cbpp["size"] - cbpp["incidence"], cbpp["incidence"]])
        ),
        "poisson": glmer("round(Reaction / 2) ~ f + (1 | Subject)", SLEEP, "poisson", offset="extra / 100"),
        "polars": lmer(FORMULA, pl.from_pandas(SLEEP)),
        "all other columns": lmer("Reaction ~ . + (1 | Subject)", SLEEP, weights="w", subset="Days > 0"),
    }


@pytest.fixture(scope="module")
def fits() -> dict[str, Any]:
    return models()


NAMES = (
    *(
        "plain",
        "rank deficient",
        "weights",
        "missing rows",
        "transforms",
        "double bar",
        "refit",
        "ML",
        "binomial",
    ),
    *("binomial, refit", "poisson", "polars", "all other columns"),
)


@pytest.mark.filterwarnings("ignore::mixedmodels.errors.RankDeficiencyWarning")
@pytest.mark.parametrize("through", ["pickle", "copy", "deepcopy"])
@pytest.mark.parametrize("name", NAMES)
def test_a_model_comes_back_as_it_was(fits: dict[str, Any], name: str, through: str) -> None:
    ways: dict[str, Callable[[Any], Any]] = {
        "pickle": lambda m: pickle.loads(pickle.dumps(m)),
        "copy": copy.copy,
        "deepcopy": copy.deepcopy,
    }
    model, other = fits[name], ways[through](fits[name])
    assert type(other) is type(model)
    assert str(other.summary()) == str(model.summary())
    for part in ("theta", "beta"):
        np.testing.assert_array_equal(getattr(other, part), getattr(model, part))
    state, back = model._fitted, other._fitted
    for part in ("x", "y", "weights", "offset"):
        np.testing.assert_array_equal(getattr(back.design, part), getattr(state.design, part))
    for one, two in zip(state.design.terms, back.design.terms, strict=True):
        np.testing.assert_array_equal(one.z, two.z)
        np.testing.assert_array_equal(one.group.codes, two.group.codes)
        assert (one.group.levels, one.text) == (two.group.levels, two.text)
    np.testing.assert_allclose(other.fitted(), model.fitted(), rtol=1e-13)
    np.testing.assert_allclose(other.residuals(), model.residuals(), atol=1e-10)
    assert other.refit().objective == pytest.approx(model.objective, abs=1e-8)
    # Once more, also of a model whose response was given to refit.
    again = pickle.loads(pickle.dumps(other))
    np.testing.assert_array_equal(again._fitted.design.y, state.design.y)


def test_a_pickle_holds_the_columns_used_and_no_others() -> None:
    data = SLEEP.assign(mail="someone@example.org")
    for source in (data, pl.from_pandas(data), dict(data)):
        model = lmer("Reaction ~ Days + (1 | Subject)", source)
        model.update(". ~ . + extra")
        assert b"example.org" not in pickle.dumps(model)
        assert len(pickle.dumps(model)) < 10_000


def test_a_pickle_of_many_rows_is_small() -> None:
    data = mm.load_insteval()
    model = lmer("y ~ service + (1 | s) + (1 | d)", data, start=[0.3, 0.5], optimizer=None)
    state = pickle.dumps(model)
    assert len(state) < 2**20
    assert pickle.loads(state).objective == model.objective


def test_formats_that_are_not_known_are_refused() -> None:
    model = lmer("Reaction ~ Days + (1 | Subject)", SLEEP)
    empty = object.__new__(type(model._fitted))
    state = model._fitted.__getstate__()
    assert state["version"] == mm.__version__
    with pytest.raises(
        MixedModelError, match=r"of format 99, written by mixedmodels 7\.1; .* reads format 1 only"
    ):
        empty.__setstate__({**state, "format": 99, "version": "7.1"})
    with pytest.raises(MixedModelError, match=r"without a format number, .* an older .* fit the model again"):
        empty.__setstate__({"design": None, "arguments": None})


def twice(x: Any) -> Any:
    return 2 * x


WIDTH = 1


def wide(x: Any) -> Any:
    return np.column_stack([np.asarray(x) ** (i + 1) for i in range(WIDTH)])


def test_own_functions_come_along(monkeypatch: pytest.MonkeyPatch) -> None:
    model = lmer("Reaction ~ twice(Days) + (1 | Subject)", SLEEP, functions={"twice": twice})
    other = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(other.predict(SLEEP), model.predict(SLEEP))
    state = pickle.dumps(lmer("Reaction ~ wide(Days) + (1 | Subject)", SLEEP, functions={"wide": wide}))
    monkeypatch.setitem(globals(), "WIDTH", 2)
    with pytest.raises(MixedModelError, match="gives other columns than in the fit"):
        pickle.loads(state)


def objective_of(model: Any) -> float:
    return model.refit(REML=False).objective


def test_other_processes() -> None:
    model = lmer("Reaction ~ Days + (1 | Subject)", SLEEP)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(objective_of, [model]) == [pytest.approx(objective_of(model), abs=1e-9)]
