"""Quantile residuals: what they are, that they are uniform under the model, and that faults are found."""

from __future__ import annotations

import pickle
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mixedmodels import families, glmer, lmer, quantile_residuals
from mixedmodels.diagnostics.simulated.given_data import predictor_given_data
from mixedmodels.errors import ArgumentError, MixedModelsWarning
from shared_fits import fits

N = 60


def grouped(seed, groups=30, rows=6):
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(groups), rows)
    data = pd.DataFrame({"g": g, "x": rng.uniform(-1.5, 1.5, len(g))})
    return rng, data, 1 + 0.5 * data["x"] + rng.normal(0.0, 0.5, groups)[g]


def responses(residuals):
    """All simulated responses of a result, shape (m, n)."""
    source = residuals._source
    starts = range(0, residuals.n_sim, source.size)
    return np.vstack([source.block(s, min(s + source.size, residuals.n_sim)).values for s in starts])


@pytest.mark.parametrize("data", ["sleepstudy", "cbpp"])
def test_a_residual_is_the_rank_among_the_simulated_responses(data):
    found = fits(data).quantile_residuals(60, rng=3)
    drawn, y = responses(found), fits(data)._fitted.observed
    below, equal = (drawn < y).sum(axis=0), (drawn == y).sum(axis=0)
    assert (found.residuals * 61 >= below - 1e-9).all()
    assert (found.residuals * 61 <= below + equal + 1 + 1e-9).all()
    assert found.outlier.tolist() == ((y < drawn.min(axis=0)) | (y > drawn.max(axis=0))).tolist()
    np.testing.assert_allclose(found.normal, stats.norm.ppf(found.residuals))


def test_outliers_are_counted_in_simulated_responses_as_in_the_data():
    # Each response takes the place of the data once: strictly below or above all others.
    found = fits("cbpp").quantile_residuals(60, rng=3)
    everything = np.vstack([fits("cbpp")._fitted.observed, responses(found)])
    each = []
    for i in range(len(everything)):
        rest = np.delete(everything, i, axis=0)
        each.append(int(((everything[i] < rest.min(axis=0)) | (everything[i] > rest.max(axis=0))).sum()))
    check = found.test_outliers()
    assert check.value == each[0]
    assert check.p_value == pytest.approx(np.mean(np.array(each) >= each[0]))


def test_the_binomial_test_of_outliers():
    found = fits("sleepstudy").quantile_residuals(99, rng=1).test_outliers("binomial")
    expected = stats.binomtest(int(found.value), 180, 0.02, alternative="greater").pvalue
    assert found.p_value == pytest.approx(expected)


@pytest.mark.parametrize("options", [{}, {"refit": True}, {"conditional": True}])
def test_the_seed_alone_decides(options):
    model = fits("cbpp")
    one = model.quantile_residuals(60, rng=5, **options)
    with ThreadPoolExecutor(2) as executor:
        other = model.quantile_residuals(60, rng=5, executor=executor, **options)
    assert one.residuals.tolist() == other.residuals.tolist()
    pd.testing.assert_frame_equal(one.tests().to_frame(), other.tests().to_frame())
    again = pickle.loads(pickle.dumps(one))
    assert again.test_predictor("period").p_value == one.test_predictor("period").p_value


def test_processes_and_progress():
    told = []
    with ProcessPoolExecutor(1) as executor:
        one = fits("sleepstudy").quantile_residuals(
            60, rng=5, executor=executor, progress=lambda done, total: told.append((done, total))
        )
    assert told[-1] == (60, 60)
    assert one.residuals.tolist() == fits("sleepstudy").quantile_residuals(60, rng=5).residuals.tolist()


def gaussian(seed):
    rng, data, eta = grouped(seed)
    data["y"] = eta + rng.normal(size=len(data))
    return data, None


def poisson(seed):
    rng, data, eta = grouped(seed)
    data["y"] = rng.poisson(np.exp(eta))
    return data, "poisson"


def binary(seed):
    rng, data, eta = grouped(seed)
    data["y"] = rng.binomial(1, 1 / (1 + np.exp(-eta)))
    return data, "binomial"


TRUTH = {"(Intercept)": 1.0, "x": 0.5, "sd__(Intercept)": 0.5}


@pytest.mark.parametrize("make", [gaussian, poisson, binary])
def test_p_values_are_uniform_at_the_true_parameters(make):
    found = []
    for i in range(N):
        data, family = make([1, i])
        if family is None:
            fit = lmer("y ~ x + (1 | g)", data, fixed=TRUTH | {"sigma": 1.0}, REML=False)
        else:
            fit = glmer("y ~ x + (1 | g)", data, family, fixed=TRUTH)
        residuals = fit.quantile_residuals(60, rng=i)
        found.append(
            (
                residuals.test_uniformity().p_value,
                residuals.test_dispersion().p_value,
                residuals.test_predictor("x", bins=4).p_value,
                residuals.residuals.mean(),
            )
        )
    found = np.array(found)
    for column in range(2):
        assert stats.kstest(found[:, column], "uniform").pvalue > 0.01
    # The smallest of three p-values, adjusted, is not below alpha more often than it should.
    assert (found[:, 2] <= 0.2).mean() < 0.2 + 3 * np.sqrt(0.16 / N)
    assert abs(found[:, 3].mean() - 0.5) < 0.03


def test_refits_make_the_p_values_of_estimated_models_uniform():
    plain, refitted = [], []
    for i in range(40):
        data, _ = gaussian([2, i])
        fit = lmer("y ~ x + (1 | g)", data)
        plain.append(fit.quantile_residuals(60, rng=i).test_uniformity().p_value)
        refitted.append(fit.quantile_residuals(60, rng=i, refit=True).test_uniformity().p_value)
    assert stats.kstest(refitted, "uniform").pvalue > 0.01
    assert np.mean(plain) > np.mean(refitted) + 0.1


def test_overdispersion_and_zeros_are_found():
    rng, data, eta = grouped(4, 40, 10)
    data["y"] = rng.poisson(np.exp(eta) * rng.gamma(1.5, 1 / 1.5, len(data)))
    fit = glmer("y ~ x + (1 | g)", data, "poisson")
    for options in ({"conditional": True}, {}, {"refit": True}):
        residuals = fit.quantile_residuals(100, rng=1, **options)
        check = residuals.test_dispersion("greater")
        assert not check
        assert check.value > 1.3
        assert residuals.test_dispersion("less").p_value > 0.9
    assert not fit.quantile_residuals(rng=1, conditional=True).test_zero_inflation("greater")
    # With the right family there is nothing to find.
    right = glmer("y ~ x + (1 | g)", data, "nbinom2").quantile_residuals(rng=1, conditional=True)
    assert right.test_dispersion("greater").ok
    assert right.test_zero_inflation("greater").ok


@pytest.mark.parametrize("sd", [0.5, 2.0])
def test_overdispersion_of_rows_shows_whatever_the_random_effects(sd):
    found, values = 0, []
    for i in range(10):
        rng = np.random.default_rng([10, i])
        data = grouped(i, 40, 10)[1]
        mean = np.exp(1 + 0.5 * data["x"] + rng.normal(0.0, sd, 40)[data["g"]])
        data["y"] = rng.poisson(mean * rng.gamma(3.0, 1 / 3.0, len(data)))
        check = glmer("y ~ x + (1 | g)", data, "poisson").quantile_residuals(100, rng=i).test_dispersion()
        found += not check
        values.append(check.value)
        # Nothing to find in as much variation between groups alone.
        data["y"] = rng.poisson(mean)
        assert glmer("y ~ x + (1 | g)", data, "poisson").quantile_residuals(100, rng=i).test_dispersion()
    assert found == 10
    # The variance of a row over its mean is 1 + mean / 3.
    assert 1.5 < np.median(values) < 8


def test_crossed_terms_slopes_and_structures_are_taken_out():
    rng, data, eta = grouped(12, 40, 10)
    data["h"], data["f"] = np.tile(np.arange(10), 40), np.tile(np.repeat(["a", "b"], 5), 40)
    eta = eta + rng.normal(0.0, 0.2, 10)[data["h"]] + rng.normal(0.0, 0.3, 40)[data["g"]] * data["x"]
    data["y"] = rng.poisson(np.exp(eta) * rng.gamma(3.0, 1 / 3.0, len(data)))
    for formula in (
        "y ~ x + (x | g) + (1 | h)",
        "y ~ x + (x || g) + (1 | h)",
        "y ~ x + cs(0 + f | g) + (1 | h)",
    ):
        fit = glmer(formula, data, "poisson")
        assert not fit.quantile_residuals(60, rng=1).test_dispersion("greater")


def test_a_wrong_link_and_missing_slopes_are_found():
    rng, data, eta = grouped(5, 40, 20)
    data["y"] = rng.poisson(np.square(1.5 + 1.5 * eta + 0.75 * data["x"]))
    wrong = glmer("y ~ x + (1 | g)", data, "poisson").quantile_residuals(rng=1)
    assert not wrong.test_predictor()
    assert not wrong.test_predictor(data["x"])
    right = glmer("y ~ x + (1 | g)", data, families.Poisson("sqrt")).quantile_residuals(rng=1)
    assert right.test_predictor()
    data["z"] = eta + rng.normal(size=len(data))
    missing = lmer("z ~ 1 + (1 | g)", data).quantile_residuals(rng=1)
    check = missing.test_predictor("x", bins=5)
    assert not check
    assert check.table["mean"].is_monotonic_increasing
    assert check.table["nobs"].tolist() == [160] * 5
    assert lmer("z ~ x + (1 | g)", data).quantile_residuals(rng=1).test_predictor("x")


def test_labels_make_groups():
    table = fits("machines").quantile_residuals(60, rng=1).test_predictor("Machine").table
    assert table["Machine"].tolist() == ["A", "B", "C"]
    assert table["nobs"].tolist() == [18, 18, 18]


def test_correlation_in_time_and_space():
    rng = np.random.default_rng(6)
    n = 200
    noise = rng.normal(size=n)
    for i in range(1, n):
        noise[i] += 0.7 * noise[i - 1]
    data = pd.DataFrame({"time": np.arange(n), "g": np.tile(np.arange(10), n // 10), "y": noise})
    data["day"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(data["time"], unit="D")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedModelsWarning)
        residuals = lmer("y ~ 1 + (1 | g)", data).quantile_residuals(rng=1)
    check = residuals.test_temporal("time")
    assert not check
    assert check.value < 1.2
    assert residuals.test_temporal(data["day"]).value == pytest.approx(check.value)
    # Scores are independent of time in another order.
    assert residuals.test_temporal(rng.permutation(n))
    assert not residuals.test_spatial("time", np.zeros(n))
    assert residuals.test_spatial(*rng.normal(size=(2, n)))


def test_random_effects_explain_what_series_have_in_common():
    # Within a subject residuals with new random effects follow each other closely, as the model says.
    rng, data, eta = grouped(8, 30, 8)
    data["y"], data["t"] = eta + rng.normal(size=len(data)), np.tile(np.arange(8), 30)
    check = lmer("y ~ x + (1 | g)", data).quantile_residuals(rng=1).test_temporal("t", by="g")
    assert check
    assert check.value < 1.9


def test_rows_left_out():
    data = fits("sleepstudy").data.copy()
    data.loc[[3, 7], "Reaction"] = np.nan
    padded = lmer("Reaction ~ Days + (Days | Subject)", data, na_action="exclude").quantile_residuals(
        60, rng=1
    )
    assert padded.residuals.shape == (180,)
    assert np.flatnonzero(np.isnan(padded.residuals)).tolist() == [3, 7]
    assert padded.to_frame().index.equals(data.index)
    short = lmer("Reaction ~ Days + (Days | Subject)", data).quantile_residuals(60, rng=1)
    assert short.residuals.tolist() == padded.used.tolist()
    assert short.test_predictor(data["Days"]).p_value == padded.test_predictor("Days").p_value


FAMILIES = ["poisson", "nbinom1", "nbinom2", "gamma", "inverse_gaussian", "lognormal", "beta", "gaussian"]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("refit", [False, True])
def test_every_family(family, refit):
    rng, data, eta = grouped(9, 12, 8)
    mean = np.exp(0.5 * eta)
    data["y"] = {
        "poisson": rng.poisson(mean),
        "nbinom1": rng.poisson(mean * rng.gamma(2, 0.5, len(data))),
        "nbinom2": rng.poisson(mean * rng.gamma(2, 0.5, len(data))),
        "gamma": mean * rng.gamma(5, 0.2, len(data)),
        "inverse_gaussian": rng.wald(mean, 5),
        "lognormal": np.exp(0.5 * eta + 0.3 * rng.normal(size=len(data))),
        "beta": rng.beta(4 / (1 + np.exp(-eta)), 4 / (1 + np.exp(eta))),
        "gaussian": mean + rng.normal(size=len(data)),
    }[family]
    link = {} if family != "gaussian" else {"link": "log"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedModelsWarning)
        fit = glmer("y ~ x + (1 | g)", data, family, **link)
    residuals = fit.quantile_residuals(60, rng=1, refit=refit)
    assert ((residuals.residuals > 0) & (residuals.residuals < 1)).all()
    assert 0.4 < residuals.residuals.mean() < 0.6
    assert np.isfinite(residuals.tests()["p.value"]).all()


def test_the_same_by_function_and_printed():
    text = str(quantile_residuals(fits("cbpp"), 60, rng=1))
    assert "uniformity" in text
    assert "zero inflation" in text


def test_a_plot_has_the_residuals():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    residuals = fits("sleepstudy").quantile_residuals(60, rng=1)
    panels = residuals.plot()
    try:
        drawn = panels[0].collections[-1].get_offsets()
        np.testing.assert_allclose(np.sort(drawn[:, 1]), np.sort(residuals.residuals))
    finally:
        pyplot.close("all")


def test_wrong_arguments():
    model = fits("sleepstudy")
    with pytest.raises(ArgumentError, match="conditional or refit"):
        model.quantile_residuals(conditional=True, refit=True)
    # Among 59 simulations the least adjusted p-value is 0.05.
    for nsim in (0, 10, 59):
        with pytest.raises(ArgumentError, match=r"nsim|0\.05"):
            model.quantile_residuals(nsim)
    residuals = model.quantile_residuals(60, rng=1)
    with pytest.raises(ArgumentError, match="180 rows"):
        residuals.test_predictor([1.0, 2.0])
    with pytest.raises(ArgumentError, match="must be numeric"):
        residuals.test_spatial("Subject", "Days")
    with pytest.raises(ArgumentError, match="the same in all rows"):
        residuals.test_predictor(np.ones(180))
    with pytest.raises(ArgumentError, match="three times"):
        residuals.test_temporal(np.ones(180))
    # "10" comes before "2".
    with pytest.raises(ArgumentError, match="numbers or dates"):
        residuals.test_temporal(fits("sleepstudy").data["Days"].astype(str))
    flat = fits("dyestuff").quantile_residuals(60, rng=1)
    with pytest.raises(ArgumentError, match="give x"):
        flat.test_predictor()
    with pytest.raises(ArgumentError, match="different places"):
        residuals.test_spatial(np.ones(180), np.ones(180))
    with pytest.raises(ArgumentError, match="alternative"):
        residuals.test_dispersion("more")


def small_groups(family, seed, rows=3):
    rng = np.random.default_rng([20, seed])
    n = 200
    g = np.arange(n) // rows
    data = pd.DataFrame({"g": g, "x": rng.normal(size=n)})
    eta = 0.3 * data["x"] + rng.normal(0.0, 0.7, n)[g]
    data["y"] = {
        "gaussian": lambda: eta + rng.normal(size=n),
        "poisson": lambda: rng.poisson(np.exp(eta + 0.5)),
        "binomial": lambda: rng.binomial(1, 1 / (1 + np.exp(-eta))),
    }[family]()
    return (
        quiet(glmer, "y ~ x + (1 | g)", data, family)
        if family != "gaussian"
        else lmer("y ~ x + (1 | g)", data)
    )


def quiet(fit, *args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedModelsWarning)
        return fit(*args, **options)


@pytest.mark.parametrize(
    ("family", "rows"), [("gaussian", 3), ("poisson", 3), ("binomial", 3), ("poisson", 1)]
)
def test_shrunken_effects_do_not_reject_the_true_model(family, rows):
    # At the conditional modes the residuals follow the linear predictor in most of these.
    found = []
    for i in range(N):
        residuals = small_groups(family, i, rows).quantile_residuals(60, conditional=True, rng=i)
        tests = [residuals.test_predictor(), residuals.test_uniformity(), residuals.test_dispersion()]
        found.append([test.p_value for test in tests])
    shares = (np.array(found) <= 0.1).mean(axis=0)
    assert (shares < 0.1 + 3 * np.sqrt(0.09 / N)).all(), shares


def test_effects_of_a_normal_response_are_drawn_from_their_exact_distribution():
    model = fits("sleepstudy")
    fitted = model._fitted
    generator = np.random.default_rng(1)
    drawn = np.array([predictor_given_data(fitted, generator) for _ in range(2000)])
    z, x, s2 = model.getME("Z").toarray() @ model.getME("Lambda").toarray(), model.getME("X"), model.sigma**2
    a = np.hstack([z, x])
    precision = a.T @ a + np.diag([1.0] * z.shape[1] + [0.0] * x.shape[1])
    covariance = s2 * a @ np.linalg.solve(precision, a.T)
    sd = np.sqrt(np.diagonal(covariance))
    scaled = (drawn - model.fitted()) / sd
    assert np.abs(scaled.mean(axis=0)).max() < 5 / np.sqrt(2000)
    np.testing.assert_allclose(np.cov(scaled.T), covariance / np.outer(sd, sd), atol=0.12)


def test_effects_of_counts_are_drawn_from_their_exact_distribution():
    # One large coefficient apart: a single row with a count of zero has a skewed effect.
    data = pd.DataFrame({"row": np.arange(40), "y": np.tile([0, 0, 0, 5], 10)})
    truth = {"(Intercept)": 0.0, "sd__(Intercept)": 1.5}
    fitted = quiet(glmer, "y ~ 1 + (1 | row)", data, "poisson", fixed=truth)._fitted
    drawn = np.array([predictor_given_data(fitted, np.random.default_rng(i)) for i in range(100)])
    grid = np.linspace(-12, 8, 8001)
    for y in (0, 5):
        density = stats.norm.pdf(grid, 0, 1.5) * stats.poisson.pmf(y, np.exp(grid))
        density /= density.sum()
        mean = (grid * density).sum()
        sd = np.sqrt((np.square(grid - mean) * density).sum())
        own = drawn[:, data["y"] == y]
        assert own.mean() == pytest.approx(mean, abs=5 * sd / np.sqrt(own.size))
        assert own.std() == pytest.approx(sd, rel=0.08)
        below = grid[np.searchsorted(np.cumsum(density), 0.1)]
        assert (own < below).mean() == pytest.approx(0.1, abs=5 * 0.3 / np.sqrt(own.size))


@pytest.mark.parametrize(
    "times",
    [
        lambda day: pd.to_timedelta(day, unit="D"),
        lambda day: pd.Timestamp("2024-01-01", tz="Europe/Berlin") + pd.to_timedelta(day, unit="D"),
        lambda day: pd.Series(
            [(pd.Timestamp("2024-01-01") + pd.Timedelta(hours=int(h))).time() for h in day]
        ),
    ],
)
def test_spans_zones_and_times_of_the_day_have_an_order(times):
    model = fits("sleepstudy")
    residuals = model.quantile_residuals(60, rng=1)
    # As labels "10 days" comes before "2 days".
    given = pd.Series(times(2 * model.data["Days"]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = residuals.test_temporal(given.to_numpy() if given.dtype == object else given, by="Subject")
        table = residuals.test_predictor(given, bins=3).table
    assert found.value == residuals.test_temporal("Days", by="Subject").value
    assert table["nobs"].tolist() == residuals.test_predictor("Days", bins=3).table["nobs"].tolist()


def test_ties_and_missing_values_are_told():
    model = fits("sleepstudy")
    residuals = model.quantile_residuals(60, rng=1)
    days = model.data["Days"].astype(float).where(model.data["Days"] != 3)
    assert (
        "18 rows of the same time are averaged: by= tells series apart"
        in residuals.test_temporal("Days").text
    )
    assert "averaged" not in residuals.test_temporal("Days", by="Subject").text
    for check in (
        residuals.test_predictor(days),
        residuals.test_temporal(days, by="Subject"),
        residuals.test_spatial(days, model.data["Reaction"]),
    ):
        assert "18 rows without" in check.text
    assert "without" not in residuals.test_predictor("Days").text


def test_groups_of_numbers_and_dates_are_named_by_their_own_values():
    residuals = fits("sleepstudy").quantile_residuals(60, rng=1)
    x = np.linspace(0.026, 0.9, 180)
    table = residuals.test_predictor(x, bins=2).table
    assert table["x"].tolist() == ["0.026 to 0.4606", "0.4654 to 0.9"]
    dates = pd.Series(pd.date_range("2020-01-01", periods=180), name="date")
    table = residuals.test_predictor(dates, bins=2).table
    assert table["date"].tolist() == ["2020-01-01 to 2020-03-30", "2020-03-31 to 2020-06-28"]
    assert residuals.test_predictor("Days").table["Days"].tolist() == [str(day) for day in range(10)]
