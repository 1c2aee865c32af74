"""What figures of residuals draw: positions, bands, smoothers, labels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mixedmodels import (
    ArgumentError,
    MissingColumnError,
    glmer,
    lmer,
    load_cbpp,
    load_sleepstudy,
    plot_binned_residuals,
    plot_diagnostics,
    plot_residuals,
    plot_rootogram,
)
from mixedmodels.diagnostics.randomized import randomized_quantiles
from mixedmodels.figures.counts import expected_frequencies
from mixedmodels.plot.quantiles import uniform_band
from mixedmodels.plot.residuals import binned_means
from mixedmodels.plot.smoother import local_line, smooth_curve
from shared_fits import fits

TICKS = ("grouseticks", "TICKS ~ YEAR + (1 | BROOD) + (1 | LOCATION)", "poisson")


def points(ax):
    return np.asarray(ax.collections[0].get_offsets())


def scatter_of(ax):
    """All points drawn, whatever bands are below them."""
    return np.concatenate([np.asarray(c.get_offsets()) for c in ax.collections if len(c.get_offsets()) > 1])


def test_the_four_panels_show_residuals_and_random_effects():
    model = fits("sleepstudy")
    panels = plot_diagnostics(model)
    assert panels.figure.axes == list(panels.flat)
    scaled = model.residuals("pearson", scaled=True)
    np.testing.assert_allclose(points(panels[0, 0]), np.column_stack([model.fitted(), scaled]))
    np.testing.assert_allclose(points(panels[1, 0])[:, 1], np.sqrt(np.abs(scaled)))
    drawn = scatter_of(panels[0, 1])
    np.testing.assert_allclose(drawn[:, 1], np.sort(scaled))
    np.testing.assert_allclose(drawn[:, 0], stats.norm.ppf((np.arange(180) + 0.5) / 180))
    names = [text.get_text() for text in panels[1, 1].get_legend().get_texts()]
    assert names == ["Subject: (Intercept)", "Subject: Days"]


def test_random_effects_are_in_units_of_the_standard_deviations_of_their_modes():
    # Var E(b | y) = Var b - Var(b | y); balanced data, so the same for all subjects.
    model = fits("sleepstudy")
    effects, sd = model.ranef(condVar=True), model.VarCorr()["Subject"].sd
    variance = sd[1] ** 2 - effects.condvar["Subject"][0][:, 1, 1]
    wanted = np.sort(effects["Subject"]["Days"].to_numpy() / np.sqrt(variance))
    np.testing.assert_allclose(scatter_of(plot_diagnostics(model)[1, 1])[18:, 1], wanted)


@pytest.mark.parametrize("n", [4, 35, 180, 3000])
def test_bands_contain_all_normal_points_with_their_level(n):
    rng = np.random.default_rng(8)
    low, high = uniform_band(n, np.arange(1, n + 1)).T
    samples = np.sort(rng.uniform(size=(2000, n)), axis=1)
    share = ((samples >= low) & (samples <= high)).all(axis=1).mean()
    # Three standard errors.
    assert share == pytest.approx(0.95, abs=0.015)


def test_the_smoother_is_local_linear_regression():
    # loess(y ~ x, degree = 1, span = 2/3, surface = "direct") of R 4.
    x = np.array([1, 2, 4, 7, 8, 11, 12, 15, 17, 20, 21, 24.0])
    y = np.array([3.1, 2.4, 5.6, 4.9, 7.7, 6.1, 9.4, 8.8, 7.2, 10.9, 8.1, 12.3])
    wanted = [2.904317615, 5.673282067, 7.671514785, 9.731887607, 11.193448337]
    np.testing.assert_allclose(
        local_line(np.array([1, 6.5, 12, 20, 24]), x, y, np.ones(12)), wanted, rtol=1e-9
    )


def test_the_smoother_of_many_points_is_that_of_all():
    rng = np.random.default_rng(2)
    x = np.sort(rng.uniform(0, 10, 6000))
    y = np.sin(x) + rng.normal(size=6000)
    at, curve = smooth_curve(x, y)
    np.testing.assert_allclose(curve, local_line(at, x, y, np.ones(6000)), atol=0.01)


def test_a_smoother_needs_four_values():
    assert not len(smooth_curve(np.repeat([1.0, 2.0, 3.0], 5), np.arange(15.0))[0])
    at, curve = smooth_curve(np.repeat([1.0, 2.0, 3.0, 9.0], 50), np.repeat([1.0, 2.0, 3.0, 9.0], 50))
    np.testing.assert_allclose(curve, at)


def test_residuals_against_a_factor_are_boxes():
    model = fits("sleepstudy")
    ax = plot_residuals(model, "Subject")
    assert [t.get_text() for t in ax.get_xticklabels()][:3] == ["308", "309", "310"]
    residuals = pd.Series(model.residuals("pearson", scaled=True))
    medians = residuals.groupby(model.data["Subject"].to_numpy(), sort=True).median()
    drawn = [line.get_ydata()[0] for line in ax.lines if line.get_color() == "#D55E00"]
    np.testing.assert_allclose(drawn, medians)


def test_many_levels_are_quartiles_in_order():
    rng = np.random.default_rng(5)
    data = pd.DataFrame({"g": np.repeat([f"g{i:03}" for i in range(300)], 6), "x": rng.normal(size=1800)})
    data["y"] = data["x"] + rng.normal(size=1800)
    model = lmer("y ~ x + (1 | g)", data)
    ax = plot_residuals(model, "g")
    assert ax.get_xlabel() == "g (300 levels, ordered by median)"
    parts = pd.Series(model.residuals("pearson", scaled=True)).groupby(data["g"])
    np.testing.assert_allclose(ax.lines[-1].get_ydata(), np.sort(parts.median()))
    inner = np.array([segment[:, 1] for segment in ax.collections[1].get_segments()])
    order = parts.median().argsort(kind="stable").to_numpy()
    np.testing.assert_allclose(inner[:, 0], parts.quantile(0.25).to_numpy()[order], atol=1e-12)
    np.testing.assert_allclose(inner[:, 1], parts.quantile(0.75).to_numpy()[order], atol=1e-12)


@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_dates_are_dates_and_missing_ones_are_left_out(kind):
    data = load_sleepstudy().assign(when=pd.date_range("2024-01-01", periods=180, freq="D"))
    data.loc[3, "when"] = pd.NaT
    frame = data if kind == "pandas" else pytest.importorskip("polars").from_pandas(data)
    ax = plot_residuals(lmer("Reaction ~ Days + (1 | Subject)", frame), "when")
    drawn = points(ax)[:, 0]
    # Days since 1970.
    assert np.nanmin(drawn) == 19723
    assert np.nanmax(drawn) == 19723 + 179
    assert [text.get_text() for text in ax.texts] == ["1 row without a value not drawn"]
    assert len(ax.lines[-1].get_xdata()) > 10


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_times_with_zones_and_spans_are_on_a_scale(kind):
    data = load_sleepstudy().assign(
        when=pd.date_range("2024-01-01", periods=180, freq="h", tz="Europe/Berlin"),
        since=pd.to_timedelta(np.arange(180) / 4, "D"),
        short=pd.to_timedelta(np.arange(180), "min"),
    )
    data.loc[3, "since"] = pd.NaT
    frame = data if kind == "pandas" else pytest.importorskip("polars").from_pandas(data)
    model = lmer("Reaction ~ Days + (1 | Subject)", frame)
    hours = points(plot_residuals(model, "when"))[:, 0] * 24
    np.testing.assert_allclose(hours - hours[0], np.arange(180), atol=1e-6)
    ax = plot_residuals(model, "since")
    assert ax.get_xlabel() == "since (days)"
    drawn = points(ax)[:, 0]
    np.testing.assert_allclose(np.delete(drawn, 3), np.delete(np.arange(180) / 4, 3))
    ax = plot_residuals(model, "short")
    assert ax.get_xlabel() == "short (hours)"
    np.testing.assert_allclose(points(ax)[:, 0], np.arange(180) / 60)


def test_rows_without_a_level_are_left_out_and_counted():
    data = load_sleepstudy().assign(f=["a", "b", None] * 60)
    ax = plot_residuals(lmer("Reaction ~ Days + (1 | Subject)", data), "f")
    assert [text.get_text() for text in ax.get_xticklabels()] == ["a", "b"]
    assert [text.get_text() for text in ax.texts] == ["60 rows without a value not drawn"]


def test_excluded_rows_are_left_out():
    data = load_sleepstudy().assign(z=np.arange(180.0))
    data.loc[[0, 9], "Days"] = np.nan
    model = lmer("Reaction ~ Days + (1 | Subject)", data, na_action="exclude")
    wanted = np.delete(np.arange(180.0), [0, 9])
    for against in ("z", data["z"], data["z"].to_numpy(), wanted):
        np.testing.assert_array_equal(points(plot_residuals(model, against))[:, 0], wanted)


def test_wrong_variables_are_named():
    model = fits("sleepstudy")
    with pytest.raises(MissingColumnError, match="nothing"):
        plot_residuals(model, "nothing")
    with pytest.raises(ArgumentError, match="against must be a column of the data or"):
        plot_residuals(model, [1.0, 2.0])
    with pytest.raises(ArgumentError, match="type must be one of"):
        plot_residuals(model, type="deviant")
    with pytest.raises(ArgumentError, match="'Subject' is a factor"):
        plot_binned_residuals(model, "Subject")


@pytest.mark.parametrize("type", ["standardized", "studentized", "deletion", "whitened"])
def test_every_type_of_residuals_is_drawn_and_named(type):
    name = {"deletion": "deletion", "whitened": "whitened marginal"}.get(type, type.replace("ized", "ised"))
    for model in (fits("sleepstudy"), fits("cbpp")):
        if type == "whitened" and model is fits("cbpp"):
            with pytest.raises(ArgumentError, match="linear models"):
                plot_residuals(model, type=type)
            continue
        for ax in (plot_residuals(model, type=type), plot_diagnostics(model, type=type)[0, 0]):
            np.testing.assert_allclose(points(ax)[:, 1], model.residuals(type))
            assert ax.get_ylabel() == f"{name} residual"


def test_the_residuals_of_the_page_are_not_called_standardised():
    assert plot_diagnostics(fits("sleepstudy"))[0, 0].get_ylabel() == "Pearson residual / σ"


def test_bins_of_dates():
    data = load_sleepstudy().assign(when=pd.date_range("2024-01-01", periods=180, freq="D"))
    data.loc[3, "when"] = pd.NaT
    ax = plot_binned_residuals(lmer("Reaction ~ Days + (1 | Subject)", data), "when", bins=9)
    at = np.sort(scatter_of(ax)[:, 0])
    # Days since 1970, twenty in each of the bins.
    np.testing.assert_allclose(np.diff(at), 20, atol=0.6)
    assert 19723 < at[0] < 19743


def test_random_effects_of_one_factor_share_a_band():
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"g": np.repeat(np.arange(30).astype(str), 9), "h": np.tile(list("abcdefghi"), 30)})
    for name in "xz":
        data[name] = rng.normal(size=270)
    b = rng.normal(size=(3, 30)).repeat(9, axis=1)
    data["y"] = b[0] + b[1] * data["x"] + b[2] * data["z"] + rng.normal(size=9)[data["h"].map(ord) - 97]
    data["y"] += rng.normal(size=270)
    ax = plot_diagnostics(lmer("y ~ x + z + (x + z | g) + (1 | h)", data))[1, 1]
    bands = [c.get_paths()[0].vertices for c in ax.collections if not len(c.get_offsets()) > 1]
    # Thirty levels and nine; standard normal, so with the line y = x.
    assert sorted(round(band[:, 0].max(), 2) for band in bands) == [1.59, 2.13]
    assert [list(line.get_xdata()) for line in ax.lines] == [list(line.get_ydata()) for line in ax.lines]
    drawn = [c for c in ax.collections if len(c.get_offsets()) > 1]
    assert len(drawn) == 4
    assert all(not len(c.get_facecolors()) for c in drawn)


def test_quantile_residuals_come_from_the_distribution_of_the_family():
    model = fits("grouseticks", *TICKS[1:])
    y, mean = model.getME("y"), model.fitted()
    found = stats.norm.cdf(randomized_quantiles(model._fitted, np.random.default_rng(1)))
    assert (found >= stats.poisson.cdf(y - 1, mean) - 1e-9).all()
    assert (found <= stats.poisson.cdf(y, mean) + 1e-9).all()
    proportions = fits("cbpp")
    trials = proportions.getME("weights")
    successes = proportions.getME("y") * trials
    found = stats.norm.cdf(randomized_quantiles(proportions._fitted, np.random.default_rng(1)))
    assert (found >= stats.binom.cdf(successes - 1, trials, proportions.fitted()) - 1e-9).all()
    assert (found <= stats.binom.cdf(successes, trials, proportions.fitted()) + 1e-9).all()
    linear = fits("sleepstudy")
    np.testing.assert_allclose(
        randomized_quantiles(linear._fitted, np.random.default_rng(1)),
        linear.residuals(scaled=True),
        atol=1e-9,
    )


def test_quantile_residuals_of_a_true_model_are_normal():
    # The random effects are all but known, so that the residuals are those of the true parameters.
    rng = np.random.default_rng(11)
    g = np.repeat(np.arange(10), 400)
    mean = np.exp(0.5 + 0.5 * rng.normal(size=10)[g])
    counts = rng.poisson(mean)
    good = glmer("y ~ 1 + (1 | g)", {"y": counts, "g": g.astype(str)}, "poisson")
    worse = glmer(
        "y ~ 1 + (1 | g)", {"y": rng.negative_binomial(2, 2 / (2 + mean)), "g": g.astype(str)}, "poisson"
    )
    p = [stats.kstest(randomized_quantiles(m._fitted, rng), "norm").pvalue for m in (good, worse)]
    assert p[0] > 0.05
    assert p[1] < 1e-6


def test_figures_of_quantile_residuals_follow_their_seed():
    model = fits("grouseticks", *TICKS[1:])
    drawn = [points(plot_residuals(model, rng=seed))[:, 1] for seed in (1, 1, 2)]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])


def test_bins_have_means_and_standard_errors():
    x = np.array([1.0, 1, 2, 3, 3, 3, 4, 9])
    y = np.array([0.5, 1, -1, 2, 0, 1, -2, -1])
    at, mean, error = binned_means(x, y, 4)
    np.testing.assert_allclose(mean[0], 0.75)
    np.testing.assert_allclose(error[0], np.std([0.5, 1], ddof=1) / np.sqrt(2))
    # Ties are together.
    assert len(np.unique(at)) == len(at)


def test_binned_residuals_of_a_model():
    model = fits("cbpp")
    ax = plot_binned_residuals(model, bins=8)
    drawn = scatter_of(ax)
    order = np.argsort(model.fitted(), kind="stable")
    first = order[: len(order) // 8]
    np.testing.assert_allclose(np.sort(drawn[:, 0])[0], model.fitted()[first].mean(), rtol=0.05)
    residuals = model.residuals("response")
    assert abs(drawn[:, 1].mean()) < 3 * residuals.std() / np.sqrt(len(residuals))


def test_a_rootogram_hangs_observed_from_expected_frequencies():
    model = fits("grouseticks", *TICKS[1:])
    counts = model.getME("y").astype(int)
    wanted = stats.poisson.pmf(np.arange(31)[:, None], model.fitted()).sum(axis=1)
    ax = plot_rootogram(model, most=30)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), np.sqrt(wanted), rtol=1e-8)
    bars = ax.patches
    np.testing.assert_allclose([bar.get_y() + bar.get_height() for bar in bars], np.sqrt(wanted), rtol=1e-8)
    heights = np.sqrt(np.bincount(counts)[:31])
    np.testing.assert_allclose([bar.get_height() for bar in bars], heights, atol=1e-12)
    beyond = int((counts > 30).sum())
    assert any(f"{beyond} counts above 30" in text.get_text() for text in ax.texts)


@pytest.mark.parametrize("style", ["hanging", "suspended", "standing"])
def test_bars_of_a_rootogram_end_inside_and_the_legend_hides_none(style):
    ax = plot_rootogram(fits("cbpp"), style=style)
    ax.figure.canvas.draw()
    ends = [end for bar in ax.patches for end in (bar.get_y(), bar.get_y() + bar.get_height())]
    low, high = ax.get_ylim()
    assert low < min(ends) or (style == "standing" and low == min(ends) == 0)
    assert high > max(ends)
    assert ax.get_legend().get_window_extent().y0 >= ax.get_window_extent().y1 - 1


@pytest.mark.filterwarnings("ignore::mixedmodels.SingularFitWarning")
@pytest.mark.parametrize(
    ("response", "label"),
    [
        ("cbind(incidence, size - incidence)", "number of successes (incidence)"),
        ("incidence / size", "number of successes (incidence)"),
        ("share", "number of successes (share)"),
        ("ill", "ill (1: yes)"),
        ("any", "any"),
    ],
)
def test_a_rootogram_of_successes_says_so(response, label):
    data = load_cbpp().assign(
        share=lambda d: d["incidence"] / d["size"],
        any=lambda d: (d["incidence"] > 0).astype(int),
        ill=lambda d: np.where(d["incidence"] > 0, "yes", "no"),
    )
    more = {"weights": "size"} if response == "share" else {}
    model = glmer(f"{response} ~ period + (1 | herd)", data, "binomial", **more)
    assert plot_rootogram(model).get_xlabel() == label


def test_expected_frequencies_of_trials():
    model = fits("cbpp")
    trials = model.getME("weights").astype(int)
    wanted = stats.binom.pmf(np.arange(13)[:, None], trials, model.fitted()).sum(axis=1)
    np.testing.assert_allclose(expected_frequencies(model._fitted, 12), wanted, rtol=1e-8)
    with pytest.raises(ArgumentError, match="plot_rootogram is for counts"):
        plot_rootogram(fits("sleepstudy"))
