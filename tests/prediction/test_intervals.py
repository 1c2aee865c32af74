"""Limits of predictions and of new responses."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import mixedmodels as mm
from mixedmodels.families import FAMILIES
from mixedmodels.prediction.new_responses import response_quantiles
from shared_fits import fits

# A family with its dispersion, and linear predictors that suit its default link.
SETTINGS = {
    "poisson": (1.0, [-1.0, 2.0, 9.0]),
    "binomial": (1.0, [-3.0, 0.0, 2.0]),
    "nbinom1": (0.8, [-1.0, 2.0, 5.0]),
    "nbinom2": (1.5, [-1.0, 2.0, 5.0]),
    "gamma": (0.3, [-2.0, 0.0, 3.0]),
    "inverse_gaussian": (0.5, [-1.0, 0.0, 1.0]),
    "lognormal": (0.4, [-2.0, 0.0, 3.0]),
    "beta": (6.0, [-2.0, 0.0, 1.0]),
    "gaussian": (2.0, [-3.0, 0.5, 40.0]),
}
WEIGHTS = {"binomial": [1.0, 12.0, 300.0], "gamma": [1.0, 2.0, 0.5], "gaussian": [1.0, 4.0, 1.0]}


def test_every_family_has_a_setting():
    assert set(SETTINGS) == set(FAMILIES)


@pytest.mark.parametrize("name", SETTINGS)
def test_the_distribution_function_is_that_of_draws(name):
    family = FAMILIES[name]()
    dispersion, eta = SETTINGS[name]
    mean = family.mean(np.array(eta))
    weights = np.array(WEIGHTS.get(name, [1.0] * 3))
    rng = np.random.default_rng(1)
    n = 20_000
    for mu, weight in zip(mean, weights, strict=True):
        drawn = family.draw(rng, np.full(n, mu), np.full(n, weight), dispersion)
        at = np.unique(np.quantile(drawn, [0.05, 0.3, 0.5, 0.8, 0.99]))
        share = (drawn[:, None] <= at).mean(axis=0)
        found = family.cumulative(at, np.full(len(at), mu), np.full(len(at), weight), dispersion)
        np.testing.assert_allclose(found, share, atol=4 * 0.5 / np.sqrt(n))


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("error", [0.0, 0.02, 0.4, 1.5])
def test_quantiles_of_new_responses_are_those_of_a_simulation(name, error):
    family = FAMILIES[name]()
    dispersion, eta = SETTINGS[name]
    weights = np.array(WEIGHTS.get(name, [1.0] * 3))
    n, rng = 40_000, np.random.default_rng(2)
    for probability in (0.025, 0.5, 0.9):
        found = response_quantiles(family, np.array(eta), np.full(3, error), weights, dispersion, probability)
        for value, mean, weight in zip(found, eta, weights, strict=True):
            mu = family.mean(rng.normal(mean, error, n))
            drawn = family.draw(rng, mu, np.full(n, weight), dispersion)
            noise = 4.5 * np.sqrt(probability * (1 - probability) / n)
            tiny = 1e-9 * abs(value)
            # The smallest value with at least this probability at or below it.
            assert (drawn <= value + tiny).mean() > probability - noise
            assert (drawn < value - tiny).mean() < probability + noise


def test_quantiles_without_error_are_those_of_the_distribution():
    family = FAMILIES["poisson"]()
    eta = np.log([0.01, 3.0, 1e4])
    for probability in (0.025, 0.975):
        found = response_quantiles(family, eta, np.zeros(3), np.ones(3), 1.0, probability)
        np.testing.assert_array_equal(found, stats.poisson.ppf(probability, np.exp(eta)))
    family = FAMILIES["gamma"]()
    found = response_quantiles(family, np.zeros(1), np.zeros(1), np.ones(1), 0.25, 0.9)
    assert found[0] == pytest.approx(stats.gamma.ppf(0.9, 4.0, scale=0.25), rel=1e-9)


CONTINUOUS = [name for name in SETTINGS if FAMILIES[name].support not in ("counts", "proportions")]


@pytest.mark.parametrize("name", CONTINUOUS)
def test_quantiles_have_their_probability(name):
    """Whatever the error, also where means run into their limits."""
    family = FAMILIES[name]()
    dispersion, eta = SETTINGS[name]
    rng = np.random.default_rng(5)
    centre, error = rng.choice(eta, 60), np.append(rng.exponential(0.5, 55), [0.0, 1e-7, 1.0, 1.5, 2.0])
    z = np.linspace(-9.0, 9.0, 4001)
    share = np.exp(-0.5 * z**2) / np.exp(-0.5 * z**2).sum()
    for probability in (0.005, 0.3, 0.975):
        found = response_quantiles(family, centre, error, np.ones(60), dispersion, probability)
        means = family.mean(centre[:, None] + error[:, None] * z)
        with np.errstate(all="ignore"):
            below = family.cumulative(found[:, None], means, np.ones((60, 1)), dispersion)
        # A quantile may lie beyond the smallest number, or next to 1.
        inside = (found > 1e-300) & (found < 1.0 - 1e-15) if family.support == "unit" else found == found
        assert inside.sum() >= 55
        np.testing.assert_allclose((np.nan_to_num(below) @ share)[inside], probability, atol=2e-5)


def test_quantiles_where_some_means_are_impossible():
    """The normal distribution of the linear predictor is restricted to the means that the family can have."""
    family = FAMILIES["poisson"]("identity")
    eta, error = np.array([0.45, 3.0, 0.0, -4.0]), np.array([1.5, 2.0, 0.5, 1.0])
    for probability in (0.025, 0.5, 0.975):
        found = response_quantiles(family, eta, error, np.ones(4), 1.0, probability)
        assert np.isnan(found[3])
        for value, centre, sd in zip(found[:3], eta[:3], error[:3], strict=True):
            share = np.linspace(0.0, 1.0, 20_001)[1:-1]
            mu = stats.truncnorm(-centre / sd, np.inf, centre, sd).ppf(share)
            assert stats.poisson.cdf(value, mu).mean() >= probability - 0.005
            assert stats.poisson.cdf(value - 1, mu).mean() < probability + 0.005


def test_impossible_means_have_no_limits_and_say_so():
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"g": np.repeat([f"g{i}" for i in range(8)], 10), "x": rng.uniform(0, 4, 80)})
    data["y"] = rng.poisson(1 + 0.8 * data["x"] + np.repeat(rng.uniform(0, 2, 8), 10))
    model = mm.glmer("y ~ x + (1 | g)", data, mm.families.Poisson("identity"))
    with pytest.warns(mm.MixedModelsWarning, match="NaN for limits in 1 of 2 rows, whose predicted means"):
        out = model.predict({"x": [-9.0, 3.0]}, "~0", type="response", interval="prediction")
    assert out.loc[0, ["lower", "upper"]].isna().all()
    with pytest.warns(mm.MixedModelsWarning, match="NaN for limits in 1 of 2 rows, whose predicted means"):
        mean = model.predict({"x": [-9.0, 3.0]}, "~0", type="response", interval="confidence")
    assert mean.loc[0, ["lower", "upper"]].isna().all()
    assert 0.0 <= out.loc[1, "lower"] < out.loc[1, "fit"] < out.loc[1, "upper"] < 30.0


@pytest.mark.parametrize(
    ("family", "low", "high", "wanted"),
    [
        (mm.families.Poisson("sqrt"), -0.175, 1.124, (0.0, 1.124**2)),
        (mm.families.Poisson("sqrt"), -2.0, -1.0, (1.0, 4.0)),
        (mm.families.Gamma("inverse"), -0.5, 0.25, (4.0, np.inf)),
        (mm.families.Gamma("inverse"), 0.25, 0.5, (2.0, 4.0)),
        (mm.families.Gamma("inverse"), -0.5, -0.25, (np.nan, np.nan)),
        (mm.families.InverseGaussian("1/mu^2"), -0.5, 0.25, (2.0, np.inf)),
        (mm.families.Poisson("identity"), -1.0, 2.0, (0.0, 2.0)),
        (mm.families.Poisson("identity"), -2.0, -1.0, (np.nan, np.nan)),
        (mm.families.Binomial("log"), -1.0, 0.5, (np.exp(-1.0), 1.0)),
        (mm.families.Binomial("log"), 0.25, 0.5, (np.nan, np.nan)),
        (mm.families.Poisson("log"), np.nan, np.nan, (np.nan, np.nan)),
    ],
)
def test_limits_through_a_link_hold_every_possible_mean(family, low, high, wanted):
    found = family.mean_limits(np.array([low]), np.array([high]))
    np.testing.assert_allclose(np.ravel(found), wanted, rtol=1e-12)


def test_prior_weights_of_counts_are_ignored_with_a_warning():
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"g": np.repeat([f"g{i}" for i in range(8)], 10), "w": rng.integers(1, 4, 80)})
    data["y"] = rng.poisson(np.exp(0.5 + np.repeat(rng.normal(size=8), 10)))
    model = mm.glmer("y ~ 1 + (1 | g)", data, "poisson", weights="w")
    new = data[:2].drop(columns="w")
    plain = model.predict(new, type="response", interval="prediction")
    for rows, weights in ((new, [1.0, 50.0]), (data[:2].assign(w=[1.0, 50.0]), None)):
        with pytest.warns(
            mm.MixedModelsWarning, match="prior weights are ignored in limits for new responses"
        ):
            out = model.predict(rows, type="response", interval="prediction", weights=weights)
        pd.testing.assert_frame_equal(out, plain)
    with pytest.warns(mm.MixedModelsWarning, match="prior weights are ignored"):
        model.predict(type="response", interval="prediction")


def test_the_response_of_a_refit_stands_beside_its_predictions():
    data = mm.load_sleepstudy()
    y = data["Reaction"].to_numpy()[::-1].copy()
    linear = fits("sleepstudy").refit(y)
    np.testing.assert_array_equal(linear.predictions()["Reaction"], y)
    logs = mm.lmer("log(Reaction) ~ Days + (1 | Subject)", data).refit(np.log(y))
    out = logs.predictions()
    assert list(out)[:3] == ["log(Reaction)", "Days", "Subject"]
    np.testing.assert_array_equal(out["log(Reaction)"], np.log(y))


def test_population_limits_are_those_of_marginal_means():
    model = fits("machines")
    means = model.emmeans("~ Machine").to_frame()
    out = model.predict({"Machine": ["A", "B", "C"]}, "~0", interval="confidence")
    np.testing.assert_allclose(out["se_fit"], means["SE"], rtol=1e-10)
    np.testing.assert_allclose(out[["lower", "upper"]], means[["lower.CL", "upper.CL"]], rtol=1e-9)
    adjusted = model.emmeans("~ Machine", ddf="kenward-roger").to_frame()
    out = model.predict({"Machine": ["A", "B", "C"]}, "~0", interval="confidence", ddf="kenward-roger")
    np.testing.assert_allclose(out[["lower", "upper"]], adjusted[["lower.CL", "upper.CL"]], rtol=1e-9)


def test_a_balanced_one_way_layout_in_closed_form():
    """
    Dyestuff: five batches of six, the mean known to sigma_b^2 / 6 + sigma^2 / 30.

    A new batch has variance MSB / n (1 / n_batches + 1) - MSW / n in mean squares, whose Satterthwaite
    degrees of freedom are in textbooks.
    """
    data = mm.load_dyestuff()
    model = mm.lmer("Yield ~ 1 + (1 | Batch)", data)
    groups = data.groupby("Batch", observed=True)["Yield"]
    between = 5 * groups.mean().var()
    within = groups.var().mean()
    new = model.predict({"Batch": ["Z"]}, allow_new_levels=True, interval="confidence", level=0.9)
    variance = between / 5 * (1 / 6 + 1) - within / 5
    assert new["se_fit"][0] ** 2 == pytest.approx(variance, rel=1e-6)
    parts = np.array([between / 5 * (1 / 6 + 1), -within / 5])
    df = variance**2 / np.sum(parts**2 / [5, 24])
    half = stats.t.ppf(0.95, df) * np.sqrt(variance)
    assert new["upper"][0] - new["fit"][0] == pytest.approx(half, rel=1e-4)
    # A new observation of a new batch.
    both = model.predict({"Batch": ["Z"]}, allow_new_levels=True, interval="prediction", level=0.9)
    variance += within
    parts[1] += within
    df = variance**2 / np.sum(parts**2 / [5, 24])
    half = stats.t.ppf(0.95, df) * np.sqrt(variance)
    assert both["upper"][0] - both["fit"][0] == pytest.approx(half, rel=1e-4)


@pytest.mark.parametrize(("ddf", "quantile"), [("inf", 1.959964), ("residual", 1.973381)])
def test_degrees_of_freedom_asked_for(ddf, quantile):
    model = fits("sleepstudy")
    out = model.predict({"Days": [3], "Subject": ["308"]}, interval="confidence", ddf=ddf)
    assert out.attrs["ddf"].startswith(ddf)
    assert ((out["upper"] - out["fit"]) / out["se_fit"])[0] == pytest.approx(quantile, abs=2e-6)


def test_limits_on_the_scale_of_the_response_are_transformed():
    model = fits("cbpp")
    link = model.predict(interval="confidence")
    response = model.predict(interval="confidence", type="response")
    for name in ("fit", "lower", "upper"):
        np.testing.assert_allclose(response[name], 1 / (1 + np.exp(-link[name])), rtol=1e-12)


def test_a_link_that_decreases_keeps_the_limits_in_order():
    data = mm.load_sleepstudy()
    model = mm.glmer("Reaction ~ 1 + (1 | Subject)", data, "gamma", "inverse")
    out = model.predict(interval="confidence", type="response")
    assert (out["lower"] < out["fit"]).all()
    assert (out["fit"] < out["upper"]).all()
    wider = model.predict(interval="prediction", type="response")
    assert (wider["lower"] < out["lower"]).all()
    assert (out["upper"] < wider["upper"]).all()


def test_trials_of_new_responses():
    model = fits("cbpp")
    new = pd.DataFrame({"herd": ["1", "1"], "period": ["1", "1"], "n": [10, 1000]})
    out = model.predict(new, type="response", interval="prediction", weights="n")
    counts = out[["lower", "upper"]].mul(new["n"], axis=0)
    np.testing.assert_allclose(counts, counts.round(), atol=1e-9)
    assert out["upper"][0] > out["upper"][1] > out["fit"][1]
    # Of many trials nothing but the uncertainty of the probability is left.
    many = model.predict(new, type="response", interval="prediction", weights=1e9)
    mean = model.predict(new, type="response", interval="confidence")
    np.testing.assert_allclose(many[["lower", "upper"]], mean[["lower", "upper"]], rtol=2e-2)


def test_weights_that_the_new_data_have():
    data = mm.load_sleepstudy().assign(w=np.tile([1.0, 4.0], 90))
    model = mm.lmer("Reaction ~ Days + (1 | Subject)", data, weights="w")
    new = data.iloc[[0, 1]].assign(Days=0)
    out = model.predict(new, interval="prediction", ddf="inf")
    half = (out["upper"] - out["fit"]) / 1.959964
    np.testing.assert_allclose(half**2 - out["se_fit"] ** 2, model.sigma**2 / new["w"], rtol=1e-5)
    replaced = model.predict(new, interval="prediction", ddf="inf", weights=[4.0, 1.0])
    half = (replaced["upper"] - replaced["fit"]) / 1.959964
    np.testing.assert_allclose(half**2 - out["se_fit"] ** 2, model.sigma**2 / np.array([4.0, 1.0]), rtol=1e-5)


def test_predictions_stand_beside_the_data():
    model = fits("sleepstudy")
    new = pd.DataFrame({"Days": [1, 2], "Subject": ["308", "309"], "note": ["a", "b"]}, index=["u", "v"])
    out = model.predictions(new)
    assert list(out) == ["Days", "Subject", "note", "fit", "se_fit", "lower", "upper"]
    pd.testing.assert_frame_equal(
        out[["fit", "se_fit", "lower", "upper"]], model.predict(new, interval="confidence")
    )
    assert len(model.predictions()) == 180
    with pytest.raises(mm.DataError, match="'fit'"):
        model.predictions(new.assign(fit=1))


class TestBootstrap:
    """The uncertainty of the variances."""

    OPTIONS: ClassVar[dict[str, Any]] = {
        "se_fit": True,
        "parameter_uncertainty": "bootstrap",
        "nsim": 60,
        "rng": 3,
    }

    def test_it_widens_and_is_reproducible(self):
        model = fits("sleepstudy")
        out = model.predict(**self.OPTIONS)
        pd.testing.assert_frame_equal(out, model.predict(**self.OPTIONS))
        plain, delta = model.predict(se_fit=True), model.predict(se_fit=True, parameter_uncertainty="delta")
        assert (out["se_fit"] > plain["se_fit"]).mean() > 0.9
        assert np.median(out["se_fit"] / delta["se_fit"]) == pytest.approx(1.0, abs=0.1)

    def test_any_executor_gives_the_same_bits(self):
        from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

        model = fits("cbpp")
        here = model.predict(**self.OPTIONS)
        for executor in (ThreadPoolExecutor(2), ProcessPoolExecutor(2)):
            with executor:
                pd.testing.assert_frame_equal(here, model.predict(**self.OPTIONS, executor=executor))

    def test_progress_is_told(self):
        seen: list[tuple[int, int]] = []
        fits("dyestuff").predict(**self.OPTIONS, progress=lambda done, total: seen.append((done, total)))
        assert seen[-1] == (60, 60)
