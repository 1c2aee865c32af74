"""From results to a model of ours: lme4's formula where it has the same meaning, arrays where it has not."""

import numpy as np
import pandas as pd
import pytest
from dietox import fit
from numpy.testing import assert_allclose

from mixedmodels import emmeans, load_dietox, load_pastes, load_penicillin
from mixedmodels.errors import ArgumentError, FormulaWarning
from mixedmodels.statsmodels import MixedLM, MixedLMParams, mixedlm


def made(n_groups=30, size=8):
    rng = np.random.default_rng(7)
    n = n_groups * size
    frame = pd.DataFrame(
        {
            "g": np.repeat(np.arange(n_groups), size),
            "v": np.tile(np.repeat(["a", "b"], size // 2), n_groups),
            "x": rng.normal(size=n),
            "my z": rng.normal(size=n),
            "w": rng.normal(size=n),
        }
    )
    g, x = frame["g"], frame["x"]
    frame["u"] = [f"{a}{b}" for a, b in zip(g, frame["v"], strict=True)]
    cells = pd.factorize(frame["u"])[0]
    frame["y"] = 1 + x + rng.normal(size=n_groups)[g] + rng.normal(size=n_groups)[g] * x
    frame["y"] += rng.normal(size=2 * n_groups)[cells] + rng.normal(size=n_groups)[g] * frame["my z"]
    frame["y"] += rng.normal(size=n)
    return frame


DATA = made()
CASES = {
    "intercept": ({}, "y ~ x + (1 | g)"),
    "slope": ({"re_formula": "~x"}, "y ~ x + (x | g)"),
    "no intercept": ({"re_formula": "0 + x"}, "y ~ x + (0 + x | g)"),
    "a factor within groups": (
        {"re_formula": "1", "vc_formula": {"v": "0 + C(v)"}},
        "y ~ x + (1 | g) + (1 | g:v)",
    ),
    "a nested factor": ({"re_formula": "1", "vc_formula": {"u": "0 + u"}}, "y ~ x + (1 | g) + (1 | u)"),
    "a number": ({"vc_formula": {"x": "0 + x"}}, "y ~ x + (0 + x | g)"),
    "numbers": (
        {"re_formula": "1", "vc_formula": {"s": "0 + x + w"}},
        "y ~ x + (1 | g) + homdiag(0 + x + w | g)",
    ),
    "a quoted name": (
        {"vc_formula": {"a": "0 + Q('my z')", "b": "~1"}},
        "y ~ x + (0 + `my z` | g) + (1 | g)",
    ),
    "a slope within cells": (
        {"re_formula": "1", "vc_formula": {"v": "0 + C(v):x"}},
        "y ~ x + (1 | g) + (0 + x | g:v)",
    ),
}


def same(ours, result):
    assert_allclose(ours.llf, result.llf, rtol=1e-9)
    assert_allclose(ours.params, result.fe_params, rtol=1e-5)
    assert_allclose(ours.sigma**2, result.scale, rtol=1e-5)


@pytest.mark.parametrize("reml", [True, False], ids=["REML", "ML"])
@pytest.mark.parametrize(("options", "formula"), CASES.values(), ids=CASES)
def test_formulas_are_translated(options, formula, reml):
    result = mixedlm("y ~ x", DATA, groups="g", **options).fit(reml=reml)
    ours = result.to_mixedmodels()
    assert ours.formula == formula
    same(ours, result)
    same(result.to_mixedmodels(arrays=True), result)
    remainder = mixedlm("y ~ I(x % 2)", DATA, groups="g").fit()
    with pytest.warns(FormulaWarning, match="fits: [^\n]*\\. Its newdata are columns of the arrays"):
        same(remainder.to_mixedmodels(), remainder)


def test_crossed_factors_in_one_group():
    data = load_penicillin().assign(one=1)
    parts = {"plate": "0 + C(plate)", "sample": "0 + C(sample)"}
    result = mixedlm("diameter ~ 1", data, groups="one", vc_formula=parts).fit()
    ours = result.to_mixedmodels()
    assert ours.formula == "diameter ~ 1 + (1 | plate) + (1 | sample)"
    same(ours, result)


def test_nested_factors_of_pastes():
    result = mixedlm(
        "strength ~ 1", load_pastes(), groups="batch", re_formula="1", vc_formula={"cask": "0 + cask"}
    ).fit()
    assert result.to_mixedmodels().formula == "strength ~ 1 + (1 | batch) + (1 | batch:cask)"
    same(result.to_mixedmodels(), result)


def test_groups_as_values():
    by_name = mixedlm("y ~ x", DATA, groups="g").fit()
    same(mixedlm("y ~ x", DATA, groups=DATA["g"]).fit().to_mixedmodels(), by_name)
    other = mixedlm("y ~ x", DATA.drop(columns="g"), groups=DATA["g"].to_numpy()).fit().to_mixedmodels()
    assert other.formula == "y ~ x + (1 | groups)"
    same(other, by_name)


def test_missing_rows_and_subsets():
    data = DATA.copy()
    data.loc[[3, 40], "x"] = np.nan
    result = mixedlm("y ~ x", data, groups="g", missing="drop").fit()
    assert result.to_mixedmodels().nobs == result.nobs == len(data) - 2
    same(result.to_mixedmodels(), result)
    half = mixedlm("y ~ x", DATA, groups="g", subset=DATA["g"] < 15).fit()
    assert half.to_mixedmodels().nobs == half.nobs == 120
    same(half.to_mixedmodels(), half)


def test_uncorrelated_coefficients():
    free = MixedLMParams.from_components(np.ones(2), cov_re=np.eye(2))
    result = mixedlm("y ~ x", DATA, groups="g", re_formula="~x").fit(free=free)
    ours = result.to_mixedmodels()
    assert ours.formula == "y ~ x + diag(x | g)"
    same(ours, result)


def test_what_formulas_cannot_say_stays_an_array_model():
    def twice(x):
        return 2 * x

    result = mixedlm("y ~ twice(x)", DATA, groups="g").fit()
    with pytest.warns(FormulaWarning, match="to_mixedmodels: the model is made from its arrays.*twice"):
        ours = result.to_mixedmodels()
    same(result.to_mixedmodels(arrays=True), result)
    remainder = mixedlm("y ~ I(x % 2)", DATA, groups="g").fit()
    with pytest.warns(FormulaWarning, match="fits: [^\n]*\\. Its newdata are columns of the arrays"):
        same(remainder.to_mixedmodels(), remainder)
    same(ours, result)
    with pytest.raises(ValueError, match="made from arrays"):
        emmeans(ours, "x")


def test_models_from_arrays():
    x = np.column_stack([np.ones(len(DATA)), DATA["x"]])
    result = MixedLM(DATA["y"].to_numpy(), x, DATA["g"].to_numpy()).fit()
    same(result.to_mixedmodels(), result)


def test_marginal_means_kenward_roger_and_influence_are_one_call_away():
    result = mixedlm("Weight ~ Time + C(Cu)", load_dietox(), groups="Pig").fit()
    ours = result.to_mixedmodels()
    assert len(emmeans(ours, "Cu").to_frame()) == 3
    assert_allclose(ours.anova(ddf="kenward-roger").to_frame().loc["C(Cu)", "DenDF"], 69, atol=1)


def test_penalised_fits_have_no_counterpart():
    from statsmodels.base._penalties import L2

    result = MixedLM.from_formula("Weight ~ Time", load_dietox(), groups="Pig").fit(fe_pen=L2())
    with pytest.raises(ArgumentError, match="penalised"):
        result.to_mixedmodels()


def test_the_original_is_left_alone():
    columns = list(DATA.columns)
    fit(True, True).to_mixedmodels()
    mixedlm("y ~ x", DATA, groups=DATA["g"].to_numpy() + 1).fit().to_mixedmodels()
    assert list(DATA.columns) == columns


def test_models_of_arrays_have_the_labels_of_their_groups():
    labels = 100 - DATA["g"].to_numpy()
    x = np.column_stack([np.ones(len(DATA)), DATA["x"]])
    for groups in (labels, labels.astype(str), labels + 0.5):
        result = MixedLM(DATA["y"].to_numpy(), x, groups).fit()
        ours = result.to_mixedmodels()
        modes = ours.ranef()["Group"].iloc[:, 0]
        assert set(modes.index) == {str(group) for group in groups}
        for group, effects in result.random_effects.items():
            assert_allclose(modes[str(group)], effects.iloc[0], rtol=1e-6)
        new = pd.DataFrame({"x1": DATA["x"], "Group": groups})
        assert_allclose(ours.predict(new), result.fittedvalues, rtol=1e-7)


@pytest.mark.parametrize("reml", [True, False], ids=["REML", "ML"])
@pytest.mark.parametrize("options", [options for options, _ in CASES.values()], ids=CASES)
def test_effects_of_components_keep_their_labels(options, reml):
    result = mixedlm("y ~ x", DATA.assign(g=2 * DATA["g"] + 1), groups="g", **options).fit(reml=reml)
    ours = result.to_mixedmodels(arrays=True)
    assert_allclose(ours.fitted(), result.fittedvalues, rtol=1e-6)
    assert ours.llf == result.llf
    for factor, table in ours.ranef().items():
        assert all(
            label.split(":")[0] in set(map(str, result.model.group_labels)) for label in table.index
        ), factor


def test_crossed_factors_of_arrays_have_their_own_levels():
    data = load_penicillin().assign(one=1)
    parts = {"plate": "0 + C(plate)", "sample": "0 + C(sample)"}
    result = mixedlm("diameter ~ 1", data, groups="one", vc_formula=parts).fit()
    ours = result.to_mixedmodels(arrays=True)
    assert set(ours.ranef()["sample"].index) == set(data["sample"])
    assert_allclose(ours.predict(data), result.fittedvalues, rtol=1e-7)


def test_masks_and_evaluations_keep_their_labels():
    free = MixedLMParams.from_components(np.ones(2), cov_re=np.diag([1, 0]))
    start = MixedLMParams.from_components(np.zeros(2), cov_re=np.diag([1.0, 0.5]))
    model = mixedlm("y ~ x", DATA.assign(g=2 * DATA["g"] + 1), groups="g", re_formula="~x")
    for options in ({"free": free}, {"do_cg": False}, {"free": free, "do_cg": False}):
        result = model.fit(start_params=start, **options)
        ours = result.to_mixedmodels(arrays=True)
        assert_allclose(ours.fitted(), result.fittedvalues, rtol=1e-7)
        assert list(ours.ranef()["g"].index) == [str(group) for group in result.model.group_labels]
