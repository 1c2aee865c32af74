"""What figures of random effects draw: positions, order, intervals, shrinkage, small panels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from scipy import stats

from mixedmodels import (
    ArgumentError,
    SingularFitWarning,
    lmer,
    load_insteval,
    load_sleepstudy,
    plot_groups,
    plot_ranef,
    plot_ranef_qq,
    plot_shrinkage,
)
from mixedmodels.diagnostics.within_groups import within_group_estimates
from mixedmodels.plot.shrinkage import ellipse, shrinkage_pair
from shared_fits import fits


def segments(ax):
    """The intervals drawn, from the lowest row or the leftmost up."""
    found = [s for c in ax.collections if hasattr(c, "get_segments") for s in c.get_segments()]
    return np.array(sorted(found, key=lambda s: (s[0, 1], s[0, 0])))


def labels(ax):
    return [text.get_text() for text in ax.get_yticklabels()]


def test_a_caterpillar_has_the_levels_in_the_order_of_the_first_effect():
    model = fits("sleepstudy")
    effects = model.ranef(condVar=True)
    frame, sd = effects["Subject"], np.sqrt(np.diagonal(effects.condvar["Subject"][0], axis1=1, axis2=2))
    order = np.argsort(frame["(Intercept)"].to_numpy())
    panels = plot_ranef(model)
    assert labels(panels[0]) == list(frame.index[order])
    assert set(labels(panels[1])) == {""}
    for j, ax in enumerate(panels):
        drawn = segments(ax)
        half = stats.norm.ppf(0.975) * sd[order, j]
        np.testing.assert_allclose(drawn[:, 0, 0], frame.iloc[order, j] - half)
        np.testing.assert_allclose(drawn[:, 1, 0], frame.iloc[order, j] + half)
        np.testing.assert_array_equal(drawn[:, 0, 1], np.arange(18))


def test_the_order_may_be_that_of_another_effect():
    model = fits("sleepstudy")
    panels = plot_ranef(model, order_by="Days", level=0.5)
    frame = model.ranef()["Subject"]
    assert labels(panels[0]) == list(frame.index[np.argsort(frame["Days"].to_numpy())])
    middle = segments(panels[1])[:, :, 0].mean(axis=1)
    np.testing.assert_allclose(middle, np.sort(frame["Days"]))


def test_thousands_of_levels_are_not_named_but_all_drawn():
    model = lmer("y ~ 1 + (1 | s) + (1 | d)", load_insteval())
    students, instructors = plot_ranef(model)
    assert students.get_ylabel() == "s (2,972 levels, ordered)"
    assert not labels(students)
    assert len(segments(students)) == 2972
    assert len(segments(instructors)) == 1128
    assert [ax.get_ylabel() for ax in plot_ranef(model, "d")] == ["d (1,128 levels, ordered)"]


def test_more_levels_than_a_page_resolves_are_thinned_and_the_figure_says_so():
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"g": np.repeat(np.arange(9000).astype(str), 2), "y": rng.normal(size=18000)})
    data["y"] += np.repeat(rng.normal(size=9000), 2)
    model = lmer("y ~ 1 + (1 | g)", data)
    ax = plot_ranef(model)[0]
    assert ax.texts[0].get_text() == "4,000 of 9,000 levels, evenly spaced in order"
    middle = segments(ax)[:, :, 0].mean(axis=1)
    effects = np.sort(model.ranef()["g"]["(Intercept)"])
    # From the first to the last.
    np.testing.assert_allclose(middle[[0, -1]], effects[[0, -1]])
    assert len(middle) == 4000


def test_quantile_caterpillars_are_at_normal_quantiles():
    model = fits("sleepstudy")
    ax = plot_ranef_qq(model, effects="Days")[0]
    drawn = np.array(sorted(segments(ax), key=lambda s: s[0, 0]))
    np.testing.assert_allclose(drawn[:, 0, 0], stats.norm.ppf((np.arange(18) + 0.5) / 18))
    np.testing.assert_allclose(drawn[:, :, 1].mean(axis=1), np.sort(model.ranef()["Subject"]["Days"]))


def test_estimates_within_groups_are_separate_regressions():
    model, data = fits("sleepstudy"), load_sleepstudy()
    found = within_group_estimates(model._fitted, 0) + model.fixef().to_numpy()
    for estimate, (_, part) in zip(found, data.groupby("Subject", sort=True, observed=True), strict=True):
        slope, intercept = np.polyfit(part["Days"], part["Reaction"], 1)
        np.testing.assert_allclose(estimate, [intercept, slope])


def test_conditional_modes_are_these_estimates_shrunk():
    # b = (Z'WZ + G⁻¹)⁻¹ Z'WZ b*, here with weights, a second term and unbalanced groups.
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"g": rng.integers(0, 12, 200).astype(str), "h": rng.integers(0, 5, 200).astype(str)})
    data["x"], data["w"] = rng.normal(size=200), rng.uniform(0.5, 2, 200)
    data["y"] = data["x"] * rng.normal(1, 0.5, 12)[data["g"].astype(int)] + rng.normal(size=200)
    model = lmer("y ~ x + (x | g) + (1 | h)", data, weights="w")
    within = within_group_estimates(model._fitted, 0)
    precision = np.linalg.inv(model.VarCorr()["g"].cov)
    for level, (estimate, mode) in enumerate(zip(within, model.ranef()["g"].to_numpy(), strict=True)):
        rows = data["g"] == model.ranef()["g"].index[level]
        z = np.column_stack([np.ones(rows.sum()), data.loc[rows, "x"]])
        information = z.T @ (z * data.loc[rows, "w"].to_numpy()[:, None]) / model.sigma**2
        np.testing.assert_allclose(
            np.linalg.solve(information + precision, information @ estimate), mode, rtol=1e-6, atol=1e-9
        )


def test_groups_that_determine_nothing_have_no_estimate():
    data = load_sleepstudy()
    data = data[~((data["Subject"] == "308") & (data["Days"] > 0))]
    model = lmer("Reaction ~ Days + (Days | Subject)", data)
    within = within_group_estimates(model._fitted, 0)
    assert np.isnan(within[0]).all()
    assert np.isfinite(within[1:]).all()
    ax = plot_shrinkage(model)[0]
    assert any("1 group without an estimate" in text.get_text() for text in ax.texts)


def test_shrinkage_is_drawn_from_estimates_to_modes():
    model = fits("sleepstudy")
    ax = plot_shrinkage(model)[0]
    arrows = np.array(next(c for c in ax.collections if hasattr(c, "get_segments")).get_segments())
    np.testing.assert_allclose(arrows[:, 0], within_group_estimates(model._fitted, 0))
    np.testing.assert_allclose(arrows[:, 1], model.ranef()["Subject"])
    contour = np.column_stack(ax.lines[2].get_data())
    np.testing.assert_allclose(contour, ellipse(model.VarCorr()["Subject"].cov, 0.95))
    # Everything is within the limits.
    low, high = np.array([ax.get_xlim(), ax.get_ylim()]).T
    assert ((arrows > low) & (arrows < high)).all()


@pytest.mark.parametrize(
    ("slope", "noise", "told"),
    [
        (1.0, 1.0, "the correlation is +1"),
        (0.0, 1.0, "the variance of x is zero"),
        (0.0, 0.0, "both variances"),
    ],
)
def test_shrinkage_of_a_singular_fit_says_why(slope, noise, told):
    covariance = noise * np.array([[4.0, 2 * slope], [2 * slope, slope**2]])
    rng = np.random.default_rng(1)
    modes = rng.normal(size=(20, 1)) * np.array([2.0, slope]) * noise
    ax = pyplot.subplots()[1]
    shrinkage_pair(
        ax, modes + 0.3, modes, covariance, ("(Intercept)", "x"), [f"level {i}" for i in range(20)]
    )
    assert any(told in text.get_text() for text in ax.texts)


def test_names_of_shrunken_groups_are_legible_and_the_legend_hides_none():
    data = load_sleepstudy()
    data["y"] = 5 * np.random.default_rng(1).normal(size=18).repeat(10) * (1 + data["Days"])
    data["y"] += np.random.default_rng(2).normal(size=180)
    with pytest.warns(SingularFitWarning):
        models = [lmer("y ~ Days + (Days | Subject)", data), fits("sleepstudy")]
    for model in models:
        ax = plot_shrinkage(model)[0]
        ax.figure.canvas.draw()
        names = [t for t in ax.texts if t.get_text() in model.ranef()["Subject"].index]
        assert len(names) >= 12
        boxes = [text.get_window_extent() for text in names]
        assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
        assert ax.get_legend().get_window_extent().x0 >= ax.get_window_extent().x1 - 1


def test_contours_contain_their_share():
    covariance = np.array([[4.0, 1.5], [1.5, 1.0]])
    sample = np.random.default_rng(3).multivariate_normal([0, 0], covariance, 20_000)
    distance = np.einsum("ij,jk,ik->i", sample, np.linalg.inv(covariance), sample)
    for share in (0.5, 0.95):
        edge = ellipse(covariance, share)
        radius = np.einsum("ij,jk,ik->i", edge, np.linalg.inv(covariance), edge)
        np.testing.assert_allclose(radius, radius[0])
        assert (distance <= radius[0]).mean() == pytest.approx(share, abs=0.01)


def test_three_effects_are_three_pairs():
    model = lmer("y ~ 1 + (x + z | g)", three_effects())
    names = [(ax.get_xlabel(), ax.get_ylabel()) for ax in plot_shrinkage(model)]
    assert names == [("(Intercept)", "x"), ("(Intercept)", "z"), ("x", "z")]


def three_effects():
    rng = np.random.default_rng(6)
    data = pd.DataFrame({"g": np.repeat(np.arange(20).astype(str), 12), "x": rng.normal(size=240)})
    data["z"] = rng.normal(size=240)
    b = rng.normal(size=(20, 3)).repeat(12, axis=0)
    return data.assign(y=b[:, 0] + b[:, 1] * data["x"] + b[:, 2] * data["z"] + rng.normal(size=240))


def test_groups_have_their_data_and_lines():
    model, data = fits("sleepstudy"), load_sleepstudy()
    panels = plot_groups(model)
    assert [ax.get_title() for ax in panels] == list(model.ranef()["Subject"].index)
    rows = (data["Subject"] == "309").to_numpy()
    ax = panels[1]
    np.testing.assert_allclose(ax.collections[0].get_offsets(), data.loc[rows, ["Days", "Reaction"]])
    population, own = ax.lines
    np.testing.assert_allclose(own.get_ydata(), model.fitted()[rows])
    np.testing.assert_allclose(population.get_ydata(), model.predict(re_form="~0")[rows])
    assert panels.figure.get_supxlabel() == "Days"
    assert panels.figure.get_supylabel() == "Reaction"


def test_pages_of_groups():
    model = fits("sleepstudy")
    panels = plot_groups(model, page=3, per_page=8)
    assert [ax.get_title() for ax in panels] == ["371", "372"]
    assert panels.figure.get_suptitle().strip() == "Subject: levels 17-18 of 18 (page 3 of 3)"
    assert [ax.get_title() for ax in plot_groups(model, levels=["370", "308"])] == ["370", "308"]
    with pytest.raises(ArgumentError, match="page must be a whole number from 1 to 3"):
        plot_groups(model, page=4, per_page=8)
    with pytest.raises(ArgumentError, match="page must be 1: the 18 levels of 'Subject' fit on one page"):
        plot_groups(model, page=2)
    for wanted in ([370, 308], np.array([370.0, 308.0]), pd.Series([370, 308])):
        assert [ax.get_title() for ax in plot_groups(model, levels=wanted)] == ["370", "308"]
    assert [ax.get_title() for ax in plot_groups(model, levels=370)] == ["370"]
    with pytest.raises(ArgumentError, match="levels must name at least one level"):
        plot_groups(model, levels=[])
    with pytest.raises(ArgumentError, match="levels: 'Subject' has no level '3070'; did you mean '370'"):
        plot_groups(model, levels="3070")


def varying():
    """Other predictors and another factor that vary within the groups."""
    rng = np.random.default_rng(1)
    data = load_sleepstudy()
    data["z"], data["item"] = 60 * rng.normal(size=180), rng.permutation(np.resize(list("uvwxyz"), 180))
    data["f"], data["t"] = rng.permutation(np.resize(list("abc"), 180)), rng.uniform(0.5, 2, 180)
    data["school"] = np.where(data["Subject"].astype(int) < 340, "north", "south")
    data.loc[5, "school"] = "south"
    data["y"] = data["Reaction"] + data["z"] + 30 * (data["f"] == "a") + 50 * (data["item"] == "u")
    data["y"] += 200 * (data["school"] == "north")
    return data


def test_lines_of_groups_hold_the_other_predictors():
    data = varying()
    formula = "y ~ poly(Days, 2) + z + f + offset(t) + (Days | Subject) + (1 | item) + (1 | school)"
    model = lmer(formula, data)
    panels = plot_groups(model, levels=[308, 370])
    for ax, level in zip(panels, ("308", "370"), strict=True):
        part = data[data["Subject"] == level]
        new = part.assign(
            z=part["z"].iloc[np.argmin(np.abs(part["z"] - part["z"].mean()))],
            f=part["f"].value_counts(sort=False).idxmax(),
            t=part["t"].mean(),
        )
        population, own = ax.lines
        np.testing.assert_array_equal(own.get_xdata(), part["Days"])
        np.testing.assert_allclose(population.get_ydata(), model.predict(new, re_form="~0"))
        # One row of 308 is of the other school.
        kept = "~(Days | Subject)" + (" + (1 | school)" if level == "370" else "")
        np.testing.assert_allclose(own.get_ydata(), model.predict(new, re_form=kept))


def test_a_function_of_the_axis_goes_with_it():
    data = load_sleepstudy().assign(square=lambda d: d["Days"] ** 2)
    data["x"] = np.random.default_rng(1).normal(size=180)
    model = lmer("Reaction ~ Days + square + (1 | Subject)", data)
    panels = plot_groups(model, "Days", levels="308")
    np.testing.assert_allclose(panels[0].lines[1].get_ydata(), model.fitted()[:10])
    # Not determined with the other one held: fitted values, not joined.
    with pytest.warns(match="rank"):
        model = lmer("Reaction ~ x + same + (1 | Subject)", data.assign(same=2 * data["x"]))
    own = plot_groups(model, "x", levels="308")[0].lines[1]
    assert own.get_linestyle() == "None"
    np.testing.assert_allclose(own.get_ydata(), model.fitted()[:10])


def test_fitted_values_along_what_is_no_predictor_are_not_joined():
    data = varying().assign(when=lambda d: pd.Timestamp("2024-01-01") + pd.to_timedelta(d["Days"], "D"))
    model = lmer("y ~ Days + z + (1 | Subject)", data)
    for x in ("when", "item", data["z"]):
        panels = plot_groups(model, x, levels="308")
        population, own = panels[0].lines
        assert {line.get_linestyle() for line in (population, own)} == {"None"}
        np.testing.assert_allclose(own.get_ydata(), model.fitted()[:10])
        np.testing.assert_allclose(population.get_ydata(), model.predict(re_form="~0")[:10])


@pytest.mark.parametrize("count", [1, 2, 4, 18])
@pytest.mark.parametrize("name", ["g", "a grouping factor with a long name"])
def test_the_title_of_groups_is_beside_the_legend(count, name):
    data = load_sleepstudy().rename(columns={"Subject": name})
    model = lmer(f"Reaction ~ Days + (1 | `{name}`)", data)
    figure = plot_groups(model, per_page=count).figure
    figure.canvas.draw()
    title, legend = figure._suptitle.get_window_extent(), figure.legends[0].get_window_extent()
    # Blank lines above the title are in its box.
    lines = figure.get_suptitle().split("\n")
    first = title.y1 - title.height * next(i for i, text in enumerate(lines) if text) / len(lines)
    assert title.x1 <= legend.x0 or first <= legend.y0 + 3
    assert title.x0 >= 0
    assert title.x1 <= figure.bbox.x1


def test_groups_of_proportions_over_a_factor():
    model = fits("cbpp")
    panels = plot_groups(model)
    ax = panels[-1]
    assert [text.get_text() for text in ax.get_xticklabels()] == ["1", "2", "3", "4"]
    rows = model.data["herd"].astype(str).to_numpy() == ax.get_title()
    np.testing.assert_allclose(ax.lines[1].get_ydata(), model.fitted()[rows])


def test_wrong_names_are_refused():
    model = fits("sleepstudy")
    for draw in (plot_ranef, plot_ranef_qq, plot_shrinkage):
        with pytest.raises(ArgumentError, match="group must be one of 'Subject', not 'Subjekt'"):
            draw(model, "Subjekt")
        with pytest.raises(ArgumentError, match="effects: there is no 'Day'"):
            draw(model, effects="Day")
    with pytest.raises(ArgumentError, match="order_by must be one of"):
        plot_ranef(model, order_by="Day")
