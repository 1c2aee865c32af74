"""The exact Hessian on real data, and the covariance matrix of (theta, sigma)."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from mixedmodels import (
    _engine,
    lmer,
    load_dyestuff2,
    load_insteval,
    load_pastes,
    load_penicillin,
    load_sleepstudy,
)
from mixedmodels.errors import MixedModelsWarning
from mixedmodels.fit.state import fitted_of
from oracles import dense_engine
from shared_fits import fits


def insteval():
    data = load_insteval()
    return data[data["s"].isin(data["s"].unique()[:150])]


MODELS = {
    "sleepstudy": ("Reaction ~ Days + (Days | Subject)", load_sleepstudy),
    "Penicillin": ("diameter ~ 1 + (1 | plate) + (1 | sample)", load_penicillin),
    "Pastes": ("strength ~ 1 + (1 | batch / cask)", load_pastes),
    "InstEval": ("y ~ service + (1 | s) + (1 | d) + (1 | dept)", insteval),
}


@pytest.fixture(params=[(name, reml) for name in MODELS for reml in (True, False)], ids=str)
def model(request):
    name, reml = request.param
    formula, load = MODELS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedModelsWarning)
        return lmer(formula, load(), REML=reml)


def extrapolated(slope, h):
    """Central differences at three distances, so that the error is of the sixth order in h."""
    return 1.5 * slope(h) - 0.6 * slope(2 * h) + 0.1 * slope(3 * h)


def test_it_is_the_derivative_of_the_gradient(model):
    engine, theta = fitted_of(model).engine, model.theta

    def slope(unit):
        def at(h):
            up, down = (engine.gradient(theta + step * unit, model.REML) for step in (h, -h))
            return (up - down) / (2 * h)

        return at

    wanted = np.array([extrapolated(slope(unit), 1e-3) for unit in np.eye(len(theta))])
    np.testing.assert_allclose(model.hessian(), wanted, rtol=1e-6, atol=1e-7 * np.abs(wanted).max())


@pytest.mark.parametrize("reml", [True, False], ids=["REML", "ML"])
def test_the_joint_hessian_is_that_of_the_dense_deviance(reml):
    rng = np.random.default_rng(4)
    n = 60
    x = np.column_stack([np.ones(n), rng.normal(size=n)])
    codes = [rng.integers(0, levels, n).astype(np.uint32) for levels in (8, 5)]
    slope = np.column_stack([np.ones(n), rng.normal(size=n)])
    terms = [(codes[0], 8, slope, "us", None), (codes[1], 5, np.ones((n, 1)), "us", None)]
    y = x[:, 1] + rng.normal(size=8)[codes[0]] + rng.normal(size=n)
    theta = np.array([0.8, 0.3, 0.5, 0.7])
    dense = dense_engine.Lmm(y, x, terms)
    df = n - 2 if reml else n
    log_sigma = np.log(dense.evaluate(theta, reml)["sigma"])

    def deviance(point):
        found = dense.evaluate(point[:-1], reml)
        determinants = found["log_det_z"] + (found["log_det_x"] if reml else 0.0)
        return determinants + 2 * df * point[-1] + found["pwrss"] * np.exp(-2 * point[-1])

    def slope_of(direction, other):
        def at(h):
            point, a, b = np.append(theta, log_sigma), h * direction, h * other
            corners = deviance(point + a + b) - deviance(point + a - b)
            corners -= deviance(point - a + b) - deviance(point - a - b)
            return corners / (4 * h * h)

        return extrapolated(at, 4e-3)

    unit = np.eye(5)
    wanted = np.array([[slope_of(a, b) for b in unit] for a in unit])
    found = _engine.Lmm(y, x, terms).joint_hessian(theta, reml)
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6 * np.abs(wanted).max())


def test_profiling_sigma_out_of_the_covariance():
    model = fits("penicillin")
    covariance = model.vcov_theta()
    assert list(covariance.index) == ["plate.(Intercept)", "sample.(Intercept)", "sigma"]
    # The block of theta in an inverse is the inverse of the Schur complement: of the profiled Hessian.
    np.testing.assert_allclose(
        covariance.iloc[:2, :2], 2 * np.linalg.inv(model.hessian()), rtol=1e-9, atol=1e-12
    )


def test_the_hessian_of_the_balanced_one_way_layout():
    """There d = a log f + an log(SSW + SSB/f), f = 1 + nθ²: at the optimum d'' = 4an(n - 1)θ²/f²."""
    model = fits("dyestuff", REML=False)
    batches, per_batch, theta = 6, 5, model.theta[0]
    f = 1 + per_batch * theta**2
    wanted = 4 * batches * per_batch * (per_batch - 1) * theta**2 / f**2
    assert model.hessian().iloc[0, 0] == pytest.approx(wanted, rel=1e-7)


def test_the_balanced_one_way_layout():
    """There the REML estimates of σ² and σ² + nσ_b² are independent mean squares."""
    model = fits("dyestuff")
    covariance = model.vcov_theta()
    batches, per_batch = 6, 5
    within = batches * (per_batch - 1)
    assert covariance.loc["sigma", "sigma"] == pytest.approx(model.sigma**2 / (2 * within), rel=1e-9)
    # θ² = (F - 1)/n with F the ratio of the mean squares, and var(log F) = 2/df₁ + 2/df₂.
    theta = model.theta[0]
    f = 1 + per_batch * theta**2
    slope = f / (2 * per_batch * theta)
    wanted = slope**2 * (2 / (batches - 1) + 2 / within)
    assert covariance.iloc[0, 0] == pytest.approx(wanted, rel=1e-7)


def test_a_variance_of_zero_has_no_standard_error():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedModelsWarning)
        model = lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff2())
    assert model.theta[0] == 0
    covariance = model.vcov_theta()
    assert covariance.iloc[0].isna().all()
    # What is left is a sample of 30: var(s) = s²/(2 (n - 1)).
    assert covariance.loc["sigma", "sigma"] == pytest.approx(model.sigma**2 / 58, rel=1e-9)
