"""Facts about covariance structures, against their definitions written out as dense matrices."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mixedmodels import lmer
from mixedmodels._engine import COVARIANCES
from mixedmodels.covariance import structure_of, without_correlations

K = 4
TIMES = (0.0, 1.0, 2.5, 4.0)


def correlation_matrix(name, correlations, times=TIMES):
    """The definition of each structure."""
    k, base = len(times), name.removeprefix("hom").removeprefix("het")
    lags = np.abs(np.subtract.outer(np.arange(k), np.arange(k)))
    if base == "diag":
        return np.eye(k)
    if base == "us":
        matrix = np.eye(k)
        matrix[np.triu_indices(k, 1)] = correlations
        return matrix + np.triu(matrix, 1).T
    if base == "cs":
        return np.where(lags == 0, 1.0, correlations[0])
    if base == "ar1":
        return correlations[0] ** lags
    if base == "toep":
        return np.append(1.0, correlations)[lags]
    if base == "ante":
        # Products of the correlations of neighbours.
        steps = np.cumprod(np.append(1.0, correlations))
        return steps[np.maximum.outer(range(k), range(k))] / steps[np.minimum.outer(range(k), range(k))]
    assert base == "ou"
    return correlations[0] ** np.abs(np.subtract.outer(times, times))


def structure(name, k=K):
    return structure_of(name, k, TIMES[:k])


def some_natural(own, rng):
    """Natural parameters of a positive definite matrix."""
    sds = [part for part in own.parameters if part.kind == "sd"]
    n_cor = own.n_parameters - len(sds)
    return np.append(rng.uniform(0.3, 2.0, len(sds)), 0.5 ** np.arange(1, n_cor + 1) * rng.uniform(0.5, 1.0))


@pytest.mark.parametrize("name", COVARIANCES)
class TestStructure:
    def test_the_factor_is_a_root_of_the_matrix_by_definition(self, name):
        own, rng = structure(name), np.random.default_rng(1)
        for _ in range(5):
            natural = some_natural(own, rng)
            theta = own.theta(natural)
            np.testing.assert_allclose(own.natural(theta), natural, rtol=1e-12)
            sds = np.zeros(K)
            for part, value in zip(own.parameters, natural, strict=True):
                if part.kind == "sd":
                    sds[list(part.columns)] = value
            correlations = [v for part, v in zip(own.parameters, natural, strict=True) if part.kind == "cor"]
            wanted = np.outer(sds, sds) * correlation_matrix(name, correlations)
            factor = own.factor(theta)
            np.testing.assert_allclose(factor @ factor.T, wanted, rtol=1e-10, atol=1e-12)

    def test_slopes(self, name):
        own, rng, h = structure(name), np.random.default_rng(2), 1e-3
        theta = own.theta(some_natural(own, rng))
        for j in range(own.n_parameters):
            step = np.zeros(own.n_parameters)
            step[j] = h
            for compute, exact in (
                (own.factor, own.factor_slopes(theta)[j]),
                (own.natural, own.natural_slopes(theta)[:, j]),
            ):
                values = [compute(theta + m * step) for m in (-3, -2, -1, 1, 2, 3)]
                weights = np.array([-1, 9, -45, 45, -9, 1]) / (60 * h)
                np.testing.assert_allclose(np.tensordot(weights, values, 1), exact, rtol=1e-8, atol=1e-8)

    def test_stacks_of_theta(self, name):
        own, rng = structure(name), np.random.default_rng(3)
        thetas = np.array([own.theta(some_natural(own, rng)) for _ in range(3)])
        for compute in (own.factor, own.natural):
            np.testing.assert_allclose(compute(thetas), [compute(theta) for theta in thetas])
        gone = np.full((2, own.n_parameters), np.nan)
        assert np.isnan(own.natural(gone)).all()

    def test_boundary(self, name):
        own, rng = structure(name), np.random.default_rng(4)
        natural = some_natural(own, rng)
        assert own.interior(own.theta(natural)).all()
        assert not own.interior(own.theta(natural * [part.kind != "sd" for part in own.parameters])).any()
        for j, part in enumerate(own.parameters):
            if own.entries is not None or part.kind == "sd":
                continue
            for bound in (part.lower, part.upper):
                at = natural.copy()
                # A limit of one lag with zeros at the others is no limit of Toeplitz matrices.
                at[own.n_parameters - sum(p.kind == "cor" for p in own.parameters) :] = bound ** np.arange(
                    1, sum(p.kind == "cor" for p in own.parameters) + 1
                )
                theta = own.theta(at)
                assert not own.interior(theta)[j]
                assert (part, bound) in own.at_bound(theta, 1e-9) or (j > 0 and bound < 0)

    def test_grown(self, name):
        own, rng = structure(name), np.random.default_rng(5)
        theta, marked = own.theta(some_natural(own, rng)), np.ones(own.n_parameters, dtype=bool)
        factor, larger = own.factor(theta), own.factor(own.grown(theta, marked, 3.0))
        np.testing.assert_allclose(larger @ larger.T, 9.0 * factor @ factor.T, rtol=1e-9, atol=1e-12)
        h = 1e-6
        slope = (own.grown(theta, marked, np.exp(h)) - own.grown(theta, marked, np.exp(-h))) / (2 * h)
        np.testing.assert_allclose(own.growth(theta, marked), slope, rtol=1e-7, atol=1e-8)

    def test_elements(self, name):
        own, rng = structure(name), np.random.default_rng(6)
        if not own.linear:
            return
        factor = own.factor(own.theta(some_natural(own, rng)))
        matrices = own.element_matrices()
        flat = matrices.reshape(len(matrices), -1).T
        values, *_ = np.linalg.lstsq(flat, (factor @ factor.T).ravel(), rcond=None)
        np.testing.assert_allclose(own.element_change(values), factor @ factor.T, atol=1e-12)
        # The identity, which residuals add.
        values, *_ = np.linalg.lstsq(flat, np.eye(K).ravel(), rcond=None)
        np.testing.assert_allclose(own.element_change(values), np.eye(K), atol=1e-12)

    def test_likelihood_of_the_natural_parameters(self, name):
        """The log-likelihood of a fit is that of the normal distribution with the covariances it prints."""
        rng = np.random.default_rng(7)
        groups, k, repeats = 25, K, 2
        g, t = np.repeat(np.arange(groups), k * repeats), np.tile(np.repeat(np.arange(k), repeats), groups)
        level = rng.normal(size=groups)[:, None] + np.cumsum(rng.normal(size=(groups, k)), axis=1)
        y = 3.0 + level[g, t] + 0.5 * rng.normal(size=len(g))
        data = {"y": y, "g": g, "time": np.array(TIMES)[t]}
        model = lmer(f"y ~ 1 + {name}(0 + numFactor(time) | g)", data, REML=False)
        (part,) = model.VarCorr()
        correlations = [own.value for own in part.parameters if own.kind == "cor"]
        sigma = np.outer(part.sd, part.sd) * correlation_matrix(name, correlations)
        np.testing.assert_allclose(part.cov, sigma, rtol=1e-8, atol=1e-10)
        v = sigma[np.ix_(t[g == 0], t[g == 0])] + model.sigma**2 * np.eye(k * repeats)
        normal = stats.multivariate_normal(np.full(k * repeats, model.fixef().iloc[0]), v)
        loglik = normal.logpdf(y.reshape(groups, -1)).sum()
        assert float(model.logLik()) == pytest.approx(loglik, rel=1e-10)
        assert model.df == len(part.parameters) + 2


def test_which_structures_depend_on_the_order_of_the_columns():
    ordered = [name for name in COVARIANCES if structure(name).ordered]
    assert ordered == ["ar1", "hetar1", "toep", "homtoep", "ante"]
    # Between two columns there is one lag only.
    assert not structure("ar1", 2).ordered


def test_blocks():
    assert structure("us").blocks == ((0, 1, 2, 3),)
    assert structure("diag").blocks == ((0,), (1,), (2,), (3,))
    assert all(structure(name).blocks is None for name in COVARIANCES if name not in ("us", "diag"))


def test_without_correlations():
    found = {name: without_correlations(structure(name)) for name in COVARIANCES}
    own = {"us", "diag", "cs", "hetar1", "toep", "ante"}
    assert found == {name: "diag" if name in own else "homdiag" for name in COVARIANCES}


def test_bounds_of_compound_symmetry():
    *_, rho = structure("cs").parameters
    assert (rho.lower, rho.upper) == (pytest.approx(-1 / (K - 1)), 1.0)
