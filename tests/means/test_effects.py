"""Adjusted predictions over a grid."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import mixedmodels as mm
from mixedmodels.errors import ArgumentError
from shared_fits import fits

FACTS = json.loads((Path(__file__).parents[1] / "golden" / "simulate_facts.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def contraception() -> Any:
    return fits("Contraception", "use ~ age + I(age^2) + urban + livch + (urban | district)", "binomial")


def test_a_factor_has_its_marginal_means():
    model = fits("machines")
    effects, means = model.predict_effects("Machine").to_frame(), model.emmeans("~ Machine").to_frame()
    np.testing.assert_allclose(effects["fit"], means["emmean"], rtol=1e-12)
    np.testing.assert_allclose(effects["se_fit"], means["SE"], rtol=1e-12)
    np.testing.assert_allclose(effects[["lower", "upper"]], means[["lower.CL", "upper.CL"]], rtol=1e-9)


def test_a_covariate_has_the_predictions_of_the_population():
    model = fits("orthodont")
    effects = model.predict_effects(["age", "Sex"], at={"age": [8, 9.5, 14]}).to_frame()
    out = model.predict(effects[["age", "Sex"]], "~0", interval="confidence")
    for name in ("fit", "se_fit", "lower", "upper"):
        np.testing.assert_allclose(effects[name], out[name], rtol=1e-9)
    assert effects["age"].tolist() == [8.0, 9.5, 14.0] * 2


def test_others_at_means_averaged_or_at_their_references(contraception):
    beta, data = contraception.fixef(), pd.DataFrame(contraception.data)
    age = data["age"].mean()
    base = beta["(Intercept)"] + beta["age"] * age + beta.iloc[2] * age**2
    children = np.append(0.0, beta.filter(like="livch"))
    shares = data["livch"].value_counts(normalize=True, sort=False).to_numpy()
    for weights, part in (
        ("equal", children.mean()),
        ("proportional", children @ shares),
        ("reference", 0.0),
    ):
        found = contraception.predict_effects("urban", weights=weights, type="link").to_frame()
        wanted = base + part + np.array([0.0, beta.filter(like="urban").iloc[0]])
        np.testing.assert_allclose(found["fit"], wanted, rtol=1e-9)
    response = contraception.predict_effects("urban").to_frame()
    link = contraception.predict_effects("urban", type="link").to_frame()
    np.testing.assert_allclose(response["lower"], expit(link["lower"]), rtol=1e-12)
    slope = response["fit"] * (1 - response["fit"])
    np.testing.assert_allclose(response["se_fit"], slope * link["se_fit"], rtol=1e-9)


@pytest.mark.parametrize("name", ["sim_cbpp", "sim_ticks", "sim_salam_nb"])
def test_population_means_are_integrals_over_the_random_effects(name):
    """Means of responses over new random effects, by quadrature or in closed form (simulate_facts.json)."""
    case = next(case for case in FACTS["cases"] if case["id"] == name)
    model = fits(case["dataset"], case["formula"], case["family"])
    data = pd.DataFrame(model.data)
    terms = {
        "sim_cbpp": ["period"],
        "sim_ticks": ["cHEIGHT", "YEAR"],
        "sim_salam_nb": ["mined", "spp"],
    }[name]
    at = {"cHEIGHT": np.unique(data["cHEIGHT"])[::10]} if "cHEIGHT" in terms else None
    found = model.predict_effects(terms, at=at, marginal=True).to_frame()
    mean = np.array(case["expected"]["marginal"]["mean"]) / np.array(case["expected"].get("size", 1.0))
    rows = data.assign(mean=mean).drop_duplicates(terms)
    both = found.merge(rows.astype({t: found[t].dtype for t in terms}), on=terms)
    assert len(both) >= 4
    np.testing.assert_allclose(both["fit"], both["mean"], rtol=1e-5)


def test_the_variance_of_random_slopes_changes_along_the_grid():
    case = next(case for case in FACTS["cases"] if case["id"] == "sim_contra")
    model = fits("Contraception", case["formula"], "binomial", subset=case["subset"])
    data = pd.DataFrame(model.data).query(case["subset"]).head(len(case["expected"]["marginal"]["mean"]))
    mean = np.array(case["expected"]["marginal"]["mean"])
    for row in (0, 1, 4, 5, 9):
        own = data.iloc[row]
        found = model.predict_effects(["urban", "livch"], at={"age": own["age"]}, marginal=True).to_frame()
        value = found.query("urban == @own.urban and livch == @own.livch")["fit"].item()
        assert value == pytest.approx(mean[row], rel=1e-5)


def test_population_means_are_those_of_simulated_groups():
    model = fits("epil", "y ~ lbase * trt + lage + V4 + (V4 | subject)", "poisson")
    effects = model.predict_effects(["trt", "V4"], marginal=True).to_frame()
    zero = model.predict_effects(["trt", "V4"]).to_frame()
    parts = model.VarCorr().to_frame()
    sd, corr = parts["sdcor"][:2].to_numpy(), float(parts["sdcor"].iloc[2])
    rng = np.random.default_rng(1)
    u = rng.multivariate_normal(
        [0, 0], [[sd[0] ** 2, sd.prod() * corr], [sd.prod() * corr, sd[1] ** 2]], 400_000
    )
    for (_, own), (_, at_zero) in zip(effects.iterrows(), zero.iterrows(), strict=True):
        simulated = at_zero["fit"] * np.exp(u[:, 0] + u[:, 1] * own["V4"]).mean()
        assert own["fit"] == pytest.approx(simulated, rel=1e-2)


def test_a_transformed_response_is_taken_back():
    data = mm.load_sleepstudy()
    model = mm.lmer("log(Reaction) ~ Days + (1 | Subject)", data)
    beta, level = model.fixef(), model.VarCorr().to_frame()["vcov"]
    found = model.predict_effects("Days", at={"Days": [0, 9]}).to_frame()["fit"]
    np.testing.assert_allclose(found, np.exp(beta.iloc[0] + beta.iloc[1] * np.array([0, 9])), rtol=1e-9)
    # The mean over subjects and residuals of a log-normal response.
    mean = model.predict_effects("Days", at={"Days": [0, 9]}, marginal=True).to_frame()["fit"]
    np.testing.assert_allclose(mean, found * np.exp(level.sum() / 2), rtol=1e-9)


def test_values_of_covariates():
    model = fits("orthodont", "distance ~ age * Sex + (1 | Subject)")
    assert model.predict_effects("age").to_frame()["age"].tolist() == [8.0, 10.0, 12.0, 14.0]
    ticks = fits("grouseticks", "TICKS ~ YEAR * cHEIGHT + (1 | BROOD) + (1 | LOCATION)", "poisson")
    frame = ticks.predict_effects(["cHEIGHT", "YEAR"]).to_frame()
    height = ticks.data["cHEIGHT"]
    assert len(frame) == 150
    assert (frame["cHEIGHT"].min(), frame["cHEIGHT"].max()) == (height.min(), height.max())
    other = ticks.predict_effects(["YEAR", "cHEIGHT"]).to_frame()["cHEIGHT"].unique()
    np.testing.assert_allclose(other, height.mean() + height.std() * np.array([-1, 0, 1]), atol=1e-2)


def test_an_empty_cell_is_not_estimable():
    data = mm.load_orthodont().query("not (Sex == 'Male' and age > 12)")
    with pytest.warns(mm.RankDeficiencyWarning):
        model = mm.lmer("distance ~ factor(age) * Sex + (1 | Subject)", data)
    frame = model.predict_effects(["age", "Sex"]).to_frame()
    empty = (frame["Sex"] == "Male") & (frame["age"].astype(float) > 12)
    assert frame.loc[empty, "fit"].isna().all()
    assert frame.loc[~empty, "fit"].notna().all()


def test_wrong_arguments(contraception):
    wrong: list[tuple[Any, dict[str, Any], str]] = [
        ("aeg", {}, "no predictor 'aeg'"),
        (["age", "age"], {}, "several different ones"),
        ([], {}, "terms: name"),
        ("district", {}, "the fixed part has no predictor"),
        ("age", {"type": "link", "marginal": True}, "needs type='response'"),
        ("age", {"weights": "some"}, "weights must be one of"),
        ("urban", {"at": {"urban": ["no"]}}, "no level"),
        ("age", {"level": 2}, "level"),
    ]
    for terms, options, message in wrong:
        with pytest.raises(ArgumentError, match=message):
            contraception.predict_effects(terms, **options)
    inverse = mm.glmer("Reaction ~ Days + (1 | Subject)", mm.load_sleepstudy(), "gamma", "inverse")
    with pytest.raises(ArgumentError, match="inverse link"):
        inverse.predict_effects("Days", marginal=True)


class TestPlot:
    def test_a_covariate_is_a_line_with_its_band(self):
        effects = fits("orthodont").predict_effects(["age", "Sex"])
        ax, frame = effects.plot(), effects.to_frame()
        assert [line.get_label() for line in ax.get_lines()] == ["Male", "Female"]
        for line, band, (_, part) in zip(
            ax.get_lines(), ax.collections, frame.groupby("Sex", sort=False, observed=True), strict=True
        ):
            np.testing.assert_allclose(line.get_xydata(), part[["age", "fit"]])
            edges = band.get_paths()[0].vertices
            assert edges[:, 1].min() == pytest.approx(part["lower"].min())
            assert edges[:, 1].max() == pytest.approx(part["upper"].max())
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("age", "response")
        assert ax.get_legend().get_title().get_text() == "Sex"

    def test_a_factor_is_points_with_bars(self):
        effects = fits("cbpp").predict_effects("period")
        ax, frame = effects.plot(), effects.to_frame()
        points = ax.containers[0]
        np.testing.assert_allclose(points[0].get_ydata(), frame["fit"])
        segments = np.array(ax.collections[0].get_segments())[:, :, 1]
        np.testing.assert_allclose(segments, frame[["lower", "upper"]])
        assert [text.get_text() for text in ax.get_xticklabels()] == ["1", "2", "3", "4"]

    def test_panels(self, contraception):
        from matplotlib import pyplot

        effects = contraception.predict_effects(["age", "urban", "livch"])
        panels = effects.plot()
        assert [ax.get_title() for ax in panels] == [f"livch = {v}" for v in ("0", "1", "2", "3+")]
        own = pyplot.subplots(1, 4)[1]
        assert all(effects.plot(own) == own)
        with pytest.raises(ArgumentError, match="needs 4 Axes, and ax has 1"):
            effects.plot(own[0])
        with pytest.raises(ArgumentError, match="must be Axes"):
            effects.plot("here")


def test_predictors_with_the_names_of_results_are_refused():
    """They would be overwritten in `to_frame` and on the axis of a plot."""
    data = mm.load_sleepstudy().rename(columns={"Days": "fit"})
    model = mm.lmer("Reaction ~ fit + (1 | Subject)", data)
    with pytest.raises(ArgumentError, match="the predictor 'fit' has the name of a column of the result"):
        model.predict_effects("fit")


@pytest.mark.parametrize("weights", ["prop", np.ones(3), None])
def test_wrong_weights_list_every_choice(weights):
    with pytest.raises(ArgumentError, match=r"weights must be one of 'equal', .*, 'reference'"):
        fits("sleepstudy").predict_effects("Days", weights=weights)


def test_the_legend_lies_beside_the_axes():
    pytest.importorskip("matplotlib")
    ax = fits("orthodont").predict_effects(["Sex", "age"]).plot()
    ax.figure.canvas.draw()
    assert ax.get_legend().get_window_extent().x0 > ax.get_window_extent().x1
    assert ax.get_legend().get_window_extent().x1 <= ax.figure.bbox.x1


def test_limits_around_the_pole_of_a_link_are_those_of_predictions():
    data = mm.load_sleepstudy()
    model = mm.glmer("Reaction ~ Days + (1 | Subject)", data, "gamma", "inverse")
    at = {"Days": [0.0, 30.0, 33.0, 100.0]}
    # Marginal means allow for the estimation of the variances.
    options: dict[str, Any] = {"interval": "confidence", "parameter_uncertainty": "delta"}
    link = model.predict(at, "~0", **options)
    assert ((link["lower"] < 0) & (link["upper"] > 0)).any(), "the pole lies between the limits of a row"
    with pytest.warns(mm.MixedModelsWarning, match="family gamma cannot have"):
        wanted = model.predict(at, "~0", type="response", **options)
    found = model.predict_effects("Days", at=at).to_frame()
    means = model.emmeans("~ Days", at=at, type="response").to_frame()
    np.testing.assert_allclose(found[["lower", "upper"]], wanted[["lower", "upper"]], rtol=1e-5)
    np.testing.assert_allclose(means[["lower.CL", "upper.CL"]], wanted[["lower", "upper"]], rtol=1e-5)
    assert np.isinf(wanted["upper"]).any()
    assert wanted.iloc[-1][["lower", "upper"]].isna().all()
