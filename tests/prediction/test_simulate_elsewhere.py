"""Simulation with effects kept, for new data, at other parameters, and without a fit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

import mixedmodels as mm
from mixedmodels import crossed_design, families, glmer, lmer, parameter_names, simulate_formula
from mixedmodels.errors import ArgumentError, DataError, MissingColumnError, MixedModelsWarning
from shared_fits import fits

N = 3000


def within_error(values, mean, sd):
    """Means of simulations in columns within five standard errors."""
    np.testing.assert_array_less(
        np.abs(values.mean(axis=1) - mean), 5 * sd / np.sqrt(values.shape[1]) + 1e-12
    )


@pytest.fixture(scope="module")
def sleep():
    return fits("sleepstudy")


def test_kept_effects_are_those_that_re_form_names(sleep):
    values = sleep.simulate(N, rng=1, re_form=None).to_numpy()
    within_error(values, sleep.fitted(), sleep.sigma)
    pd.testing.assert_frame_equal(
        sleep.simulate(2, rng=1, re_form=None), sleep.simulate(2, rng=1, use_u=True)
    )
    pd.testing.assert_frame_equal(sleep.simulate(2, rng=1), sleep.simulate(2, rng=1, re_form="~0"))


def test_of_a_term_kept_in_part_the_rest_is_drawn_given_that(sleep):
    values = sleep.simulate(N, rng=2, re_form="~(1 | Subject)").to_numpy()
    part = sleep.VarCorr()["Subject"]
    covariance = np.outer(part.sd, part.sd) * np.array(part.corr)
    slope = covariance[1, 0] / covariance[0, 0]
    left = covariance[1, 1] - slope * covariance[0, 1]
    days = sleep.data["Days"].to_numpy()
    intercepts = sleep.predict(re_form="~(1 | Subject)") - sleep.predict(re_form="~0")
    mean = sleep.predict(re_form="~0") + intercepts * (1 + slope * days)
    variance = sleep.sigma**2 + days**2 * left
    within_error(values, mean, np.sqrt(variance))
    np.testing.assert_allclose(values.var(axis=1) / variance, 1.0, atol=6 * np.sqrt(2 / N))


def test_one_of_two_terms_is_kept():
    model = fits("penicillin")
    values = model.simulate(N, rng=3, re_form="~(1 | sample)").to_numpy()
    sd = np.hypot(model.VarCorr()["plate"].sd[0], model.sigma)
    within_error(values, model.predict(re_form="~(1 | sample)"), sd)
    np.testing.assert_allclose(values.std(axis=1) / sd, 1.0, atol=6 / np.sqrt(2 * N))


@pytest.mark.parametrize("kind", ["pandas", "polars", "dict"])
def test_new_data(sleep, kind):
    columns = {"Days": [0.0, 9.0, 9.0, 9.0, 5.0], "Subject": ["308", "308", "new", "new", None]}
    new = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "dict": dict}[kind](columns)
    kept = sleep.simulate(N, rng=4, newdata=new, re_form=None).to_numpy()
    within_error(kept[:2], sleep.predict({"Days": [0, 9], "Subject": ["308", "308"]}), sleep.sigma)
    # The effects of a new level are drawn, the same for its rows.
    part = sleep.VarCorr()["Subject"]
    covariance = np.outer(part.sd, part.sd) * np.array(part.corr)
    between = np.array([1.0, 9.0]) @ covariance @ np.array([1.0, 9.0])
    within_error(kept[2:4], sleep.predict({"Days": [9, 9]}, re_form="~0"), np.sqrt(between + sleep.sigma**2))
    assert np.cov(kept[2:4])[0, 1] == pytest.approx(between, rel=0.15)
    # A row without a level has effects of its own, as in predictions.
    alone = np.array([1.0, 5.0]) @ covariance @ np.array([1.0, 5.0])
    within_error(kept[4:], sleep.predict({"Days": [5]}, re_form="~0"), np.sqrt(alone + sleep.sigma**2))
    assert kept[4].std() == pytest.approx(np.sqrt(alone + sleep.sigma**2), rel=0.1)
    assert abs(np.corrcoef(kept[2], kept[4])[0, 1]) < 5 / np.sqrt(N)
    drawn = sleep.simulate(N, rng=4, newdata=new).to_numpy()
    assert np.cov(drawn[:2])[0, 1] > 0.5 * covariance[0, 0]


def test_rows_without_a_level_are_independent(sleep):
    new = {"Days": [9, 9, None], "Subject": [None, None, "308"]}
    values = sleep.simulate(N, rng=5, newdata=new).to_numpy()
    assert abs(np.corrcoef(values[:2])[0, 1]) < 5 / np.sqrt(N)
    assert np.isnan(values[2]).all()


def test_new_levels_of_nested_factors_are_cells_of_their_own():
    model = fits("pastes")
    new = pd.DataFrame({"batch": ["A", "A", "Z", "Z", "Z"], "cask": ["a", "q", "a", "b", "a"]})
    values = model.simulate(N, rng=5, newdata=new, re_form=None).to_numpy()
    known = model.predict(new[:1])
    within_error(values[:1], known, model.sigma)
    sd = {name: model.VarCorr()[name].sd[0] for name in ("batch", "batch:cask")}
    correlation = np.cov(values)
    assert correlation[0, 1] == pytest.approx(0.0, abs=0.1)
    assert correlation[2, 4] == pytest.approx(sd["batch"] ** 2 + sd["batch:cask"] ** 2, rel=0.15)
    assert correlation[2, 3] == pytest.approx(sd["batch"] ** 2, abs=0.6)
    assert correlation[1, 1] == pytest.approx(sd["batch:cask"] ** 2 + model.sigma**2, rel=0.15)


def test_new_data_with_labels_weights_and_offsets():
    rng = np.random.default_rng(8)
    data = pd.DataFrame(
        {"x": rng.standard_normal(60), "g": np.arange(60) % 6, "w": rng.uniform(0.3, 3.0, 60)}
    )
    data["y"] = data["x"] + rng.standard_normal(60)
    data["o"] = 10.0
    model = lmer("y ~ x + offset(o) + (1 | g)", data, weights="w")
    new = data[:4].assign(w=[0.1, 1.0, 10.0, np.nan], o=100.0).set_axis(list("abcd"))
    values = model.simulate(N, rng=1, newdata=new, re_form=None)
    assert list(values.index) == list("abcd")
    assert values.loc["d"].isna().all()
    sd = model.sigma / np.sqrt([0.1, 1.0, 10.0])
    within_error(values.to_numpy()[:3], model.predict(new[:3]), sd)
    np.testing.assert_allclose(values.to_numpy()[:3].std(axis=1) / sd, 1.0, atol=5 / np.sqrt(2 * N))
    same = model.simulate(2, rng=1, newdata=new, re_form=None, weights=[1.0, 1.0, 1.0, 1.0])
    assert not same.isna().any(axis=None)
    arrays = lmer("y ~ x + (1 | g)", data, weights=data["w"].to_numpy(), offset=np.ones(60))
    with pytest.raises(ArgumentError, match="with an array as offset, so new data needs one too"):
        arrays.simulate(1, newdata=new)
    assert arrays.simulate(1, newdata=new, offset=np.ones(4), weights=np.ones(4)).shape == (4, 1)


def test_trials_in_new_data():
    model = fits("cbpp")
    new = pd.DataFrame({"period": ["1", "4"], "herd": ["1", "new"], "incidence": 0, "size": [10, 1000]})
    drawn = model.simulate(N, rng=1, newdata=new, re_form=None)
    assert (drawn["sim_1"].sum(axis=1) == [10, 1000]).all()
    shares = drawn.xs("successes", axis=1, level=1).to_numpy()[0] / 10
    mean = model.predict(new[:1], type="response")[0]
    assert shares.mean() == pytest.approx(mean, abs=5 * np.sqrt(mean * (1 - mean) / 10 / N))
    with pytest.raises(ArgumentError, match="newdata needs the numbers of trials of the new responses"):
        model.simulate(1, newdata=new.drop(columns="size"))
    assert (
        model.simulate(1, newdata=new.drop(columns="size"), weights=[3, 4])["sim_1"].sum(axis=1) == [3, 4]
    ).all()
    with pytest.raises(DataError, match="must be whole numbers of trials"):
        model.simulate(1, newdata=new, weights=[1.5, 2])


def test_parameters_replace_the_estimates(sleep):
    values = sleep.simulate(N, rng=6, params={"Days": 0.0, "sd__Days": 0.0, "sigma": 1.0}).to_numpy()
    sd = sleep.VarCorr()["Subject"].sd[0]
    # Standard deviations stay as they are when sigma changes.
    within_error(values, sleep.fixef()["(Intercept)"], np.hypot(sd, 1.0))
    np.testing.assert_allclose(values.std(axis=1) / np.hypot(sd, 1.0), 1.0, atol=6 / np.sqrt(2 * N))


@pytest.mark.parametrize(
    "params",
    [
        {"beta": [200.0, 3.0]},
        {"beta": {"(Intercept)": 200.0, "Days": 3.0}},
        {"beta": pd.Series({"(Intercept)": 200.0, "Days": 3.0})},
        {("fixed", "(Intercept)"): 200.0, "Days": 3.0},
    ],
)
def test_coefficients_in_every_form(sleep, params):
    wanted = sleep.simulate(1, rng=1, params={"(Intercept)": 200.0, "Days": 3.0})
    pd.testing.assert_frame_equal(sleep.simulate(1, rng=1, params=params), wanted)


def test_estimates_as_parameters_change_nothing(sleep):
    part = sleep.VarCorr()["Subject"]
    params = {
        "beta": sleep.fixef(),
        "sd__(Intercept)": part.sd[0],
        "Subject.sd__Days": part.sd[1],
        ("Subject", "cor__(Intercept).Days"): part.corr[0][1],
        "sigma": sleep.sigma,
    }
    np.testing.assert_allclose(sleep.simulate(2, rng=1, params=params), sleep.simulate(2, rng=1), rtol=1e-10)
    theta = {"theta": list(sleep.theta), "sigma": sleep.sigma}
    np.testing.assert_allclose(sleep.simulate(2, rng=1, params=theta), sleep.simulate(2, rng=1), rtol=1e-10)
    # Theta is relative to sigma.
    double = {"theta": list(sleep.theta), "sigma": 2 * sleep.sigma, "beta": [0.0, 0.0]}
    single = {"beta": [0.0, 0.0]}
    np.testing.assert_allclose(
        sleep.simulate(1, rng=1, params=double), 2 * sleep.simulate(1, rng=1, params=single), rtol=1e-10
    )


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"Day": 1.0}, "params: no parameter 'Day'; did you mean 'Days'"),
        ({"sigma": -1.0}, "params: sigma must be positive"),
        ({"cor__(Intercept).Days": 2.0}, "must be between -1 and 1"),
        ({"beta": [1.0]}, "beta must hold 2 values"),
        ({"beta": [1.0, "a"]}, "params: Days must be a finite number"),
        ({"Days": np.nan}, "Days must be a finite number"),
        (5, "params must map names of parameters"),
    ],
)
def test_wrong_parameters(sleep, params, message):
    with pytest.raises(ArgumentError, match=message.replace("(", r"\(").replace(")", r"\)")):
        sleep.simulate(1, params=params)


def test_wrong_arguments(sleep):
    with pytest.raises(ArgumentError, match="use_u=True is the same as re_form=None"):
        sleep.simulate(1, re_form=None, use_u=True)
    with pytest.raises(ArgumentError, match="weights= needs newdata"):
        sleep.simulate(1, weights="w")
    with pytest.raises(ArgumentError, match="is not part of the model"):
        sleep.simulate(1, re_form="~(1 | Days)")
    with pytest.raises(MissingColumnError, match="Days"):
        sleep.simulate(1, newdata={"Subject": ["308"]})


def test_correlations_must_fit_together():
    data = mm.load_machines()
    model = lmer("score ~ Machine + (0 + Machine | Worker)", data)
    names = [name for name in parameter_names("~ Machine + (0 + Machine | Worker)", data) if "cor__" in name]
    with pytest.raises(ArgumentError, match="do not form a correlation matrix"):
        model.simulate(1, params=dict(zip(names, [0.9, 0.9, -0.9], strict=True)))


def test_dispersion_of_generalized_models():
    model = fits("epil", "y ~ lbase + (1 | subject)", "nbinom2")
    spread = {
        size: model.simulate(300, rng=1, params={"size": size}, re_form=None).to_numpy().var()
        for size in (0.5, 50.0)
    }
    assert spread[0.5] > 2 * spread[50.0]
    by_name = model.simulate(1, rng=1, params={"dispersion": 2.0})
    pd.testing.assert_frame_equal(by_name, model.simulate(1, rng=1, params={"size": 2.0}))


WEIGHTED = ["poisson", "nbinom1", "nbinom2", "beta"]


@pytest.mark.parametrize("family", [*WEIGHTED, "gamma", "inverse_gaussian", "lognormal"])
def test_prior_weights_divide_the_variance_or_are_ignored_with_a_warning(family, recwarn):
    data = crossed_design(8, repetitions=4).assign(w=np.tile([1.0, 1.0, 9.0, 9.0], 8))
    params = {"(Intercept)": 0.3, "sd__(Intercept)": 0.0}
    chosen = parameter_names("~ 1 + (1 | subject)", data, family=family)[-1]
    params |= {} if family == "poisson" else {chosen: 0.5}
    drawn = simulate_formula(
        "~ 1 + (1 | subject)", data, params, family=family, weights="w", nsim=800, rng=1
    ).to_numpy()
    spread = (np.log(drawn) if family == "lognormal" else drawn).reshape(8, 2, 2, -1).var(axis=(0, 2, 3))
    warned = [w for w in recwarn if "prior weights are ignored" in str(w.message)]
    assert bool(warned) == (family in WEIGHTED)
    wanted = 1.0 if family in WEIGHTED else 9.0
    assert spread[0] / spread[1] == pytest.approx(wanted, rel=0.3 if wanted == 9.0 else 0.1)
    assert all(issubclass(w.category, MixedModelsWarning) for w in warned)


def test_structured_covariances_and_several_terms():
    data = crossed_design(60, within={"time": [0, 1, 2, 3]}).assign(t=lambda d: d["time"].astype(str))
    formula = "~ time + ar1(0 + t | subject)"
    names = parameter_names(formula, data)
    params = dict(zip(names, [1.0, 0.5, 2.0, 0.6, 0.3], strict=True))
    drawn = simulate_formula(formula, data, params, nsim=N, rng=1).to_numpy()
    by_time = drawn.reshape(60, 4, N)[:5].transpose(1, 0, 2).reshape(4, -1)
    lags = np.abs(np.subtract.outer(np.arange(4), np.arange(4)))
    wanted = 4.0 * 0.6**lags + 0.09 * np.eye(4)
    np.testing.assert_allclose(np.cov(by_time), wanted, atol=0.15)


def test_formulas_without_a_fit():
    data = crossed_design(5, 4, within={"x": [0.0, 1.0]})
    params = {
        "(Intercept)": 1.0,
        "x": 2.0,
        "subject.sd__(Intercept)": 0.0,
        "item.sd__(Intercept)": 0.0,
        "sigma": 1e-12,
    }
    one_sided = simulate_formula("~ x + (1 | subject) + (1 | item)", data, params, rng=1)["sim_1"]
    np.testing.assert_allclose(one_sided, 1 + 2 * data["x"])
    with_response = simulate_formula("log(rt) ~ x + (1 | subject) + (1 | item)", data, params, rng=1)["sim_1"]
    np.testing.assert_array_equal(one_sided, with_response)
    own = data.assign(y=99.0)
    dot = simulate_formula("y ~ . - subject - item + (1 | subject) + (1 | item)", own, params, rng=1)["sim_1"]
    np.testing.assert_allclose(dot, one_sided)
    gaps = data.assign(x=data["x"].where(data.index != 3)).set_axis([f"r{i}" for i in data.index])
    drawn = simulate_formula("~ x + (1 | subject) + (1 | item)", gaps, params, rng=1)["sim_1"]
    assert drawn.isna().to_numpy().nonzero()[0].tolist() == [3]
    assert drawn.index[1] == "r1"


def test_a_fit_recovers_what_was_simulated():
    data = crossed_design(60, 30, within={"condition": ["a", "b"]})
    params = {
        "(Intercept)": -0.5,
        "condition[T.b]": 1.0,
        "subject.sd__(Intercept)": 0.8,
        "item.sd__(Intercept)": 0.5,
    }
    formula = "~ condition + (1 | subject) + (1 | item)"
    data["y"] = simulate_formula(formula, data, params, family="binomial", rng=2)["sim_1"]
    model = glmer(f"y {formula}", data, "binomial")
    assert model.fixef()["condition[T.b]"] == pytest.approx(1.0, abs=0.3)
    assert model.VarCorr()["subject"].sd[0] == pytest.approx(0.8, abs=0.3)


def test_missing_parameters_are_all_listed():
    data = crossed_design(5, within={"x": [0.0, 1.0]})
    names = ["(Intercept)", "x", "sd__(Intercept)", "sigma"]
    assert parameter_names("~ x + (1 | subject)", data) == names
    for left_out in names:
        params = {name: 1.0 for name in names if name != left_out}
        with pytest.raises(ArgumentError) as error:
            simulate_formula("~ x + (1 | subject)", data, params)
        assert str(error.value) == (
            f"params: no value for {left_out}; the parameters are: (Intercept), x, sd__(Intercept), sigma"
        )
    held = families.NegativeBinomial(size=3.0)
    assert parameter_names("~ x + (1 | subject)", data, family=held) == names[:3]
    assert parameter_names("~ x + (1 | subject)", data, family="gaussian") == names


def test_means_out_of_the_range_of_a_family():
    data = crossed_design(5, within={"x": [0.0, 1.0]})
    params = {"(Intercept)": -1.0, "x": 0.0, "sd__(Intercept)": 0.0}
    with pytest.raises(DataError, match="cannot be drawn"):
        simulate_formula("~ x + (1 | subject)", data, params, family="poisson", link="identity")


@pytest.mark.filterwarnings("ignore::mixedmodels.errors.SingularFitWarning")
@pytest.mark.parametrize(
    "formula", ["y ~ poly(scale(x), 2) + offset(o) + (1 | g)", "y ~ ns(x, 3) + (scale(x) | g)"]
)
def test_transformations_keep_the_constants_of_the_fit(formula):
    rng = np.random.default_rng(8)
    data = pd.DataFrame({"x": rng.uniform(0, 9, 90), "g": np.arange(90) % 9, "o": rng.standard_normal(90)})
    data["y"] = np.sin(data["x"]) + data["o"] + rng.standard_normal(9)[data["g"]] + rng.standard_normal(90)
    model = lmer(formula, data)
    new = data[:5]
    values = model.simulate(N, rng=1, newdata=new, re_form=None).to_numpy()
    within_error(values, model.predict(new), model.sigma)
    within_error(values, model.fitted()[:5], model.sigma)


@pytest.mark.filterwarnings("ignore::mixedmodels.errors.RankDeficiencyWarning")
def test_awkward_names_and_dropped_columns():
    rng = np.random.default_rng(8)
    data = pd.DataFrame({"my x": rng.standard_normal(60), "the group": np.arange(60) % 6})
    data["twice"] = 2 * data["my x"]
    data["the y"] = data["my x"] + rng.standard_normal(60)
    model = lmer("`the y` ~ `my x` + twice + (1 | `the group`)", data)
    values = model.simulate(N, rng=1, newdata=data[:4], re_form=None).to_numpy()
    within_error(values, model.fitted()[:4], model.sigma)
    again = model.refit(model.simulate(1, rng=1)["sim_1"])
    assert again.rank == 2
    found = mm.power(model, "my x", 20, rng=1)
    assert found.failures == 0
    drawn = simulate_formula(
        "`the y` ~ `my x` + (1 | `the group`)",
        data,
        {"beta": [1.0, 2.0], "theta": [0.0], "sigma": 1e-9},
        rng=1,
    )
    np.testing.assert_allclose(drawn["sim_1"], 1 + 2 * data["my x"], atol=1e-6)


def test_data_and_parameters_of_the_caller_stay_as_they_are(sleep):
    data, params = sleep.data.copy(), {"beta": {"Days": 3.0}, "sigma": 1.0}
    before, copied = data.copy(), {"beta": {"Days": 3.0}, "sigma": 1.0}
    sleep.simulate(2, rng=1, newdata=data, params=params)
    mm.power(sleep, "Days", 5, params=params, data=data, rng=1)
    pd.testing.assert_frame_equal(data, before)
    assert params == copied


def test_unknown_families():
    data = crossed_design(5)
    with pytest.raises(ArgumentError, match="unknown family 'norml'"):
        simulate_formula("~ 1 + (1 | subject)", data, {}, family="norml")
