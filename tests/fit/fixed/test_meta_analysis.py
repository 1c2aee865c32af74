"""Meta-analysis: a known residual variance of each study, and one study a level."""

import warnings
from typing import Any

import numpy as np
import pytest
from bcg import bcg
from dense import criterion
from scipy import optimize, stats

from mixedmodels import Control, DataError, lmer


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("fixed_part", ["1", "latitude"])
def test_fit_is_the_optimum_of_the_dense_criterion(reml, fixed_part):
    data = bcg()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = lmer(
            f"yi ~ {fixed_part} + (1 | trial)", data, reml, weights=1 / data["vi"], fixed={"sigma": 1.0}
        )
    design = model._fitted.design

    def dense(tau2):
        return criterion(design, [np.array([[tau2]])], 1.0, reml)[0]

    options = {"xatol": 1e-10}
    best: Any = optimize.minimize_scalar(dense, bounds=(1e-6, 3.0), method="bounded", options=options)
    tau2 = model.VarCorr()["trial"].cov[0, 0]
    value, beta, covariance = criterion(design, [np.array([[tau2]])], 1.0, reml)
    assert tau2 == pytest.approx(best.x, abs=1e-6)
    assert model.objective == pytest.approx(value, abs=1e-9)
    assert model.objective <= best.fun + 1e-9
    np.testing.assert_allclose(model.beta, beta, atol=1e-9)
    np.testing.assert_allclose(model.vcov(), covariance, atol=1e-10)
    assert model.sigma == 1.0
    assert model.df == len(beta) + 1
    assert model.convergence.converged


@pytest.mark.parametrize(
    ("reml", "tau2", "estimate", "error"),
    [(False, 0.2800, -0.7112, 0.1719), (True, 0.3132, -0.7145, 0.1798)],
)
def test_published_numbers_of_the_bcg_trials(reml, tau2, estimate, error):
    # Viechtbauer (2010), J. Stat. Softw. 36(3), and the documentation of metafor.
    data = bcg()
    model = lmer("yi ~ 1 + (1 | trial)", data, reml, weights=1 / data["vi"], fixed={"sigma": 1.0})
    assert round(model.VarCorr()["trial"].cov[0, 0], 4) == tau2
    assert round(model.beta[0], 4) == estimate
    assert round(model.se.iloc[0], 4) == error


@pytest.mark.parametrize("reml", [False, True])
def test_degrees_of_freedom_come_from_the_curvature_in_the_variance_between_studies(reml):
    data = bcg()
    model = lmer("yi ~ 1 + (1 | trial)", data, reml, weights=1 / data["vi"], fixed={"sigma": 1.0})
    design, tau2, h = model._fitted.design, model.VarCorr()["trial"].cov[0, 0], 1e-3

    def at(step):
        value, _, covariance = criterion(design, [np.array([[tau2 + step]])], 1.0, reml)
        return value, covariance[0, 0]

    (low, before), (middle, variance), (high, after) = at(-h), at(0.0), at(h)
    curvature, slope = (low - 2 * middle + high) / h**2, (after - before) / (2 * h)
    df = 2 * variance**2 / (slope**2 * 2 / curvature)
    table = model.summary().coefficients
    assert table["df"].iloc[0] == pytest.approx(df, rel=1e-4)
    p = 2 * stats.t.sf(abs(table["t value"].iloc[0]), df)
    assert table["Pr(>|t|)"].iloc[0] == pytest.approx(p, rel=1e-3)


def test_one_study_a_level_needs_a_known_residual_variance():
    data = bcg()
    with pytest.raises(DataError, match="as many levels"):
        lmer("yi ~ 1 + (1 | trial)", data, weights=np.full(13, 2.0))
    with pytest.raises(DataError, match="26 random effects"):
        lmer(
            "yi ~ 1 + (latitude | trial)",
            data,
            weights=1 / data["vi"],
            fixed={"sigma": 1.0},
            control=Control(check_effects="error"),
        )


def test_equal_effects_are_a_standard_deviation_held_at_zero():
    data = bcg()
    model = lmer(
        "yi ~ 1 + (1 | trial)",
        data,
        weights=1 / data["vi"],
        fixed={"sigma": 1.0, "sd__(Intercept)": 0.0},
    )
    weights = 1 / data["vi"]
    assert model.beta[0] == pytest.approx(np.average(data["yi"], weights=weights), abs=1e-12)
    assert model.se.iloc[0] == pytest.approx(weights.sum() ** -0.5, rel=1e-12)
    assert model.df == 1
    assert model.summary().coefficients["df"].iloc[0] == np.inf
    assert "fixed at zero" in str(model.summary())
    assert "estimated as zero" not in str(model.summary()).lower()
