"""Parameters that are held, penalties, and evaluation without a search."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize
from statsmodels.base._penalties import L2, PSD, PseudoHuber
from statsmodels.regression.mixed_linear_model import MixedLM as Theirs, MixedLMParams as TheirParams
from statsmodels.tools.sm_exceptions import ConvergenceWarning, SingularMatrixWarning, ValueWarning

from mixedmodels.statsmodels import MixedLM, MixedLMParams, VCSpec
from mixedmodels.statsmodels.packed import optimize_packed

RNG = np.random.default_rng(1)
GROUPS = RNG.integers(0, 40, 600)
CELLS = RNG.integers(0, 4, 600)
X = np.column_stack([np.ones(600), RNG.normal(size=(600, 2))])
Z = np.column_stack([np.ones(600), RNG.normal(size=(600, 2))])
EFFECTS = RNG.normal(size=(40, 3)) @ np.array([[1.0, 0.5, 0.2], [0.0, 0.7, 0.3], [0.0, 0.0, 0.4]])
Y = X @ [1.0, 2.0, -1.0] + (Z * EFFECTS[GROUPS]).sum(axis=1) + RNG.normal(size=600)
Y = Y + 0.5 * RNG.normal(size=160)[4 * GROUPS + CELLS]


def model():
    indicators = [(CELLS[g == GROUPS][:, None] == np.arange(4)).astype(float) for g in range(40)]
    return MixedLM(Y, X, GROUPS, Z, VCSpec(["cell"], [[list("abcd")] * 40], [indicators]))


def params(cov_re, vcomp=1.0):
    return MixedLMParams.from_components(
        np.ones(3), cov_re=np.array(cov_re, dtype=float), vcomp=np.array([vcomp])
    )


ONES, EYE = np.ones((3, 3)), np.eye(3)
# Masks with the start of what they hold; the last two suit no covariance structure.
MASKS = {
    "all": (params(ONES), params(EYE)),
    "uncorrelated": (params(EYE), params(EYE)),
    "blocks": (params([[1, 1, 0], [1, 1, 0], [0, 0, 1]]), params(EYE)),
    "a block with a variance held": (
        params([[1, 0, 1], [0, 1, 0], [1, 0, 0]]),
        params(np.diag([1.0, 1.0, 0.1])),
    ),
    "a variance held": (params([[0, 1, 1], [1, 1, 1], [1, 1, 1]]), params(np.diag([2.0, 1.0, 1.0]))),
    "a coefficient left out": (params(np.diag([1, 0, 1])), params(np.diag([1.0, 0.0, 1.0]))),
    "a component held": (params(ONES, 0), params(EYE, 0.3)),
    "a component left out": (params(ONES, 0), params(EYE, 0.0)),
    "all held": (params(np.zeros((3, 3)), 0), params(EYE, 0.3)),
    "a band": (params([[1, 1, 0], [1, 1, 1], [0, 1, 1]]), params(EYE)),
    "a covariance held": (params([[1, 0, 0], [0, 1, 0], [0, 0, 1]]), params(EYE + 0.1)),
}


@pytest.mark.parametrize("name", MASKS)
@pytest.mark.parametrize("reml", [True, False])
def test_masks_hold_parameters_at_their_start(name, reml):
    mask, start = MASKS[name]
    own = model()
    result = own.fit(free=mask, start_params=start, reml=reml)
    held = mask.get_packed(use_sqrt=False) == 0
    found = result.params_object.get_packed(use_sqrt=False)
    assert_allclose(found[held], start.get_packed(use_sqrt=False)[held], rtol=1e-12)
    assert result.converged
    # What is free has no slope; the other route to the optimum is no better.
    slope = np.concatenate(own.score_parts(result.params_object, profile_fe=True, root=False)[1:])
    assert np.max(np.abs(slope[~held]), initial=0.0) < 1e-2
    other, _, _ = optimize_packed(own, start, mask)
    assert_allclose(result.llf, own.loglike(other), atol=1e-7)
    assert_allclose(result.llf, own.loglike(result.params_object), rtol=1e-12)
    rows = np.concatenate([np.zeros(3, dtype=bool), held])
    assert np.all(result.cov_params()[rows] == 0)
    assert np.all(result.bse[~rows] > 0)


def test_uncorrelated_coefficients_are_those_of_statsmodels():
    mask = TheirParams.from_components(np.ones(3), cov_re=EYE)
    theirs = Theirs(Y, X, GROUPS, Z).fit(free=mask, method="lbfgs")
    ours = MixedLM(Y, X, GROUPS, Z).fit(free=MixedLMParams.from_components(np.ones(3), cov_re=EYE))
    assert_allclose(ours.params, theirs.params, rtol=1e-3, atol=1e-4)
    assert_allclose(ours.bse, theirs.bse, rtol=1e-3)


def test_no_warning_of_variances_that_the_user_holds_at_zero(recwarn):
    mask, start = MASKS["a coefficient left out"]
    model().fit(free=mask, start_params=start)
    assert not [w for w in recwarn if w.category is SingularMatrixWarning]


def test_coefficients_that_a_mask_holds():
    mask = params(ONES)
    mask.fe_params = np.array([1.0, 1.0, 0.0])
    start = params(EYE)
    start.fe_params = np.array([0.0, 0.0, -1.0])
    result = model().fit(free=mask, start_params=start, reml=False)
    moved = model()
    moved = MixedLM(Y + X[:, 2], X[:, :2], GROUPS, Z, moved.exog_vc).fit(reml=False)
    assert_allclose(result.fe_params, [*moved.fe_params, -1.0])
    assert_allclose(result.llf, moved.llf)


@pytest.mark.parametrize("penalty", [L2(), PseudoHuber(0.3)])
@pytest.mark.parametrize("reml", [True, False])
def test_penalties_of_fixed_effects_are_in_the_maximum(penalty, reml):
    # statsmodels profiles the fixed effects without the penalty.
    penalty.alpha = 20.0
    own = MixedLM(Y, X, GROUPS, Z)
    result = own.fit(fe_pen=penalty, reml=reml)
    assert result.converged
    slope = own.score(result.params_object, profile_fe=False)
    assert np.max(np.abs(slope)) < 1e-3
    plain = MixedLM(Y, X, GROUPS, Z).fit(reml=reml)
    assert np.linalg.norm(result.fe_params) < np.linalg.norm(plain.fe_params) - 0.05
    assert_allclose(result.llf, own.loglike(result.params_object, profile_fe=False))


def test_the_penalized_optimum_is_found_by_other_means():
    penalty = L2()
    penalty.alpha = 20.0
    own = MixedLM(Y, X, GROUPS)
    result = own.fit(fe_pen=penalty)

    def loss(point):
        at = MixedLMParams.from_components(point[:3], cov_re=np.array([[np.exp(point[3])]]))
        return -own.loglike(at, profile_fe=False)

    found = minimize(
        loss,
        [0.0, 0.0, 0.0, 0.0],
        method="Nelder-Mead",
        options={"xatol": 1e-8, "fatol": 1e-10, "maxiter": 4000},
    )
    assert_allclose(result.llf, -found.fun, atol=1e-6)
    assert_allclose(result.fe_params, found.x[:3], rtol=1e-4)


def test_penalties_of_covariances_keep_them_off_the_boundary():
    y = Y - (Z * EFFECTS[GROUPS]).sum(axis=1)
    own = MixedLM(y, X, GROUPS, Z)
    result = own.fit(cov_pen=PSD(1.0))
    assert np.linalg.eigvalsh(result.cov_re)[0] > 1e-3
    assert np.max(np.abs(own.score(result.params_object))) < 1e-2


def test_models_may_be_evaluated_without_a_search():
    start = params(EYE + 0.2, 0.5)
    own = model()
    result = own.fit(start_params=start, do_cg=False)
    assert_allclose(result.params_object.cov_re, start.cov_re)
    assert_allclose(result.llf, own.loglike(start))
    assert_allclose(result.fe_params, own.get_fe_params(start.cov_re, start.vcomp)[0])
    assert_allclose(result.scale, own.get_scale(result.fe_params, start.cov_re, start.vcomp))


def test_packed_starts_are_read_as_statsmodels_does():
    packed = np.concatenate([[0.0, 0.0, 0.0], np.linalg.cholesky(EYE + 0.2)[np.tril_indices(3)], [2.0]])
    for start in (packed, packed[3:]):
        result = model().fit(start_params=start, do_cg=False)
        assert_allclose(result.params_object.cov_re, EYE + 0.2)
        assert_allclose(result.params_object.vcomp, [4.0])
    with pytest.raises(ValueError, match="invalid start_params"):
        model().fit(start_params=np.ones(8))


@pytest.mark.parametrize("method", ["bfgs", "lbfgs", "cg", "powell", "nm", ["bfgs", "cg"]])
def test_methods_of_statsmodels_lead_to_the_same_optimum(method):
    assert_allclose(model().fit(method=method, gtol=1e-3, disp=False).params, model().fit().params)


def test_arguments_of_fits():
    own = model()
    for method in ("newton", "ncg"):
        with pytest.raises(ValueError, match="not available for MixedLM"):
            own.fit(method=method)
    with pytest.raises(ValueError, match="unknown method 'annealing'"):
        own.fit(method="annealing")
    with pytest.warns(ValueWarning, match="niter_sa"):
        own.fit(niter_sa=3)
    with pytest.warns(FutureWarning, match="Argument cov_type"):
        own.fit(cov_type="hc1")
    with pytest.warns(ConvergenceWarning, match="limit on evaluations"):
        assert not own.fit(maxiter=2).converged
    assert own.fit(full_output=True).hist[0]["converged"]
    assert own.fit().hist is None
