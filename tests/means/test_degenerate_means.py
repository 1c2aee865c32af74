"""Means, slopes and joint tests of models that determine a part of them, or nothing."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from test_emmeans import unbalanced

from mixedmodels import anova, emmeans, emtrends, glmer, joint_tests, lmer, load_cbpp, load_ham, load_machines
from mixedmodels.errors import ArgumentError, MixedModelError, MixedModelsWarning
from mixedmodels.inference.basis.choice import basis_of
from shared_fits import fits

ADJUSTMENTS = ("none", "tukey", "sidak", "bonferroni", "holm", "scheffe", "mvt", "fdr")


def quiet(fit: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """A model whose warnings other tests look at."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedModelsWarning)
        return fit(*arguments, **options)


def holes(*cells: dict[str, str]) -> pd.DataFrame:
    """The ham data without some cells."""
    data = load_ham()
    for cell in cells:
        data = data[~np.logical_and.reduce([data[name] == level for name, level in cell.items()])]
    return data


# Empty cells


def test_joint_tests_with_an_empty_cell_are_those_of_r():
    data = holes({"Product": "2", "Information": "1"})
    model = quiet(lmer, "Informed.liking ~ Product * Information + (1 | Consumer)", data)
    table = joint_tests(model).to_frame().set_index("model term")
    # R's emmeans leaves out rows with nothing to test.
    assert table["df1"].to_dict() == {"Product": 2, "Information": 0, "Product:Information": 2}
    np.testing.assert_allclose(table["F.ratio"], [0.774, np.nan, 0.948], atol=5e-4)
    np.testing.assert_allclose(table["p.value"], [0.4618, np.nan, 0.3883], atol=5e-5)
    within = joint_tests(model, by="Information").to_frame()
    assert within["df1"].tolist() == [2, 3]
    np.testing.assert_allclose(within["F.ratio"], [0.417, 3.195], atol=5e-4)
    note = joint_tests(model).notes[-1]
    assert "df1 is smaller" in note
    assert "no data with Product = 2 and Information = 1" in note


def test_joint_tests_with_two_empty_cells_and_a_covariate_are_those_of_r():
    data = holes({"Product": "2", "Information": "1"}, {"Product": "3", "Gender": "1"})
    model = quiet(lmer, "Informed.liking ~ Product * Information * Gender + Age + (1 | Consumer)", data)
    found = joint_tests(model).to_frame().set_index("model term")
    wanted = {
        "Product": (1, 399.88, 0.244),
        "Age": (1, 84.87, 0.422),
        "Product:Information": (1, 399.88, 0.588),
        "Product:Gender": (1, 399.88, 0.000),
        "Product:Information:Gender": (1, 399.88, 1.155),
    }
    for term, (df1, df2, f) in wanted.items():
        assert found.loc[term, "df1"] == df1
        assert found.loc[term, "df2"] == pytest.approx(df2, abs=5e-3)
        assert found.loc[term, "F.ratio"] == pytest.approx(f, abs=5e-4)
    assert found.drop(index=list(wanted))["df1"].eq(0).all()


@pytest.mark.parametrize("empty", range(12))
@pytest.mark.parametrize("seed", range(3))
def test_any_empty_cell_leaves_the_interaction_of_the_others(empty, seed):
    """The F test of A:B compares the model with the additive one, whichever cells are there."""
    data = unbalanced(seed).assign(B=lambda d: d["B"] + d["C"])
    a, b = divmod(empty, 4)
    data = data[~((data["A"] == f"a{a + 1}") & (data["B"] == sorted(set(data["B"]))[b]))]
    model = quiet(lmer, "y ~ A * B + x + (1 | g)", data, weights=1 + data["x"].to_numpy())
    wanted = anova(model).loc["A:B"]
    for table in (joint_tests(model), joint_tests(model, weights="flat")):
        found = table.to_frame().set_index("model term").loc["A:B"]
        assert found["df1"] == wanted["NumDF"] == 5
        assert found["F.ratio"] == pytest.approx(wanted["F value"], rel=1e-7)


def test_joint_tests_of_a_generalized_model_with_an_empty_cell():
    data = unbalanced()
    data = data[~((data["A"] == "a3") & (data["B"] == "b2"))]
    data = data.assign(n=np.random.default_rng(1).poisson(np.exp(0.2 * data["y"])))
    model = quiet(glmer, "n ~ A * B + offset(x) + (1 | g)", data, "poisson")
    table = joint_tests(model).to_frame().set_index("model term")
    assert table["df1"].to_dict() == {"A": 1, "B": 0, "A:B": 1}
    wanted = anova(model).loc["A:B"]
    assert table.loc["A:B", "F.ratio"] == pytest.approx(wanted["Chisq"], rel=1e-7)


def test_a_covariate_at_a_huge_value_does_not_hide_an_empty_cell():
    data = unbalanced()
    data = data[~((data["A"] == "a3") & (data["B"] == "b2"))]
    model = quiet(lmer, "y ~ A * B + x + (1 | g)", data)
    found = emmeans(model, "~ A * B", at={"x": 1e9}).confint()["emmean"]
    assert np.isnan(found).tolist() == [False] * 5 + [True]


def test_aliased_covariates_in_any_units():
    data = unbalanced().assign(year=lambda d: 2000 + d["x"], tiny=lambda d: 1e-6 * d["x"])
    model = quiet(lmer, "y ~ A + x + year + tiny + (1 | g)", data)
    plain = lmer("y ~ A + x + (1 | g)", data)
    assert np.isfinite(emmeans(model, "A").confint()["emmean"]).all()
    for name in ("x", "year", "tiny"):
        trend = emtrends(model, "~ 1", name)
        assert np.isnan(trend.confint()[f"{name}.trend"]).all()
        assert "linearly dependent on other columns" in trend.to_frame().notes[-1]
    np.testing.assert_allclose(
        emmeans(model, "A").pairs().test()["estimate"],
        emmeans(plain, "A").pairs().test()["estimate"],
        rtol=1e-7,
    )


def test_the_note_says_why_and_what_helps():
    data = holes({"Product": "2", "Information": "1"})
    model = quiet(lmer, "Informed.liking ~ Product * Information + (1 | Consumer)", data)
    note = emmeans(model, "Product").to_frame().notes[-1]
    assert note == (
        "nonEst: the data do not determine these rows (no data with Product = 2 and Information = 1); "
        "weights='flat' averages over the cells that have data"
    )
    assert "flat" in str(emmeans(model, "Product").pairs())
    flat = emmeans(model, "Product", weights="flat")
    # R: emmeans(weights = "flat")
    np.testing.assert_allclose(flat.confint()["emmean"], [5.81, 5.31, 6.09, 5.93], atol=5e-3)
    assert "nonEst" not in str(flat)
    cells = emmeans(model, "~ Product * Information").to_frame().notes[-1]
    assert "no data with" in cells
    assert "flat" not in cells


def test_the_note_lists_a_few_of_many_cells():
    data = unbalanced().assign(B=lambda d: d["B"] + d["C"] + (d["x"] > 4).astype(str))
    levels = sorted(set(data["B"]))
    data = data[(data["A"] != "a1") | data["B"].isin(levels[:2])]
    model = quiet(lmer, "y ~ A * B + (1 | g)", data)
    assert " and 2 more)" in emmeans(model, "A").to_frame().notes[-1]


# Regridding


def three_of_four(formula: str = "cbind(incidence, size - incidence) ~ period * big + (1 | herd)") -> Any:
    data = load_cbpp()
    data["big"] = np.where(np.arange(len(data)) % 2 == 0, "b", "s")
    return quiet(glmer, formula, data[~((data["period"] == "4") & (data["big"] == "s"))], "binomial")


def test_regridding_keeps_contrasts_of_what_is_estimable():
    means = emmeans(three_of_four(), "~ period", type="response")
    p = means.confint()["prob"].to_numpy()
    assert np.isnan(p).tolist() == [False] * 3 + [True]
    found = means.regrid().pairs().to_frame()
    np.testing.assert_allclose(
        found["estimate"], [p[0] - p[1], p[0] - p[2], np.nan, p[1] - p[2], np.nan, np.nan], rtol=1e-9
    )
    logs = means.regrid("log").pairs().to_frame()["ratio"].to_numpy()
    np.testing.assert_allclose(logs[[0, 1, 3]], [p[0] / p[1], p[0] / p[2], p[1] / p[2]], rtol=1e-9)
    assert np.isnan(logs[[2, 4, 5]]).all()
    # Effects compare with all of them.
    assert np.isnan(means.regrid().contrast("eff").to_frame()["estimate"]).all()


def test_a_mean_without_any_data_takes_no_other_with_it():
    data = holes({"Product": "2", "Information": "1"})
    model = quiet(lmer, "Informed.liking ~ Product * Information + (1 | Consumer)", data)
    cells = emmeans(model, "~ Product | Information", weights="cells")
    found = cells.pairs().to_frame()["estimate"].to_numpy()
    assert np.isnan(found).tolist() == [True, False, False, True, True, False] + [False] * 6


# Few or no fixed effects


def test_the_mean_of_an_intercept():
    model = fits("dyestuff")
    table = emmeans(model, "~ 1").confint()
    assert table["emmean"].item() == pytest.approx(1527.5)
    wanted = model.summary().coefficients
    assert table["SE"].item() == pytest.approx(wanted["Std. Error"].item())
    assert table["df"].item() == pytest.approx(wanted["df"].item())
    tests = joint_tests(model)
    assert len(tests) == 0
    assert str(tests).splitlines()[0].split() == ["model", "term", "df1", "df2", "F.ratio", "p.value"]
    assert "The model has no predictors to test" in str(tests)
    assert tests._repr_html_().count("<table") == 1


def test_the_mean_of_an_intercept_of_a_generalized_model():
    model = fits("cbpp", "cbind(incidence, size - incidence) ~ 1 + (1 | herd)", "binomial")
    table = emmeans(model, "~ 1", type="response").confint()
    assert table["prob"].item() == pytest.approx(1 / (1 + np.exp(-model.beta[0])))
    assert len(joint_tests(model)) == 0
    assert emmeans(model, "~ 1").cld()["group"].tolist() == ["a"]


@pytest.mark.parametrize(("type", "wanted"), [("link", 0.0), ("response", 0.5)])
def test_a_model_without_fixed_effects_says_what_it_takes_the_mean_to_be(type, wanted):
    model = quiet(glmer, "cbind(incidence, size - incidence) ~ 0 + (1 | herd)", load_cbpp(), "binomial")
    means = emmeans(model, "~ 1", type=type)
    row = means.confint()
    assert row.iloc[0, 0] == wanted
    assert row["SE"].item() == 0
    assert np.isnan(row["lower.CL"].item())
    assert "no intervals and tests" in str(means)
    assert len(joint_tests(model)) == 0


def test_offsets_of_a_model_without_fixed_effects():
    data = unbalanced()
    model = quiet(lmer, "y ~ 0 + offset(x) + (1 | g)", data)
    assert emmeans(model, "~ 1").confint()["emmean"].item() == pytest.approx(data["x"].mean())


# Covariates with two values


def doses() -> pd.DataFrame:
    return unbalanced().assign(dose=lambda d: np.where(d["flag"], 20.0, 10.0))


@pytest.mark.parametrize("values", [[15], [10, 15], [0, 100.5], 10, [20]])
@pytest.mark.parametrize("formula", ["y ~ dose * A + (1 | g)", "y ~ dose + I(dose^2) + (1 | g)"])
def test_at_sets_any_value_of_a_covariate_with_two(formula, values):
    model = quiet(lmer, formula, doses())
    listed = np.atleast_1d(values)
    found = emmeans(model, "~ dose", at={"dose": values}).confint()["emmean"].to_numpy()
    if "I(" in formula:
        # Two values determine no parabola: only these two points of it.
        assert np.isnan(found).tolist() == [v not in (10, 20) for v in listed]
        return
    grid = pd.MultiIndex.from_product([listed, ["a1", "a2", "a3"]], names=["dose", "A"]).to_frame(index=False)
    wanted = model.predict(grid, re_form="~0").reshape(-1, 3).mean(axis=1)
    np.testing.assert_allclose(found, wanted, rtol=1e-10)


def test_at_of_a_two_valued_covariate_in_slopes_joint_tests_and_plots():
    model = lmer("y ~ dose * A + (1 | g)", doses())
    slope = emtrends(model, "~ A", "dose", at={"dose": 15}).confint()["dose.trend"].to_numpy()
    np.testing.assert_allclose(slope, emtrends(model, "~ A", "dose").confint()["dose.trend"], rtol=1e-7)
    # Linear in the dose: its test is the same wherever it is made, that of A is made at the dose asked for.
    table = joint_tests(model, at={"dose": 12}).to_frame().set_index("model term")
    usual = joint_tests(model).to_frame().set_index("model term")
    np.testing.assert_allclose(
        table.loc[["dose", "dose:A"], "F.ratio"], usual.loc[["dose", "dose:A"], "F.ratio"], rtol=1e-6
    )
    at_dose = emmeans(model, "A", at={"dose": 12}).contrast("consec").joint()["F.ratio"].item()
    assert table.loc["A", "F.ratio"] == pytest.approx(at_dose, rel=1e-8)
    pytest.importorskip("matplotlib")
    axes = emmeans(model, "~ dose", at={"dose": [12, 18]}).plot()
    assert [text.get_text() for text in axes.get_yticklabels()] == ["12", "18"]
    assert axes.get_ylabel() == "dose"


def test_at_of_a_two_valued_covariate_of_a_generalized_model():
    data = doses().assign(n=lambda d: np.random.default_rng(2).poisson(np.exp(0.2 * d["y"])))
    model = glmer("n ~ dose + (1 | g)", data, "poisson")
    found = emmeans(model, "~ dose", at={"dose": [15]}, type="response").confint()["rate"].item()
    assert found == pytest.approx(np.exp(model.beta[0] + 15 * model.beta[1]))


@pytest.mark.parametrize("formula", ["y ~ dose + (1 | g)", "y ~ factor(dose) + (1 | g)"])
def test_at_finds_numbers_with_many_digits(formula):
    data = doses().assign(dose=lambda d: np.where(d["flag"], 1234567.25, 0.123456789))
    model = lmer(formula, data)
    found = emmeans(model, "~ dose", at={"dose": [1234567.25]}).confint()["emmean"].item()
    assert found == pytest.approx(emmeans(model, "~ dose").confint()["emmean"][1], rel=1e-12)


@pytest.mark.parametrize("formula", ["y ~ factor(dose) + (1 | g)", "y ~ flag + (1 | g)"])
def test_levels_of_factors_and_truth_values_stay_the_only_ones(formula):
    model = lmer(formula, doses())
    name = "dose" if "dose" in formula else "flag"
    with pytest.raises(ArgumentError, match="has no level"):
        emmeans(model, name, at={name: [15]})


# Without degrees of freedom


def no_df() -> Any:
    """Far from the optimum the Hessian is not positive definite."""
    return lmer("score ~ Machine + (1 | Worker)", load_machines(), start=[9.0], optimizer=None)


@pytest.mark.parametrize("adjust", ADJUSTMENTS)
def test_without_degrees_of_freedom_there_are_estimates_and_nothing_else(adjust):
    means = emmeans(no_df(), "~ Machine")
    differences = means.pairs()
    for table in (
        differences.confint(adjust=adjust),
        differences.test(adjust),
        differences.summary(adjust=adjust),
    ):
        assert np.isfinite(table[["estimate", "SE"]]).all(axis=None)
        assert table[list({"lower.CL", "upper.CL", "p.value", "df"} & {*table})].isna().all(axis=None)
        assert any("degrees of freedom" in note for note in table.notes[1:])
    assert np.isnan(differences.joint()["p.value"].item())
    assert np.isnan(joint_tests(no_df())["p.value"].item())
    table = means.cld(adjust=adjust)
    assert table["group"].tolist() == [""] * 3
    assert table.notes[-1].startswith("No letters")


def test_without_a_covariance_matrix_there_are_estimates_and_nothing_else():
    model = fits("machines")
    basis: Any = basis_of(model._fitted, "kenward-roger")
    broken = replace(basis, covariance=np.full((3, 3), np.nan), w=np.full_like(basis.w, np.nan))
    means = emmeans(model, "~ Machine", vcov=broken)
    for adjust in ADJUSTMENTS:
        table = means.pairs(adjust).summary()
        assert np.isfinite(table["estimate"]).all()
        assert table[["SE", "df", "lower.CL", "t.ratio", "p.value"]].isna().all(axis=None)
    assert "NaN: " in str(means)
    assert np.isnan(joint_tests(model, vcov=broken)["F.ratio"].item())
    assert np.isnan(means.eff_size(1.0, 20).confint()["SE"]).all()


# Letters


@pytest.mark.parametrize("adjust", [*ADJUSTMENTS, None])
@pytest.mark.parametrize("specs", ["~ A", "~ A | B", "~ B", "~ 1", "~ A * B"])
def test_every_footer_of_letters_is_a_sentence(adjust, specs):
    model = lmer("y ~ A * B + (1 | g)", unbalanced())
    last = emmeans(model, specs).cld(adjust=adjust).notes[-1]
    assert last.startswith("Means of a group that share a letter do not differ at level 0.05")
    several = specs in ("~ A", "~ A | B", "~ A * B")
    assert last.endswith(")") == (several and adjust != "none")
    assert last.count("(") == last.count(")")
    if several and adjust in ("tukey", None):
        assert f"all differences of {6 if '*' in specs else 3} means" in last


# All of it on models of every kind


def models() -> dict[str, Any]:
    data = unbalanced(5).assign(
        n=lambda d: np.random.default_rng(2).poisson(np.exp(0.2 * d["y"])),
        rare=lambda d: (d["A"] == "a2").astype(int),
        double=lambda d: 2 * d["x"],
        unused=lambda d: pd.Categorical(d["A"], ["a0", "a1", "a2", "a3"]),
        pair=lambda d: np.arange(len(d)) // 2,
        w=lambda d: np.where(d["C"] == "c1", 1e-8, 1.0),
    )
    some = data[~((data["A"] == "a3") & (data["B"] == "b2"))]
    fits: dict[str, Callable[[], Any]] = {
        "empty cell": lambda: lmer("y ~ A * B + x + (1 | g)", some),
        "empty cell, no intercept": lambda: lmer("y ~ 0 + A:B + (1 | g)", some),
        "empty cell, counts": lambda: glmer("n ~ A * B + offset(x) + (1 | g)", some, "poisson"),
        "aliased": lambda: lmer("y ~ A + x + double + (1 | g)", data),
        "aliased, counts": lambda: glmer("n ~ A * x + double + (1 | g)", data, "poisson"),
        "separated": lambda: glmer("rare ~ A + x + (1 | g)", data, "binomial"),
        "separated, crossed": lambda: glmer("rare ~ A * B + (1 | g)", data, "binomial"),
        "singular": lambda: lmer("C2 ~ A * B + (x | g)", data.assign(C2=(data["C"] == "c1") * 1.0)),
        "redundant": lambda: lmer("y ~ A + (A | g) + (1 | g:A)", data),
        "unused level": lambda: lmer("y ~ unused * B + (1 | g)", data, weights="w"),
        "pairs": lambda: lmer("y ~ A + (1 | pair)", data),
        "few rows": lambda: lmer("y ~ A + (1 | g)", data.groupby(["A"]).head(3).assign(g=[0, 1, 2] * 3)),
        "not optimized": lambda: lmer("y ~ A * B + (1 | g)", data, start=[30.0], optimizer=None),
        "intercept": lambda: lmer("y ~ 1 + (1 | g)", data),
        "nothing": lambda: glmer("rare ~ 0 + (1 | g)", data, "binomial"),
        "truth value": lambda: lmer("y ~ A * flag + (1 | g)", data),
        "missing": lambda: lmer(
            "y ~ A * B + (1 | g)", data.assign(y=data["y"].where(data["x"] > 2)), na_action="exclude"
        ),
    }
    return fits


@pytest.mark.parametrize("kind", list(models()))
def test_degenerate_models_have_tables_or_typed_errors(kind):
    try:
        model = quiet(models()[kind])
    except MixedModelError:
        return
    linear = type(model).__name__ == "LinearMixedModel"
    for ddf in ("satterthwaite", "kenward-roger") if linear else (None,):
        calls: list[Callable[[], Any]] = [
            lambda d=ddf, w=w: joint_tests(model, weights=w, ddf=d) for w in ("equal", "flat", "cells")
        ]
        grid = [*dict.fromkeys(name for name in ("A", "unused", "B") if name in model.formula)]
        for specs in ("~ 1", *(f"~ {name}" for name in grid), f"~ {' * '.join(grid)}" if grid else "~ 1"):
            for shown in ("link", "response"):
                means = quiet(emmeans, model, specs, ddf=ddf, type=shown)
                calls += [
                    lambda m=means: m,
                    lambda m=means: m.summary(adjust="holm"),
                    lambda m=means: m.joint(),
                    lambda m=means: m.cld(adjust="sidak"),
                    lambda m=means: m.pairs("scheffe").summary(),
                    lambda m=means: m.regrid().contrast("dunnett", "bonferroni").summary(),
                    lambda m=means: m.contrast("eff").joint(),
                    lambda m=means: m.eff_size(2.0, 12),
                ]
        for call in calls:
            try:
                text = str(quiet(call))
            except MixedModelError:
                continue
            assert text.strip()
