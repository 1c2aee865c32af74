"""The compiled engine against dense textbook formulas, on random and on packaged data."""

from __future__ import annotations

import numpy as np
import pytest

from mixedmodels import _engine
from oracles import dense_engine

SHAPES = {
    "intercept": [(6, 1, "us")],
    "slope": [(7, 2, "us")],
    "double bar": [(6, 3, "diag")],
    "crossed": [(8, 2, "us"), (5, 1, "us")],
    "three factors": [(9, 1, "us"), (6, 2, "diag"), (4, 2, "us")],
}


def make(shape: str, seed: int, *, weighted: bool, deficient: bool = False):
    rng = np.random.default_rng(seed)
    n = 90
    x = np.column_stack([np.ones(n), rng.normal(size=(n, 2))])
    if deficient:
        x = np.column_stack([x, x[:, 1] - 2 * x[:, 2] + 3, rng.normal(size=n)])
    terms, y = [], x[:, 1] - 2 + rng.normal(size=n)
    for n_levels, k, kind in SHAPES[shape]:
        codes = np.concatenate([np.arange(n_levels), rng.integers(0, n_levels, n - n_levels)]).astype(
            np.uint32
        )
        z = np.column_stack([np.ones(n), rng.normal(size=(n, k - 1))])
        y += np.einsum("ij,ij->i", z, rng.normal(size=(n_levels, k))[codes])
        terms.append((codes, n_levels, z, kind, None))
    weights = rng.uniform(0.5, 3, n) if weighted else None
    offset = rng.normal(size=n) if weighted else None
    return y, x, terms, weights, offset


def both(shape: str, seed: int = 1, *, weighted: bool = False, deficient: bool = False):
    data = make(shape, seed, weighted=weighted, deficient=deficient)
    return _engine.Lmm(*data), dense_engine.Lmm(*data)


@pytest.mark.parametrize("reml", [True, False], ids=["REML", "ML"])
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("shape", SHAPES)
class TestAtGivenTheta:
    def test_estimates(self, shape, weighted, reml):
        fast, dense = both(shape, weighted=weighted)
        theta = np.random.default_rng(5).uniform(0.2, 1.2, dense.n_theta)
        got, wanted = fast.evaluate(theta, reml), dense.evaluate(theta, reml)
        for name in ("objective", "log_det_z", "log_det_x", "pwrss", "sigma"):
            assert got[name] == pytest.approx(wanted[name], rel=1e-10), name
        for name in ("beta", "xtvx_inv", "fitted"):
            np.testing.assert_allclose(got[name], wanted[name], rtol=1e-8, atol=1e-9, err_msg=name)
        for name in ("b", "u"):
            for ours, theirs in zip(got[name], wanted[name], strict=True):
                np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-9, err_msg=name)

    def test_derivatives(self, shape, weighted, reml):
        fast, dense = both(shape, weighted=weighted)
        theta = np.random.default_rng(6).uniform(0.2, 1.2, dense.n_theta)
        gradient = dense.gradient(theta, reml)
        scale = np.abs(gradient).max()
        np.testing.assert_allclose(fast.gradient(theta, reml), gradient, rtol=1e-8, atol=1e-9 * scale)
        hessian = dense.hessian(theta, reml)
        scale = np.abs(hessian).max()
        np.testing.assert_allclose(fast.hessian(theta, reml), hessian, rtol=1e-8, atol=1e-9 * scale)

    def test_conditional_variances(self, shape, weighted, reml):
        fast, dense = both(shape, weighted=weighted)
        theta = np.random.default_rng(7).uniform(0.2, 1.2, dense.n_theta)
        wanted = {tuple(members): values for members, values in dense.conditional_variances(theta, reml)}
        got = {tuple(members): values for members, values in fast.conditional_variances(theta, reml)}
        assert set(got) == set(wanted)
        for members, values in got.items():
            np.testing.assert_allclose(values, wanted[members], rtol=1e-8, atol=1e-10)

    def test_fit(self, shape, weighted, reml):
        fast, dense = both(shape, seed=3, weighted=weighted)
        got, wanted = fast.fit(reml, "trust_region"), dense.fit(reml)
        assert got["objective"] <= wanted["objective"] + 1e-8
        assert got["objective"] == pytest.approx(wanted["objective"], abs=1e-6)
        np.testing.assert_allclose(got["beta"], wanted["beta"], rtol=0, atol=1e-4)


@pytest.mark.parametrize("reml", [True, False])
def test_dense_gradient_is_the_slope_of_the_dense_objective(reml):
    _, dense = both("crossed", weighted=True)
    theta = np.random.default_rng(8).uniform(0.2, 1.2, dense.n_theta)
    for i, slope in enumerate(dense.gradient(theta, reml)):
        step = np.zeros(dense.n_theta)
        step[i] = 1e-6
        up, down = (dense.evaluate(theta + s, reml)["objective"] for s in (step, -step))
        assert slope == pytest.approx((up - down) / 2e-6, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("reml", [True, False])
def test_linearly_dependent_columns(reml):
    fast, dense = both("slope", deficient=True)
    np.testing.assert_array_equal(fast.kept, dense.kept)
    assert dense.kept.tolist() == [0, 1, 2, 4]
    theta = np.array([0.8, 0.1, 0.5])
    got, wanted = fast.evaluate(theta, reml), dense.evaluate(theta, reml)
    assert got["objective"] == pytest.approx(wanted["objective"], rel=1e-10)
    np.testing.assert_allclose(got["beta"], wanted["beta"], rtol=1e-8)


def test_terms_that_share_a_factor():
    rng = np.random.default_rng(9)
    y, x, terms, _, _ = make("intercept", 9, weighted=False)
    codes, n_levels, _, kind, _ = terms[0]
    terms.append((codes, n_levels, rng.normal(size=(len(y), 1)), kind, None))
    fast, dense = _engine.Lmm(y, x, terms), dense_engine.Lmm(y, x, terms)
    theta = np.array([0.7, 0.4])
    assert fast.evaluate(theta, True)["objective"] == pytest.approx(dense.evaluate(theta, True)["objective"])
    ((got_members, got),) = fast.conditional_variances(theta, True)
    ((members, wanted),) = dense.conditional_variances(theta, True)
    assert got_members == members == [0, 1]
    np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-12)


def test_another_response():
    fast, dense = both("slope", weighted=True)
    y = np.random.default_rng(10).normal(size=dense.n)
    theta = np.array([0.8, 0.1, 0.5])
    got = fast.with_response(y).evaluate(theta, False)["objective"]
    assert got == pytest.approx(dense.with_response(y).evaluate(theta, False)["objective"], rel=1e-11)
