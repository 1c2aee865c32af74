"""Headings and notes that say how tests and limits were computed, as sentences one can read."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from mixedmodels import (
    LinearMixedModel,
    MixedModelsWarning,
    anova,
    coef_test,
    emmeans,
    glmer,
    joint_tests,
    lmer,
    load_machines,
    model_table,
    vcov_cluster,
)
from mixedmodels.means import adjustments
from mixedmodels.wording import capital
from shared_fits import fits

SLEEP = fits("sleepstudy")


def without_optimum(kind):
    rng = np.random.default_rng(51 if kind == "linear" else 1)
    if kind == "linear":
        data = pd.DataFrame({"y": rng.normal(size=60), "x": rng.normal(size=60), "g": np.arange(60)})
        data.loc[0, "g"] = 1
    else:
        data = pd.DataFrame({"g": np.arange(60) % 30, "x": rng.normal(size=60)})
        data["y"] = (rng.normal(size=30)[data.g] > 0).astype(int)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedModelsWarning)
        if kind == "linear":
            return lmer("y ~ x + (1 | g)", data)
        return glmer("y ~ x + (1 | g)", data, "binomial")


@pytest.fixture(scope="module", params=["linear", "binary"])
def unbounded(request):
    model = without_optimum(request.param)
    assert model.convergence.unbounded
    return model


@pytest.mark.filterwarnings("ignore::mixedmodels.errors.MixedModelsWarning")
def test_no_table_has_tests_by_no_method(unbounded):
    linear = isinstance(unbounded, LinearMixedModel)
    tables = [
        unbounded.summary(),
        unbounded.confint(),
        unbounded.linear_hypothesis("x = 0"),
        unbounded.t_test("x = 0"),
        coef_test(unbounded),
        emmeans(unbounded, "~ x"),
        joint_tests(unbounded),
        model_table(unbounded, show="p.value"),
    ]
    tables += [anova(unbounded), unbounded.drop1(test="F")] if linear else []
    for table in map(str, tables):
        assert "no method" not in table
        assert "by no" not in table.lower()
        assert "with no" not in table.lower()
    for table in (unbounded.linear_hypothesis("x = 0"), coef_test(unbounded)):
        assert table.heading[0] == "No tests: the likelihood has no finite optimum"
    assert unbounded.confint().notes[0] == "95 % Wald limits: none, the likelihood has no finite optimum"
    if linear:
        assert "\n No tests: the likelihood has no finite optimum\n" in str(unbounded.summary())
        assert unbounded.drop1(test="F").heading[0] == (
            "Terms left out one at a time, no tests: the likelihood has no finite optimum"
        )


def test_robust_covariance_matrices():
    robust = vcov_cluster(SLEEP)
    label = "CR2 covariance matrix (18 clusters of Subject) and Satterthwaite-type degrees of freedom"
    assert coef_test(SLEEP, vcov=robust).heading[0] == f"Coefficients with the {label}"
    assert SLEEP.confint(vcov=robust).notes[0] == f"95 % Wald limits: t quantiles with the {label}"
    assert SLEEP.summary(vcov=robust).tests == f"t tests with the {label}"


def test_capitals():
    assert capital("a test by Kenward") == "A test by Kenward"
    assert capital("") == ""


def test_methods_of_adjustment_name_their_sizes_once():
    families = [adjustments.TestFamily(np.eye(m), np.full(m, 9.0), True) for m in (3, 6, 3)]
    assert (
        adjustments.title(families, "tukey", "tests") == "Tukey's method for all differences of 3 or 4 means"
    )
    assert adjustments.title(families, "holm", "tests") == "Holm's method for 3 or 6 tests"
    assert adjustments.title(families[:1], "sidak", "intervals") == "Šidák's method for 3 intervals"
    assert adjustments.title([], "tukey", "tests") == ""


def test_dropped_columns_as_the_reason():
    data = load_machines()
    data["same"] = data["Machine"]
    data["x"] = np.arange(len(data)) % 7.0
    data["twice"] = 2 * data["x"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedModelsWarning)
        model = lmer("score ~ x + twice + Machine + (1 | Worker)", data)
        means = str(emmeans(model, "~ Machine", at={"x": [1.0], "twice": [5.0]}))
    assert "(twice is linearly dependent on other columns)" in " ".join(means.split())
