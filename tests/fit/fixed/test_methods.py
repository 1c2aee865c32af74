"""Methods of models that hold parameters carry these along, or say why they do not."""

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bcg import bcg

from mixedmodels import (
    ArgumentError,
    anova,
    cAIC,
    drop1,
    emmeans,
    exact_rlrt,
    fit_many,
    glmer,
    joint_tests,
    lmer,
    load_cake,
    load_cbpp,
    load_sleepstudy,
    model_table,
    pb_compare,
    ranova,
    tidy,
)

SLEEP = "Reaction ~ Days + (Days | Subject)"
COR = "cor__(Intercept).Days"
TESTS = ("value", "Chisq", "Pr(>", ".ratio", "p.value", ".CL")


@pytest.fixture(scope="module")
def free():
    return lmer(SLEEP, load_sleepstudy())


@pytest.fixture(scope="module")
def held():
    return lmer(SLEEP, load_sleepstudy(), fixed={"sigma": 30.0, COR: 0.0, "Days": 10.0})


def test_pickles_and_refits_keep_what_is_held(held):
    copy = pickle.loads(pickle.dumps(held))
    assert str(copy.summary()) == str(held.summary())
    assert copy.update(REML=False).objective == held.update(REML=False).objective
    new = np.random.default_rng(2).normal(300.0, 50.0, held.nobs)
    refitted = copy.refit(new)
    anew = lmer(SLEEP, load_sleepstudy().assign(Reaction=new), fixed={"sigma": 30.0, COR: 0.0, "Days": 10.0})
    assert refitted.objective == pytest.approx(anew.objective, abs=1e-8)
    assert refitted.sigma == 30.0
    assert refitted.fixef()["Days"] == 10.0
    np.testing.assert_allclose(copy.fitted(), held.fitted(), rtol=1e-12)


def test_update_changes_and_frees_what_is_held(held, free):
    assert held.update(fixed=None).objective == pytest.approx(free.objective, abs=1e-7)
    assert held.update(fixed={"sigma": 20.0}).df == free.df - 1
    with pytest.raises(ArgumentError, match=f"no parameter '{COR[:5]}"):
        held.update(". ~ . - (Days | Subject) + (1 | Subject)")


def test_a_copy_of_the_argument_is_kept():
    fixed = {"theta": [None, 0.0, None]}
    model = lmer(SLEEP, load_sleepstudy(), fixed=fixed)
    fixed["theta"][0] = 5.0
    assert model.refit().theta[0] == pytest.approx(model.theta[0])


def test_every_optimizer_finds_the_same_optimum(held):
    fits = held.allFit()
    assert fits.table["excess"].max() < 1e-4
    for fit in fits.fits.values():
        assert fit.sigma == 30.0


def test_likelihood_ratio_of_a_correlation(free):
    model = lmer(SLEEP, load_sleepstudy(), fixed={COR: 0.0})
    table = anova(model, free)
    assert table["Df"].iloc[1] == 1
    bars = anova(lmer("Reaction ~ Days + (Days || Subject)", load_sleepstudy()), free)
    np.testing.assert_allclose(table["Pr(>Chisq)"].iloc[1], bars["Pr(>Chisq)"].iloc[1], rtol=1e-5)
    assert f"fixed: {COR} = 0" in str(table)


def test_different_values_are_not_nested():
    models = [lmer(SLEEP, load_sleepstudy(), fixed=f) for f in ({COR: 0.3}, {COR: 0.0, "sigma": 30.0})]
    table = anova(*models)
    assert "differ in fixed values" in str(table)
    assert np.isnan(table["Pr(>Chisq)"].iloc[1])


def test_simulations_from_a_model_with_held_parameters():
    data = load_sleepstudy()
    full = lmer(SLEEP, data, REML=False)
    reduced = lmer(SLEEP, data, REML=False, fixed={"Days": 10.0})
    table = pb_compare(full, reduced, nsim=20, rng=1)
    assert table.loc["LRT", "Df"] == 1
    assert 0 < table.loc["PBtest", "Pr(>statistic)"] <= 1
    model: Any = glmer(
        "cbind(incidence, size - incidence) ~ period + (1 | herd)",
        load_cbpp(),
        "binomial",
        fixed={"sd__(Intercept)": 0.5},
    )
    drawn = model.simulate(1, rng=3)
    assert model.refit(drawn["sim_1"]).theta[0] == pytest.approx(0.5, rel=1e-12)


def test_tables_show_values_without_errors(held):
    table = tidy(held, "all").set_index("term")
    days = table.loc["Days"].iloc[0]
    assert days["estimate"] == 10.0
    assert np.isnan(days["std.error"])
    assert np.isnan(days["p.value"])
    assert np.isnan(held.se["Days"])
    assert held.confint().loc["Days"].isna().all()
    assert held.pvalues.isna()["Days"]
    text = str(held.summary())
    assert "Days (fixed)" in text
    assert "0.000 (fixed)" in text
    assert "Residual  (fixed)" in text
    assert "Fixed, not estimated: sigma = 30, " in text
    assert "10.000 (fixed)" in str(model_table(held))
    parts = held.VarCorr()["Subject"].parameters
    assert [own.fixed for own in parts] == [False, False, True]
    assert held.VarCorr().sigma_fixed


@pytest.mark.parametrize("ddf", ["satterthwaite", "residual", "inf"])
def test_known_values_have_no_tests(held, ddf):
    """Estimates without a standard error: no statistic, no p-value, no limits."""
    zero = np.zeros((2, 2))
    for model, vcov in ((held, None), (held, zero), (held.update(fixed=None), zero)):
        options = {"ddf": ddf} if vcov is None else {"ddf": None if ddf[0] == "s" else ddf, "vcov": vcov}
        tables = [model.t_test("Days = 1", **options), model.coef_test(**options).loc[["Days"]]]
        tables += [model.linear_hypothesis("Days = 1", **options)]
        trends = model.emtrends("~ 1", "Days", **options)
        tables += [trends.summary(infer=True).to_frame(), trends.test(null=1).to_frame()]
        for table in map(pd.DataFrame, tables):
            found = table[[name for name in table if any(word in name for word in TESTS)]]
            assert len(found.columns) >= 2
            assert found.isna().all(axis=None), table


def test_degrees_of_freedom_and_criteria_count_free_parameters(held, free):
    assert free.df == 6
    assert held.df == held.logLik().df == 3
    assert held.AIC() == pytest.approx(held.objective + 6)
    assert held.BIC() == pytest.approx(held.objective + 3 * np.log(180))
    assert held.df_residual == 177


def test_deviance_of_the_other_criterion_is_that_of_the_values_held(held):
    dense = held.deviance(REML=False)
    again = lmer(
        SLEEP,
        load_sleepstudy(),
        REML=False,
        optimizer=None,
        start=held.theta,
        fixed={"sigma": 30.0, "Days": 10.0},
    )
    assert dense == pytest.approx(again.objective, abs=1e-8)


def test_marginal_means_take_coefficients_as_known():
    data = load_cake()
    formula = "angle ~ recipe + temp + (1 | recipe:replicate)"
    free = lmer(formula, data)
    fixed = {"temp": 0.1}
    held = lmer(formula, data, fixed=fixed)
    shifted = lmer("angle ~ recipe + (1 | recipe:replicate)", data, offset=0.1 * np.asarray(data["temp"]))
    means = emmeans(held, "recipe").to_frame()
    mean_temp = float(np.mean(data["temp"]))
    plain = emmeans(shifted, "recipe", offset=0.1 * mean_temp).to_frame()
    np.testing.assert_allclose(means["emmean"], plain["emmean"], rtol=1e-8)
    np.testing.assert_allclose(means["SE"], plain["SE"], rtol=1e-8)
    np.testing.assert_allclose(means["df"], plain["df"], rtol=1e-4)
    assert held.df == free.df - 1
    new = data.iloc[:4]
    np.testing.assert_allclose(
        held.predict(new, re_form="~0"),
        shifted.predict(new, re_form="~0", offset=0.1 * np.asarray(new["temp"])),
        rtol=1e-8,
    )
    tests = held.anova()
    assert list(tests.index) == ["recipe"]
    assert "Not tested, because coefficients are fixed: temp" in str(tests)
    np.testing.assert_allclose(tests["F value"], shifted.anova()["F value"], rtol=1e-6)
    joint = joint_tests(held).to_frame() if hasattr(joint_tests(held), "to_frame") else joint_tests(held)
    assert np.isnan(np.asarray(joint["p.value"], dtype=float)[list(joint["model term"]).index("temp")])


def test_kenward_roger_with_a_coefficient_held_is_that_with_an_offset():
    data = load_sleepstudy()
    held = lmer("Reaction ~ Days + (1 | Subject)", data, fixed={"Days": 10.0})
    shifted = lmer("Reaction ~ 1 + (1 | Subject)", data, offset=10.0 * np.asarray(data["Days"]))
    one = held.summary(ddf="kenward-roger").coefficients.loc["(Intercept)"]
    other = shifted.summary(ddf="kenward-roger").coefficients.loc["(Intercept)"]
    np.testing.assert_allclose(one.to_numpy(), other.to_numpy(), rtol=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.summary(ddf="kenward-roger"), "take ddf='satterthwaite'"),
        (ranova, "ranova: not available with fixed covariance parameters"),
        (drop1, r"drop1: not available with fixed coefficients \(Days\)"),
        (lambda m: m.anova(type=1), "take type=3"),
        (cAIC, "cAIC: .* fixed"),
        (lambda m: m.refit(optimizer=None, start=m.theta), "leave .* out of fixed="),
    ],
)
def test_methods_that_do_not_allow_for_held_parameters_say_so(held, call, message):
    with pytest.raises(ArgumentError, match=message):
        call(held)


def test_exact_tests_and_many_responses_refuse():
    data = bcg()
    model = lmer("yi ~ 1 + (1 | trial)", data, weights=1 / data["vi"], fixed={"sigma": 1.0})
    with pytest.raises(ArgumentError, match=r"exact_rlrt: .*sigma = 1"):
        exact_rlrt(model)
    fit: Any = fit_many
    with pytest.raises(TypeError, match="fixed"):
        fit("~ 1 + (1 | Subject)", load_sleepstudy(), ["Reaction"], fixed={"sigma": 1.0})


def test_a_variance_between_studies_is_tested_against_its_absence():
    data = bcg()
    model = lmer("yi ~ 1 + (1 | trial)", data, weights=1 / data["vi"], fixed={"sigma": 1.0})
    table = ranova(model)
    none = lmer(
        "yi ~ 1 + (1 | trial)",
        data,
        weights=1 / data["vi"],
        fixed={"sigma": 1.0, "sd__(Intercept)": 0.0},
    )
    assert table["LRT"].iloc[1] == pytest.approx(none.objective - model.objective, abs=1e-7)
    assert table["Df"].iloc[1] == 1
