"""Power: every kind of test against fits one at a time, executors, families, failures, arguments."""

from __future__ import annotations

import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

import mixedmodels as mm
from mixedmodels import crossed_design, families, lmer, parameter_names, power
from mixedmodels.errors import ArgumentError, InterruptedWarning, MixedModelsWarning
from mixedmodels.fit.draws import as_responses
from mixedmodels.planning.scenario import scenario_of
from mixedmodels.planning.wilson import wilson_interval
from mixedmodels.repeat.seeds import Streams
from shared_fits import USUAL, fits

QUIET = pytest.mark.filterwarnings("ignore::mixedmodels.errors.MixedModelsWarning")


@pytest.mark.parametrize(
    ("successes", "n", "limits"),
    # R: prop.test(successes, n, correct = FALSE).
    [(8, 10, (0.4901625, 0.9433178)), (0, 20, (0.0, 0.1611252)), (20, 20, (0.8388748, 1.0))],
)
def test_wilson(successes, n, limits):
    np.testing.assert_allclose(wilson_interval(successes, n, 0.95), limits, rtol=1e-6)


def test_wilson_of_nothing():
    assert np.isnan(wilson_interval(0, 0, 0.95)).all()


def drawn_by_power(model, nsim, seed, params=None):
    """The responses that power() fits the model to."""
    scenario = scenario_of(model._fitted, params)
    streams = Streams.of(seed)
    blocks = [scenario.source.draw_many(streams.generator(i), 25) for i in range(-(-nsim // 25))]
    drawn = np.concatenate([as_responses(model._fitted, block) for block in blocks], axis=1)[:, :nsim]
    if not model._fitted.design.form.binomial:
        return drawn
    # What refit() takes: proportions.
    return drawn / model._fitted.design.unit_weights[:, None]


SLEEP = ("sleepstudy", "Reaction ~ Days + (Days | Subject)", None)
MACHINES = ("machines", "score ~ Machine + (1 | Worker)", None)
CBPP = ("cbpp", "cbind(incidence, size - incidence) ~ period + (1 | herd)", "binomial")
ONE_BY_ONE = {
    "coefficient": (SLEEP, "Days", {}, lambda m: m.coef_test().loc["Days"].iloc[-1]),
    "kenward-roger": (
        SLEEP,
        "Days",
        {"ddf": "kenward-roger"},
        lambda m: m.coef_test(ddf="kenward-roger").loc["Days"].iloc[-1],
    ),
    "normal": (SLEEP, "Days", {"ddf": "inf"}, lambda m: m.coef_test(ddf="inf").loc["Days"].iloc[-1]),
    "residual": (SLEEP, "Days", {"ddf": "residual"}, lambda m: m.coef_test(ddf="residual").iloc[-1, -1]),
    "hypothesis": (SLEEP, "Days = 10", {}, lambda m: m.linear_hypothesis("Days = 10").iloc[0, -1]),
    "weights": (
        MACHINES,
        {"Machine[T.C]": 1, "Machine[T.B]": -1},
        {},
        lambda m: m.t_test("MachineC - MachineB").iloc[0, -1],
    ),
    "term": (MACHINES, "Machine", {}, lambda m: m.anova().loc["Machine"].iloc[-1]),
    "term of a generalized model": (CBPP, "period", {}, lambda m: m.anova().loc["period"].iloc[-1]),
    "coefficient in R's spelling": (CBPP, "period3", {}, lambda m: m.coef_test().loc["period[T.3]"].iloc[-1]),
    "model": (SLEEP, "~ . - Days", {}, lambda m: m.anova(m.update(". ~ . - Days")).iloc[1, -1]),
    "random part": (
        SLEEP,
        "~ Days + (1 | Subject)",
        {},
        lambda m: m.anova(m.update(". ~ Days + (1 | Subject)")).iloc[1, -1],
    ),
    "generalized models": (
        CBPP,
        "~ . - period",
        {},
        lambda m: m.anova(m.update(". ~ . - period")).iloc[1, -1],
    ),
    "function": (SLEEP, lambda m: m.anova().iloc[0, -1], {}, lambda m: m.anova().iloc[0, -1]),
}


@QUIET
@pytest.mark.parametrize("name", ONE_BY_ONE)
def test_against_fits_one_at_a_time(name):
    (data, formula, family), test, options, direct = ONE_BY_ONE[name]
    model = fits(data, formula, family)
    found = power(model, test, 8, rng=5, **options)
    responses = drawn_by_power(model, 8, 5)
    wanted = []
    for response in responses.T:
        again = model.refit(response)
        if "~" in str(test):
            again = model.update(data=model.data.assign(**own_response(model, response)))
        wanted.append(float(direct(again)))
    np.testing.assert_allclose(found.p_values, wanted, rtol=2e-3, atol=1e-9)
    assert found.status.count("converged") >= 7


def own_response(model, response):
    """The columns of the response with new values."""
    if model.formula.startswith("cbind"):
        return {"incidence": np.round(response * model.data["size"]).astype(int)}
    return {model.formula.partition(" ~")[0]: response}


def test_prefix_and_blocks_do_not_depend_on_the_number_of_simulations():
    model = fits("sleepstudy")
    few, many = (power(model, "Days", n, rng=8) for n in (30, 60))
    np.testing.assert_array_equal(few.p_values, many.p_values[:30])


def test_same_bits_for_every_executor(monkeypatch):
    model = fits("sleepstudy")
    here = power(model, "Days", 60, rng=8)
    with ThreadPoolExecutor(2) as pool:
        threads = power(model, "Days", 60, rng=8, executor=pool)
    with ProcessPoolExecutor(2) as pool:
        processes = power(model, "Days", 60, rng=8, executor=pool)
    monkeypatch.setenv("MIXEDMODELS_NUM_THREADS", "1")
    alone = power(model, "Days", 60, rng=8)
    for other in (threads, processes, alone):
        np.testing.assert_array_equal(here.p_values, other.p_values)
        np.testing.assert_array_equal(here.estimates, other.estimates)


@pytest.mark.filterwarnings("ignore:This process")
def test_planned_studies_travel_to_processes():
    data = mm.extend(mm.load_cbpp(), 20, along="herd")
    model = fits("cbpp")
    here = power(model, "period", 30, rng=8, data=data)
    with ProcessPoolExecutor(2) as pool:
        there = power(model, "period", 30, rng=8, data=data, executor=pool)
    np.testing.assert_array_equal(here.p_values, there.p_values)
    assert here.groups == {"herd": 20}
    assert here.formula == model.formula


def test_progress_and_interruption():
    seen = []

    def stop(done, total):
        seen.append((done, total))
        if done:
            raise KeyboardInterrupt

    model = fits("sleepstudy")
    with pytest.warns(InterruptedWarning):
        found = power(model, "Days", 2000, rng=8, progress=stop)
    assert 0 < found.nsim == seen[-1][0] < 2000
    np.testing.assert_array_equal(found.p_values[:25], power(model, "Days", 25, rng=8).p_values)


POSITIVE = {"(Intercept)": 0.8, "x": 0.6, "sd__(Intercept)": 0.3}
FAMILIES = {
    "binomial": ({"(Intercept)": 0.0, "x": 1.0, "sd__(Intercept)": 0.5}, {}),
    "poisson": (POSITIVE, {}),
    "nbinom2": ({**POSITIVE, "size": 3.0}, {}),
    "nbinom1": ({**POSITIVE, "dispersion": 0.8}, {}),
    "gamma": ({**POSITIVE, "sigma": 0.6}, {}),
    "inverse_gaussian": ({**POSITIVE, "sigma": 0.2**0.5}, {}),
    "lognormal": ({**POSITIVE, "sigma": 0.6}, {}),
    "beta": ({"(Intercept)": 0.0, "x": 0.7, "sd__(Intercept)": 0.3, "precision": 6.0}, {}),
    "gaussian": ({**POSITIVE, "sigma": 1.0}, {"link": "log"}),
}


def design():
    return crossed_design(10, within={"x": [-0.5, 0.5]}, repetitions=6)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family(family):
    params, options = FAMILIES[family]
    names = parameter_names("~ x + (1 | subject)", design(), family=family, **options)
    assert set(names) == set(params)
    found = power(
        "y ~ x + (1 | subject)", "x", 60, data=design(), params=params, family=family, rng=4, **options
    )
    assert found.failures <= 2
    assert found.power > 0.3
    # Estimates are around the truth.
    assert np.nanmean(found.estimates) == pytest.approx(
        params["x"], abs=4 * np.nanstd(found.estimates) / np.sqrt(60) + 0.05
    )


@pytest.mark.parametrize("n_agq", [0, 9])
@QUIET
def test_quadrature_and_the_fast_fit(n_agq):
    model = fits("cbpp", *USUAL["cbpp"], nAGQ=n_agq)
    found = power(model, "period[T.2]", 6, rng=5)
    responses = drawn_by_power(model, 6, 5)
    wanted = [model.refit(own).coef_test().loc["period[T.2]"].iloc[-1] for own in responses.T]
    np.testing.assert_allclose(found.p_values, wanted, rtol=1e-3)


def test_a_family_of_the_caller():
    poisson = families.user(
        lambda y, eta, w: w * (y * eta - np.exp(eta)),
        lambda y, eta, w: w * (y - np.exp(eta)),
        lambda y, eta, w: w * np.exp(eta),
        lambda y, eta, w: w * np.exp(eta),
        link="log",
        draw=lambda rng, mean, weights: rng.poisson(mean),
    )
    own = power("y ~ x + (1 | subject)", "x", 10, data=design(), params=POSITIVE, family=poisson, rng=4)
    named = power("y ~ x + (1 | subject)", "x", 10, data=design(), params=POSITIVE, family="poisson", rng=4)
    assert own.failures == 0
    assert np.median(own.p_values) < 0.05
    assert np.isfinite(named.p_values).all()


def test_failures_are_counted_as_not_significant():
    data = crossed_design(4, within={"x": [-0.5, 0.5]}, repetitions=2)
    params = {"(Intercept)": -2.0, "x": 0.0, "sd__(Intercept)": 0.1}
    found = power("y ~ x + (1 | subject)", "x", 60, data=data, params=params, family="binomial", rng=4)
    assert 0 < found.failures < 60
    assert found.failures == np.isnan(found.p_values).sum()
    assert found.power == (found.p_values < 0.05).sum() / 60
    assert "without a p-value, counted as not significant" in str(found)
    assert set(found.simulations().query("status == 'failed'")["message"]) != {""}


def test_means_out_of_range_are_failures():
    params = {"(Intercept)": 1.0, "x": 0.2, "sd__(Intercept)": 0.4}
    options = {"data": design(), "family": "poisson", "link": "identity", "rng": 1}
    found = power("y ~ x + (1 | subject)", "x", 30, params=params, **options)
    assert 0 < found.failures < 30
    assert "out of its range" in str(found)


@pytest.mark.parametrize("test", ["x", "~ 1 + (1 | subject)"])
def test_separated_simulations_have_no_test_and_nobody_is_warned(test):
    data = crossed_design(6, within={"x": [-0.5, 0.5]}, repetitions=4)
    params = {"(Intercept)": -1.0, "x": 5.0, "sd__(Intercept)": 0.3}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = power("y ~ x + (1 | subject)", test, 40, data=data, params=params, family="binomial", rng=1)
    assert 0 < found.failures < 40
    assert "the likelihood has no finite optimum" in str(found)


@QUIET
def test_models_with_weights_offsets_missing_rows_and_held_parameters():
    rng = np.random.default_rng(8)
    g = np.arange(80) % 8
    data = pd.DataFrame({"x": rng.standard_normal(80), "g": g.astype(str), "o": rng.standard_normal(80)})
    data["w"] = rng.uniform(0.3, 3.0, 80)
    data["y"] = data["x"] + data["o"] + rng.standard_normal(8)[g] + rng.standard_normal(80)
    data.loc[[3, 40], "x"] = np.nan
    options = {"weights": "w", "offset": "o"}
    for na_action in ("omit", "exclude"):
        model = lmer("y ~ x + (1 | g)", data, na_action=na_action, fixed={"sd__(Intercept)": 1.0}, **options)
        found = power(model, "x", 40, params={"x": 0.25}, rng=1)
        assert found.failures == 0
        assert found.n_obs == 78
        assert 0.2 < found.power < 0.95
        larger = power(model, "x", 40, params={"x": 0.25}, rng=1, data=mm.extend(data, 24, along="g"))
        assert larger.n_obs == 3 * 78
        assert larger.power > found.power


def test_a_million_rows():
    rng = np.random.default_rng(3)
    g = rng.integers(0, 500, 1_000_000)
    data = pd.DataFrame({"x": rng.standard_normal(len(g)), "g": g})
    params = {"(Intercept)": 0.0, "x": 0.004, "sd__(Intercept)": 1.0, "sigma": 1.0}
    found = power("y ~ x + (1 | g)", "x", 3, data=data, params=params, rng=1)
    assert found.failures == 0


def test_models_of_another_response():
    model = fits("sleepstudy")
    again = model.refit(model.simulate(1, rng=3)["sim_1"])
    found = power(again, "~ . - Days", 10, rng=1)
    assert found.failures == 0
    assert (power(again, "Days", 10, rng=1).p_values < 0.05).all()


def test_result():
    found = power(fits("sleepstudy"), "Days", 40, params={"Days": 5.0}, rng=1)
    frame = found.to_frame()
    assert frame.loc[0, ["nsim", "significant", "failures", "nobs"]].tolist() == [
        40,
        found.significant,
        0,
        180,
    ]
    assert frame.loc[0, "conf.low"] < float(found) < frame.loc[0, "conf.high"]
    assert found.simulations().shape == (40, 6)
    assert found.effect == 5.0
    with pytest.raises(ValueError, match="read-only"):
        found.p_values[0] = 1.0


def only_sometimes(model):
    """A test of the caller that fails for some responses."""
    first = int(model.predict()[0])
    if first % 3 == 0:
        raise KeyError("no such row")
    return np.nan if first % 3 == 1 else 0.01


def test_a_function_that_fails_ends_no_other_simulation():
    model = fits("sleepstudy")
    found = power(model, only_sometimes, 30, rng=1)
    reasons = set(found.messages)
    assert reasons == {"", "only_sometimes: KeyError: 'no such row'", "the test has no p-value"}
    assert found.failures == sum(message != "" for message in found.messages)
    assert found.significant == 30 - found.failures
    with pytest.raises(ArgumentError, match=r"none of 5 simulations gave a p-value .*ZeroDivisionError"):
        power(model, lambda m: 1 / 0, 5)
    with pytest.raises(ArgumentError, match="power_curve: none of 10 simulations gave a p-value"):
        mm.power_curve(model, lambda m: np.nan, 5, along="Subject", values=[6, 9])


CHANGED = {
    "another basis": (
        ("sleepstudy", "Reaction ~ poly(Days, 2) + (1 | Subject)", None),
        lambda data: mm.extend(data, 40, along="Subject"),
        "poly(Days, 2)[1]",
    ),
    "another reference level": (MACHINES, lambda data: data[data["Machine"] != "A"], "Machine[T.C]"),
}


@pytest.mark.parametrize("name", CHANGED)
def test_the_true_value_is_that_of_the_coefficient_in_the_planned_rows(name):
    own, planned, coefficient = CHANGED[name]
    model = fits(*own)
    with pytest.warns(MixedModelsWarning, match="mean something else than in the fit"):
        found = power(model, coefficient, 200, data=planned(model.data), rng=1)
    error = np.nanstd(found.estimates) / np.sqrt(200)
    assert np.nanmean(found.estimates) == pytest.approx(found.effect, abs=4 * error)
    assert abs(found.effect - model.fixef()[coefficient]) > 20 * error


def test_coefficients_that_keep_their_meaning_keep_their_values(recwarn):
    model = fits("machines", MACHINES[1])
    found = power(model, "Machine[T.C]", 5, data=mm.extend(model.data, 9, along="Worker"), rng=1)
    assert found.effect == pytest.approx(model.fixef()["Machine[T.C]"], rel=1e-9)
    assert not [w for w in recwarn if issubclass(w.category, MixedModelsWarning)]


def test_without_a_true_value_there_is_none():
    """Knots at quantiles of other rows do not give the true curve."""
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"x": rng.exponential(size=120), "g": np.arange(120) % 12})
    data["y"] = np.sin(2 * data["x"]) + rng.standard_normal(12)[data["g"]] + rng.standard_normal(120)
    model = lmer("y ~ ns(x, df=4) + (1 | g)", data)
    with pytest.warns(MixedModelsWarning, match="mean something else"):
        found = power(model, "ns(x, df=4)[2]", 5, data=data.assign(x=data["x"] ** 2), rng=1)
    assert np.isnan(found.effect)
    assert found.failures == 0


def test_trials_of_a_ratio_whose_successes_are_still_to_come():
    data = crossed_design(20, within={"x": [-0.5, 0.5]}).assign(n=10)
    params = {"(Intercept)": 0.0, "x": 0.8, "sd__(Intercept)": 0.5}
    options = {"params": params, "family": "binomial", "rng": 1}
    planned = power("a / n ~ x + (1 | subject)", "x", 40, data=data, **options)
    by_weights = power("p ~ x + (1 | subject)", "x", 40, data=data, weights="n", **options)
    np.testing.assert_array_equal(planned.p_values, by_weights.p_values)
    with pytest.raises(ArgumentError, match="do not hold the numbers of trials, which a / size reads"):
        power("a / size ~ x + (1 | subject)", "x", 40, data=data, **options)


def test_parameters_by_the_names_of_confint():
    model = fits("sleepstudy")
    printed = {"sd_Days|Subject": 3.0, "cor_Days.(Intercept)|Subject": 0.5, "sd_(Intercept)|Subject": 20.0}
    usual = {"sd__Days": 3.0, "cor__(Intercept).Days": 0.5, "sd__(Intercept)": 20.0}
    names = {row for row in model.confint(method="wald").to_frame().index if "|" in row}
    assert names == set(printed)
    np.testing.assert_array_equal(
        power(model, "Days", 10, params=printed, rng=1).p_values,
        power(model, "Days", 10, params=usual, rng=1).p_values,
    )


WRONG = {
    "no test": (MACHINES, {}, "say what to test by test=: a coefficient"),
    "unknown": (SLEEP, {"test": "Weeks"}, "test='Weeks' is not a coefficient"),
    "term": (SLEEP, {"test": ("term", "Weeks")}, "there is no term 'Weeks'"),
    "larger model": (SLEEP, {"test": "~ Days + I(Days**2) + (Days | Subject)"}, "has no fewer parameters"),
    "ddf of a comparison": (SLEEP, {"test": "~ . - Days", "ddf": "inf"}, "no degrees of freedom to choose"),
    "ddf": (CBPP, {"test": "period", "ddf": "satterthwaite"}, "generalized model"),
    "params": (
        SLEEP,
        {"test": "Days", "params": {"Day": 1.0}},
        "params: no parameter 'Day'; did you mean 'Days'",
    ),
    "nsim": (SLEEP, {"test": "Days", "nsim": 0}, "nsim must be a whole number"),
    "alpha": (SLEEP, {"test": "Days", "alpha": 5}, "alpha must be a number between 0 and 1"),
    "family": (SLEEP, {"test": "Days", "family": "poisson"}, "family= is for a formula"),
    "weights": (SLEEP, {"test": "Days", "weights": "w"}, "weights= of a fitted model needs data="),
    "REML": (SLEEP, {"test": "Days", "REML": False}, "power: REML= is for a formula"),
    "no random effects": (
        ("sleepstudy", "Reaction ~ Days + (1 | Subject)", None),
        {"test": "~ Days"},
        "has no random effects, and likelihood ratios are of mixed models. For the only variance use test=",
    ),
    "None": (SLEEP, {"test": lambda m: None}, "must return a p-value, a single number, not NoneType"),
    "executor": (SLEEP, {"test": "Days", "executor": 2}, "executor must be None or an Executor"),
    "p-value": (SLEEP, {"test": lambda m: 2.0}, "a p-value between 0 and 1"),
    "no number": (SLEEP, {"test": lambda m: m}, "must return a p-value, a single number"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments(name):
    (data, formula, family), options, message = WRONG[name]
    with pytest.raises(ArgumentError, match=message.replace("[", r"\[").replace("(", r"\(")):
        power(fits(data, formula, family), **{"nsim": 4, **options})


def test_a_coefficient_that_is_held_has_no_test():
    model = lmer("Reaction ~ Days + (1 | Subject)", mm.load_sleepstudy(), fixed={"Days": 8.0})
    with pytest.raises(ArgumentError, match="Days = 0 is about fixed coefficients only"):
        power(model, "Days", 5)


def test_messages_name_the_function_that_was_called():
    data = mm.load_sleepstudy()
    model = lmer("Reaction ~ Days + (1 | Subject)", data, offset=np.ones(180))
    with pytest.raises(ArgumentError, match=r"^power: the model was fitted with an array as offset"):
        power(model, "Days", 5, data=data)
    with pytest.raises(ArgumentError, match=r"^power_curve: the model was fitted with an array as offset"):
        mm.power_curve(model, "Days", 5, along="Subject", values=[5], data=data)


def test_formulas_need_data_and_all_parameters():
    with pytest.raises(ArgumentError, match="a formula needs data="):
        power("y ~ x + (1 | subject)", "x", params=POSITIVE)
    with pytest.raises(ArgumentError, match="params: no value for sigma"):
        power("y ~ x + (1 | subject)", "x", params=POSITIVE, data=design())
    with pytest.raises(ArgumentError, match="a model fitted by lmer"):
        power(3, "x")


@pytest.mark.parametrize("start", [0.0, 1.0])
def test_the_start_of_the_fits_does_not_matter(start):
    """Where the truth has no variance, or the fitted model does not, fits find the variance of a response."""
    data = crossed_design(12, within={"x": [-0.5, 0.5]}, repetitions=3)
    params = {"(Intercept)": 0.0, "x": 0.0, "sd__(Intercept)": 0.0, "sigma": 1.0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedModelsWarning)
        y = mm.simulate_formula("~ x + (1 | subject)", data, {**params, "sd__(Intercept)": start}, rng=3)[
            "sim_1"
        ]
        model = lmer("y ~ x + (1 | subject)", data.assign(y=y))
        found = power(model, "x", 25, params={"sd__(Intercept)": 1.0}, rng=1)
        responses = drawn_by_power(model, 25, 1, {"sd__(Intercept)": 1.0})
        again = [model.refit(response) for response in responses.T]
    wanted = [own.coef_test().loc["x"].iloc[-1] for own in again]
    np.testing.assert_allclose(found.p_values, wanted, rtol=1e-3)
    assert found.singular.tolist() == [mm.is_singular(own) for own in again]
    assert found.singular.sum() < 5


def test_a_truth_without_variance_is_no_trap_for_the_fits():
    """The fits of a study from nothing start at the truth, where the likelihood may be flat."""
    data = crossed_design(12, within={"x": [-0.5, 0.5]}, repetitions=3)
    params = {"(Intercept)": 0.0, "x": 0.0, "sd__(Intercept)": 0.0, "sigma": 1.0}
    found = power("y ~ x + (1 | subject)", "x", 50, data=data, params=params, rng=1)
    # About half of the estimates of a variance of zero are zero.
    assert 15 < found.singular.sum() < 45
