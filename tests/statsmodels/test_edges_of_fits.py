"""Fits at the edge of what the data determine, and what the engine knows of them."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from statsmodels.stats.mediation import Mediation
from statsmodels.tools.sm_exceptions import SingularMatrixWarning

from mixedmodels import DataError, load_dietox
from mixedmodels.errors import UndeterminedWarning
from mixedmodels.statsmodels import MixedLM, MixedLMParams, at_fit, covariance, likelihood_methods, mixedlm

RNG = np.random.default_rng(4)
GROUPS = np.repeat(np.arange(20), 10)
X = np.column_stack([np.ones(200), RNG.normal(size=200)])
NOISE = RNG.normal(size=200)


def without_variance():
    """A response whose means of groups do not differ."""
    x = X[:, 1] - np.bincount(GROUPS, X[:, 1])[GROUPS] / 10
    noise = NOISE - np.bincount(GROUPS, NOISE)[GROUPS] / 10
    return 1 + 2 * x + noise, np.column_stack([np.ones(200), x])


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("slope", [True, False])
def test_variances_of_zero_are_zero_and_nothing_breaks(reml, slope):
    y, x = without_variance()
    with pytest.warns(SingularMatrixWarning, match="effects"):
        result = MixedLM(y, x, GROUPS, x if slope else None).fit(reml=reml)
    least_squares = np.linalg.lstsq(x, y, rcond=None)[0]
    assert result.cov_re[0, 0] == pytest.approx(0, abs=1e-12)
    if slope:
        return
    assert_allclose(result.fe_params, least_squares)
    r = y - x @ least_squares
    assert_allclose(result.scale, r @ r / (198 if reml else 200))
    assert_allclose(result.bse_fe, np.sqrt(result.scale * np.diag(np.linalg.inv(x.T @ x))), rtol=0.02)
    assert np.isnan(result.bse[2])
    assert_allclose(result.random_effects[0], 0.0)
    assert_allclose(result.random_effects_cov[0], 0.0)
    assert "Group Var" in str(result.summary())


def test_a_small_variance_is_not_taken_for_zero():
    # statsmodels stops at a variance of zero with an infinite log-likelihood; lme4 finds these numbers.
    rng = np.random.RandomState(3423)
    frame = pd.DataFrame(rng.randn(100, 2), columns=["Y", "X"])
    frame["g"] = np.arange(100) % 3
    result = mixedlm("Y ~ X", frame, groups="g").fit()
    assert_allclose(result.cov_re.iloc[0, 0], 0.0005691432, rtol=1e-4)
    assert_allclose(result.scale, 1.1582277, rtol=1e-7)
    assert_allclose(result.llf, -150.7394, atol=5e-5)


def test_models_that_the_data_cannot_have():
    with pytest.raises(DataError, match="at least two groups"):
        MixedLM(NOISE, X, np.zeros(200)).fit()
    with pytest.raises(DataError, match="as many levels"):
        MixedLM(NOISE, X, np.arange(200)).fit()
    with pytest.raises(DataError, match="is constant"):
        MixedLM(np.ones(200), X, GROUPS).fit()
    with pytest.raises(DataError, match="cannot be told from zero"):
        MixedLM(X @ [1.0, 2.0], X, GROUPS).fit()


def test_a_component_that_repeats_the_coefficients():
    frame = pd.DataFrame({"y": NOISE + X[:, 1] * RNG.normal(size=20)[GROUPS], "x": X[:, 1], "g": GROUPS})
    with pytest.warns(Warning, match="the model stays the same|singular"):
        result = mixedlm("y ~ x", frame, groups="g", re_formula="~x", vc_formula={"again": "0 + x"}).fit()
    plain = mixedlm("y ~ x", frame, groups="g", re_formula="~x").fit()
    assert_allclose(result.llf, plain.llf)
    assert_allclose(np.diag(result.cov_re)[1] + result.vcomp[0], plain.cov_re.iloc[1, 1])


def crossed(n=1500):
    rng = np.random.default_rng(9)
    frame = pd.DataFrame({"a": rng.integers(0, 50, n), "b": rng.integers(0, 30, n), "x": rng.normal(size=n)})
    frame["g"] = rng.integers(0, 25, n)
    frame["y"] = 1 + frame["x"] * rng.normal(1, 0.4, 25)[frame["g"]] + rng.normal(size=25)[frame["g"]]
    frame["y"] += rng.normal(size=50)[frame["a"]] + rng.normal(size=30)[frame["b"]]
    frame["y"] += 0.7 * rng.normal(size=750)[frame["g"] * 30 + frame["b"]] + rng.normal(size=n)
    return frame.assign(one=1)


MODELS = [
    {"groups": "one", "vc_formula": {"a": "0 + C(a)", "b": "0 + C(b)"}},
    {"groups": "g", "re_formula": "~x"},
    {"groups": "g", "re_formula": "~x", "vc_formula": {"b": "0 + C(b)"}},
    {"groups": "g", "vc_formula": {"b": "0 + C(b) + x"}},
]


@pytest.mark.parametrize("arguments", MODELS)
@pytest.mark.parametrize("reml", [True, False])
def test_the_engine_knows_what_dense_matrices_say(arguments, reml):
    model = mixedlm("y ~ x", crossed(), **arguments)
    result = model.fit(reml=reml)
    params, inner = result.params_object, result._results
    assert_allclose(result.llf, model.loglike(params), rtol=1e-12)
    assert_allclose(model.score(params), 0.0, atol=1e-6)
    everything = np.ones(model.k_re2 + model.k_vc, dtype=bool)
    found, places = at_fit.joint_covariance(model, inner._fitted, inner._layout, everything)
    dense = np.linalg.inv(-model.hessian(params)[0])
    assert_allclose(found, dense[np.ix_(places, places)], rtol=1e-5, atol=1e-9 * np.abs(dense).max())
    residuals = model.endog - model.exog @ params.fe_params
    solved = model.covariance(params.cov_re, params.vcomp).solve(residuals[:, None])
    modes = at_fit.modes(model, inner._fitted, inner._layout)
    order = np.argsort(model.products.group, kind="stable")
    assert_allclose(np.concatenate(list(modes.values())), solved.effects[order, 0], atol=1e-8)
    assert_allclose(result.resid, solved.rest[:, 0], atol=1e-8)


def test_large_groups_ask_the_engine(monkeypatch):
    arguments = MODELS[0]
    dense = mixedlm("y ~ x", crossed(), **arguments).fit()
    expected = np.sqrt(
        np.diag(covariance.parameter_covariance(dense.model, dense.params_object, None).matrix)
    )
    monkeypatch.setattr(covariance, "hessian", None)
    model = mixedlm("y ~ x", crossed(), **arguments)
    assert_allclose(model.fit().bse, expected, rtol=1e-6)
    value = model.loglike([0.7, 1.3])
    monkeypatch.setattr(likelihood_methods, "_LARGE", 10)
    assert_allclose(model.loglike([0.7, 1.3]), value, rtol=1e-12)


def test_variances_of_zero_in_large_groups(monkeypatch):
    frame = crossed()
    levels = np.column_stack([np.eye(50)[frame["a"]], np.eye(30)[frame["b"]]])
    frame["y"] -= levels[:, 50:] @ np.linalg.lstsq(levels, frame["y"], rcond=None)[0][50:]
    arguments = {"groups": "one", "vc_formula": {"a": "0 + C(a)", "b": "0 + C(b)"}}
    with pytest.warns(SingularMatrixWarning):
        expected = mixedlm("y ~ 0 + x", frame, **arguments).fit(reml=False)
    assert expected.vcomp[1] == pytest.approx(0.0, abs=1e-10)
    dense = np.sqrt(
        np.diag(covariance.parameter_covariance(expected.model, expected.params_object, None).matrix)
    )
    with pytest.warns(SingularMatrixWarning):
        found = mixedlm("y ~ 0 + x", frame, **arguments).fit(reml=False)
    assert_allclose(found.bse, dense, rtol=1e-5)
    assert np.isnan(found.bse.iloc[2])


def test_interiors():
    def inside(cov_re, vcomp):
        params = MixedLMParams.from_components(cov_re=np.array(cov_re), vcomp=vcomp)
        columns = np.sqrt(20) * np.linalg.qr(RNG.normal(size=(20, 2)))[0]
        return covariance.interior(params, columns, np.ones(2 + len(vcomp))).tolist()

    assert inside([[1.0, 0.2], [0.2, 1.0]], [0.0]) == [True, True, True, False]
    assert inside([[1.0, 0.0], [0.0, 0.0]], [1.0]) == [True, False, False, True]
    assert inside([[1.0, 1.0], [1.0, 1.0]], []) == [False, False, False]


def test_mediation_takes_our_models():
    frame = crossed(400)
    frame["m"] = frame["x"] + np.random.default_rng(1).normal(size=400)
    models = [mixedlm(f, frame, groups="g") for f in ("y ~ x + m", "m ~ x")]
    found = Mediation(*models, "x", "m").fit(n_rep=3, method="parametric").summary()
    assert np.isfinite(found["Estimate"]).all()


def in_both_parts():
    """A factor among the fixed effects and as a variance component."""
    rng = np.random.default_rng(152)
    frame = pd.DataFrame(
        {"s": rng.integers(0, 4, 120), "t": rng.integers(0, 9, 120), "x": rng.normal(size=120)}
    )
    frame["y"] = frame["s"] + rng.normal(size=9)[frame["t"]] + rng.normal(size=120)
    return frame.assign(one=1)


def test_variances_that_the_data_leave_open_have_no_standard_errors():
    frame, parts = in_both_parts(), {"s": "0 + C(s)", "t": "0 + C(t)"}
    model = mixedlm("y ~ C(s) + x", frame, groups="one", vc_formula=parts)
    with pytest.warns(UndeterminedWarning, match="do not determine their variance"):
        both = model.fit()
    fixed = mixedlm("y ~ C(s) + x", frame, groups="one", vc_formula={"t": "0 + C(t)"}).fit()
    assert np.isnan(both.bse.drop(["x", "t Var"])).all()
    assert_allclose(both.bse[["x", "t Var"]], fixed.bse[["x", "t Var"]], rtol=1e-4)
    assert_allclose(both.llf, fixed.llf)
    assert np.isnan(both.bse_re["s Var"])
    assert_allclose(both.bse_re["t Var"], fixed.bse_re["t Var"], rtol=1e-4)


def test_coefficients_that_the_fixed_effects_explain():
    frame = in_both_parts()
    frame["y"] += np.array([-2.0, 1.0, 3.0, -1.0])[frame["s"]] * frame["x"]
    with pytest.warns(UndeterminedWarning, match="do not determine their variance"):
        result = mixedlm("y ~ C(s) + x", frame, groups="s", re_formula="~x").fit()
    names = ["s Var", "s x x Cov"]
    assert np.isnan(result.bse[[*names, "Intercept", "C(s)[T.1]"]]).all()
    assert np.isfinite(result.bse["x"])


def test_covariances_that_no_level_tells_warn():
    frame = in_both_parts()
    frame["a"], frame["b"] = frame["t"] % 2 * 1.0, 1.0 - frame["t"] % 2
    with pytest.warns(UndeterminedWarning, match="no level has the observations"):
        result = mixedlm("y ~ x", frame, groups="t", re_formula="0 + a + b").fit()
    apart = mixedlm("y ~ x", frame, groups="t", vc_formula={"a": "0 + a", "b": "0 + b"}).fit()
    assert_allclose(result.bse.drop("a x b Cov"), apart.bse, rtol=1e-4)
    assert np.isnan(result.bse["a x b Cov"])


@pytest.mark.parametrize(("factor", "shift"), [(1e4, 0.0), (1e-5, 0.0), (1e7, 0.0), (1.0, 2e3)])
def test_singularity_is_that_of_any_units(monkeypatch, factor, shift):
    data = load_dietox()
    plain = mixedlm("Weight ~ Time", data, groups="Pig", re_formula="~Time").fit(reml=False)
    other = data.assign(Time=factor * data["Time"] + shift)
    moved = mixedlm("Weight ~ Time", other, groups="Pig", re_formula="~Time").fit(reml=False)
    assert_allclose(moved.llf, plain.llf, rtol=1e-8)
    assert_allclose(moved.bse["Time"] * factor, plain.bse["Time"], rtol=1e-4)
    assert_allclose(moved.bse_re["Time Var"] * factor**2, plain.bse_re["Time Var"], rtol=1e-3)
    assert np.isfinite(moved.bse).all()
