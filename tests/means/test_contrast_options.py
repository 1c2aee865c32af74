"""Interaction and simple contrasts, scales, effect sizes, values of covariates; against R's emmeans."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pandas as pd
import pytest
from test_emmeans import unbalanced

from mixedmodels import eff_size, emmeans, emtrends, glmer, joint_tests, lmer, load_sleepstudy
from mixedmodels.errors import ArgumentError, MixedModelsWarning
from shared_fits import fits

# Methods by other names


@pytest.mark.parametrize(
    ("name", "same", "options"),
    [
        ("dunnett", "trt.vs.ctrl", {}),
        ("trt.vs.ctrl1", "trt.vs.ctrl", {}),
        ("trt.vs.ctrlk", "trt.vs.ctrl", {"ref": 2}),
        ("tukey", "pairwise", {}),
        ("revpairwise", "pairwise", {"reverse": True}),
    ],
)
def test_other_names_of_methods(machines, name, same, options):
    found, wanted = machines.contrast(name), machines.contrast(same, **options)
    pd.testing.assert_frame_equal(found.to_frame().to_frame(), wanted.to_frame().to_frame())
    assert found.to_frame().notes == wanted.to_frame().notes


def test_dunnett_with_a_control_and_the_other_way_round(machines):
    found = machines.contrast("dunnett", ref="B", reverse=True).to_frame()
    assert found["contrast"].tolist() == ["B - A", "B - C"]
    with pytest.raises(ArgumentError, match="ref= is for"):
        machines.contrast("trt.vs.ctrlk", ref="B")


def test_changes_of_the_mean(ham):
    table = ham.contrast("mean_chg", simple="Product").to_frame()
    # R: contrast(e, "mean_chg", simple = "Product")
    np.testing.assert_allclose(
        table["estimate"], [-0.12757, 0.63580, 0.52263, -0.07407, 0.46914, -0.00823], atol=6e-6
    )
    np.testing.assert_allclose(table["p.value"], [0.9316, 0.0177, 0.1288, 0.9849, 0.1105, 1.0], atol=3e-3)
    assert table["contrast"].tolist()[:2] == ["Product1|Product2", "Product2|Product3"]


def test_identity_keeps_the_rows(machines):
    found = machines.contrast("identity").to_frame()
    np.testing.assert_allclose(found["estimate"], machines.confint()["emmean"])


# Interactions and simple effects


def test_interaction_contrasts_are_those_of_r(ham):
    table = ham.contrast(interaction=["consec", "pairwise"]).to_frame()
    assert table["Product_consec"].tolist() == ["2 - 1", "3 - 2", "4 - 3"]
    assert table["Information_pairwise"].tolist() == ["1 - 2"] * 3
    np.testing.assert_allclose(table["estimate"], [-0.2469, -0.0247, 0.6296], atol=5e-5)
    np.testing.assert_allclose(table["SE"], 0.465, atol=5e-4)
    np.testing.assert_allclose(table["p.value"], [0.5956, 0.9577, 0.1762], atol=5e-5)
    for given in ("pairwise", True):
        pairs = ham.contrast("pairwise", interaction=given).to_frame()
        np.testing.assert_allclose(
            pairs["estimate"], [0.2469, 0.2716, -0.3580, 0.0247, -0.6049, -0.6296], atol=5e-5
        )
    named = ham.contrast(
        interaction={"Product": {"first": [1, 0, 0, -1]}, "Information": "pairwise"}
    ).to_frame()
    assert named["Product_custom"].item() == "first"
    assert named["estimate"].item() == pytest.approx(pairs["estimate"][2])


def test_interaction_contrasts_make_the_test_of_the_interaction(ham):
    model = fits("ham", "Informed.liking ~ Product * Information + (1 | Consumer)")
    joint = ham.contrast(interaction="consec").joint()
    wanted = model.anova().loc["Product:Information"]
    assert joint["df1"].item() == wanted["NumDF"]
    assert joint["F.ratio"].item() == pytest.approx(wanted["F value"], rel=1e-9)


def test_interaction_contrasts_within_groups_and_of_ratios():
    data = unbalanced().assign(n=lambda d: np.random.default_rng(1).poisson(np.exp(0.2 * d["y"])))
    model = glmer("n ~ A * B * C + offset(x) + (1 | g)", data, "poisson", weights=1.0 + data["flag"])
    means = emmeans(model, "~ A * B | C", type="response")
    found = means.contrast(interaction=["consec", "pairwise"]).to_frame()
    assert found["C"].tolist() == ["c1"] * 2 + ["c2"] * 2
    assert found["A_consec"].tolist()[0] == "a2 / a1"
    log = means.functions.estimate.reshape(2, 2, 3)
    within = log[:, 0] - log[:, 1]
    np.testing.assert_allclose(found["ratio"], np.exp(np.diff(within, axis=1)).ravel(), rtol=1e-9)


def test_interactions_of_three_variables():
    model = lmer("y ~ A * B * C + (1 | g)", unbalanced())
    means = emmeans(model, "~ A * B * C")
    eta = means.functions.estimate.reshape(2, 2, 3)
    wanted = np.diff(np.diff(np.diff(eta, axis=0), axis=1), axis=2).ravel()
    np.testing.assert_allclose(means.contrast(interaction="consec").to_frame()["estimate"], wanted, rtol=1e-8)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"interaction": ["consec"]}, "one for each of Product, Information"),
        ({"interaction": {"Product": "consec"}}, "a method is needed for each"),
        ({"interaction": 3}, "must be a method"),
        ({"interaction": "helmert"}, "method must be one of"),
        ({"simple": "Price"}, "no variable 'Price'"),
        ({"simple": "Product", "by": "Information"}, "give either simple="),
        ({"simple": "each", "by": []}, "leave out by="),
        ({"infer": "both"}, "infer must be"),
        ({"infer": (True,)}, "infer must be"),
    ],
)
def test_contrasts_that_cannot_be(ham, options, message):
    with pytest.raises(ArgumentError, match=message):
        ham.contrast(**{"method": "pairwise", **options})


def test_simple_effects_are_those_of_r(ham):
    table = ham.contrast("pairwise", simple="Information").to_frame()
    assert table["Product"].tolist() == ["1", "2", "3", "4"]
    np.testing.assert_allclose(table["estimate"], [-0.160, -0.407, -0.432, 0.198], atol=5e-4)
    np.testing.assert_allclose(table["p.value"], [0.6256, 0.2158, 0.1893, 0.5482], atol=5e-5)
    every = ham.pairs(simple="each")
    assert list(every) == ["Product", "Information"]
    np.testing.assert_allclose(every["Information"].to_frame()["estimate"], table["estimate"])
    assert str(every).count("Simple contrasts of") == 2
    assert every._repr_html_().count("<table") == 2


# Limits and tests in one table


def test_limits_and_tests_in_one_table(periods):
    whole = periods.regrid().summary()
    # R: summary(regrid(e), infer = TRUE); its standard errors, by finite differences, are 1 % smaller.
    np.testing.assert_allclose(whole["SE"], [0.0367, 0.0236, 0.0224, 0.0196], atol=3e-4)
    np.testing.assert_allclose(whole["lower.CL"], [0.1261, 0.0376, 0.0301, 0.0100], atol=6e-4)
    np.testing.assert_allclose(whole["z.ratio"], [5.393, 3.551, 3.302, 2.472], rtol=1.3e-2)
    means = periods.contrast("dunnett", infer=True).to_frame()
    assert {"lower.CL", "upper.CL", "z.ratio", "p.value"} <= set(means)
    limits = periods.contrast("dunnett", infer=(True, False)).to_frame()
    pd.testing.assert_frame_equal(limits.to_frame(), periods.contrast("dunnett").confint().to_frame())
    assert list(periods.contrast("dunnett", infer=False).to_frame()) == ["contrast", "odds.ratio", "SE", "df"]


def test_infer_of_means_and_slopes():
    model = fits("orthodont")
    means = emmeans(model, "~ Sex", infer=(False, True)).to_frame()
    assert "p.value" in means
    assert "lower.CL" not in means
    assert "p.value" in emtrends(model, "~ Sex", "age", infer=True).to_frame()
    # What is made of them shows what is usual for it.
    assert "p.value" in emmeans(model, "~ Sex", infer=(True, False)).pairs().to_frame()


# Scales


def test_ratios_of_probabilities_are_those_of_r(periods):
    logs = periods.regrid("log")
    np.testing.assert_allclose(logs.confint()["prob"], periods.confint()["prob"], rtol=1e-12)
    # R: regrid(e, "log"), pairs(type = "response"); R's glmer has standard errors by finite differences.
    np.testing.assert_allclose(logs.confint()["lower.CL"], [0.1377, 0.0483, 0.0409, 0.0219], atol=6e-4)
    table = logs.pairs().to_frame()
    np.testing.assert_allclose(
        table["ratio"], [2.3603945, 2.6761263, 4.0903782, 1.1337623, 1.7329214, 1.5284698], rtol=2e-3
    )
    np.testing.assert_allclose(
        table["SE"], [0.63555614, 0.77727966, 1.61169029, 0.39272734, 0.75695272, 0.68891451], rtol=2e-2
    )
    p = periods.confint()["prob"].to_numpy()
    gradient = (1 - p)[:, None] * periods.L
    rows = np.array([gradient[i] - gradient[j] for i in range(4) for j in range(i + 1, 4)])
    covariance = periods.functions.space.basis.covariance
    wanted = np.sqrt(np.einsum("ij,jk,ik->i", rows, covariance, rows))
    np.testing.assert_allclose(table["SE"] / table["ratio"], wanted, rtol=1e-9)


def test_regridding_of_what_is_shown_as_linear_predictor(periods):
    link = emmeans(fits("cbpp"), "~ period")
    pd.testing.assert_frame_equal(
        link.regrid().pairs().to_frame().to_frame(), periods.regrid().pairs().to_frame().to_frame()
    )
    assert "on the logit scale" in str(link)
    assert "on the logit scale" in str(link.pairs())
    assert "scale" not in str(link.regrid())
    assert "on the log scale" in str(link.regrid("log").pairs())
    assert "on the logit scale" in str(periods.regrid("none"))
    logs = link.regrid("log").confint()
    np.testing.assert_allclose(logs["emmean"], np.log(periods.confint()["prob"]), rtol=1e-12)
    back = periods.regrid("logit").confint()
    for column in ("prob", "SE", "lower.CL", "upper.CL"):
        np.testing.assert_allclose(back[column], periods.confint()[column], rtol=1e-9)
    np.testing.assert_allclose(periods.regrid("none").confint()["emmean"], link.confint()["emmean"])


def test_relative_differences_of_a_linear_model(machines):
    found = machines.regrid("log").pairs().to_frame()
    mean = machines.confint()["emmean"].to_numpy()
    np.testing.assert_allclose(
        found["ratio"], [mean[0] / mean[1], mean[0] / mean[2], mean[1] / mean[2]], rtol=1e-9
    )
    assert machines.regrid() is machines
    with pytest.raises(ArgumentError, match="transform must be"):
        machines.regrid("square")
    with pytest.raises(ArgumentError, match=r"the logit of .* is not defined"):
        machines.regrid("logit")


# Effect sizes


def test_effect_sizes_are_those_of_r(machines):
    # R: eff_size(e, sigma = 2, edf = 20)
    for method in ("pairwise", machines.pairs()):
        means = machines if isinstance(method, str) else method
        found = eff_size(means, sigma=2, edf=20).to_frame()
        np.testing.assert_allclose(found["effect.size"], [-3.9833333, -6.9583333, -2.9750000], rtol=1e-7)
        np.testing.assert_allclose(found["SE"], [1.2575687, 1.5476646, 1.1857787], rtol=1e-5)
    wanted = [
        [1.58147917, 1.2853368, -0.29614236],
        [1.2853368, 2.3952656, 1.10992882],
        [-0.29614236, 1.1099288, 1.4060712],
    ]
    np.testing.assert_allclose(machines.eff_size(2, 20).vcov(), wanted, rtol=1e-5)
    np.testing.assert_allclose(machines.eff_size(2, math.inf).to_frame()["SE"], 1.0884877, rtol=1e-5)
    control = machines.eff_size(2, 20, "trt.vs.ctrl").test()
    np.testing.assert_allclose(control["t.ratio"], [3.1675, 4.4960], atol=5e-4)
    # Degrees of freedom are those of the contrast: R takes those of the means.
    np.testing.assert_allclose(control["df"], 10, rtol=1e-6)
    assert machines.eff_size(2, 20, "identity").to_frame()["SE"].tolist() == pytest.approx(
        [4.3216593, 4.9281998, 5.3846898], rel=1e-5
    )


def test_effect_sizes_of_a_generalized_model_are_in_its_linear_predictor(periods):
    # R: eff_size(e, sigma = 1.5, edf = 30); a little apart, as are the estimates.
    found = eff_size(periods, 1.5, 30).to_frame()
    np.testing.assert_allclose(found["effect.size"][:3], [0.66128, 0.75214, 1.05316], rtol=3e-3)
    np.testing.assert_allclose(found["SE"][:3], [0.21939, 0.23611, 0.31249], rtol=2e-2)
    assert np.isinf(found["df"]).all()


def test_effect_sizes_where_cells_are_empty():
    data = unbalanced()
    data = data[~((data["A"] == "a3") & (data["B"] == "b2"))]
    with pytest.warns(MixedModelsWarning):
        model = lmer("y ~ A * B + (1 | g)", data, weights=np.where(data["C"] == "c1", 2.0, 1.0))
    pairs = emmeans(model, "~ A | B").pairs()
    found = pairs.eff_size(model.sigma, 250).to_frame()
    np.testing.assert_allclose(found["effect.size"], pairs.to_frame()["estimate"] / model.sigma, rtol=1e-12)
    assert np.isnan(found["SE"]).tolist() == [False] * 4 + [True] * 2
    assert "no data with" in str(pairs.eff_size(model.sigma, 250))


@pytest.mark.parametrize(
    ("sigma", "edf"), [(0, 10), (-1, 10), (math.inf, 10), ("s", 10), (1, 0), (1, math.nan), (1, None)]
)
def test_effect_sizes_need_a_standard_deviation_and_its_degrees_of_freedom(machines, sigma, edf):
    with pytest.raises(ArgumentError, match="must be a positive number"):
        eff_size(machines, sigma, edf)


# Covariates


def test_covariates_at_other_values_are_those_of_r():
    model = fits("orthodont")
    ends = emmeans(model, "~ Sex | age", cov_reduce="range").confint()
    # R: emmeans(m, ~ Sex | age, cov.reduce = range)
    np.testing.assert_allclose(ends["emmean"], [22.615625, 21.209091, 27.321875, 24.086364], rtol=1e-7)
    np.testing.assert_allclose(ends["SE"], [0.5264199, 0.6348863, 0.5729934, 0.6910561], rtol=3e-4)
    every = emmeans(model, "~ age", cov_reduce=False).confint()
    np.testing.assert_allclose(every["emmean"], [21.912358, 23.176278, 24.440199, 25.704119], rtol=1e-7)
    middle = emmeans(model, "~ Sex", cov_reduce="median").confint()["emmean"]
    np.testing.assert_allclose(middle, [24.968750, 22.647727], rtol=1e-7)
    own = emmeans(model, "~ Sex", cov_reduce={"age": lambda values: values.min()}).confint()["emmean"]
    np.testing.assert_allclose(own, [22.615625, 21.209091], rtol=1e-7)


def test_two_values_are_both_shown_unless_the_covariate_is_named():
    data = load_sleepstudy().assign(dose=lambda d: np.where(d["Days"] > 4, 20.0, 10.0))
    model = lmer("Reaction ~ dose + Days + (1 | Subject)", data)
    assert emmeans(model, "~ dose", cov_reduce="median").confint()["dose"].tolist() == [10, 20]
    held = emmeans(model, "~ 1", cov_reduce={"dose": "mean"})
    assert "dose = 15" in str(held)
    assert joint_tests(model, cov_reduce={"dose": "mean"})["model term"].tolist() == ["dose", "Days"]


def test_slopes_of_a_curve_at_reduced_values():
    data = unbalanced()
    model = lmer("y ~ A + x + I(x^2) + (1 | g)", data)
    beta = model.fixef()
    found = emtrends(model, "~ x", "x", cov_reduce="range").confint()["x.trend"]
    wanted = [beta["x"] + 2 * beta["I(x^2)"] * v for v in (data["x"].min(), data["x"].max())]
    np.testing.assert_allclose(found, wanted, rtol=1e-7)


@pytest.mark.parametrize(
    ("cov_reduce", "message"),
    [
        ("middle", "cov_reduce must be one of"),
        (3, "cov_reduce must be one of"),
        (True, "cov_reduce must be one of"),
        ({"x": True}, "cov_reduce must be one of"),
        ({"z": "mean"}, "no predictor 'z'"),
        (lambda values: "high", "not finite numbers"),
        (lambda values: [], "not finite numbers"),
        (lambda values: np.nan, "not finite numbers"),
    ],
)
def test_reductions_that_cannot_be(cov_reduce, message):
    model = lmer("y ~ A + x + (1 | g)", unbalanced())
    with pytest.raises(ArgumentError, match=message):
        emmeans(model, "A", cov_reduce=cov_reduce)


def test_all_values_of_a_covariate_are_one_effect():
    model = fits("orthodont")
    every, two = joint_tests(model, cov_reduce=False), joint_tests(model, cov_reduce="range")
    assert every["df1"].tolist() == two["df1"].tolist() == [1, 1, 1]
    np.testing.assert_allclose(every["F.ratio"], two["F.ratio"], rtol=1e-8)
    assert "df1" not in "".join(every.notes)


def test_joint_tests_become_a_plain_data_frame():
    table = joint_tests(lmer("y ~ A * B + (1 | g)", unbalanced()))
    plain = table.to_frame()
    assert type(plain) is pd.DataFrame
    assert list(plain) == ["model term", "df1", "df2", "F.ratio", "p.value"]
    assert plain["F.ratio"].tolist() == table["F.ratio"].tolist()


# Weights of one's own among the methods


@pytest.mark.parametrize("kind", [np.array, list, pd.DataFrame])
def test_weights_as_a_method_of_an_interaction(ham, kind):
    weights = kind([[1.0, 0.0, 0.0, -1.0], [0.0, 1.0, -1.0, 0.0]])
    table = ham.contrast(interaction=[weights, "pairwise"]).to_frame()
    by_name = {"first": [1, 0, 0, -1], "second": [0, 1, -1, 0]}
    wanted = ham.contrast(interaction=[by_name, "pairwise"]).to_frame()
    np.testing.assert_allclose(table["estimate"], wanted["estimate"], rtol=1e-12)
    np.testing.assert_allclose(table["SE"], wanted["SE"], rtol=1e-12)
    assert ham.contrast(interaction=[weights, "dunnett"], ref=1).to_frame().shape[0] == 2


def test_ref_and_reverse_that_no_method_takes_are_refused(ham, machines):
    for methods in ("consec", ["consec", "pairwise"], ["trt.vs.ctrlk", "eff"], [np.eye(4), np.eye(2)]):
        with pytest.raises(ArgumentError, match="ref= is for"):
            ham.contrast(interaction=methods, ref=1)
    assert len(ham.contrast(interaction=["dunnett", "eff"], ref=1).to_frame()) == 6
    with pytest.raises(ArgumentError, match=r"ref= is for.*weights of your own"):
        machines.contrast([[1, -1, 0]], ref="B")
    with pytest.raises(ArgumentError, match=r"reverse= is for.*weights of your own"):
        machines.contrast({"A - B": [1, -1, 0]}, reverse=True)
    with pytest.raises(ArgumentError, match="reverse must be True or False"):
        machines.contrast("pairwise", reverse="no")


def test_simple_as_an_array_is_refused_by_name(ham):
    with pytest.raises(ArgumentError, match="simple must be a name or a list of names"):
        ham.contrast("pairwise", simple=np.array(["Product", "Information"]))


# Differences and rounding


@pytest.mark.parametrize("at", [[1, 2], [1, 2, 3000], [1, 2, -1e5]])
def test_a_distant_value_hides_no_difference_of_others(at):
    rng = np.random.default_rng(7)
    data = pd.DataFrame({"g": np.repeat(np.arange(20), 10), "x": rng.uniform(0, 3000, 200)})
    data["y"] = 1e-12 * data["x"] ** 4 + rng.normal(size=20)[data["g"]] + 0.1 * rng.normal(size=200)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedModelsWarning)
        model = lmer("y ~ I(x**4) + (1 | g)", data)
    table = emmeans(model, "~ x", at={"x": at}).contrast("pairwise", adjust="none").to_frame()
    slope, error = float(model.fixef().iloc[1]), float(model.se.iloc[1])
    assert table["estimate"].iloc[0] == pytest.approx(-15 * slope, rel=1e-9)
    assert table["SE"].iloc[0] == pytest.approx(15 * error, rel=1e-9)
    assert table["p.value"].iloc[0] == pytest.approx(model.summary().coefficients.iloc[1, -1], rel=1e-6)
