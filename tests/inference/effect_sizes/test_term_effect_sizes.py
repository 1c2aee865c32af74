"""Partial eta, omega and epsilon squared: their formulas, and limits by the noncentral F distribution."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mixedmodels import (
    anova,
    epsilon_squared,
    eta_squared,
    joint_tests,
    lmer,
    load_machines,
    load_sleepstudy,
    omega_squared,
)
from mixedmodels.errors import ArgumentError, MixedModelsWarning
from mixedmodels.inference.effect_sizes.term_effect_sizes import effect_size_table
from shared_fits import fits

FUNCTIONS = (eta_squared, omega_squared, epsilon_squared)


@pytest.fixture(scope="module")
def cake():
    return fits("cake")


def f_table(*tests: tuple[float, float, float]) -> pd.DataFrame:
    return pd.DataFrame(tests, columns=["F value", "NumDF", "DenDF"])


def test_the_formulas(cake):
    table = anova(cake)
    f, df1, df2 = (table[name].to_numpy(float) for name in ("F value", "NumDF", "DenDF"))
    eta = eta_squared(cake)["partial eta2"]
    np.testing.assert_allclose(eta, f * df1 / (f * df1 + df2), rtol=1e-12)
    np.testing.assert_allclose(
        omega_squared(cake)["partial omega2"], np.maximum(0, (f - 1) * df1 / (f * df1 + df2 + 1)), rtol=1e-12
    )
    np.testing.assert_allclose(
        epsilon_squared(cake)["partial epsilon2"], np.maximum(0, (f - 1) * df1 / (f * df1 + df2)), rtol=1e-12
    )
    assert list(eta.index) == list(table.index)


def test_a_balanced_design_has_the_classical_shares():
    """One stratum: sums of squares of the analysis of variance with subjects as blocks."""
    data = load_sleepstudy().assign(day=lambda d: d["Days"].astype(str))
    found = eta_squared(lmer("Reaction ~ day + (1 | Subject)", data), level=None)["partial eta2"].item()
    y = data["Reaction"].to_numpy().reshape(18, 10)
    days = 18 * np.sum((y.mean(axis=0) - y.mean()) ** 2)
    residuals = y - y.mean(axis=0) - y.mean(axis=1, keepdims=True) + y.mean()
    assert found == pytest.approx(days / (days + np.sum(residuals**2)), rel=1e-6)


@pytest.mark.parametrize(
    ("test", "ci", "limits"),
    [
        # R: uniroot() of pf(F, df1, df2, ncp); the noncentrality over itself plus df2.
        ((20.52, 5, 210), 0.90, (0.23617784, 0.39758569)),
        ((20.52, 5, 210), 0.95, (0.22024873, 0.41192646)),
        ((0.2488, 2, 42), 0.90, (0.0, 0.07405687)),
        ((0.2488, 2, 42), 0.95, (0.0, 0.10498447)),
        ((5.6963505, 3, 45.54), 0.95, (0.05141630, 0.44610204)),
        ((1.0062, 10, 210), 0.95, (0.0, 0.06633442)),
        ((0.0, 3, 20), 0.95, (0.0, 0.0)),
    ],
)
def test_limits_are_those_of_the_noncentral_f_distribution(test, ci, limits):
    table = effect_size_table("eta", f_table(test), level=ci)
    np.testing.assert_allclose(table.iloc[0, -2:].to_numpy(float), limits, atol=2e-8)
    assert list(table)[-2:] == [f"{100 * (1 - ci) / 2:g} %", f"{100 * (1 + ci) / 2:g} %"]


@pytest.mark.parametrize(
    "test", [(1e5, 2, 30), (1e9, 1, 4), (3e3, 10, 1e5), (1, 1, 0.5), (1e8, 1, 1e7), (4, 1, 3.7)]
)
def test_limits_enclose_the_estimate_of_extreme_tests(test):
    row = effect_size_table("eta", f_table(test)).iloc[0]
    assert 0 <= row["2.5 %"] <= row["partial eta2"] <= row["97.5 %"] <= 1


def test_ninety_percent_exclude_zero_exactly_if_the_test_rejects(cake):
    table, found = anova(cake), eta_squared(cake, level=0.9)
    assert ((found["5 %"] > 0) == (table["Pr(>F)"] < 0.05)).all()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_sources_agree(cake, function):
    wanted = function(cake)
    pd.testing.assert_frame_equal(pd.DataFrame(function(anova(cake))), pd.DataFrame(wanted))
    joint = function(joint_tests(cake))
    np.testing.assert_allclose(joint.to_numpy(float), wanted.to_numpy(float), rtol=1e-6, atol=1e-9)
    assert list(joint.index) == list(wanted.index)
    other = function(cake, type=1, ddf="kenward-roger")
    pd.testing.assert_frame_equal(
        pd.DataFrame(other), pd.DataFrame(function(anova(cake, type=1, ddf="kenward-roger")))
    )
    assert "Kenward" in str(other)
    assert function(joint_tests(cake, by="recipe")).index[0] == "A, temperature"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_has_no_explained_variance(function, cake):
    generalized = fits("cbpp")
    for source in (generalized, joint_tests(generalized), joint_tests(cake, ddf="inf")):
        with pytest.raises(
            ArgumentError, match=r"generalized model has no F tests|infinite degrees of freedom"
        ):
            function(source)
    with pytest.raises(ArgumentError, match="F tests are needed"):
        function(generalized.anova())
    with pytest.raises(ArgumentError, match="no total sum of squares"):
        function(cake, partial=False)
    with pytest.raises(ArgumentError, match="between 0 and 1"):
        function(cake, level=95)
    with pytest.raises(ArgumentError, match="a model fitted by"):
        function("cake")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_terms_without_a_test(function):
    stuck = lmer("score ~ Machine + (1 | Worker)", load_machines(), start=[9.0], optimizer=None)
    found = function(stuck)
    assert np.isnan(found.iloc[0, 3:].to_numpy(float)).all()
    assert "no effect size" in str(found)
    assert len(function(lmer("score ~ 1 + (1 | Worker)", load_machines()))) == 0


def test_weights_and_dropped_columns():
    data = load_machines().assign(
        copy=lambda d: d["Machine"].astype(str), w=lambda d: 1.0 + (d["Worker"] == "1")
    )
    with pytest.warns(MixedModelsWarning):
        model = lmer("score ~ Machine + copy + (1 | Worker)", data, weights="w")
    assert np.isnan(eta_squared(model)["partial eta2"]).all()
    single = lmer("score ~ Machine + (1 | Worker)", data, weights="w")
    row = anova(single).iloc[0]
    wanted = row["F value"] * 2 / (row["F value"] * 2 + row["DenDF"])
    assert eta_squared(single)["partial eta2"].item() == pytest.approx(wanted)
