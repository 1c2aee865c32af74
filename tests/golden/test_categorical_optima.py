"""
Models of sleepstudy with a random effect for each day (mixedmodels_jl.json; see README.md), as formulas write
them: their optimum, and the evaluations that lead there from the default start.
"""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np
import pytest
from golden_cases import not_above, read_cases

from mixedmodels import lmer, load_sleepstudy
from mixedmodels.errors import MixedModelsWarning

EXPECTED = {case["id"]: case["expected"] for case in read_cases("mixedmodels_jl.json")}
# A formula, its number of covariance parameters and its case.
MODELS = {
    "Reaction ~ days + (days | Subject)": (55, "seed-sleepstudy-cat-full"),
    "Reaction ~ days + (1 + fulldummy(days) | Subject)": (66, "seed-sleepstudy-cat-fulldummy"),
    "Reaction ~ Days + zerocorr(1 + Days | Subject)": (2, "seed-sleepstudy-zerocorr"),
    "Reaction ~ days + zerocorr(1 + days | Subject)": (10, "seed-sleepstudy-cat-zerocorr"),
    "Reaction ~ days + (1 | Subject) + zerocorr(days | Subject)": (
        10,
        "seed-sleepstudy-cat-zerocorr-separate",
    ),
    "Reaction ~ days + zerocorr(1 + fulldummy(days) | Subject)": (
        11,
        "seed-sleepstudy-cat-zerocorr-fulldummy",
    ),
}
MOST = 20


@cache
def fitted(formula: str, reml: bool):
    data = load_sleepstudy()
    data["days"] = data["Days"].astype(int).astype(str)
    with warnings.catch_warnings():
        # Of singular fits, and of repeated intercepts.
        warnings.simplefilter("ignore", MixedModelsWarning)
        return lmer(formula, data, REML=reml)


@pytest.mark.parametrize("formula", MODELS)
def test_the_optimum_is_reached(formula):
    size, case = MODELS[formula]
    model, expected = fitted(formula, False), EXPECTED[case]
    assert len(model.theta) == size
    optimum = expected.get("optimum", {})
    best = optimum.get("objective_exact_minimum", expected["objective"])
    # The printed ones have four decimals.
    assert not_above(model.objective, best + 0.5e-4)


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("formula", MODELS)
def test_few_evaluations_suffice(formula, reml):
    model = fitted(formula, reml)
    assert model.convergence.converged
    assert model.convergence.n_evaluations <= MOST


def test_both_codings_of_all_days_have_the_same_optimum():
    for reml in (False, True):
        written = fitted("Reaction ~ days + (days | Subject)", reml)
        full = fitted("Reaction ~ days + (1 + fulldummy(days) | Subject)", reml)
        assert full.objective == pytest.approx(written.objective, abs=1e-7)


def test_each_day_varies_as_printed():
    formula = "Reaction ~ days + zerocorr(1 + fulldummy(days) | Subject)"
    model, expected = fitted(formula, False), EXPECTED[MODELS[formula][1]]
    (term, *_) = list(model.VarCorr())
    assert list(term["names"]) == ["(Intercept)", *(f"days[{day}]" for day in range(10))]
    assert list(model.ranef()["Subject"].columns) == list(term["names"])
    printed = np.array([entry["sd"] for entry in expected["vc"]])
    assert term["sd"][0] == pytest.approx(printed[0], rel=1e-4)
    # With one row for each day of a subject, only the sum with the residual variance is determined.
    total = np.hypot(term["sd"][1:], model.sigma)
    assert total == pytest.approx(np.hypot(printed[1:], expected["sigma"]), rel=5e-4)


def test_zeros_by_structure_are_dots():
    model = fitted("Reaction ~ days + zerocorr(1 + fulldummy(days) | Subject)", False)
    lines = str(model.VarCorr()).splitlines()
    assert [line.split().count(".") for line in lines[2:12]] == list(range(1, 11))
