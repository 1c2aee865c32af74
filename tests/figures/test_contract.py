"""Every figure: draws on the axes given, changes nothing global, says what is missing, fits its labels."""

from __future__ import annotations

import sys

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot

import mixedmodels as mm
from mixedmodels.plot.influence import bubble_plot, index_plot
from mixedmodels.plot.quantile_residuals import quantile_residual_plots
from mixedmodels.plot.style import COLOURS, Panels, fitting, in_two_lines
from shared_fits import fits


def sleep():
    return fits("sleepstudy")


# How many axes each draws on, and whether they are called ax or axes.
FIGURES = {
    "plot_binned_residuals": (1, "ax", lambda **o: mm.plot_binned_residuals(sleep(), **o)),
    "plot_coef": (1, "ax", lambda **o: mm.plot_coef(sleep(), **o)),
    "plot_diagnostics": (4, "axes", lambda **o: mm.plot_diagnostics(sleep(), **o)),
    "plot_effects": (1, "ax", lambda **o: mm.plot_effects(sleep(), "Days", **o)),
    "plot_emmeans": (1, "ax", lambda **o: mm.plot_emmeans(fits("cake"), "~ recipe", **o)),
    "plot_fit_log": (1, "ax", lambda **o: mm.plot_fit_log(sleep(), **o)),
    "plot_groups": (18, "axes", lambda **o: mm.plot_groups(sleep(), **o)),
    "plot_interaction": (
        1,
        "ax",
        lambda **o: mm.plot_interaction(fits("cake"), "temperature", "recipe", **o),
    ),
    "plot_profile": (1, "axes", lambda **o: mm.plot_profile(sleep(), "sigma", **o)),
    "plot_ranef": (2, "axes", lambda **o: mm.plot_ranef(sleep(), **o)),
    "plot_ranef_qq": (2, "axes", lambda **o: mm.plot_ranef_qq(sleep(), **o)),
    "plot_residuals": (1, "ax", lambda **o: mm.plot_residuals(sleep(), **o)),
    "plot_rootogram": (1, "ax", lambda **o: mm.plot_rootogram(fits("cbpp"), **o)),
    "plot_shrinkage": (1, "axes", lambda **o: mm.plot_shrinkage(sleep(), **o)),
    "plot_variances": (1, "ax", lambda **o: mm.plot_variances(sleep(), **o)),
}


def test_every_figure_is_here():
    assert set(FIGURES) == {name for name in mm.__all__ if name.startswith("plot_")}


@pytest.mark.parametrize("name", FIGURES)
def test_it_draws_on_the_axes_given_and_returns_them(name):
    count, argument, draw = FIGURES[name]
    figure, grid = pyplot.subplots(count, squeeze=False)
    given = grid[0, 0] if argument == "ax" else list(grid.flat)
    found = draw(**{argument: given})
    assert pyplot.get_fignums() == [figure.number]
    returned = list(found.flat) if isinstance(found, Panels) else [found]
    assert returned == list(grid.flat)
    assert all(ax.has_data() for ax in returned)


@pytest.mark.parametrize("name", FIGURES)
def test_it_changes_no_settings_and_shows_nothing(name, monkeypatch):
    monkeypatch.setattr(pyplot, "show", lambda *_, **__: pytest.fail("shown"))
    before = dict(matplotlib.rcParams)
    figure = FIGURES[name][2]().figure
    figure.canvas.draw()
    assert dict(matplotlib.rcParams) == before
    assert pyplot.get_fignums() == [figure.number]


@pytest.mark.parametrize("name", FIGURES)
def test_it_names_its_axes_inside_the_figure(name):
    figure = FIGURES[name][2]().figure
    figure.canvas.draw()
    edge = figure.bbox
    assert figure.get_supxlabel() or all(ax.get_xlabel() for ax in figure.axes)
    for ax in figure.axes:
        for text in [ax.title, ax.xaxis.label, ax.yaxis.label, *tick_labels(ax), *ax.texts]:
            if text.get_text() and text.get_visible():
                box = text.get_window_extent()
                assert edge.x0 - 1 <= box.x0 <= box.x1 <= edge.x1 + 1, text
                assert edge.y0 - 1 <= box.y0 <= box.y1 <= edge.y1 + 1, text


def tick_labels(ax):
    """The labels of ticks within the limits: matplotlib draws no others."""
    for axis, limits in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
        low, high = sorted(limits)
        yield from (tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high)


@pytest.mark.parametrize("name", FIGURES)
def test_it_says_that_matplotlib_is_missing(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(mm.ArgumentError, match=r"plots need matplotlib: pip install 'mixedmodels\[plot\]'"):
        FIGURES[name][2]()


@pytest.mark.parametrize("name", FIGURES)
def test_it_refuses_other_axes(name):
    count, argument, draw = FIGURES[name]
    with pytest.raises(mm.ArgumentError, match=f"{argument} must be Axes of matplotlib, not 3"):
        draw(**{argument: 3 if argument == "ax" else [3] * count})
    if argument == "axes":
        with pytest.raises(
            mm.ArgumentError, match=f"this figure needs {count} Axes, and axes has {count + 1}"
        ):
            draw(axes=pyplot.subplots(count + 1)[1])


def test_the_page_of_a_model_is_that_of_plot_diagnostics():
    panels = sleep().plot()
    assert panels.shape == (2, 2)
    assert panels.figure.axes == list(panels.flat)
    # As tutorials save it.
    assert panels[0].figure is panels.figure


@pytest.mark.parametrize(
    "family", ["poisson", "nbinom1", "nbinom2", "gamma", "beta", "lognormal", "binomial"]
)
def test_the_page_of_every_family(family):
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"g": np.repeat(list("abcdefghij"), 20), "x": rng.normal(size=200)})
    mean = np.exp(0.3 * data["x"] + rng.normal(size=10).repeat(20) * 0.3)
    share = np.asarray(mean / (1 + mean))
    draws = {
        "gamma": lambda: rng.gamma(4, mean / 4),
        "beta": lambda: rng.beta(6 * share, 6 * (1 - share)),
        "lognormal": lambda: mean * np.exp(0.3 * rng.normal(size=200)),
        "binomial": lambda: rng.binomial(1, share),
    }
    data["y"] = draws.get(family, lambda: rng.negative_binomial(2, 2 / (2 + mean)))()
    panels = mm.plot_diagnostics(mm.glmer("y ~ x + (1 | g)", data, family), rng=1)
    drawn = np.asarray(panels[0, 0].collections[0].get_offsets())
    assert np.isfinite(drawn).all()
    assert panels[0, 0].get_ylabel() == "quantile residual"
    assert abs(drawn[:, 1].mean()) < 0.3
    assert 0.7 < drawn[:, 1].std() < 1.4


def test_influence_names_the_largest():
    values = np.linspace(0.0, 1.0, 100)
    ax = index_plot(values, [f"row {i}" for i in range(100)], ("row", "Cook's distance"), 0.9)
    assert "row 99" in [text.get_text() for text in ax.texts]
    stems = [s for c in ax.collections if hasattr(c, "get_segments") for s in c.get_segments()]
    np.testing.assert_allclose(sorted(s[1, 1] for s in stems), values)
    above = ax.collections[2].get_segments()
    assert [s[0, 0] for s in above] == list(range(90, 100))
    few = index_plot(np.array([0.1, 0.5, 0.2]), ["a", "b", "c"], ("g", "d"))
    assert [text.get_text() for text in few.get_xticklabels()] == ["a", "b", "c"]


def test_names_are_those_of_the_largest_and_not_over_each_other():
    # Rows 50 and 51 are close, the smaller one too large to be left out.
    values = np.full(200, 0.01)
    values[[50, 51, 120, 121, 122]] = [1.0, 0.98, 0.6, 0.61, 0.62]
    ax = index_plot(values, [f"row {i}" for i in range(200)], ("row", "Cook's distance"))
    ax.figure.canvas.draw()
    assert {text.get_text() for text in ax.texts} == {f"row {i}" for i in (50, 51, 120, 121, 122)}
    boxes = [text.get_window_extent() for text in ax.texts]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    # Where there is no room for the second, the third has no name either.
    crowd = np.repeat([1.0, 0.99, 0.98], [12, 12, 12])
    ax = index_plot(np.r_[crowd, np.zeros(4000)], [f"a long name {i}" for i in range(4036)], ("row", "d"))
    named = sorted(int(text.get_text().split()[-1]) for text in ax.texts)
    assert named == list(range(len(named)))
    assert 1 <= len(named) < 5


@pytest.mark.parametrize("measure", ["dfbeta", "dfbetas", "variance_change"])
def test_influence_on_each_parameter_has_a_panel(measure):
    found = sleep().influence(groups="Subject")
    table = getattr(found, measure)
    panels = found.plot(measure=measure)
    assert [ax.get_title() for ax in panels] == list(table.columns)
    for ax, name in zip(panels, table.columns, strict=True):
        stems = [s for c in ax.collections if hasattr(c, "get_segments") for s in c.get_segments()]
        drawn = {int(s[0, 0]): s[1, 1] for s in stems}
        np.testing.assert_allclose([drawn[i] for i in range(18)], table[name])
        lines = {float(line.get_ydata()[0]) for line in ax.lines}
        cutoff = 2 / np.sqrt(18)
        assert lines == ({0.0, cutoff, -cutoff} if measure == "dfbetas" else {0.0})
    given = pyplot.subplots(1, table.shape[1])[1]
    assert list(found.plot(list(given), measure=measure)) == list(given)
    with pytest.raises(mm.ArgumentError, match="kind='bubble' needs one measure"):
        found.plot(kind="bubble", measure=measure)
    with pytest.raises(mm.ArgumentError, match=r"measure must be one of .*'dfbetas'"):
        found.plot(measure="dfbettas")


@pytest.mark.parametrize(("value", "text"), [(np.nan, "no level has a value"), (0.0, "is 0 everywhere")])
def test_a_figure_without_influence_says_so(value, text):
    ax = index_plot(np.full(5, value), list("abcde"), ("g", "Cook's distance"))
    assert text in ax.texts[0].get_text()
    low, high = ax.get_ylim()
    assert low <= -0.5 < 0.5 <= high


def test_bubbles_have_areas_by_distance():
    distances = np.array([0.1, 0.4, 0.2])
    ax = bubble_plot(np.array([0.1, 0.2, 0.3]), np.array([1.0, -2.0, 0.5]), distances, list("abc"))
    circles = ax.collections[0]
    np.testing.assert_allclose(circles.get_sizes() / circles.get_sizes()[0], [1.0, 0.5, 0.25])
    np.testing.assert_allclose(circles.get_offsets()[0], [0.2, -2.0])


def test_quantile_residuals_are_at_uniform_quantiles():
    rng = np.random.default_rng(1)
    residuals, predicted = rng.uniform(size=300), np.repeat([1.0, 2.0, 3.0], 100)
    left, right = quantile_residual_plots(residuals, predicted, {"uniformity": 0.0001, "dispersion": 0.25})
    drawn = np.asarray(left.collections[1].get_offsets())
    np.testing.assert_allclose(drawn[:, 1], np.sort(residuals))
    np.testing.assert_allclose(drawn[:, 0], np.arange(1, 301) / 301)
    assert left.texts[0].get_text() == "uniformity: p < 0.001\ndispersion: p = 0.250"
    # Ties have one rank.
    assert len(np.unique(np.asarray(right.collections[0].get_offsets())[:, 0])) == 3


def test_colours_are_those_that_the_colour_blind_tell_apart():
    assert len(set(COLOURS)) == len(COLOURS)
    assert set(COLOURS) <= {
        "#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7",
    }  # fmt: skip


def test_labels_that_are_cut_stay_different():
    names = [f"a region with a very long name, district {i}" for i in range(3)]
    assert len(set(fitting(names, 20))) == 3
    assert all(len(name) <= 20 for name in fitting(names, 20))
    assert in_two_lines(["short"]) == ["short"]
    assert in_two_lines(names, 26)[0] == "a region with a very long\nname, district 0"
