"""confint(): one default interval everywhere, and rows named by what they are."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mixedmodels import (
    coef_test,
    confint,
    emmeans,
    families,
    fit_many,
    glance,
    glmer,
    lmer,
    load_cake,
    load_dietox,
    load_epil,
    load_machines,
    load_sleepstudy,
    model_table,
    tidy,
)
from mixedmodels.errors import ArgumentError
from shared_fits import fits

SLEEP = load_sleepstudy()
SLOPES = fits("sleepstudy")
CAKE = lmer("angle ~ recipe + temp + (1 | recipe:replicate)", load_cake())
BINOMIAL = fits("cbpp")
MODELS = [SLOPES, SLOPES.refit(REML=False), CAKE, BINOMIAL]


@pytest.mark.parametrize("model", MODELS, ids=["reml", "ml", "cake", "binomial"])
@pytest.mark.parametrize("ddf", [None, "satterthwaite", "kenward-roger", "residual", "inf"])
@pytest.mark.parametrize("level", [0.95, 0.8])
def test_all_intervals_agree(model, ddf, level):
    if model is BINOMIAL and ddf not in (None, "inf"):
        with pytest.raises(ArgumentError, match="generalized model"):
            model.confint(ddf=ddf)
        return
    limits = model.confint(level, ddf=ddf)
    coefficients = limits.tail(len(model.beta)).to_numpy()
    np.testing.assert_array_equal(model.conf_int(1 - level, ddf=ddf), coefficients)
    np.testing.assert_array_equal(confint(model, level, ddf=ddf), limits)
    table = tidy(model, conf_int=True, level=level, ddf=ddf)
    np.testing.assert_array_equal(table[["conf.low", "conf.high"]], coefficients)
    # From the table of tests.
    tests = coef_test(model, ddf=ddf)
    df = tests["df"] if "df" in tests else np.full(len(tests), np.inf)
    half = stats.t.ppf(0.5 + level / 2, df) * tests["Std. Error"]
    np.testing.assert_allclose(
        coefficients, np.column_stack([tests["Estimate"] - half, tests["Estimate"] + half])
    )
    # A limit at zero is a p-value of one minus the level: intervals and tests decide alike.
    p = tests.iloc[:, -1].to_numpy()
    assert ((coefficients[:, 0] > 0) | (coefficients[:, 1] < 0)).tolist() == (p < 1 - level).tolist()
    cells = model_table(model, show="conf.int", level=level, ddf=ddf).frame.loc["fixed"].iloc[:, 0]
    assert f"[{coefficients[1, 0]:.3f}, {coefficients[1, 1]:.3f}]" in cells.iloc[1]


def test_default_against_r():
    # lmerTest 3.1-3, contest(m, c(0, 1), joint = FALSE, confint = TRUE, level = 0.95)
    np.testing.assert_allclose(SLOPES.confint().loc["Days"], [7.205955, 13.728617], atol=5e-6)
    # lme4 1.1-31, confint(m, method = "Wald")
    np.testing.assert_allclose(SLOPES.confint(ddf="inf").loc["Days"], [7.437594, 13.496978], atol=2e-5)


def test_means_have_the_same_default():
    model = lmer("score ~ 0 + Machine + (1 | Worker/Machine)", load_machines())
    means = emmeans(model, "~ Machine").to_frame()[["lower.CL", "upper.CL"]]
    np.testing.assert_allclose(model.confint().tail(3), means)


def test_the_output_says_what_the_limits_are():
    assert "95 % Wald limits: t quantiles with Satterthwaite's degrees of freedom" in str(SLOPES.confint())
    assert "90 % Wald limits: t quantiles with Kenward and Roger's" in str(SLOPES.confint(0.9, ddf="kr"))
    assert "Wald limits: normal quantiles" in str(BINOMIAL.confint())
    assert (
        SLOPES.confint().attrs["ddf"]
        == SLOPES.conf_int().attrs["ddf"]
        == "Satterthwaite's degrees of freedom"
    )
    assert "No degrees of freedom" in str(
        lmer("score ~ Machine + (1 | Worker)", load_machines(), start=[9.0], optimizer=None).confint()
    )


def test_methods():
    for method in ("wald", "Wald"):
        np.testing.assert_array_equal(SLOPES.confint(method=method), SLOPES.confint())
    np.testing.assert_array_equal(SLOPES.confint(ddf="kr"), SLOPES.confint(ddf="kenward-roger"))
    for argument, value in (("nsim", 10), ("kind", "basic"), ("rng", 1), ("executor", 3)):
        with pytest.raises(ArgumentError, match=f"{argument} is for method='boot', not 'wald'"):
            SLOPES.confint(**{argument: value})
    with pytest.raises(ArgumentError, match="ddf is for method='wald', not 'boot'"):
        SLOPES.confint(method="boot", ddf="kr")
    with pytest.raises(ArgumentError, match="progress is for method='profile' and method='boot'"):
        SLOPES.confint(progress=True)


@pytest.fixture(scope="module")
def by_family():
    epil, pigs = load_epil(), load_dietox()
    share = pigs.assign(share=(pigs["Weight"] / (pigs["Weight"].max() + 10)))
    counts, weight = "y ~ trt + lbase + (1 | subject)", "Weight ~ Time + (1 | Pig)"
    return {
        "nbinom2": (glmer(counts, epil, "nbinom2"), "size"),
        "nbinom1": (glmer(counts, epil, "nbinom1"), "dispersion"),
        "beta": (glmer("share ~ Time + (1 | Pig)", share, "beta"), "precision"),
        "gamma": (glmer(weight, pigs, "gamma"), "sigma"),
        "inverse_gaussian": (glmer(weight, pigs, "inverse_gaussian"), "sigma"),
        "gaussian": (glmer(weight, pigs, "gaussian", "log"), "sigma"),
        "poisson": (glmer(counts, epil, "poisson"), None),
        "lmm": (SLOPES, "sigma"),
    }


NAMES = {"sigma", "size", "dispersion", "precision"}


@pytest.mark.parametrize(
    "family", ["nbinom2", "nbinom1", "beta", "gamma", "inverse_gaussian", "gaussian", "poisson", "lmm"]
)
def test_the_scale_goes_by_its_name(by_family, family):
    model, name = by_family[family]
    rows = set(model.confint().index) & NAMES
    assert rows == ({name} if name else set())
    row = glance(model)
    assert set(row.columns) & NAMES == {name or "sigma"}
    assert row[name or "sigma"].iloc[0] == model.sigma
    parameters = tidy(model, "ran_pars").set_index("term")["estimate"]
    cells = model_table(model, digits=6).frame.iloc[:, 0].droplevel("part")
    if name in NAMES - {"sigma"}:
        assert parameters[name] == model.sigma == model.dispersion
        assert float(cells[name.capitalize()]) == pytest.approx(model.sigma, rel=1e-5)
        assert f"{name.capitalize()} d:" in str(model.summary())
    else:
        assert not NAMES & set(parameters.index)


def test_a_parameter_held_fixed_has_no_row():
    model = glmer("y ~ trt + (1 | subject)", load_epil(), families.NegativeBinomial(size=7))
    assert not NAMES & set(model.confint().index)
    assert glance(model)["size"].iloc[0] == 7


def test_many_responses_still_say_sigma():
    fits = fit_many("~ Days + (1 | Subject)", SLEEP, SLEEP[["Reaction"]])
    assert "sigma" in repr(fits)
