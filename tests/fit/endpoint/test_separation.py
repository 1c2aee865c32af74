"""Separation and optima at infinity are told by the data; large effects alone are neither."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from mixedmodels import Control, SeparationWarning, glmer, load_arabidopsis, load_bacteria, load_cbpp
from mixedmodels.fit.endpoint.recession import strictly_separable, unbounded_columns


def fit(formula, data, family="binomial", **options):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = glmer(formula, data, family, **options)
    texts = [str(w.message) for w in caught if issubclass(w.category, SeparationWarning)]
    return model, texts


def probability(eta):
    return 1 / (1 + np.exp(-np.clip(eta, -700, 700)))


def strong(seed, n, groups, slope):
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(groups), n // groups)
    b, x = rng.normal(size=groups) * 0.5, rng.normal(size=n)
    return pd.DataFrame({"g": g, "x": x, "y": rng.binomial(1, probability(slope * x + b[g]))})


def test_a_strong_predictor_is_no_separation():
    model, texts = fit("y ~ x + (1 | g)", strong(3, 200, 20, 6))
    assert not texts
    # lme4 1.1-31 and glmmTMB 1.1.5.
    assert model.beta[1] == pytest.approx(6.767, abs=2e-3)
    assert model.se["x"] == pytest.approx(1.321, abs=5e-3)


@pytest.mark.parametrize("slope", [3, 4, 8])
def test_predictors_separate_exactly_where_outcomes_do_not_overlap(slope):
    for seed in range(40):
        data = strong(seed, 100, 10, slope)
        apart = data["x"][data["y"] == 0].max() < data["x"][data["y"] == 1].min()
        _, texts = fit("y ~ x + (1 | g)", data)
        assert any("coefficient" in text and "x:" in text for text in texts) == apart, seed


def large(seed, sd, slope):
    rng = np.random.default_rng(seed)
    g, x = np.repeat(np.arange(40), 200), rng.normal(size=8000)
    eta = slope * x + sd * rng.normal(size=40)[g]
    return pd.DataFrame({"g": g, "x": x, "y": rng.binomial(1, probability(eta))})


@pytest.mark.parametrize(("sd", "slope"), [(20, 15), (40, 30)])
def test_a_huge_standard_deviation_that_the_data_bound_is_an_optimum(sd, slope):
    data = large(1, sd, slope)
    both = data.groupby("g")["y"].nunique()
    assert (both == 2).sum() > 30
    model, texts = fit("y ~ x + (1 | g)", data)
    assert model.convergence.converged
    assert not model.convergence.unbounded
    assert model.theta[0] == pytest.approx(sd, rel=0.35)
    for factor in (1.1, 2, 4):
        start = {"theta": factor * model.theta, "beta": factor * model.beta}
        there = glmer("y ~ x + (1 | g)", data, "binomial", start=start, optimizer=None)
        assert there.objective > model.objective + 0.1
    assert np.isfinite(model.summary().coefficients).all(axis=None)
    assert len(texts) == 1
    assert "are finite but may be far off" in texts[0]


@pytest.mark.parametrize("groups", [6, 12, 30])
@pytest.mark.parametrize("rows", [2, 4])
@pytest.mark.parametrize(
    "options",
    [{}, {"nAGQ": 0}, {"nAGQ": 9}, {"optimizer": "bobyqa"}, {"control": Control(starts=4)}],
    ids=str,
)
@pytest.mark.parametrize("formula", ["b ~ 1 + (1 | g)", "b ~ f + (1 | g)", "b ~ x + (1 | g)"])
def test_outcomes_constant_within_levels_are_always_told(groups, rows, options, formula):
    rng = np.random.default_rng(groups)
    data = pd.DataFrame({"g": np.repeat(np.arange(groups), rows)})
    data["b"], data["f"] = data["g"] % 2, np.where(data["g"] % 3 == 0, "u", "v")
    data["x"] = rng.normal(size=len(data))
    model, texts = fit(formula, data, **options)
    assert model.convergence.unbounded
    assert not model.convergence.converged
    assert len(texts) == 1
    assert "hardly vary within levels" in texts[0]


def test_one_level_with_both_outcomes_bounds_the_variance():
    data = pd.DataFrame({"g": np.repeat(np.arange(12), 4)})
    data["b"] = data["g"] % 2
    data.loc[:7, "b"] = [0, 1, 0, 1, 0, 0, 1, 1]
    model, _ = fit("b ~ 1 + (1 | g)", data)
    assert not model.convergence.unbounded


def test_predictors_that_separate_completely_are_told_once():
    for seed in range(6):
        rng = np.random.default_rng(seed)
        data = pd.DataFrame({"g": np.repeat(np.arange(20), 5), "x": rng.normal(size=100)})
        data["b"] = (data["x"] > 0).astype(int)
        _, texts = fit("b ~ x + (1 | g)", data)
        assert len(texts) == 1
        assert "predictors separate" in texts[0]


def test_ordinary_data_are_quiet():
    rng = np.random.default_rng(2)
    g, visit = np.repeat(np.arange(294), 7), np.tile(np.arange(7) * 2.0, 294)
    y = rng.binomial(1, probability(-1.6 - 0.4 * visit + 4 * rng.normal(size=294)[g]))
    toenails = pd.DataFrame({"y": y, "visit": visit, "g": g})
    for formula, data, family in (
        ("y ~ visit + (1 | g)", toenails, "binomial"),
        ("y ~ trt + I(week > 2) + (1 | ID)", load_bacteria(), "binomial"),
        ("cbind(incidence, size - incidence) ~ period + (1 | herd)", load_cbpp(), "binomial"),
        ("`total.fruits` ~ nutrient * amd + (1 | popu) + (1 | gen)", load_arabidopsis(), "poisson"),
    ):
        model, texts = fit(formula, data, family)
        assert model.convergence.converged
        assert not texts


def test_directions_to_infinity():
    x = np.column_stack([np.ones(6), [0, 0, 0, 1, 1, 1], [1.0, 2, 3, 1, 2, 4]])
    # The second column separates in part: its rows are all successes.
    assert unbounded_columns(x, np.array([1.0, -1, 1, 1, 1, 1]), [0, 1, 2]) == [1]
    assert not strictly_separable(x, np.array([1.0, -1, 1, 1, 1, 1]))
    assert unbounded_columns(x, np.array([1.0, -1, 1, 1, -1, 1]), [0, 1, 2]) == []
    # Rows that must stay, and rows that do not count.
    assert unbounded_columns(x, np.array([0.0, 0, 0, 1, 1, 1]), [0, 1, 2]) == [1]
    assert unbounded_columns(x, np.array([0.0, 0, 0, 0, 0, np.nan]), [0, 1, 2]) == []
    # Far from zero and in any units.
    far = x * [1, 1, 1e-6] + [0, 0, 1e3]
    assert unbounded_columns(far, np.array([1.0, -1, 1, 1, 1, 1]), [0, 1, 2]) == [1]
    assert strictly_separable(x, np.array([-1.0, -1, -1, 1, 1, 1]))
    levels = np.array([0, 0, 1, 1, 2, 2])
    constant = np.array([1.0, 1, -1, -1, 1, 1])
    assert not strictly_separable(x[:, :1], constant)
    assert strictly_separable(x[:, :1], constant, [(levels, np.ones((6, 1)))])
