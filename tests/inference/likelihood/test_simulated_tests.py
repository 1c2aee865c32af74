"""Tests by parametric bootstrap, and Kenward and Roger's comparison of models."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mixedmodels import (
    anova,
    families,
    glmer,
    kr_compare,
    linear_hypothesis,
    lmer,
    load_beets,
    load_epil,
    load_sleepstudy,
    pb_compare,
)
from mixedmodels.errors import ArgumentError, DataError
from shared_fits import fits

SLEEP = load_sleepstudy()


@pytest.fixture(scope="module")
def beets():
    full = lmer("sugpct ~ block + sow + harvest + (1 | block:harvest)", load_beets())
    return full, full.update(". ~ . - harvest")


def test_parametric_bootstrap(beets):
    full, reduced = beets
    table = pb_compare(full, reduced, nsim=200, rng=7)
    pd.testing.assert_frame_equal(pd.DataFrame(table), pd.DataFrame(pb_compare(full, reduced, 200, rng=7)))
    statistic = table.loc["LRT", "statistic"]
    assert table.loc["LRT", "Pr(>statistic)"] == pytest.approx(stats.chi2.sf(statistic, 1))
    # The test on F(1, 2) has p = 0.06 where chi2 has 0.0003: two whole plots and four coefficients.
    exact = kr_compare(full, reduced)["Pr(>F)"].iloc[0]
    assert exact == pytest.approx(0.0599, abs=1e-3)
    assert table.loc["PBtest", "Pr(>statistic)"] == pytest.approx(exact, abs=4 * np.sqrt(0.06 / 200))
    assert table.loc["LRT", "Pr(>statistic)"] < 0.005
    share = table.loc["PBtest", "Pr(>statistic)"] * 201
    assert share == pytest.approx(round(share))
    bartlett = table.loc["Bartlett", "statistic"]
    assert table.loc["Bartlett", "Pr(>statistic)"] == pytest.approx(stats.chi2.sf(bartlett, 1))
    assert 0 < bartlett < statistic
    f = table.loc["F"]
    assert f["Pr(>statistic)"] == pytest.approx(stats.f.sf(f["statistic"], 1, f["DenDF"]))


def test_parametric_bootstrap_of_a_generalized_model():
    full = fits("cbpp")
    table = pb_compare(full, full.update(". ~ . - period"), nsim=40, rng=1)
    assert table.loc["PBtest", "Pr(>statistic)"] == pytest.approx(1 / 41)
    # The mean of the simulated ratios is not far from that of chi2(3).
    assert 0.6 < table.loc["Bartlett", "statistic"] / table.loc["LRT", "statistic"] < 1.6


def test_what_cannot_be_compared(beets):
    full, reduced = beets
    with pytest.raises(ArgumentError, match="no more parameters"):
        pb_compare(reduced, full)
    with pytest.raises(DataError, match="rows"):
        pb_compare(full, lmer("Reaction ~ Days + (1 | Subject)", SLEEP))
    with pytest.raises(ArgumentError, match="nsim"):
        pb_compare(full, reduced, nsim=0)
    with pytest.raises(ArgumentError, match="not contained"):
        kr_compare(reduced, full)
    with pytest.raises(ArgumentError, match="same fixed part"):
        kr_compare(full, full)
    generalized = fits("cbpp", "cbind(incidence, size - incidence) ~ 1 + (1 | herd)", "binomial")
    with pytest.raises(ArgumentError, match="linear mixed models"):
        kr_compare(generalized, generalized)


WEIGHTS = np.random.default_rng(2).uniform(0.2, 5.0, len(SLEEP))
OPTIONS = {
    "weights": ({"weights": WEIGHTS}, {}),
    "other weights": ({"weights": WEIGHTS}, {"weights": WEIGHTS[::-1]}),
    "offset": ({"offset": WEIGHTS}, {}),
    "other offset": ({"offset": WEIGHTS}, {"offset": WEIGHTS[::-1]}),
    "fixed values": ({}, {"fixed": {"sigma": 30.0}}),
}


@pytest.mark.parametrize("what", OPTIONS)
@pytest.mark.parametrize("compare", [pb_compare, kr_compare])
def test_models_that_anova_calls_not_nested(compare, what):
    """The same question has the same answer in every comparison."""
    one, other = OPTIONS[what]
    full = lmer("Reaction ~ Days + (1 | Subject)", SLEEP, **other)
    reduced = lmer("Reaction ~ 1 + (1 | Subject)", SLEEP, **one)
    reason = what.removeprefix("other ").rstrip("s")
    assert np.isnan(anova(full, reduced)["Pr(>Chisq)"]).all()
    with pytest.raises(ArgumentError, match=f"{compare.__name__}: .* not nested .*: they differ in {reason}"):
        compare(full, reduced)


def test_families_that_are_not_nested():
    full = fits("epil", "y ~ trt + (1 | subject)", "poisson")
    reduced = glmer("y ~ 1 + (1 | subject)", load_epil(), "poisson", link="sqrt")
    with pytest.raises(ArgumentError, match="differ in family or link"):
        pb_compare(full, reduced)


def test_an_offset_is_part_of_the_hypothesis():
    """With the slope held by an offset of the reduced model, of the full one, or of both."""
    formula, data = "Reaction ~ Days + (1 | Subject)", SLEEP.assign(ten=10.0 * SLEEP["Days"])
    for offsets, value in (((None, "ten"), 10), (("ten", None), -10), (("ten", "ten"), 0)):
        larger = lmer(formula, data, offset=offsets[0])
        reduced = lmer("Reaction ~ 1 + (1 | Subject)", data, offset=offsets[1])
        got = kr_compare(larger, reduced)[["F value", "NumDF", "DenDF", "Pr(>F)"]]
        wanted = linear_hypothesis(larger, f"Days = {value}", ddf="kenward-roger")
        np.testing.assert_allclose(got, wanted, rtol=1e-8)


@pytest.mark.filterwarnings("ignore::mixedmodels.errors.MixedModelsWarning")
def test_kenward_roger_comparison_is_that_of_the_hypothesis(beets):
    full, _ = beets
    got = kr_compare(full, full.update(". ~ . - sow")).iloc[0]
    columns = dict(full._fitted.design.x_terms)["sow"]
    wanted = full.linear_hypothesis(np.eye(full.rank)[columns], ddf="kenward-roger").iloc[0]
    np.testing.assert_allclose(got[["F value", "NumDF", "DenDF", "Pr(>F)"]], wanted, rtol=1e-8)
    # A model that spans the same by other columns.
    data = load_beets()
    same = lmer("sugpct ~ harvest + block + (1 | block:harvest)", data, contrasts={"block": "sum"})
    np.testing.assert_allclose(kr_compare(full, same).iloc[0], got, rtol=1e-8)


@pytest.mark.parametrize("rng", ["a", -1, 1.5])
def test_a_wrong_rng(rng):
    model = fits("sleepstudy", "Reaction ~ Days + (1 | Subject)")
    counts = fits("cbpp")
    for test in (
        lambda: pb_compare(model, model.update(". ~ . - Days"), nsim=2, rng=rng),
        lambda: model.exact_rlrt(nsim=2, rng=rng),
        lambda: model.exact_lrt(nsim=2, rng=rng),
        lambda: model.allFit(optimizers="bobyqa", starts=1, rng=rng),
        lambda: counts.simulate(1, rng),
    ):
        with pytest.raises(ArgumentError, match="rng must be a whole number"):
            test()


def test_a_family_that_cannot_draw_says_so():
    own = families.user(
        lambda y, eta, w: w * (y * eta - np.exp(eta)),
        lambda y, eta, w: w * (y - np.exp(eta)),
        lambda y, eta, w: w * np.exp(eta),
        lambda y, eta, w: w * np.exp(eta),
        link="log",
    )
    model = glmer("y ~ trt + (1 | subject)", load_epil(), own)
    with pytest.raises(ArgumentError, match="pass draw="):
        pb_compare(model, model.update(". ~ . - trt"), nsim=3, rng=1)
