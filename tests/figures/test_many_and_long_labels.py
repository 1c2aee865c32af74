"""Figures of many levels, of long names that differ in the middle, and of values far out stay readable."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot

import mixedmodels as mm
from mixedmodels.plot.influence import bubble_plot, index_plot
from mixedmodels.plot.style import fitting, label_ticks, series_look
from shared_fits import fits

LONG = [f"Région de Zürich-Süd / École primaire nº {i:02d} – groupe du matin" for i in range(12)]


@pytest.fixture(scope="module")
def schools():
    rng = np.random.default_rng(4)
    data = pd.DataFrame(
        {
            "school": np.repeat(LONG, 12),
            "treatment": rng.permutation(np.repeat([f"{name} (contrôle)" for name in LONG[:3]], 48)),
            "week": np.tile([f"w{i:02d}" for i in range(12)], 12),
            "day": pd.Timestamp("2024-01-29") + pd.to_timedelta(rng.integers(0, 200, 144), "D"),
            "x": rng.normal(size=144),
        }
    )
    data["y"] = data["x"] + rng.normal(size=12).repeat(12) + rng.normal(size=144)
    return mm.lmer("y ~ treatment + week + x + (1 | school)", data)


@pytest.mark.parametrize("width", [12, 18, 32])
def test_long_names_that_differ_in_the_middle_stay_different(width):
    short = fitting(LONG, width)
    assert len(set(short)) == len(LONG)
    assert max(map(len, short)) <= width
    assert all(f"{i:02d}" in text for i, text in enumerate(short))


def test_no_two_of_many_series_look_alike(schools):
    assert len({series_look(i) for i in range(49)}) == 49
    ax = schools.plot_effects(["treatment", "week"])
    looks = {(line.get_color(), line.get_marker()) for line in ax.lines if len(line.get_xdata())}
    assert len(looks) == 12


@pytest.mark.parametrize("x", ["treatment", "week", "day"])
def test_panels_of_groups_have_room_for_their_data(schools, x):
    panels = schools.plot_groups(x)
    figure = panels.figure
    figure.canvas.draw()
    for ax in panels.flat:
        box = ax.get_window_extent()
        assert box.width > 0.09 * figure.bbox.width
        assert box.height > 0.08 * figure.bbox.height
        boxes = [text.get_window_extent() for text in ax.get_xticklabels() if text.get_text()]
        assert all(a.x1 <= b.x0 + 1 for a, b in pairwise(boxes))
    assert len({ax.get_title() for ax in panels.flat}) == 12


@pytest.mark.parametrize("count", [40, 80, 2972])
def test_labels_below_an_axis_do_not_overlap(count):
    figure, ax = pyplot.subplots(figsize=(6.4, 4.4), layout="constrained")
    ax.plot(range(count), np.zeros(count))
    label_ticks(ax.xaxis, range(count), [f"centre number {i}" for i in range(count)])
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.get_xticklabels()]
    assert 30 <= len(boxes) <= 60
    assert all(a.x1 <= b.x0 + 2 for a, b in pairwise(boxes))


def test_facets_name_the_axis_below_the_last_row_only(schools):
    panels = schools.plot_effects(["x", "treatment", "week"])
    assert [bool(ax.get_xlabel()) for ax in panels] == [False] * 9 + [True] * 3
    assert [ax.get_legend() is not None for ax in panels] == [i == 2 for i in range(12)]


def test_far_partial_residuals_do_not_squeeze_the_effect():
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"g": np.repeat(np.arange(30), 10).astype(str), "x": rng.normal(size=300)})
    data["y"] = rng.poisson(np.exp(0.5 * data["x"] - 1 + 0.5 * rng.normal(size=30).repeat(10)))
    data.loc[data["x"].idxmin(), "y"] = 9
    model = mm.glmer("y ~ x + (1 | g)", data, "poisson")
    ax = model.plot_effects("x", partial=True)
    drawn = np.asarray(ax.collections[0].get_offsets())[:, 1]
    top = model.predict_effects("x").upper.max()
    assert drawn.max() > 1000 * top
    assert ax.get_ylim()[1] < min(20 * top, drawn.max() / 100)
    assert np.mean(drawn <= ax.get_ylim()[1]) >= 0.95
    beyond = int((drawn > ax.get_ylim()[1]).sum())
    assert f"{beyond} partial residual" in ax.texts[0].get_text()


@pytest.mark.parametrize("draw", [index_plot, bubble_plot])
@pytest.mark.parametrize("m", [1, 40])
def test_influence_without_any_value(draw, m):
    none = np.full(m, np.nan)
    names = [str(i) for i in range(m)]
    ax = draw(none, names, ("row", "distance")) if draw is index_plot else draw(none, none, none, names)
    ax.figure.canvas.draw()
    assert ax.get_xlabel()


def test_stems_of_covratio_start_at_one():
    influence = fits("sleepstudy").influence(groups="Subject")
    ax = influence.plot(measure="covratio")
    assert ax.get_ylabel() == "COVRATIO"
    starts = [segment[0, 1] for lines in ax.collections[::2] for segment in lines.get_segments()]
    assert starts == [1.0] * 18


def test_axes_of_counts_and_evaluations_have_whole_numbers():
    data = pd.DataFrame({"y": [0, 1, 2, 3, 4, 5, 9, 16] * 4, "g": list("abcdefgh") * 4})
    for ax in (
        mm.plot_rootogram(mm.glmer("y ~ 1 + (1 | g)", data, "poisson")),
        mm.plot_fit_log(fits("sleepstudy")),
    ):
        assert all(tick == round(tick) for tick in ax.get_xticks())
