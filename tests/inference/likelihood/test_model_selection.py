"""aic_table(), model_selection(), vif() and condition_number()."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mixedmodels import (
    AICc,
    aic_table,
    condition_number,
    glmer,
    lmer,
    load_epil,
    load_machines,
    load_penicillin,
    model_selection,
    vif,
)
from mixedmodels.errors import ArgumentError, DataError
from shared_fits import fits


@pytest.fixture(scope="module")
def slopes():
    return fits("sleepstudy")


@pytest.fixture(scope="module")
def intercepts(slopes):
    return slopes.update("Reaction ~ Days + (1 | Subject)")


def test_reml_criteria_of_the_same_fixed_effects_are_compared_as_they_are(slopes, intercepts):
    table = aic_table(slopes, intercepts)
    np.testing.assert_allclose(table["AIC"], [slopes.AIC(), intercepts.AIC()])
    assert "REML" in table.heading[1]


def test_other_fixed_effects_are_fitted_again_by_ml(slopes):
    without = slopes.update(". ~ . - Days")
    table = aic_table(slopes, without, names=["days", "none"])
    np.testing.assert_allclose(
        table["BIC"], [slopes.refit(REML=False).BIC(), without.refit(REML=False).BIC()]
    )
    assert list(table.index) == ["days", "none"]
    assert "by ML" in table.heading[1]


def test_weights(slopes):
    table = model_selection(slopes, formulas=["Reaction ~ Days + (1 | Subject)", ". ~ . - Days"])
    assert list(table.index) == ["model 1", "model 3", "model 2"]
    assert table["Delta"].iloc[0] == 0.0
    assert table["Weight"].sum() == pytest.approx(1.0)
    ratio = table["Weight"].iloc[1] / table["Weight"].iloc[0]
    assert ratio == pytest.approx(math.exp(-table["Delta"].iloc[1] / 2))
    assert table["AICc"].iloc[0] == pytest.approx(AICc(slopes.refit(REML=False)))


def test_the_criterion_decides_the_order(slopes, intercepts):
    table = model_selection(intercepts, slopes, criterion="BIC", names=["intercepts", "slopes"])
    assert list(table.index) == ["slopes", "intercepts"]
    assert (np.diff(table["BIC"]) >= 0).all()
    with pytest.raises(ArgumentError, match="criterion must be one of"):
        model_selection(slopes, criterion="DIC")


@pytest.mark.filterwarnings("ignore::mixedmodels.errors.MixedModelsWarning")
def test_singular_fits_have_weights():
    data = load_penicillin()
    singular = lmer("diameter ~ 1 + (1 | plate) + (0 + d | sample)", data.assign(d=np.arange(144) % 2 - 0.5))
    other = lmer("diameter ~ 1 + (1 | plate) + (1 | sample)", data)
    assert np.isfinite(model_selection(singular, other).to_numpy(dtype=float)).all()


def test_models_that_cannot_be_compared(slopes):
    with pytest.raises(DataError, match="different responses"):
        aic_table(slopes, slopes.update("log(Reaction) ~ Days + (1 | Subject)"))
    with pytest.raises(TypeError, match="needs its first argument, model"):
        aic_table()
    with pytest.raises(ArgumentError, match="2 different names"):
        aic_table(slopes, slopes, names=["a", "a"])


def test_generalized_models():
    first = fits("cbpp")
    table = model_selection(first, formulas=". ~ . - period", criterion="AIC")
    assert list(table.index) == ["model 1", "model 2"]
    assert table["AIC"].iloc[0] == pytest.approx(first.AIC())


@pytest.mark.filterwarnings("ignore::mixedmodels.errors.SingularFitWarning")
def test_vif_is_the_inverse_of_what_others_leave():
    # Without random effects of weight the covariance matrix is that of least squares: 1 / (1 - R²).
    rng = np.random.default_rng(3)
    n = 120
    a = rng.normal(size=n)
    data = {"a": a, "b": 0.8 * a + rng.normal(size=n), "g": np.arange(n) % 6, "y": rng.normal(size=n)}
    model = lmer("y ~ a + b + (1 | g)", data, optimizer=None, start=[0.0])
    share = np.corrcoef(data["a"], data["b"])[0, 1] ** 2
    np.testing.assert_allclose(vif(model)["GVIF"], 1 / (1 - share), rtol=1e-8)


def test_gvif_of_a_factor_does_not_depend_on_its_contrasts():
    formula = "y ~ trt + lbase + lage + V4 + (1 | subject)"
    by_treatment = vif(glmer(formula, load_epil(), "poisson"))
    by_sum = vif(glmer(formula, load_epil(), "poisson", contrasts={"trt": "sum"}))
    np.testing.assert_allclose(by_treatment, by_sum, rtol=1e-5)
    assert (by_treatment["GVIF"] >= 1 - 1e-9).all()
    with pytest.raises(ArgumentError, match="at least two terms"):
        vif(lmer("score ~ Machine + (1 | Worker)", load_machines()))


def test_condition_number():
    model = fits("machines")
    x = model.model_matrix.to_numpy()
    assert condition_number(model) == pytest.approx(np.linalg.cond(x / np.linalg.norm(x, axis=0)))
