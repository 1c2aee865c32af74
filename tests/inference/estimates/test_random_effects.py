"""Conditional modes and their variances."""

from __future__ import annotations

import numpy as np
import pytest

from mixedmodels import lmer, load_dyestuff, load_sleepstudy
from mixedmodels.errors import ArgumentError
from shared_fits import fits

DATA = load_sleepstudy()


def test_conditional_variances_of_the_slope_model():
    # lme4 1.1-31 (lmm.json, sleep_slope_reml)
    effects = fits("sleepstudy").ranef(condVar=True)
    (variances,) = effects.condvar["Subject"]
    assert variances.shape == (18, 2, 2)
    wanted = [[145.705103677, -21.444426594], [-21.444426594, 5.312273667]]
    np.testing.assert_allclose(variances, np.broadcast_to(wanted, (18, 2, 2)), rtol=1e-6)


def test_conditional_variance_of_an_intercept():
    # lme4 1.1-31 (lmm.json, dyestuff_ml)
    effects = fits("dyestuff", REML=False).ranef(condVar=True)
    np.testing.assert_allclose(effects.condvar["Batch"][0], 362.310473, rtol=1e-6)


def test_one_array_a_term():
    # lme4 1.1-31 (lmm.json, sleep_two_terms)
    effects = lmer("Reaction ~ Days + (1 | Subject) + (0 + Days | Subject)", DATA, REML=False).ranef(
        condVar=True
    )
    first, second = effects.condvar["Subject"]
    assert first[0] == pytest.approx(146.246709798, rel=1e-5)
    assert second[0] == pytest.approx(5.34116775, rel=1e-5)
    assert list(effects["Subject"].columns) == ["(Intercept)", "Days"]


def test_frames():
    effects = fits("sleepstudy").ranef()
    assert list(effects) == ["Subject"]
    assert len(effects) == 1
    table = effects["Subject"]
    assert table.index.name == "Subject"
    assert table.index[0] == "308"
    assert table.loc["308"].to_numpy() == pytest.approx([2.2585, 9.1990], abs=1e-3)
    assert "308" in repr(effects)
    assert "<table" in effects._repr_html_()
    with pytest.raises(KeyError, match="Subject"):
        effects["subject"]


def test_long_frame():
    model = fits("sleepstudy")
    assert list(model.ranef().to_frame()) == ["grpvar", "term", "grp", "condval"]
    table = model.ranef(condVar=True).to_frame()
    assert list(table) == ["grpvar", "term", "grp", "condval", "condsd"]
    assert len(table) == 36
    assert table["condsd"].iloc[0] == pytest.approx(np.sqrt(145.705103677), rel=1e-6)
    assert table["condsd"].iloc[-1] == pytest.approx(np.sqrt(5.312273667), rel=1e-6)


def test_effects_of_one_name_stay_apart():
    rng = np.random.default_rng(1)
    model = lmer(
        "Reaction ~ Days + (1 | Subject) + (0 + Days | Subject)",
        DATA.assign(Days=DATA["Days"] + rng.normal(size=180)),
    )
    assert model.VarCorr().keys() == ["Subject", "Subject.1"]
    assert [component.group for component in model.VarCorr()] == ["Subject", "Subject"]


def test_condvar_is_yes_or_no():
    with pytest.raises(ArgumentError, match="condVar"):
        lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff()).ranef(condVar="yes")


def test_conditional_covariances_as_a_table():
    # lme4 1.1-31 (lmm.json, sleep_slope_reml)
    table = fits("sleepstudy").ranef(condVar=True).condvar_frame()
    assert len(table) == 18 * 3
    first = table.iloc[:3]
    assert first["grp"].tolist() == ["308"] * 3
    assert list(zip(first["var1"], first["var2"], strict=True)) == [
        ("(Intercept)", None),
        ("Days", None),
        ("(Intercept)", "Days"),
    ]
    np.testing.assert_allclose(first["vcov"], [145.705103677, 5.312273667, -21.444426594], rtol=1e-6)
    sds = np.sqrt(first["vcov"].iloc[:2])
    np.testing.assert_allclose(first["sdcor"], [*sds, first["vcov"].iloc[2] / sds.prod()])
    assert len(fits("penicillin").ranef(condVar=True).condvar_frame()) == 24 + 6
    with pytest.raises(ArgumentError, match="condVar=True"):
        fits("sleepstudy").ranef().condvar_frame()


@pytest.mark.parametrize("name", ["sleepstudy", "penicillin", "pastes", "cbpp"])
def test_spherical_effects_are_what_lambda_turns_into_the_modes(name):
    model = fits(name)
    spherical, modes, blocks = model.ranef(uscale=True), model.ranef(), model.getME("Tlist")
    assert list(spherical) == list(modes)
    for factor, group in zip(blocks.values(), modes, strict=True):
        np.testing.assert_allclose(spherical[group] @ factor.T, modes[group], atol=1e-9)


def test_variances_are_those_of_the_modes():
    with pytest.raises(ArgumentError, match="leave out condVar or uscale"):
        fits("sleepstudy").ranef(condVar=True, uscale=True)
