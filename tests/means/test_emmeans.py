"""Marginal means: what they are, on data where that is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mixedmodels import emmeans, glmer, lmer, load_cbpp, load_sleepstudy, pairs as pairs_of
from mixedmodels.errors import ArgumentError, MixedModelsWarning
from mixedmodels.families import Poisson
from shared_fits import fits


def unbalanced(seed: int = 3, n: int = 300) -> pd.DataFrame:
    """Factors A (3), B (2), C (2) with unequal cells, a covariate, groups and a response."""
    rng = np.random.default_rng(seed)
    data = pd.DataFrame(
        {
            "A": rng.choice(["a1", "a2", "a3"], n, p=[0.5, 0.3, 0.2]),
            "B": rng.choice(["b1", "b2"], n, p=[0.7, 0.3]),
            "C": rng.choice(["c1", "c2"], n, p=[0.4, 0.6]),
            "x": rng.gamma(4.0, 1.0, n),
            "flag": rng.random(n) < 0.3,
            "g": rng.integers(0, 20, n),
        }
    )
    noise = rng.normal(size=20)[data["g"]] + rng.normal(size=n)
    effect = data["A"].map({"a1": 0.0, "a2": 1.0, "a3": 2.0}).to_numpy(float)
    return data.assign(y=effect + np.log(data["x"]) + noise)


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    return unbalanced()


@pytest.fixture(scope="module")
def model(data):
    return lmer("y ~ A * B + C + log(x) + (1 | g)", data)


def predictions(model, **columns):
    """The mean prediction over a grid of columns."""
    grid = pd.MultiIndex.from_product(columns.values(), names=list(columns)).to_frame(index=False)
    return model.predict(grid, re_form="~0").reshape([len(v) for v in columns.values()])


def test_means_are_averages_of_predictions_at_the_mean_of_covariates(model, data):
    means = emmeans(model, "~ A | B").confint()
    grid = predictions(model, A=["a1", "a2", "a3"], B=["b1", "b2"], C=["c1", "c2"], x=[data["x"].mean()])
    wanted = grid.mean(axis=(2, 3)).T.ravel()
    np.testing.assert_allclose(means["emmean"], wanted, rtol=1e-10)
    assert means["A"].tolist() == ["a1", "a2", "a3"] * 2
    assert means["B"].tolist() == ["b1"] * 3 + ["b2"] * 3


def test_weights_of_the_average(model, data):
    grid = predictions(model, A=["a1", "a2", "a3"], B=["b1", "b2"], C=["c1", "c2"], x=[data["x"].mean()])
    grid = grid[..., 0]
    counts = data.groupby(["A", "B", "C"]).size().to_numpy(float).reshape(3, 2, 2)
    joint = counts.sum(axis=0)
    outer = np.outer(joint.sum(axis=1), joint.sum(axis=0))
    wanted = {
        "proportional": (grid * joint).sum(axis=(1, 2)) / joint.sum(),
        "outer": (grid * outer).sum(axis=(1, 2)) / outer.sum(),
        "cells": (grid * counts).sum(axis=(1, 2)) / counts.sum(axis=(1, 2)),
        "flat": grid.mean(axis=(1, 2)),
    }
    for weights, values in wanted.items():
        found = emmeans(model, "A", weights=weights).confint()["emmean"]
        np.testing.assert_allclose(found, values, rtol=1e-10, err_msg=weights)


def test_specs_in_all_their_forms(model):
    first = emmeans(model, "~ A * B").to_frame()
    for specs in ("~ A + B", "A:B", "A*B", ["A", "B"]):
        pd.testing.assert_frame_equal(pd.DataFrame(emmeans(model, specs).to_frame()), pd.DataFrame(first))
    within = emmeans(model, "A", by="B")
    assert within.by == emmeans(model, "~ A | B").by == ("B",)
    assert len(emmeans(model, "~ 1")) == len(emmeans(model, [])) == 1
    assert len(model.emmeans("A")) == 3


def test_at_sets_covariates_and_chooses_levels(model):
    means = emmeans(model, "~ A", at={"x": 2.0, "B": "b2", "C": ["c1"]}).confint()
    wanted = predictions(model, A=["a1", "a2", "a3"], B=["b2"], C=["c1"], x=[2.0]).ravel()
    np.testing.assert_allclose(means["emmean"], wanted, rtol=1e-10)
    both = emmeans(model, "~ x", at={"x": [1, np.e], "B": "b1", "C": "c1", "A": "a1"})
    slope = model.fixef()["log(x)"]
    assert both.pairs(reverse=True).test()["estimate"].item() == pytest.approx(slope)


def test_numbers_made_factors_have_all_their_levels():
    model = fits("sleepstudy", "Reaction ~ factor(Days) + (1 | Subject)")
    means = emmeans(model, "Days").confint()
    assert means["Days"].tolist() == list(range(10))
    np.testing.assert_allclose(
        means["emmean"], load_sleepstudy().groupby("Days")["Reaction"].mean(), rtol=1e-8
    )


def test_covariates_with_two_values_are_factors(data):
    model = lmer("y ~ A + flag + (1 | g)", data)
    means = emmeans(model, "flag").confint()
    assert means["flag"].tolist() == [False, True]
    half = emmeans(model, "A").confint()["emmean"].to_numpy()
    both = [emmeans(model, "A", at={"flag": v}).confint()["emmean"].to_numpy() for v in (False, True)]
    np.testing.assert_allclose(half, np.mean(both, axis=0), rtol=1e-12)


def test_rows_that_took_no_part_have_no_say(data):
    marked = data.assign(
        y=np.where(data.index < 20, np.nan, data["y"]), x=data["x"] + 100 * (data["C"] == "c9")
    )
    marked.loc[data.index >= 280, "A"] = "a9"
    part = lmer("y ~ A + log(x) + (1 | g)", marked, subset="A != 'a9'")
    clean = lmer("y ~ A + log(x) + (1 | g)", data.iloc[20:280].assign(A=data["A"].astype(str)))
    pd.testing.assert_frame_equal(
        pd.DataFrame(emmeans(part, "A", weights="cells").confint()),
        pd.DataFrame(emmeans(clean, "A", weights="cells").confint()),
    )


def test_empty_cells_are_not_estimable_but_what_they_leave_is(data):
    holes = data[~((data["A"] == "a3") & (data["B"] == "b2"))]
    with pytest.warns(MixedModelsWarning):
        model = lmer("y ~ A * B + (1 | g)", holes)
    cells = emmeans(model, "~ A | B")
    table = cells.confint()
    assert np.isnan(table["emmean"]).tolist() == [False] * 5 + [True]
    assert "nonEst" in str(cells)
    assert np.isnan(emmeans(model, "A").confint()["emmean"]).tolist() == [False, False, True]
    # Among the other two means of b2, there is one comparison left: no adjustment.
    raw, adjusted = (cells.pairs(adjust=adjust).test()["p.value"].to_numpy() for adjust in ("none", "tukey"))
    assert np.isnan(raw).tolist() == [False] * 4 + [True] * 2
    assert adjusted[3] == pytest.approx(raw[3])
    flat = emmeans(model, "A", weights="flat").confint()["emmean"]
    assert flat[2] == pytest.approx(table["emmean"][2])
    assert cells.cld()["group"].iloc[-1] == ""


def test_differences_of_what_is_not_estimable_can_be(data):
    doubled = data.assign(C2=data["C"])
    with pytest.warns(MixedModelsWarning):
        model = lmer("y ~ A + C + C2 + (1 | g)", doubled)
    single = lmer("y ~ A + C + (1 | g)", data)
    cells = emmeans(model, "~ A | C * C2")
    assert np.isnan(cells.confint()["emmean"]).sum() == 6
    wanted = emmeans(single, "A").pairs().test()[["estimate", "SE", "df", "p.value"]].to_numpy()
    found = cells.pairs().test()[["estimate", "SE", "df", "p.value"]].to_numpy()
    np.testing.assert_allclose(found, np.tile(wanted, (4, 1)), rtol=1e-7)


def test_offsets_are_at_their_mean_unless_another_is_given(data):
    counts = data.assign(n=np.random.default_rng(1).poisson(np.exp(0.2 * data["y"])), e=np.log1p(data["x"]))
    model = glmer("n ~ A + offset(e) + (1 | g)", counts, Poisson())
    found = emmeans(model, "A").confint()["emmean"].to_numpy()
    rates = emmeans(model, "A", offset=0).confint()["emmean"].to_numpy()
    np.testing.assert_allclose(found - rates, counts["e"].mean(), rtol=1e-10)
    inner, outer = emmeans(model, "A").pairs().test(), emmeans(model, "A", offset=3).pairs().test()
    np.testing.assert_allclose(inner["estimate"], outer["estimate"], rtol=1e-9)


def test_population_means_of_counts_have_a_closed_form(data):
    counts = data.assign(n=np.random.default_rng(1).poisson(np.exp(0.2 * data["y"])))
    model = glmer("n ~ A + (1 | g)", counts, Poisson())
    plain = emmeans(model, "A", type="response").confint()
    whole = emmeans(model, "A", type="response", bias_adjust=True).confint()
    factor = np.exp(model.theta[0] ** 2 / 2)
    for column in ("rate", "SE", "lower.CL", "upper.CL"):
        np.testing.assert_allclose(whole[column], factor * plain[column], rtol=1e-10)


def test_a_linear_model_of_logarithms_has_ratios(data):
    positive = data.assign(z=np.exp(data["y"]))
    model = lmer("log(z) ~ A + (1 | g)", positive)
    link = emmeans(model, "A").pairs("none")
    response = emmeans(model, "A", type="response").pairs("none")
    np.testing.assert_allclose(response.test()["ratio"], np.exp(link.test()["estimate"]))
    np.testing.assert_allclose(response.test()["p.value"], link.test()["p.value"])
    assert response.test()["contrast"].tolist()[0] == "a1 / a2"
    spread = model.sigma**2 + model.VarCorr()["g"]["cov"].item()
    whole = emmeans(model, "A", type="response", bias_adjust=True).confint()["response"]
    plain = emmeans(model, "A", type="response").confint()["response"]
    np.testing.assert_allclose(whole, plain * np.exp(spread / 2), rtol=1e-9)


def test_differences_on_the_response_scale_by_the_delta_method():
    formula = "cbind(incidence, size - incidence) ~ period + (1 | herd)"
    model = glmer(formula, load_cbpp(), "binomial")
    means = emmeans(model, "period", type="response")
    p = means.confint()["prob"].to_numpy()
    found = means.regrid().contrast("trt.vs.ctrl", "none").test()
    np.testing.assert_allclose(found["estimate"], p[1:] - p[0], rtol=1e-10)
    gradient = (p * (1 - p))[:, None] * means.L
    difference = gradient[1:] - gradient[0]
    wanted = np.sqrt(np.diag(difference @ model.vcov().to_numpy() @ difference.T))
    np.testing.assert_allclose(found["SE"], wanted, rtol=1e-8)


def test_groups_are_adjusted_by_themselves_and_can_be_changed(model):
    cells = emmeans(model, "~ A * B")
    within = emmeans(model, "~ A | B").pairs().test()
    pd.testing.assert_frame_equal(pd.DataFrame(cells.pairs(by="B").test()), pd.DataFrame(within))
    assert len(cells.pairs()) == 15
    assert len(emmeans(model, "~ A | B").pairs(by=[])) == 15
    assert "6 means" in cells.pairs().test().notes[1]
    assert "3 means" in within.notes[1]


def test_a_joint_test_is_that_of_the_hypothesis(model):
    found = emmeans(model, "~ B", at={"A": "a1"}).contrast("pairwise").joint()
    wanted = model.t_test({"B[T.b2]": -1.0})
    assert found["F.ratio"].item() == pytest.approx(wanted["t value"].item() ** 2)
    assert found["df2"].item() == pytest.approx(wanted["df"].item())


def test_contrasts_of_contrasts_are_interactions(model):
    within = emmeans(model, "~ B | A").pairs()
    across = within.contrast("pairwise", by=[])
    found = across.joint()
    assert found["df1"].item() == 2
    interaction = model.anova().loc["A:B"]
    assert found["F.ratio"].item() == pytest.approx(interaction["F value"], rel=1e-8)


def test_methods_of_degrees_of_freedom_are_named(model):
    names = {
        "kenward-roger": "Kenward",
        "satterthwaite": "Satterthwaite",
        "inf": "Infinite",
        "residual": "Residual",
    }
    for ddf, name in names.items():
        assert emmeans(model, "A", ddf=ddf).to_frame().notes[0].startswith(name)
    assert "z.ratio" in emmeans(model, "A", ddf="inf").test()


def test_letters_follow_the_order_of_the_means():
    means = emmeans(fits("machines", "score ~ Machine + (1 | Worker/Machine)"), "Machine")
    table = means.cld()
    assert table["Machine"].tolist() == ["A", "B", "C"]
    assert table["group"].tolist() == ["a", "b", "b"]
    assert means.cld(alpha=0.06)["group"].tolist() == ["a", "b", "c"]


def test_interactions_with_what_is_averaged_over_are_mentioned(model):
    assert "interact" in str(emmeans(model, "A"))
    assert "interact" not in str(emmeans(model, "C"))


def test_plots_show_every_row(model):
    pytest.importorskip("matplotlib")
    means = emmeans(model, "~ A | B")
    axes = means.plot()
    assert [t.get_text() for t in axes.get_yticklabels()] == ["a1", "a2", "a3"]
    drawn = np.sort(np.concatenate([c.lines[0].get_xdata() for c in axes.containers]))
    np.testing.assert_allclose(drawn, np.sort(means.confint()["emmean"]))


def test_tables_print_as_html(model):
    shown = emmeans(model, "~ A | B")._repr_html_()
    assert ">B = b1</th>" in shown
    assert shown.count("<table") == 1
    assert shown.count("<tbody") == 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: emmeans(m, "Z"), "no predictor 'Z'"),
        (lambda m: emmeans(m, "pairwise ~ A"), "nothing may precede"),
        (lambda m: emmeans(m, "~ A *"), "is not understood"),
        (lambda m: emmeans(m, 3), "specs must be"),
        (lambda m: emmeans(m, "A", at={"A": "a7"}), "no level 'a7'"),
        (lambda m: emmeans(m, "A", at={"x": "low"}), "must be numbers"),
        (lambda m: emmeans(m, "A", at={"u": 1}), "no predictor 'u'"),
        (lambda m: emmeans(m, "A", at={"x": list(range(1, 2000))}), "more than 10000"),
        (lambda m: emmeans(m, "A", weights="all"), "weights must be"),
        (lambda m: emmeans(m, "A", type="mean"), "type must be"),
        (lambda m: emmeans(m, "A", level=95), "level must be"),
        (lambda m: emmeans(m, "A", offset="x"), "offset must be"),
        (lambda m: emmeans(m, "A", ddf="welch"), "ddf must be"),
        (lambda m: emmeans("A", "A"), "a model fitted by"),
        (lambda m: emmeans(m, "A").confint(adjust="tukey"), "all pairwise differences"),
        (lambda m: emmeans(m, "A").pairs(by="Z"), "no variable 'Z'"),
        (lambda m: emmeans(m, "~ 1").pairs(), "nothing to compare"),
        (lambda m: emmeans(m, "A").pairs().cld(), "letters are for means"),
        (lambda m: pairs_of(m), "made by emmeans"),
    ],
)
def test_what_cannot_be_is_refused(model, call, message):
    with pytest.raises(ArgumentError, match=message):
        call(model)


def test_population_means_need_a_link_that_has_them(data):
    positive = data.assign(z=np.exp(0.1 * data["y"]))
    model = glmer("z ~ A + (1 | g)", positive, "gamma", link="inverse")
    with pytest.raises(ArgumentError, match="does not exist"):
        emmeans(model, "A", type="response", bias_adjust=True)


def test_effect_sizes_are_named_as_differences():
    """R: eff_size of means of type "response" names the contrasts "a - b"."""
    model = fits("cbpp")
    wanted = emmeans(model, "~ period").eff_size(1.0, 50).to_frame()
    response = emmeans(model, "~ period", type="response")
    for means in (response, response.pairs(), response.contrast("pairwise")):
        found = means.eff_size(1.0, 50)
        assert found.to_frame()["contrast"].tolist() == wanted["contrast"].tolist()
        np.testing.assert_allclose(found.to_frame()["effect.size"], wanted["effect.size"])
        assert "Results are on the logit scale" in str(found)
    assert wanted["contrast"].iloc[0] == "period1 - period2"


@pytest.mark.parametrize("shift", [0.0, 2010.0, 1e5])
def test_a_centred_covariate_is_at_zero(shift: float):
    data = unbalanced()
    data["x"] = data["x"] + shift
    data["x"] -= data["x"].mean()
    assert data["x"].mean() != 0.0
    means = emmeans(lmer("y ~ A + x + (1 | g)", data), "~ A")
    assert "At x = 0\n" in f"{means}\n"
    # Others keep theirs, however small.
    small = emmeans(lmer("y ~ A + x + (1 | g)", data.assign(x=data["x"] + 1e-5)), "~ A")
    assert "At x = 1e-05" in str(small)
