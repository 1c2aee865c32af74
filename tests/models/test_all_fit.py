"""Fits by all optimizers side by side, and whether they agree."""

from __future__ import annotations

import pickle
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import pytest

import mixedmodels as mm
from mixedmodels import lmer, load_dyestuff2, load_sleepstudy, load_sleepstudy_x
from mixedmodels.errors import ArgumentError, MixedModelsWarning
from mixedmodels.models.all_fit_summary import summarized
from shared_fits import fits

SLEEP = load_sleepstudy()
FORMULA = "Reaction ~ Days + (Days | Subject)"


def test_fits_that_agree():
    model = fits("sleepstudy")
    before = pickle.dumps(model)
    summary = model.allFit(starts=2, rng=1).summary()
    assert summary.agree
    assert len(summary.verdict) == 1
    assert summary.verdict[0].startswith("All 8 fits agree: objectives within 0.001")
    assert list(summary.fixef.columns) == ["(Intercept)", "Days"]
    varcorr = model.tidy("ran_pars").set_index("term")["estimate"]
    assert summary.sd.loc["trust_region"].tolist() == pytest.approx(
        [varcorr["sd__(Intercept)"], varcorr["sd__Days"]]
    )
    assert (summary.differences["sd"] < 1e-3).all()
    assert pickle.dumps(model) == before


@pytest.mark.filterwarnings("ignore::mixedmodels.errors.MixedModelsWarning")
def test_searches_that_stop_short():
    model = lmer(FORMULA, load_sleepstudy_x(), control={"max_evaluations": 2}, optimizer="bobyqa")
    summary = model.allFit(optimizers=["trust_region", "bobyqa"]).summary()
    text = " ".join(summary.verdict)
    assert not summary.agree
    assert "1 of 2 fits reaches the lowest objective" in text
    assert "has not converged" in text
    assert "Above the lowest objective: bobyqa (by " in text
    assert "use fits['trust_region']" in text
    # By the definitions: of the model that is best.
    best, other = (summary.fixef.loc[name] for name in ("trust_region", "bobyqa"))
    fit = model.allFit(optimizers="trust_region").fits["trust_region"]
    wanted = ((other - best).abs() / fit.bse).max()
    assert summary.differences.loc["bobyqa", "coefficients"] == pytest.approx(wanted)
    one, two = summary.sd.loc["trust_region"], summary.sd.loc["bobyqa"]
    assert summary.differences.loc["bobyqa", "sd"] == pytest.approx(((two - one).abs() / one).max())


def table_of(objectives: dict[str, float], converged: bool = True) -> pd.DataFrame:
    table = pd.DataFrame({"objective": pd.Series(objectives)})
    table["excess"] = table["objective"] - table["objective"].min()
    return table.assign(converged=converged, evaluations=1.0, seconds=0.0, message="")


def test_estimates_that_differ_at_one_height():
    model = fits("sleepstudy")
    other = model.refit(SLEEP["Reaction"] * 1.05)
    table = table_of({"one": 1.0, "two": 1.0 + 1e-5})
    summary = summarized({"one": model, "two": other}, table, 1.0)
    assert not summary.agree
    assert "2 of 2 fits reach the lowest objective" in summary.verdict[0]
    assert "differ in their estimates, coefficients by up to " in summary.verdict[1]
    assert "standard deviations by up to 5.0%" in summary.verdict[1]


def test_errors_have_their_place():
    model = fits("sleepstudy")
    table = table_of({"one": 1.0, "two": np.nan})
    summary = summarized({"one": model, "two": ArgumentError("no")}, table, 1.5)
    assert summary.verdict[-2:] == (
        "Without a fit: two",
        "The objective of the model itself is 0.5 above the lowest: its search stopped short or found "
        "another optimum; use fits['one']",
    )
    assert "two" not in summary.fixef.index
    nothing = summarized({"two": ArgumentError("no")}, table.loc[["two"]], np.nan)
    assert nothing.verdict == ("Without a fit: two",)
    assert not nothing.agree
    assert "two" in str(nothing)


def test_variances_of_zero_agree():
    with pytest.warns(MixedModelsWarning):
        model = lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff2())
    assert model.allFit().summary().agree


def test_any_executor():
    model, told = fits("sleepstudy"), []
    options: dict[str, Any] = {"starts": 2, "rng": 5, "optimizers": ["trust_region", "cobyla"]}
    alone = mm.allFit(model, **options)
    with ProcessPoolExecutor(2) as pool:
        other = mm.allFit(
            model, executor=pool, progress=lambda done, total: told.append((done, total)), **options
        )
    one, two = (result.table.drop(columns="seconds") for result in (alone, other))
    pd.testing.assert_frame_equal(one, two)
    assert told[-1] == (4, 4)
    assert other.fits["start 1"].fixef().tolist() == alone.fits["start 1"].fixef().tolist()


def test_numbers_of_fits_in_words():
    model = fits("sleepstudy")
    both = model.allFit(optimizers=["trust_region", "bobyqa"]).summary()
    assert both.verdict[0].startswith("Both fits agree: objectives within")
    with pytest.raises(ArgumentError, match="optimizers is empty"):
        model.allFit(optimizers=[])
