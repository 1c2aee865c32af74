"""The result of `profile`: points, limits, scales, ends, and what becomes of a better optimum."""

from __future__ import annotations

import pickle
import warnings
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

import mixedmodels as mm
from mixedmodels.errors import ArgumentError, MixedModelsWarning
from mixedmodels.inference.profiles.limits import quantile
from shared_fits import fits

SLOPES = "Reaction ~ Days + (Days | Subject)"


@pytest.fixture(scope="module")
def ml():
    return fits("sleepstudy", REML=False)


@pytest.fixture(scope="module")
def profile(ml):
    return ml.profile()


def test_published_limits_of_the_sleep_study(ml):
    limits = ml.confint(method="profile")
    assert list(limits.index) == list(ml.confint().index)
    np.testing.assert_allclose(
        limits.to_numpy()[:4],
        [[14.381, 37.716], [3.801, 8.753], [-0.482, 0.685], [22.898, 28.858]],
        atol=6e-4,
    )
    # As of a REML fit: the likelihood is profiled.
    of_reml = fits("sleepstudy").confint(method="profile")
    np.testing.assert_allclose(of_reml, limits, rtol=1e-7)
    assert "fitted by REML" in of_reml.notes[0]


def test_limits_of_the_reml_criterion():
    model = fits("sleepstudy")
    profile = model.profile(REML=True)
    assert profile.parameters == tuple(model.confint().index[:4])
    limits = profile.confint()
    base, z = model.objective, quantile(0.95)
    for key, name in (("sd__Days", "sd_Days|Subject"), ("sigma", "sigma")):
        for value in limits.loc[name]:
            held = mm.lmer(SLOPES, mm.load_sleepstudy(), fixed={key: value})
            assert held.objective - base == pytest.approx(z * z, abs=1e-6)
    with pytest.raises(ArgumentError, match="REML=True is for a linear model fitted by REML"):
        fits("sleepstudy", REML=False).profile(REML=True)
    with pytest.raises(ArgumentError, match="none of these parameters"):
        model.profile("beta_", REML=True)


def test_points_are_ordered_and_zeta_rises(ml, profile):
    frame = profile.to_frame()
    assert list(frame.columns[5:]) == list(ml.confint().index)
    for name, part in frame.groupby("parameter", sort=False):
        assert (np.diff(part["value"]) > 0).all()
        assert (np.diff(part["zeta"]) > 0).all()
        assert part["zeta"].max() == pytest.approx(quantile(0.99), abs=1e-6)
        np.testing.assert_allclose(part[name], part["value"], rtol=1e-9)
        np.testing.assert_allclose(np.square(part["zeta"]), part["objective"] - ml.objective, atol=1e-7)
    estimate = frame[frame["note"] == "estimate"]
    assert len(estimate) == 6
    np.testing.assert_allclose(estimate["Days"], ml.fixef()["Days"])


def test_scales(profile):
    as_is, squared, logs = (profile.confint(scale=scale) for scale in ("sd", "variance", "log"))
    sds = ["sd_(Intercept)|Subject", "sd_Days|Subject", "sigma"]
    np.testing.assert_allclose(squared.loc[sds], np.square(as_is.loc[sds]), rtol=1e-12)
    np.testing.assert_allclose(logs.loc[sds], np.log(as_is.loc[sds]), rtol=1e-12)
    rest = ["cor_Days.(Intercept)|Subject", "(Intercept)", "Days"]
    np.testing.assert_array_equal(squared.loc[rest], as_is.loc[rest])
    frame = profile.to_frame(scale="variance")
    np.testing.assert_allclose(frame["sigma"], np.square(profile.to_frame()["sigma"]))


def test_levels(ml, profile):
    for level in (0.5, 0.9, 0.99):
        np.testing.assert_allclose(profile.confint(level), ml.confint(level, method="profile"), rtol=1e-7)
    with pytest.raises(ArgumentError, match=r"profile\(level_max=0.999\)"):
        profile.confint(0.999)


def test_parameters_by_name_and_pattern(ml):
    for given, wanted in (
        ("sd_*", ["sd_(Intercept)|Subject", "sd_Days|Subject"]),
        ("beta_", ["(Intercept)", "Days"]),
        (["Days", "sigma"], ["sigma", "Days"]),
    ):
        for method in ("profile", "wald"):
            assert list(ml.confint(method=method, parm=given).index) == wanted
    assert list(ml.confint(method="profile", parm="theta_").index) == list(ml.confint().index[:4])
    with pytest.raises(ArgumentError, match=r"parm: no parameter 'Day'; did you mean 'Days'\?"):
        ml.confint(method="profile", parm="Day")
    with pytest.raises(ArgumentError, match="ddf is for method='wald'"):
        ml.confint(method="profile", ddf="inf")


def test_exact_zeta(ml, profile):
    z = quantile(0.95)
    for name, limits in profile.confint().iterrows():
        np.testing.assert_allclose(profile.zeta_at(name, limits), [-z, z], atol=1e-7)
    with pytest.raises(ArgumentError, match="must be between -1 and 1"):
        profile.zeta_at("cor_Days.(Intercept)|Subject", [1.5])
    assert profile.zeta_at("sd_Days|Subject", []).shape == (0,)


def test_a_limit_on_the_boundary_is_exactly_the_bound():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = mm.lmer("Yield ~ 1 + (1 | Batch)", mm.load_dyestuff2())
    limits = model.confint(method="profile")
    assert limits.loc["sd_(Intercept)|Batch"].iloc[0] == 0.0
    assert any("One-sided" in note and "sd_(Intercept)|Batch (lower)" in note for note in limits.notes)
    assert np.isfinite(limits).all(axis=None)
    # The estimate is the bound: no point above it is one.
    points = model.profile("sd_*").to_frame()
    assert points["note"].iloc[0] == "estimate"
    assert "at its bound" not in set(points["note"])


def test_a_limit_is_no_jump_to_another_minimum():
    rng = np.random.default_rng(7)
    g = np.repeat(np.arange(10), 6).astype(str)
    data = pd.DataFrame({"g": g, "x": rng.normal(size=60), "t": np.tile(np.arange(6), 10)})
    data["y"] = rng.normal(size=60) + data["x"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = mm.lmer("y ~ x + (1 + x + t | g)", data, REML=False)
        limits = model.confint(method="profile", parm="cor_*")
    # The likelihood hardly depends on the correlations.
    np.testing.assert_array_equal(limits, [[-1.0, 1.0]] * 3)
    assert not any("jumps" in note for note in limits.notes)


def test_a_side_that_cannot_be_computed_loses_no_other_profile():
    data = mm.load_sleepstudy().query("Days < 4").assign(f=lambda d: d["Days"].astype(int).astype(str))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # A row for each effect: as sigma goes to zero, the relative factor grows without end.
        profile = mm.lmer("Reaction ~ Days + ar1(0 + f | Subject)", data).profile()
    limits = profile.confint()
    assert np.isfinite(limits.loc[["sd_ar1|Subject", "(Intercept)", "Days"]]).all(axis=None)
    assert limits.loc["sigma"].iloc[0] == 0.0
    assert any("the other limit is the bound" in n and "sigma (lower)" in n for n in limits.notes)


def test_levels_near_one_have_their_own_names(profile):
    assert list(fits("sleepstudy").confint(0.999999).columns) == ["0.00005 %", "99.99995 %"]
    assert list(profile.confint(0.95).columns) == ["2.5 %", "97.5 %"]


def test_parameters_that_are_held_have_no_profile():
    model = mm.lmer(SLOPES, mm.load_sleepstudy(), REML=False, fixed={"sd__Days": 6.0, "Days": 10.0})
    limits = model.confint(method="profile")
    assert limits.loc[["sd_Days|Subject", "Days"]].isna().all(axis=None)
    assert any("Held fixed" in note for note in limits.notes)
    z, value = quantile(0.95), limits.loc["cor_Days.(Intercept)|Subject"].iloc[1]
    refit = mm.lmer(
        SLOPES,
        mm.load_sleepstudy(),
        REML=False,
        fixed={"sd__Days": 6.0, "Days": 10.0, "cor__(Intercept).Days": value},
    )
    assert refit.objective - model.objective == pytest.approx(z * z, abs=1e-6)


@pytest.mark.parametrize(
    ("fixed", "without"),
    [
        ({"theta": [None, 0.0, None]}, ["sd_(Intercept)", "sd_Days", "cor_Days.(Intercept)"]),
        ({"sd__Days": 0.0}, ["sd_Days", "cor_Days.(Intercept)"]),
    ],
)
def test_no_limits_of_what_the_held_parameters_decide(fixed, without):
    model = mm.lmer(SLOPES, mm.load_sleepstudy(), REML=False, fixed=fixed)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        limits = model.confint(method="profile")
    names = [f"{name}|Subject" for name in without]
    assert list(limits.index[limits.isna().all(axis=1)]) == names
    assert limits.drop(names).notna().all(axis=None)
    assert any("held fixed" in note and "cor_Days" in note for note in limits.notes)


def test_progress_rises(ml):
    calls = []
    ml.profile(progress=lambda done, total: calls.append((done, total)))
    assert calls[-1] == (6, 6)
    assert all(a < b for (a, _), (b, _) in pairwise(calls))


@pytest.mark.parametrize("n_agq", [0, 1, 9])
def test_every_approximation_of_a_generalized_model(n_agq):
    model = fits("cbpp", nAGQ=n_agq)
    limits = model.confint(method="profile")
    z = quantile(0.95)
    for key, name in (("sd__(Intercept)", "sd_(Intercept)|herd"), ("period[T.3]", "period[T.3]")):
        for value in limits.loc[name]:
            held = model.update(fixed={key: value})
            assert held.objective - model.objective == pytest.approx(z * z, abs=1e-5)


def test_the_parameter_of_a_family():
    model = mm.glmer("y ~ trt + lbase + (1 | subject)", mm.load_epil(), "nbinom2")
    limits = model.confint(method="profile", parm=["size", "trt*"])
    z = quantile(0.95)
    for value in limits.loc["size"]:
        held = model.update(fixed={"size": value})
        assert held.objective - model.objective == pytest.approx(z * z, abs=1e-5)


def test_a_better_optimum_is_reported_and_returned():
    data = mm.load_sleepstudy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        poor = mm.lmer(SLOPES, data, REML=False, start=[0.3, 0.0, 0.1], control=mm.Control(max_evaluations=1))
    with pytest.warns(MixedModelsWarning, match="falls below its value at the estimates"):
        profile = poor.profile("Days")
    good = fits("sleepstudy", REML=False)
    assert profile.better.objective == pytest.approx(good.objective, abs=1e-6)
    assert poor.objective > good.objective + 1.0
    assert good.profile("Days").better is None


def test_progress(ml):
    seen = []
    ml.confint(method="profile", progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (6, 6)
    assert all(0 <= done <= 6 for done, _ in seen)

    def stop(done, total):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        ml.profile(progress=stop)


def test_a_profile_can_be_pickled(profile):
    again = pickle.loads(pickle.dumps(profile))
    pd.testing.assert_frame_equal(again.to_frame(), profile.to_frame())
    np.testing.assert_allclose(again.confint(0.8), profile.confint(0.8))
