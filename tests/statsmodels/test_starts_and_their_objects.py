"""Parameters of statsmodels' own class, starts of searches, and arguments of a wrong size."""

import numpy as np
import pytest
from dietox import fit
from numpy.testing import assert_allclose
from statsmodels.regression import mixed_linear_model as theirs

from mixedmodels import load_dietox
from mixedmodels.errors import ArgumentError, DataError
from mixedmodels.statsmodels import MixedLM, MixedLMParams, mixedlm

DATA = load_dietox()
COV = np.array([[2.0, 0.3], [0.3, 1.0]])


def model():
    return mixedlm("Weight ~ Time", DATA, groups="Pig", re_formula="~Time")


def params(kind):
    return kind.from_components(np.array([15.0, 7.0]), cov_re=COV)


def test_parameters_of_statsmodels_are_taken_everywhere():
    own, ours, other = model(), params(MixedLMParams), params(theirs.MixedLMParams)
    for profiled in (True, False):
        assert own.loglike(other, profiled) == own.loglike(ours, profiled)
        assert_allclose(own.score(other, profiled), own.score(ours, profiled))
    assert_allclose(own.hessian(other)[0], own.hessian(ours)[0])
    assert_allclose(own.predict(other), own.predict(ours))
    assert_allclose(own.fit(start_params=other, do_cg=False).cov_re_unscaled, COV)
    mask = theirs.MixedLMParams.from_components(np.ones(2), cov_re=np.eye(2))
    assert own.fit(free=mask).cov_re.iloc[0, 1] == 0.0


def test_the_search_starts_where_the_user_says():
    own = model()
    with pytest.warns(theirs.ConvergenceWarning, match="limit on evaluations"):
        first = own.fit(start_params=params(MixedLMParams), maxiter=1.0)
    assert_allclose(first.cov_re_unscaled, COV)
    nothing = MixedLMParams.from_components(np.zeros(2), cov_re=np.zeros((2, 2)))
    for start in (params(MixedLMParams), nothing):
        assert_allclose(own.fit(start_params=start).params, fit(True, True).params, rtol=1e-4)


@pytest.mark.parametrize(
    "wrong",
    [
        MixedLMParams.from_components(np.zeros(2), cov_re=np.eye(3)),
        MixedLMParams.from_components(np.zeros(3), cov_re=np.eye(2)),
        MixedLMParams.from_components(np.zeros(2), cov_re=np.eye(2), vcomp=np.ones(1)),
    ],
)
def test_parameters_of_a_wrong_number_are_refused(wrong):
    own = model()
    for call in (own.loglike, own.score, own.hessian, own.score_full, own.score_sqrt):
        with pytest.raises(ValueError, match=r"params has .* but the model has 2, 2 and 0"):
            call(wrong)
    for name in ("start_params", "free"):
        with pytest.raises(ValueError, match=f"{name} has"):
            own.fit(**{name: wrong})


def test_parameters_may_lack_fixed_effects():
    few = MixedLMParams.from_components(cov_re=np.eye(2))
    assert model().fit(free=few).cov_re.iloc[0, 1] == 0.0
    assert_allclose(model().fit(start_params=few).llf, fit(True, True).llf)


@pytest.mark.parametrize("most", [0, -1, 2.5, "a", True])
def test_maxiter_is_named(most):
    with pytest.raises(ValueError, match="maxiter"):
        model().fit(maxiter=most)


def test_arguments_of_a_wrong_kind():
    with pytest.raises(TypeError, match="method must be a name"):
        model().fit(method=3)
    with pytest.raises(TypeError, match="free must be a MixedLMParams"):
        model().fit(free=[1, 1, 1])
    for subset in ("Time < 5", slice(0, 300)):
        with pytest.raises(ValueError, match="subset must be"):
            mixedlm("Weight ~ Time", DATA, groups="Pig", subset=subset)


def test_models_without_random_effects_or_with_one_group_say_so():
    with pytest.raises(ValueError, match="no random effects"):
        mixedlm("Weight ~ Time", DATA, groups="Pig", re_formula="0")
    with pytest.raises(DataError, match="at least two groups"):
        mixedlm(
            "Weight ~ Time", DATA.assign(one=1), groups="one", re_formula="1", vc_formula={"p": "0 + C(Pig)"}
        ).fit()
    crossed = {"groups": "one", "vc_formula": {"p": "0 + C(Pig)"}}
    plain = mixedlm("Weight ~ Time", DATA.assign(one=1), **crossed).fit()
    for nothing in ("0", "~0"):
        again = mixedlm("Weight ~ Time", DATA.assign(one=1), re_formula=nothing, **crossed).fit()
        assert again.llf == plain.llf


def test_numbers_are_those_of_numpy():
    result = fit(True, False)
    for name in ("llf", "scale", "aic", "bic"):
        assert isinstance(getattr(result, name), np.float64), name


def test_gradients_that_are_not_asked_for_are_zeros_of_their_size():
    own = model()
    for method in (own.score_full, own.score_sqrt):
        assert_allclose(method(params(MixedLMParams), calc_fe=False)[0], np.zeros(2))


def test_gradients_are_zero_where_a_mask_holds():
    own = model()
    mask = MixedLMParams.from_components(np.ones(2), cov_re=np.eye(2))
    own.fit(free=mask)
    assert own.score(params(MixedLMParams))[1] == 0.0
    own.fit()
    assert own.score(params(MixedLMParams))[1] != 0.0


def test_objects_that_are_numbers_are_a_response():
    x = np.column_stack([np.ones(len(DATA)), DATA["Time"]])
    y = DATA["Weight"].to_numpy()
    found = MixedLM(y.astype(object), x, DATA["Pig"].to_numpy()).fit()
    assert_allclose(found.params, fit(False, True).params)
    with pytest.raises(ValueError, match="endog must be numbers"):
        MixedLM(np.full(len(y), "a", dtype=object), x, DATA["Pig"].to_numpy())


def test_functions_of_fixed_effects_alone():
    result = fit(True, True)
    whole = np.asarray(result.cov_params())
    assert_allclose(result.cov_params(np.eye(2)), whole[:2, :2])
    assert_allclose(result.cov_params([0, 1]), whole[1, 1])
    assert_allclose(result.cov_params(np.eye(2), other=np.eye(5)), whole[:2])
    for call in (result.cov_params, result.f_test, result.wald_test):
        with pytest.raises(ValueError, match="3 columns, but there are 2 fixed effects and 5 parameters"):
            call(np.eye(3))


def test_what_needs_the_removed_data_says_so():
    result = model().fit()
    result.remove_data()
    for name in ("fittedvalues", "resid", "random_effects", "random_effects_cov"):
        with pytest.raises(ArgumentError, match=r"remove_data\(\) has removed the data"):
            getattr(result, name)
    with pytest.raises(ArgumentError, match=r"remove_data\(\) has removed the data"):
        result.model.loglike(params(MixedLMParams))


def test_words_of_statsmodels_in_wrong_places():
    with pytest.raises(TypeError, match="vc_formula must be a dict"):
        mixedlm("Weight ~ Time", DATA, groups="Pig", vc_formula="0 + C(Litter)")
    numbered = mixedlm("Weight ~ Time", DATA, groups="Pig", vc_formula={1: "0 + Time"})
    assert numbered.exog_vc.names == ["1"]
    assert np.isfinite(numbered.fit().llf)
    with pytest.raises(TypeError, match="reml must be True or False"):
        model().fit(reml="ML")
    with pytest.raises(ValueError, match="alpha must be between 0 and 1"):
        fit(True, True).summary(alpha=95)
