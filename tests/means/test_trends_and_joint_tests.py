"""Slopes and joint tests on the reference grid."""

from __future__ import annotations

import numpy as np
import pytest
from test_emmeans import unbalanced

from mixedmodels import emtrends, glmer, joint_tests, lmer, load_cbpp
from mixedmodels.errors import ArgumentError, MixedModelsWarning
from shared_fits import fits


def test_the_slopes_of_an_interaction_are_its_coefficients():
    model = fits("orthodont")
    slopes = emtrends(model, "~ Sex", "age").confint()["age.trend"].to_numpy()
    beta = model.fixef()
    np.testing.assert_allclose(slopes, [beta["age"], beta["age"] + beta["age:Sex[T.Female]"]], rtol=1e-9)
    wanted = model.t_test({"age:Sex[T.Female]": -1.0})
    difference = emtrends(model, "~ Sex", "age").pairs().test()
    assert difference["t.ratio"].item() == pytest.approx(wanted["t value"].item(), rel=1e-8)
    assert difference["p.value"].item() == pytest.approx(wanted["Pr(>|t|)"].item(), rel=1e-7)


def test_the_slope_of_a_curve_is_its_derivative():
    data = unbalanced()
    model = lmer("y ~ A + x + I(x^2) + (1 | g)", data)
    beta = model.fixef()
    found = model.emtrends("~ x", "x", at={"x": [1, 5]}).confint()["x.trend"]
    np.testing.assert_allclose(found, [beta["x"] + 2 * beta["I(x^2)"] * v for v in (1, 5)], rtol=1e-8)
    logarithm = lmer("y ~ A + log(x) + (1 | g)", data)
    found = emtrends(logarithm, "~ 1", "x").confint()["x.trend"].item()
    assert found == pytest.approx(logarithm.fixef()["log(x)"] / data["x"].mean(), rel=1e-5)


@pytest.mark.parametrize("var", ["A", "y", 3])
def test_what_has_no_slope_is_refused(var):
    model = lmer("y ~ A + x + (1 | g)", unbalanced())
    with pytest.raises(ArgumentError, match=r"^var: "):
        emtrends(model, "~ A", var)


@pytest.mark.parametrize("ddf", ["satterthwaite", "kenward-roger"])
def test_joint_tests_of_factors_are_those_of_type_3(ddf):
    model = lmer("y ~ A * B + C + (1 | g)", unbalanced())
    found = joint_tests(model, ddf=ddf).set_index("model term")
    wanted = model.anova(type=3, ddf=ddf)
    for term in wanted.index:
        row = found.loc[term]
        assert row["F.ratio"] == pytest.approx(wanted.loc[term, "F value"], rel=1e-7)
        # The degrees of freedom of several rows depend a little on the choice of rows.
        assert row["df2"] == pytest.approx(wanted.loc[term, "DenDF"], rel=2e-2)


def test_joint_tests_of_a_generalized_model_are_wald_tests():
    formula = "cbind(incidence, size - incidence) ~ period + (1 | herd)"
    model = glmer(formula, load_cbpp(), "binomial")
    found, wanted = joint_tests(model), model.anova()
    assert found["F.ratio"].item() * 3 == pytest.approx(wanted["Chisq"].item(), rel=1e-9)
    assert found["p.value"].item() == pytest.approx(wanted["Pr(>Chisq)"].item(), rel=1e-8)


def test_covariates_are_tested_by_their_slopes_at_the_mean():
    model = fits("orthodont")
    table = joint_tests(model).set_index("model term")
    mean_slope = emtrends(model, "~ 1", "age").test()["t.ratio"].item()
    assert table.loc["age", "F.ratio"] == pytest.approx(mean_slope**2, rel=1e-6)
    sexes = model.emmeans("Sex").pairs().test()["t.ratio"].item()
    assert table.loc["Sex", "F.ratio"] == pytest.approx(sexes**2, rel=1e-6)


def test_simple_effects():
    model = fits("cake")
    table = joint_tests(model, by="recipe")
    assert table["recipe"].tolist() == ["A", "B", "C"]
    for i, recipe in enumerate("ABC"):
        means = model.emmeans("temperature", at={"recipe": recipe})
        assert table["F.ratio"][i] == pytest.approx(
            means.contrast("consec").joint()["F.ratio"].item(), rel=1e-8
        )


def test_of_an_effect_with_empty_cells_the_estimable_part_is_tested():
    data = unbalanced()
    holes = data[~((data["A"] == "a3") & (data["B"] == "b2"))]
    with pytest.warns(MixedModelsWarning):
        model = lmer("y ~ A * B + (1 | g)", holes)
    table = joint_tests(model).set_index("model term")
    assert table["df1"].to_dict() == {"A": 1, "B": 0, "A:B": 1}


def test_joint_tests_say_where_covariates_are():
    model = fits("orthodont")
    assert "At age = 11" in str(joint_tests(model))
    assert "At age = 8" in str(joint_tests(model, at={"age": 8}))
    assert "age =" not in str(joint_tests(model, at={"age": [8, 12]}))
    assert "At" not in str(joint_tests(fits("cake")))
