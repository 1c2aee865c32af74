"""What figures of coefficients, effects, means and variances draw."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot

from mixedmodels import (
    ArgumentError,
    emmeans,
    glmer,
    lmer,
    load_orthodont,
    plot_coef,
    plot_effects,
    plot_emmeans,
    plot_fit_log,
    plot_interaction,
    plot_variances,
)
from mixedmodels.plot.intervals import Series, interval_plot
from shared_fits import fits


def intervals(ax, series=0):
    """Estimates, positions and limits of a series."""
    x, y = ax.containers[series].lines[0].get_data()
    ends = np.array([segment[:, 0] for segment in ax.collections[series].get_segments()])
    return np.asarray(x), np.asarray(y), ends


def labels(ax):
    return [text.get_text() for text in ax.get_yticklabels()]


@pytest.fixture(scope="module")
def wide():
    """Nine treatments with long names in four weeks."""
    rng = np.random.default_rng(1)
    names = [f"Behandlung Nr. {i} – mit sehr langem Namen für eine Achse" for i in range(9)]
    rows = [(t, w, f"s{s}") for t in names for w in "1234" for s in range(6)]
    data = pd.DataFrame(rows, columns=["trt", "week", "s"])
    data["y"] = data["week"].astype(int) * 0.4 + rng.normal(size=len(data))
    data["s"] += data["trt"]
    return lmer("y ~ trt * week + (1 | s)", data)


def test_coefficients_of_two_models_share_their_rows():
    models = [lmer(f"distance ~ age * Sex + ({z} | Subject)", load_orthodont()) for z in ("1", "age")]
    ax = plot_coef(*models, names=["one", "two"])
    assert labels(ax) == ["age", "Sex[T.Female]", "age:Sex[T.Female]"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["one", "two"]
    for i, (model, side) in enumerate(zip(models, (-1, 1), strict=True)):
        x, y, ends = intervals(ax, i)
        np.testing.assert_allclose(x, model.fixef()[1:])
        np.testing.assert_allclose(ends, model.confint().iloc[-3:])
        assert (np.sign(y - np.arange(3)) == side).all()
    low, high = ax.get_xlim()
    assert low < 0 < high


def test_odds_ratios_are_on_a_logarithmic_axis():
    model = fits("cbpp")
    ax = plot_coef(model, exponentiate=True, intercept=True, level=0.9)
    x, _, ends = intervals(ax)
    np.testing.assert_allclose(x, np.exp(model.fixef()))
    np.testing.assert_allclose(ends, np.exp(model.confint(level=0.9).iloc[-4:]))
    assert ax.get_xscale() == "log"
    assert ax.get_xlabel() == "odds ratios, 90 % intervals"
    with pytest.raises(ArgumentError, match="exponentiate=True is for the links"):
        plot_coef(fits("sleepstudy"), exponentiate=True)


def test_dropped_coefficients_are_not_drawn():
    data = load_orthodont().assign(twice=lambda d: 2 * d["age"])
    with pytest.warns(match="twice"):
        model = lmer("distance ~ age + twice + (1 | Subject)", data)
    x, *_ = intervals(plot_coef(model))
    np.testing.assert_allclose(x, model.fixef()[["age"]])


def test_coefficients_on_different_scales_say_so():
    rng = np.random.default_rng(2)
    data = load_orthodont().assign(n=rng.poisson(3, 108), far=rng.integers(0, 2, 108))
    data["n"] += rng.poisson(1, 27).repeat(4)
    data["far"] |= rng.integers(0, 2, 27).repeat(4)
    linear = lmer("distance ~ age * Sex + (1 | Subject)", data)
    counts = glmer("n ~ Sex * age + (1 | Subject)", data, "poisson")
    odds = glmer("far ~ age + (1 | Subject)", data, "binomial")

    def legend(ax):
        return [text.get_text().replace("\n", " ") for text in ax.get_legend().get_texts()]

    ax = plot_coef(counts, odds, exponentiate=True)
    assert ax.get_xlabel() == "ratios of means or odds ratios, 95 % intervals"
    assert legend(ax) == ["model 1: ratios of means", "model 2: odds ratios"]
    ax = plot_coef(linear, counts, names=["a", "b"])
    assert ax.get_xlabel() == "coefficient (scales differ), 95 % intervals"
    assert legend(ax) == ["a: in units of distance", "b: log scale"]
    # Sex:age of the second model is age:Sex of the first.
    assert labels(ax) == ["age", "Sex[T.Female]", "age:Sex[T.Female]"]
    x, y, _ = intervals(ax, 1)
    np.testing.assert_allclose(x[np.argsort(y)], counts.fixef().iloc[[2, 1, 3]])
    assert plot_coef(odds).get_xlabel() == "coefficient (logit scale), 95 % intervals"
    assert plot_coef(linear, linear).get_xlabel() == "coefficient, 95 % intervals"


def test_an_estimate_without_an_interval_is_hollow():
    none = np.array([1.0, np.nan, 2.0])
    one = Series("", np.arange(3), np.array([1.5, 2.5, 3.0]), none, none + 2)
    ax = interval_plot(list("abc"), [one], ("estimate", ""))
    (hollow,) = [line for line in ax.lines if line.get_markerfacecolor() == "white"]
    assert (list(hollow.get_xdata()), list(hollow.get_ydata())) == ([2.5], [1.0])
    assert [text.get_text() for text in ax.texts] == ["hollow: no interval"]
    # None was asked for.
    assert not plot_variances(fits("sleepstudy")).texts


@pytest.mark.parametrize("high", [1.12, 1.4, 2.5, 40.0])
def test_axes_of_ratios_have_labels(high):
    one = Series("", np.arange(1), np.array([1.05]), np.array([1.0]), np.array([high]))
    ax = interval_plot(["a"], [one], ("ratio", ""), reference=1.0, ratios=True)
    ax.figure.canvas.draw()
    low, top = ax.get_xlim()
    assert sum(bool(t.get_text()) and low <= t.get_position()[0] <= top for t in ax.get_xticklabels()) >= 3


@pytest.mark.parametrize("size", [None, (4.0, 1.6), (6.0, 9.0)])
def test_names_of_interactions_are_told_apart_and_do_not_overlap(size):
    names = [f"arm[T.treatment arm with a very long description number {i}]" for i in range(4)]
    names += ["x", *(f"{name}:x" for name in names)]
    one = Series("", np.arange(9), np.zeros(9), np.zeros(9) - 1, np.zeros(9) + 1)
    ax = None if size is None else pyplot.subplots(figsize=size, layout="constrained")[1]
    ax = interval_plot(names, [one], ("coefficient, 95 % intervals", ""), ax=ax)
    ax.figure.canvas.draw()
    drawn = labels(ax)
    assert len(set(drawn)) == 9
    assert all(text.endswith(f"{i}]:x") for i, text in enumerate(drawn[5:]))
    boxes = [text.get_window_extent() for text in ax.get_yticklabels()]
    assert all(low.y1 <= up.y0 + 1 for up, low in pairwise(boxes))
    assert ax.xaxis.label.get_window_extent().x1 <= ax.figure.bbox.x1 + 1


@pytest.mark.parametrize("width", [8, 40, 90])
def test_long_names_of_colours_leave_the_axes_their_size(width):
    data = load_orthodont()
    data["arm"] = np.where(data["Sex"] == "Male", "a" * width, "b" * width)
    ax = plot_effects(lmer("distance ~ age * arm + (1 | Subject)", data), ["age", "arm"])
    ax.figure.canvas.draw()
    assert 4.2 < ax.get_window_extent().width / ax.figure.dpi < 5.6
    assert ax.get_legend().get_window_extent().x1 <= ax.figure.bbox.x1


def test_names_of_models_and_matrices_are_one_for_each():
    model = fits("sleepstudy")
    with pytest.raises(ArgumentError, match="names must be 2 different names"):
        plot_coef(model, model, names=["a", "a"])
    with pytest.raises(ArgumentError, match="vcov must be a list of 2"):
        plot_coef(model, model, vcov=np.eye(2))


def test_means_of_two_variables_are_coloured_by_one(wide):
    ax = emmeans(wide, "~ trt * week").plot()
    assert ax.get_ylabel() == "trt"
    assert ax.get_legend().get_title().get_text() == "week"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == list("1234")
    table = emmeans(wide, "~ trt * week").confint()
    for i, week in enumerate("1234"):
        x, y, ends = intervals(ax, i)
        part = table[table["week"] == week]
        np.testing.assert_allclose(x, part["emmean"])
        np.testing.assert_allclose(ends, part[["lower.CL", "upper.CL"]])
        np.testing.assert_array_equal(np.round(y), np.arange(9))


def test_long_labels_are_whole_and_inside_the_figure(wide):
    ax = emmeans(wide, "~ trt | week").plot()
    figure = ax.figure
    figure.canvas.draw()
    texts = ax.get_yticklabels()
    assert [text.get_text().replace("\n", " ") for text in texts] == sorted(wide.data["trt"].unique())
    edge = figure.bbox
    boxes = [text.get_window_extent() for text in [*texts, ax.xaxis.label, ax.yaxis.label, ax.get_legend()]]
    assert all(box.x0 >= edge.x0 and box.x1 <= edge.x1 and box.y0 >= edge.y0 for box in boxes)
    # And none is written over another.
    heights = sorted((text.get_window_extent().y0, text.get_window_extent().y1) for text in texts)
    assert all(upper[0] >= lower[1] - 1 for lower, upper in pairwise(heights))


def test_contrasts_have_a_line_at_no_difference():
    means = emmeans(fits("machines"), "~ Machine")
    ax = means.pairs().plot()
    assert ax.get_ylabel() == "contrast"
    assert 0.0 in [line.get_xdata()[0] for line in ax.lines]
    low, high = ax.get_xlim()
    assert low < 0 < high
    ratios = emmeans(fits("cbpp"), "~ period", type="response").pairs().plot()
    assert ratios.get_xscale() == "log"
    assert 1.0 in [line.get_xdata()[0] for line in ratios.lines]


def test_arrows_of_means_overlap_where_they_do_not_differ():
    means = emmeans(fits("cbpp"), "~ period")
    for shown in (means, emmeans(fits("cbpp"), "~ period", type="response")):
        ax = shown.plot(comparisons=True)
        arrows = [text for text in ax.texts if text.arrow_patch is not None]
        estimates = np.asarray(ax.containers[0].lines[0].get_xdata())
        reach = np.column_stack([estimates, estimates])
        for arrow in arrows:
            row = round(arrow.xy[1])
            reach[row, int(arrow.xy[0] > estimates[row])] = arrow.xy[0]
        tests = means.pairs().to_frame()
        pairs = [(i, j) for i in range(4) for j in range(i + 1, 4)]
        for (i, j), p in zip(pairs, tests["p.value"], strict=True):
            low, high = (i, j) if estimates[i] < estimates[j] else (j, i)
            assert (reach[low, 1] >= reach[high, 0]) == (p > 0.05)
    with pytest.raises(ArgumentError, match="contrasts already"):
        means.pairs().plot(comparisons=True)


def test_a_figure_of_means_by_the_model():
    model = fits("cake")
    ax = plot_emmeans(model, "~ temperature | recipe", level=0.9)
    table = emmeans(model, "~ temperature | recipe", level=0.9).confint()
    np.testing.assert_allclose(np.concatenate([intervals(ax, i)[0] for i in range(3)]), table["emmean"])
    assert ax.get_xlabel() == "emmean of angle, 90 % intervals"


def test_partial_residuals_are_predictions_plus_residuals():
    model = fits("orthodont")
    ax = plot_effects(model, ["age", "Sex"], partial=True)
    data, residuals = model.data, model.residuals()
    population = model.predict(re_form="~0")
    for sex, collection in zip(("Male", "Female"), ax.collections, strict=False):
        rows = (data["Sex"] == sex).to_numpy()
        wanted = np.column_stack([data.loc[rows, "age"], (population + residuals)[rows]])
        np.testing.assert_allclose(collection.get_offsets(), wanted)


def test_partial_residuals_on_the_scale_of_the_response():
    model = fits("grouseticks", "TICKS ~ YEAR + cHEIGHT + (1 | BROOD) + (1 | LOCATION)", "poisson")
    ax = plot_effects(model, "cHEIGHT", partial=True)
    drawn = np.asarray(ax.collections[0].get_offsets())
    eta = model.predict_effects("cHEIGHT", type="link", at={"cHEIGHT": list(np.unique(drawn[:, 0]))})
    table = dict(zip(eta.labels["cHEIGHT"], eta.estimate, strict=True))
    wanted = np.exp([table[x] for x in drawn[:, 0]] + model.residuals("working"))
    np.testing.assert_allclose(drawn[:, 1], wanted, rtol=1e-6)
    with pytest.raises(ArgumentError, match="leave marginal out"):
        plot_effects(model, "cHEIGHT", partial=True, marginal=True)


def test_panels_and_colours_of_effects():
    model = fits("verbagg", "r2 ~ Anger + btype * situ + (1 | id)", "binomial")
    panels = plot_effects(model, ["Anger", "btype", "situ"], partial=True)
    assert [ax.get_title() for ax in panels] == ["situ = other", "situ = self"]
    assert panels[0].get_ylabel() == "probability of r2"
    frame = model.predict_effects(["Anger", "btype", "situ"]).to_frame()
    for ax, situ in zip(panels, ("other", "self"), strict=True):
        for line, kind in zip(ax.lines, ("curse", "scold", "shout"), strict=True):
            part = frame[(frame["situ"] == situ) & (frame["btype"] == kind)]
            np.testing.assert_allclose(line.get_ydata(), part["fit"])


def test_interactions_join_the_means():
    model = fits("cake")
    ax = plot_interaction(model, "temperature", "recipe")
    frame = model.predict_effects(["temperature", "recipe"]).to_frame()
    for container, recipe in zip(ax.containers, "ABC", strict=True):
        line = container.lines[0]
        np.testing.assert_allclose(line.get_ydata(), frame.loc[frame["recipe"] == recipe, "fit"])
        assert line.get_linestyle() == "-"


def test_a_number_is_drawn_to_scale_in_an_interaction():
    data = load_orthodont().assign(age=lambda d: d["age"].replace(14, 30))
    model = lmer("distance ~ age * Sex + (1 | Subject)", data)
    ax = plot_interaction(model, "age", "Sex")
    for line in ax.lines:
        np.testing.assert_allclose(line.get_xdata(), [8, 10, 12, 30])
    assert ax.get_xlim()[1] > 30


@pytest.mark.parametrize("draw", [plot_effects, plot_emmeans])
@pytest.mark.parametrize(("type", "wanted"), [("response", "distance"), ("link", "log(distance)")])
def test_the_axis_names_the_response_on_the_scale_shown(draw, type, wanted):
    model = lmer("log(distance) ~ age * Sex + (1 | Subject)", load_orthodont())
    ax = draw(model, "Sex", type=type)
    label = ax.get_ylabel() if draw is plot_effects else ax.get_xlabel()
    name = {"link": "linear predictor of " if draw is plot_effects else "emmean of "}.get(type, "")
    assert label.removesuffix(", 95 % intervals") == name + wanted


def test_standard_deviations_with_intervals():
    model = fits("sleepstudy")
    ax = plot_variances(model)
    x = ax.containers[0].lines[0].get_xdata()
    np.testing.assert_allclose(x, [*model.VarCorr()["Subject"].sd, model.sigma])
    assert labels(ax) == ["Subject: (Intercept)", "Subject: Days", "residual"]
    names = ["sd_(Intercept)|Subject", "sd_Days|Subject", "cor_Days.(Intercept)|Subject", "sigma"]
    # The second lies above the estimate, as an interval by percentiles may.
    limits = pd.DataFrame({"low": [10.0, 7.0, -0.5, 20.0], "high": [40.0, 9.0, 0.7, 30.0]}, index=names)
    _, _, ends = intervals(plot_variances(model, limits))
    np.testing.assert_allclose(ends, limits.iloc[[0, 1, 3]])
    with pytest.raises(ArgumentError, match="intervals has no row"):
        plot_variances(model, limits.set_axis(list("abcd")))


def test_the_search_falls_to_its_minimum():
    model = fits("sleepstudy")
    ax = plot_fit_log(model)
    log = model.convergence.log
    assert ax.get_yscale() == "log"
    drawn = ax.lines[0].get_ydata()
    np.testing.assert_allclose(drawn, np.maximum(log.objective - log.objective.min(), 1e-10))
