"""The compiled engine of generalized models against dense textbook formulas."""

from __future__ import annotations

import numpy as np
import pytest

from mixedmodels import _engine, families, glmer, load_epil
from oracles import dense_glmm

N, LEVELS = 60, 6
FAMILIES = {
    "binomial logit": ("binomial", "logit"),
    "binomial probit": ("binomial", "probit"),
    "binomial cloglog": ("binomial", "cloglog"),
    "poisson log": ("poisson", "log"),
    "gaussian log": ("gaussian", "log"),
    "gamma log": ("gamma", "log"),
    "inverse gaussian log": ("inverse_gaussian", "log"),
    "nbinom2 log": ("nbinom2", "log"),
    "nbinom1 log": ("nbinom1", "log"),
    "beta logit": ("beta", "logit"),
}
SHAPES = {
    "intercept": [(LEVELS, 1, "us")],
    "slope": [(LEVELS, 2, "us")],
    "crossed": [(LEVELS, 2, "diag"), (4, 1, "us")],
}


def model(kind, shape="intercept", **options):
    """Both engines on the same random data."""
    name, link = FAMILIES[kind]
    rng = np.random.default_rng(11)
    x = np.column_stack([np.ones(N), rng.normal(size=N)])
    terms, eta = [], 0.3 * x[:, 1] - 0.2
    for levels, k, covariance in SHAPES[shape]:
        codes = rng.integers(0, levels, N).astype(np.uint32)
        z = np.column_stack([np.ones(N), rng.normal(size=(N, k - 1))])
        eta = eta + np.einsum("ij,ij->i", z, 0.5 * rng.normal(size=(levels, k))[codes])
        terms.append((codes, levels, z, covariance, None))
    weights = rng.integers(1, 6, N).astype(float) if name == "binomial" else None
    family = families.as_family(name, link)
    trials = np.ones(N) if weights is None else weights
    y = family.draw(rng, family.mean(eta), trials, 0.5)
    y = np.round(y * trials) if name == "binomial" else y
    offset = 0.1 * rng.normal(size=N)
    arguments = (y, x, terms, family.for_engine(), weights, offset)
    return _engine.Glmm(*arguments, **options), dense_glmm.Glmm(*arguments, **options)


def a_point(dense, seed=3):
    rng = np.random.default_rng(seed)
    theta = rng.uniform(0.3, 0.8, dense.n_theta)
    return theta, np.array([-0.1, 0.25]), float(np.log(0.6))


def compare(fast, dense):
    point = a_point(dense)
    got, wanted = fast.evaluate(*point), dense.evaluate(*point)
    for name in ("objective", "log_det_z"):
        assert got[name] == pytest.approx(wanted[name], rel=1e-8), name
    for name in ("beta", "eta", "xtvx_inv"):
        np.testing.assert_allclose(got[name], wanted[name], rtol=1e-6, atol=1e-7, err_msg=name)
    for name in ("b", "u"):
        for ours, theirs in zip(got[name], wanted[name], strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-7, err_msg=name)
    gradient = dense.gradient(*point)
    np.testing.assert_allclose(fast.gradient(*point), gradient, rtol=1e-6, atol=1e-6 * np.abs(gradient).max())


@pytest.mark.parametrize("kind", FAMILIES)
def test_families(kind):
    compare(*model(kind))


@pytest.mark.parametrize("kind", ["binomial probit", "binomial cloglog", "gamma log", "nbinom2 log"])
def test_expected_information(kind):
    compare(*model(kind, information="expected"))


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes(shape):
    fast, dense = model("binomial logit", shape)
    compare(fast, dense)
    point = a_point(dense)
    wanted = {tuple(members): values for members, values in dense.conditional_variances(*point)}
    got = {tuple(members): values for members, values in fast.conditional_variances(*point)}
    assert set(got) == set(wanted)
    for members, values in got.items():
        np.testing.assert_allclose(values, wanted[members], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("shape", ["intercept", "slope"])
@pytest.mark.parametrize("kind", ["binomial logit", "nbinom2 log"])
def test_quadrature(kind, shape):
    compare(*model(kind, shape, n_agq=4))


@pytest.mark.parametrize("kind", ["binomial logit", "gamma log"])
def test_hessian(kind):
    fast, dense = model(kind)
    point = a_point(dense)
    wanted = dense.hessian(*point)
    np.testing.assert_allclose(fast.hessian(*point), wanted, rtol=1e-4, atol=1e-5 * np.abs(wanted).max())


def test_standard_errors_where_lme4_is_rough():
    """The case epil_nb_fixed of the golden values, whose Hessian by lme4 is 0.1 percent off."""
    size = families.NegativeBinomial(size=7.5)
    formula = "y ~ lbase * trt + lage + V4 + (1 | subject)"
    fit = glmer(formula, load_epil(), size, information="expected")
    # Differences of the dense objective at the optimum (oracles/dense_glmm.py, tests/golden/README.md).
    wanted = [0.10634571, 0.13020299, 0.14701615, 0.34492006, 0.08635456, 0.2017099]
    np.testing.assert_allclose(fit.se, wanted, rtol=1e-5)


def test_standard_errors_do_not_depend_on_units():
    """The case ticks_brood of the golden values: lme4's change with the unit of cHEIGHT."""
    from mixedmodels import load_grouseticks

    data, formula = load_grouseticks(), "TICKS ~ YEAR * cHEIGHT + (1 | BROOD)"
    fit = glmer(formula, data, "poisson")
    scaled = glmer(formula, data.assign(cHEIGHT=data["cHEIGHT"] / 30), "poisson")
    units = [1, 1, 1, 30, 30, 30]
    np.testing.assert_allclose(fit.se, scaled.se / units, rtol=1e-4)
    # Differences of the dense objective of the scaled model.
    wanted = [0.1807902, 0.2339571, 0.26326319, 0.00538935, 0.00691797, 0.00779937]
    np.testing.assert_allclose(fit.se, wanted, rtol=1e-4)
