"""No panic crosses into Python, and inputs at the edge cause none: no fixed effects, bad codes, gaps."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from mixedmodels import (
    InternalError,
    MixedModelError,
    SingularFitWarning,
    _engine,
    families,
    fit_many,
    glmer,
    lmer,
    load_machines,
)
from oracles import dense_engine, dense_glmm

N = 120
PLACES = ["released", "thread", "pool", "preparation"]


def layouts():
    """Groupings that the engine stores in every way it has: codes, levels, columns and structure of terms."""
    rng = np.random.default_rng(3)
    a = rng.integers(0, 3, N)
    b, c = 3 * a + rng.integers(0, 3, N), rng.integers(0, 5, N)
    d = 4 * b + rng.integers(0, 4, N)
    x = rng.normal(size=N)
    one, slope = np.ones((N, 1)), np.column_stack([np.ones(N), x])

    def term(codes, z, kind="us"):
        return (codes.astype(np.uint32), int(codes.max()) + 1, z, kind, None)

    return {
        "one factor": [term(b, one)],
        "one factor, slope": [term(b, slope)],
        "one factor, double bar": [term(b, slope, "diag")],
        "one factor, two terms": [term(b, one), term(b, x[:, None])],
        "nested": [term(b, one), term(a, one)],
        "nested, slopes": [term(b, slope), term(a, slope)],
        "nested thrice": [term(d, one), term(b, one), term(a, one)],
        "crossed": [term(b, one), term(c, one)],
        "crossed, slopes": [term(b, slope), term(c, slope, "diag")],
        "nested and crossed": [term(d, one), term(b, one), term(c, slope)],
        "three crossed": [term(d, one), term(c, one), term(a, slope)],
    }


@pytest.mark.parametrize("place", PLACES)
def test_a_panic_becomes_an_internal_error_that_asks_for_a_report(place):
    with pytest.raises(InternalError, match=r"provoked \(.*interrupt\.rs:\d+.*please report it") as caught:
        _engine.provoke_panic(place)
    assert isinstance(caught.value, MixedModelError)
    # The engine works on.
    assert lmer("score ~ Machine + (1 | Worker)", load_machines()).convergence.converged


@pytest.mark.parametrize("columns", [0, 1])
@pytest.mark.parametrize("reml", [True, False], ids=["REML", "ML"])
@pytest.mark.parametrize("layout", layouts())
def test_linear_models_with_few_fixed_effects_or_none(layout, reml, columns):
    rng = np.random.default_rng(4)
    y, x = 1.0 + rng.normal(size=N), rng.normal(size=(N, columns))
    arguments = (y, x, layouts()[layout], rng.uniform(0.5, 2.0, N))
    fast, dense = _engine.Lmm(*arguments), dense_engine.Lmm(*arguments)
    theta = rng.uniform(0.3, 1.0, dense.n_theta)
    here, there = fast.evaluate(theta, reml), dense.evaluate(theta, reml)
    assert here["objective"] == pytest.approx(there["objective"], abs=1e-8)
    np.testing.assert_allclose(fast.gradient(theta, reml), dense.gradient(theta, reml), atol=1e-4)
    fast.hessian(theta, reml)
    fast.joint_hessian(theta, reml)
    fast.covariance_slopes(theta, reml)
    fast.conditional_variances(theta, reml)
    fast.kenward_roger(theta)
    assert np.isfinite(fast.fit(reml, "trust_region", None, {})["objective"])


@pytest.mark.parametrize("family", [families.Poisson(), families.Gamma("log")], ids=["poisson", "gamma"])
@pytest.mark.parametrize("layout", layouts())
def test_generalized_models_without_fixed_effects(layout, family):
    rng = np.random.default_rng(5)
    mean = np.exp(0.5 * rng.normal(size=N))
    y = rng.poisson(mean) * 1.0 if family.name == "poisson" else rng.gamma(2.0, mean / 2.0)
    arguments = (y, np.zeros((N, 0)), layouts()[layout], family.for_engine())
    fast, dense = _engine.Glmm(*arguments), dense_glmm.Glmm(*arguments)
    theta, none = rng.uniform(0.2, 0.6, fast.n_theta), np.zeros(0)
    log_dispersion = -0.5 if family.name == "gamma" else 0.0
    here = fast.evaluate(theta, none, log_dispersion)["objective"]
    assert here == pytest.approx(dense.evaluate(theta, none, log_dispersion)["objective"], abs=1e-5)
    fast.hessian(theta, none, log_dispersion)
    fast.conditional_variances(theta, none, log_dispersion)
    assert np.isfinite(fast.fit("trust_region", None, {})["objective"])


def test_nested_groups_without_fixed_effects_by_formula():
    data = load_machines()
    bare = lmer("score ~ 0 + (1 | Worker/Machine)", data)
    assert len(bare.fixef()) == 0
    assert str(bare.summary()).count("Fixed effects: none") == 1
    model = lmer("score ~ 0 + Machine + (1 | Worker/Machine)", data)
    table = model.drop1()
    reduced = lmer("score ~ 0 + (1 | Worker/Machine)", data, REML=False)
    full = model.refit(REML=False)
    row = table.loc["Machine"]
    statistic = row["LRT"] if "LRT" in row else row["Chisq"]
    assert statistic == pytest.approx(reduced.objective - full.objective, abs=1e-6)
    with pytest.warns(SingularFitWarning):
        glmer("y ~ 0 + (1 | Worker/Machine)", data.assign(y=(data.score > 60).astype(int)), "binomial")


INVALID = {
    "a code outside": lambda codes, z, w: (np.where(codes == 2, 99, codes).astype(np.uint32), z, w),
    "short codes": lambda codes, z, w: (codes[:-1], z, w),
    "short z": lambda codes, z, w: (codes, z[:-1], w),
    "short weights": lambda codes, z, w: (codes, z, w[:-3]),
    "z not finite": lambda codes, z, w: (codes, np.where(z > 0, np.nan, z), w),
}


@pytest.mark.parametrize("gaps", [False, True], ids=["complete", "gaps"])
@pytest.mark.parametrize("what", INVALID)
def test_many_responses_to_invalid_predictors_are_refused(what, gaps):
    rng = np.random.default_rng(6)
    codes, z, weights = INVALID[what](
        rng.integers(0, 5, N).astype(np.uint32), np.ones((N, 1)), rng.uniform(1, 2, N)
    )
    y = rng.normal(size=(N, 3))
    if gaps:
        y[4, 1] = np.nan
        y[:, 2] = np.nan
    with pytest.raises(MixedModelError):
        _engine.fit_many(y, np.ones((N, 1)), [(codes, 5, z, "us", None)], True, weights)


def test_many_responses_without_fixed_effects_and_with_gaps():
    rng = np.random.default_rng(7)
    data = pd.DataFrame({"g": rng.integers(0, 5, N), "h": rng.integers(0, 4, N)})
    y = rng.normal(size=(N, 3)) + rng.normal(size=5)[data["g"], None]
    y[3, 0] = np.nan
    y[:, 2] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for formula in ("~ 0 + (1 | g)", "~ 0 + (1 | g/h)"):
            fits = fit_many(formula, data, y)
            assert fits.status[2] == "failed"
            kept = np.isfinite(y[:, 0])
            one = lmer(f"y {formula}", data[kept].assign(y=y[kept, 0]))
            assert fits.objective[0] == pytest.approx(one.objective, abs=1e-6)
