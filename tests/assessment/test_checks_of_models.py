"""Checks find what was planted, and say why they do not apply."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mixedmodels import check_model, glmer, lmer
from mixedmodels.errors import ArgumentError, MixedModelsWarning
from shared_fits import fits


def grouped(groups=20, rows=8, seed=1):
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(groups), rows)
    data = pd.DataFrame({"g": g, "x": rng.normal(size=len(g))})
    return rng, data, 2 + data["x"] + rng.normal(size=groups)[g]


def quiet(fit, *args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedModelsWarning)
        return fit(*args, **options)


def test_a_sound_model_passes_all():
    rng, data, eta = grouped()
    data["y"] = eta + rng.normal(size=len(data))
    checks = check_model(lmer("y ~ x + (1 | g)", data))
    assert checks
    assert not checks.attention
    assert [check.name for check in checks if check.verdict == "not applicable"] == [
        "separation",
        "collinearity",
        "overdispersion",
        "zero inflation",
    ]
    assert len(checks) == len(checks.to_frame()) == 12
    with pytest.raises(KeyError, match="convergence"):
        checks["nothing"]


def test_the_variance_that_grows_and_tails():
    rng, data, eta = grouped(40)
    data["grows"] = eta + np.exp(0.4 * eta) * rng.normal(size=len(data))
    check = lmer("grows ~ x + (1 | g)", data).check_heteroscedasticity()
    assert not check
    assert "grows" in check.text
    data["tails"] = eta + rng.standard_t(2, size=len(data))
    model = lmer("tails ~ x + (1 | g)", data)
    check = model.check_normality()
    assert not check
    expected = stats.shapiro(model.residuals("pearson", scaled=True))
    assert check.value == pytest.approx(expected.statistic)
    assert check.p_value == pytest.approx(expected.pvalue)


def test_random_effects_that_are_not_normal():
    rng, data, _ = grouped(60)
    b = np.where(rng.random(60) < 0.1, 8.0, 0.0) + rng.normal(0.0, 0.3, 60)
    data["y"] = b[data["g"]] + rng.normal(size=len(data))
    check = lmer("y ~ x + (1 | g)", data).check_normality("random")
    assert not check
    assert check.table["of"].tolist() == ["(Intercept) | g"]
    with pytest.raises(ArgumentError, match="effects"):
        lmer("y ~ x + (1 | g)", data).check_normality("fixed")


def test_modes_are_tested_in_units_of_their_standard_deviations():
    # Balanced one-way data: all modes have the same one.
    model = fits("dyestuff")
    b = model._fitted.estimates.b[0][:, 0]
    assert model.check_normality("random").value == pytest.approx(stats.shapiro(b).statistic)


def test_collinear_predictors():
    rng, data, eta = grouped()
    data["y"] = eta + rng.normal(size=len(data))
    data["z"] = data["x"] + rng.normal(0.0, 0.1, len(data))
    check = lmer("y ~ x + z + (1 | g)", data).check_collinearity()
    assert not check
    assert check.value > 50
    assert "leave one out" in check.advice


def test_one_column_of_a_term_counts():
    check = fits("cake").check_collinearity()
    factor, columns = check.table["VIF"].to_numpy(), check.table["Df"].to_numpy()
    assert check.value == pytest.approx((factor ** (1 / columns)).max())


def test_few_levels_and_single_rows():
    rng, data, eta = grouped(3, 20)
    data["y"] = eta + rng.normal(size=len(data))
    check = lmer("y ~ x + (1 | g)", data).check_group_sizes()
    assert not check
    assert check.value == 3
    data["row"], data["n"] = np.arange(len(data)), rng.poisson(np.exp(0.3 * eta))
    check = quiet(glmer, "n ~ x + (1 | row)", data, "poisson").check_group_sizes()
    assert "one row in each level" in check.text
    assert check.table["single rows"].tolist() == [60]


def test_a_row_that_pulls():
    rng, data, eta = grouped()
    data["y"] = eta + rng.normal(size=len(data))
    data.loc[5, ["x", "y"]] = 6.0, -30.0
    model = quiet(lmer, "y ~ x + (1 | g)", data)
    check = model.check_outliers()
    assert not check
    assert check.table["row"].tolist() == [5]
    # The change of the fitted values without the row, at the same theta.
    hat = model._fitted.leverages()
    z, x = model.getME("Z").toarray() @ model.getME("Lambda").toarray(), model.getME("X")
    rest = np.delete(np.arange(len(data)), 5)
    a = np.hstack([z, x])
    penalty = np.diag([1.0] * z.shape[1] + [0.0] * x.shape[1])
    y = data["y"].to_numpy()
    b = np.linalg.solve(a[rest].T @ a[rest] + penalty, a[rest].T @ y[rest])
    change = model.fitted() - a @ b
    own = np.linalg.solve(a.T @ a + penalty, a.T @ y)
    metric = (own - b) @ (a.T @ a + penalty) @ (own - b)
    assert check.value == pytest.approx(metric / hat.sum() / model.sigma**2)
    assert np.square(change).sum() <= metric


def test_separated_outcomes():
    data = pd.DataFrame({"g": np.repeat(np.arange(10), 6), "x": np.tile([0.0, 1.0], 30)})
    rng = np.random.default_rng(3)
    data["y"] = np.where(data["x"] == 1, 1, rng.integers(0, 2, 60))
    model = quiet(glmer, "y ~ x + (1 | g)", data, "binomial")
    check = model.check_separation()
    assert not check
    assert check.value == 1
    assert "x" in check.text


def test_a_singular_fit_names_the_next_simpler_model():
    data = fits("sleepstudy").data
    model = quiet(lmer, "Reaction ~ Days + (Days | Subject) + (1 | Days)", data)
    check = model.check_singularity()
    assert not check
    assert check.value == pytest.approx(0.0, abs=1e-6)
    assert "(1 | Days)" in check.text
    assert "Reaction ~ Days + (Days | Subject)," in check.advice
    assert "(1 df, p = 1)" in check.advice
    assert check.table["term"].tolist() == ["(Days | Subject)", "(1 | Days)"]
    assert fits("sleepstudy").check_singularity().value > 0.1
    with pytest.raises(ArgumentError, match="tol"):
        model.check_singularity(0.0)


def test_what_does_not_apply_says_why():
    linear, counts = fits("sleepstudy"), fits("cbpp")
    for check, words in (
        (linear.check_separation(), "no outcome"),
        (linear.check_collinearity(), "two terms"),
        (linear.check_overdispersion(), "estimates its variance"),
        (linear.check_zeroinflation(), "not for counts"),
        (counts.check_heteroscedasticity(), "follows from its mean"),
        (counts.check_normality(), "not normal"),
    ):
        assert check.verdict == "not applicable"
        assert words in check.text
        assert check
        assert np.isnan(check.value)


def test_single_trials_cannot_be_overdispersed():
    rng, data, eta = grouped()
    data["y"] = rng.random(len(data)) < 1 / (1 + np.exp(-eta))
    check = quiet(glmer, "y ~ x + (1 | g)", data, "binomial").check_overdispersion()
    assert check.verdict == "not applicable"


def test_weights_enter_the_residuals():
    rng, data, eta = grouped(40)
    data["w"] = np.exp(rng.normal(0.0, 1.5, len(data)))
    data["y"] = eta + rng.normal(size=len(data)) / np.sqrt(data["w"])
    weighted = lmer("y ~ x + (1 | g)", data, weights="w")
    assert weighted.check_normality()
    assert not lmer("y ~ x + (1 | g)", data).check_normality()


def test_components_of_independent_terms_are_taken_together():
    model = lmer("Reaction ~ Days + (1 | Subject) + (0 + Days | Subject)", fits("sleepstudy").data)
    part = model.rePCA()["Subject"]
    assert part.names == ("(Intercept)", "Days")
    np.testing.assert_allclose(part.sdev, np.sort(model.theta)[::-1])
    assert part.dimension == 2


def test_a_level_that_pulls():
    rng, data, eta = grouped()
    data["y"] = eta + rng.normal(size=len(data)) - 8 * data["x"] * (data["g"] == 7)
    model = quiet(lmer, "y ~ x + (1 | g)", data)
    check = model.check_influence()
    assert not check
    assert check.table["level"][0] == "7"
    assert "7 of g" in check.text
    distance = model.influence(groups="g", method="one-step").cooks_distance
    assert check.value == pytest.approx(distance.max())
    assert check.value > 1


def test_ordinary_levels_do_not_pull():
    # Neither few levels nor many: the limit is one of size, not of order.
    for groups in (6, 200):
        for seed in range(10):
            rng, data, eta = grouped(groups, 5, seed)
            data["y"] = eta + rng.normal(size=len(data))
            assert quiet(lmer, "y ~ 1 + (1 | g)", data).check_influence(), (groups, seed)
    assert fits("dyestuff").check_influence()


def skewed(kind, seed):
    rng = np.random.default_rng([30, seed])
    g = np.arange(200) % 20
    data = pd.DataFrame({"g": g, "x": rng.normal(size=200)})
    mean = np.exp(0.3 * data["x"] + rng.normal(0.0, 0.5, 20)[g])
    data["y"] = {
        "gamma": lambda: mean * rng.gamma(1.0, 1.0, 200),
        "inverse_gaussian": lambda: rng.wald(mean, 1.0),
        "gaussian": lambda: mean + rng.normal(0.0, 0.5, 200),
        "grows": lambda: mean * (lambda shape: rng.gamma(shape, 1 / shape))(np.clip(3 / mean, 0.3, 30)),
    }[kind]()
    return quiet(glmer, "y ~ x + (1 | g)", data, "gamma" if kind == "grows" else kind, link="log")


@pytest.mark.parametrize("kind", ["gamma", "inverse_gaussian", "gaussian"])
def test_the_variance_of_skewed_responses_follows_their_family(kind):
    # By Pearson residuals at the conditional modes 69 % of the true gamma models are rejected at 5 %.
    p = np.array([skewed(kind, seed).check_heteroscedasticity().p_value for seed in range(60)])
    assert (p < 0.05).mean() < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 60)
    assert stats.kstest(p, "uniform").pvalue > 0.01


def test_a_variance_that_the_family_does_not_have_is_found():
    assert np.mean([not skewed("grows", seed).check_heteroscedasticity() for seed in range(20)]) >= 0.8


def test_zeros_of_the_true_model_are_not_too_many():
    found = []
    for seed in range(60):
        rng = np.random.default_rng([31, seed])
        data = pd.DataFrame({"row": np.arange(200), "x": rng.normal(size=200)})
        data["y"] = rng.poisson(np.exp(0.3 + 0.3 * data["x"] + rng.normal(0.0, 0.7, 200)))
        model = quiet(glmer, "y ~ x + (1 | row)", data, "poisson")
        found.append(not model.check_zeroinflation())
        if not seed:
            assert "conservative" in model.check_overdispersion().advice
            assert (
                not model.check_zeroinflation()
                .table["predicted"]
                .equals(model.check_zeroinflation().table["expected"])
            )
    assert np.mean(found) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 60)


def test_variances_that_the_data_do_not_determine_need_attention():
    sleep = fits("sleepstudy").data.assign(f=np.tile(list("abcde"), 36))
    model = quiet(lmer, "Reaction ~ Days * f + (1 | Subject) + (1 | f)", sleep)
    check = model.check_singularity()
    assert not check
    assert not model.check_model()
    assert "do not determine their variance" in check.text
    assert check.advice == "leave out the random effects or the fixed ones"
    assert "do not determine" in str(model.rePCA())
    # By maximum likelihood the fixed effects do not take the variance in.
    assert "do not determine" not in str(quiet(model.update, REML=False).check_singularity())
    # Nor without the fixed effects.
    assert "do not determine" not in str(quiet(lmer, "Reaction ~ Days + (1 | f)", sleep).rePCA())
    split = (
        sleep.assign(half=np.where(sleep["Subject"].cat.codes < 9, "a", "b"))
        if hasattr(sleep["Subject"], "cat")
        else sleep.assign(half=np.where(sleep["Subject"].astype(str) < "340", "a", "b"))
    )
    apart = quiet(lmer, "Reaction ~ Days + (0 + half | Subject)", split)
    assert "no level has the observations" in apart.check_singularity().text


def test_whole_numbers_are_printed_whole():
    rng, data, eta = grouped(1130, 2)
    data["y"] = eta + rng.normal(size=len(data))
    text = str(lmer("y ~ x + (1 | g)", data).check_model())
    assert " 1130 " in text
    assert "e+03" not in text
    residuals = lmer("y ~ x + (1 | g)", data.head(200)).quantile_residuals(60, rng=1)
    count = int(residuals.test_outliers().value)
    line = next(line for line in str(residuals).splitlines() if "outliers" in line)
    assert line.split()[1] == str(count)


def test_distances_say_what_moves():
    checks = fits("sleepstudy").check_model()
    assert checks["outliers"].measure == "largest Cook's distance, fitted values"
    assert checks["influential levels"].measure == "largest Cook's distance, coefficients"


def test_wrong_calls_are_explained():
    model = fits("sleepstudy")
    with pytest.raises(TypeError, match=r"takes no further arguments by position, but 1 was given") as caught:
        check_model(model, model.data)
    assert isinstance(caught.value, ArgumentError)
    with pytest.raises(ArgumentError, match="at most 1 further argument"):
        model.check_convergence(1e-6, 3)
    with pytest.raises(ArgumentError, match="by name"):
        model.quantile_residuals(60, True)
    for result, words in ((model.check_model(), "the checks are"), (model.rePCA(), "the groups are")):
        with pytest.raises(KeyError) as wrong:
            result["nothing"]
        assert isinstance(wrong.value, ArgumentError)
        assert words in str(wrong.value)
        assert not str(wrong.value).startswith('"')


def test_residuals_name_the_argument_that_was_given():
    with pytest.raises(ArgumentError, match="type='whitened' is for linear"):
        fits("cbpp").residuals("whitened")
    with pytest.raises(ArgumentError, match="kind='marginal' is for linear"):
        fits("cbpp").residuals(kind="marginal")
