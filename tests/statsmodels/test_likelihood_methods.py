"""The likelihood at any parameters, beside dense matrices and numerical derivatives."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import multivariate_normal

from mixedmodels.statsmodels import MixedLM, MixedLMParams, VCSpec


def data(seed=0, n_groups=12):
    """Groups of different sizes with two coefficients and two components of different widths."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, 7, n_groups)
    groups = rng.permutation(np.repeat(np.arange(n_groups), sizes))
    n = len(groups)
    x = np.column_stack([np.ones(n), rng.normal(size=n)])
    z = np.column_stack([np.ones(n), rng.normal(size=n)])
    y = x @ [1.0, 2.0] + rng.normal(size=n_groups)[groups] + rng.normal(size=n)
    first = [rng.normal(size=(size, 1 + i % 3)) for i, size in enumerate(sizes)]
    second = [np.eye(size)[:, : 1 + i % 2] for i, size in enumerate(sizes)]
    names = [[[str(j) for j in range(m.shape[1])] for m in mats] for mats in (first, second)]
    return y, x, groups, z, VCSpec(["a", "b"], names, [first, second])


def model(use_sqrt=True, reml=True, **changed):
    y, x, groups, z, spec = data()
    found = MixedLM(y, changed.get("x", x), groups, exog_re=z, exog_vc=spec, use_sqrt=use_sqrt)
    found.reml = reml
    return found


def dense(found, params):
    """The covariance matrix of the responses relative to the residual variance."""
    v = np.eye(len(found.endog))
    for g, label in enumerate(found.group_labels):
        rows = found.row_indices[label]
        own = found.exog_re[rows] @ params.cov_re @ found.exog_re[rows].T
        for variance, mats in zip(params.vcomp, found.exog_vc.mats, strict=True):
            own = own + variance * mats[g] @ mats[g].T
        v[np.ix_(rows, rows)] += own
    return v


PARAMS = MixedLMParams.from_components(
    np.array([0.8, 1.7]), cov_re=np.array([[1.5, 0.4], [0.4, 0.7]]), vcomp=np.array([0.6, 0.9])
)
SINGULAR = MixedLMParams.from_components(
    np.array([0.8, 1.7]), cov_re=np.array([[1.0, 0.5], [0.5, 0.25]]), vcomp=np.array([0.0, 0.9])
)


@pytest.mark.parametrize("params", [PARAMS, SINGULAR])
@pytest.mark.parametrize("reml", [True, False])
def test_the_likelihood_is_that_of_a_normal_distribution(params, reml):
    found = model(reml=reml)
    v, x, y = dense(found, params), found.exog, found.endog
    inverse = np.linalg.inv(v)
    gls = np.linalg.solve(x.T @ inverse @ x, x.T @ inverse @ y)
    fe_params, singular = found.get_fe_params(params.cov_re, params.vcomp)
    assert_allclose(fe_params, gls)
    assert singular == (params is SINGULAR)
    r = y - x @ gls
    scale = r @ inverse @ r / (len(y) - 2 * reml)
    assert_allclose(found.get_scale(gls, params.cov_re, params.vcomp), scale)
    expected = multivariate_normal(x @ gls, scale * v).logpdf(y)
    if reml:
        expected += np.log(2 * np.pi) - 0.5 * np.linalg.slogdet(x.T @ inverse @ x / scale)[1]
    assert_allclose(found.loglike(params), expected)
    packed = params.get_packed(use_sqrt=True)
    assert_allclose(found.loglike(packed), expected)


def numerical(function, at):
    """A gradient by central differences with one extrapolation."""
    result = []
    for i, value in enumerate(at):
        slopes = []
        for step in (1e-3, 5e-4):
            high, low = at.copy(), at.copy()
            high[i], low[i] = value + step, value - step
            slopes.append((function(high) - function(low)) / (2 * step))
        result.append((4 * slopes[1] - slopes[0]) / 3)
    return np.array(result)


@pytest.mark.parametrize("use_sqrt", [True, False])
@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("profile_fe", [True, False])
def test_scores_are_derivatives(use_sqrt, reml, profile_fe):
    found = model(use_sqrt, reml)

    def loglike(packed):
        own = MixedLMParams.from_packed(packed, 2, 2, use_sqrt, not profile_fe)
        return found.loglike(own, profile_fe=profile_fe)

    at = PARAMS.get_packed(use_sqrt=use_sqrt, has_fe=not profile_fe)
    assert_allclose(found.score(PARAMS, profile_fe=profile_fe), numerical(loglike, at), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("params", [PARAMS, SINGULAR])
def test_the_hessian_is_the_derivative_of_the_score_anywhere(reml, params):
    found = model(use_sqrt=False, reml=reml)
    at = params.get_packed(use_sqrt=False, has_fe=True)

    def score(packed):
        own = MixedLMParams.from_packed(packed, 2, 2, False, True)
        return np.concatenate(found.score_full(own))

    hessian, singular = found.hessian(params)
    assert_allclose(hessian, hessian.T)
    assert_allclose(hessian, numerical(score, at), rtol=1e-6, atol=1e-6)
    assert singular == (params is SINGULAR)
    assert_allclose(found.information(params), -hessian)


def test_columns_that_depend_on_others_change_nothing():
    _, x, *_ = data()
    full, more = model(), model(x=np.column_stack([x, x @ [1.0, -3.0]]))
    wide = MixedLMParams.from_components(np.zeros(3), cov_re=PARAMS.cov_re, vcomp=PARAMS.vcomp)
    assert_allclose(more.loglike(wide), full.loglike(PARAMS))
    assert_allclose(
        more.get_fe_params(PARAMS.cov_re, PARAMS.vcomp)[0][:2],
        full.get_fe_params(PARAMS.cov_re, PARAMS.vcomp)[0],
    )


def test_fixed_effects_do_not_vanish_with_the_variance():
    # The inverse of a tiny variance must not be taken for zero.
    y, x, groups, *_ = data()
    found = MixedLM(y, x, groups)
    none = np.linalg.lstsq(x, y, rcond=None)[0]
    for variance in (1e-9, 1.1e-10, 0.9e-10, 1e-14, 0.0):
        assert_allclose(found.get_fe_params([[variance]], [])[0], none, rtol=1e-6)


def test_draws_have_the_covariance_matrix():
    found = model()
    packed = PARAMS.get_packed(use_sqrt=False, has_fe=True)
    rng = np.random.default_rng(5)
    distribution = found.get_distribution(packed, 2.0, None)
    draws = np.array([distribution.rvs(0, rng=rng) for _ in range(1500)])
    v = 2.0 * dense(found, PARAMS)
    assert_allclose(draws.mean(axis=0), found.exog @ PARAMS.fe_params, atol=5 * np.sqrt(v.max() / 1500))
    error = np.sqrt((np.outer(np.diag(v), np.diag(v)) + v**2) / 1500)
    assert np.max(np.abs(np.cov(draws.T) - v) / error) < 5.5
    assert_allclose(distribution.rvs(0, rng=7), distribution.rvs(0, rng=7))


def test_packed_vectors_of_a_wrong_length_are_refused():
    with pytest.raises(ValueError, match="6 entries; the model has 5"):
        model().loglike(np.ones(6))
