"""Distances between conditional modes and what each group alone says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mixedmodels import glmer, lmer, load_cbpp, load_dyestuff2, load_sleepstudy
from mixedmodels.errors import SingularFitWarning
from shared_fits import fits


def test_distances_of_scalar_effects_follow_from_the_shrinkage_factor():
    # Balanced: b = f b*, f = ns²/(ns² + σ²), so the distance is (1 - f)/f |b| / s.
    model = fits("dyestuff")
    found, sd = model.shrinkage(), model.VarCorr()["Batch"].sd[0]
    factor = 5 * sd**2 / (5 * sd**2 + model.sigma**2)
    modes = model.ranef()["Batch"]["(Intercept)"]
    np.testing.assert_allclose(found.unshrunken["Batch"]["(Intercept)"], modes / factor)
    np.testing.assert_allclose(found["Batch"]["norm"], (1 - factor) / factor * modes.abs() / sd)


def test_unshrunken_estimates_are_separate_regressions():
    model, data = fits("sleepstudy"), load_sleepstudy()
    found = model.shrinkage()
    rows = data[data["Subject"] == "330"]
    slope, intercept = np.polyfit(rows["Days"], rows["Reaction"], 1)
    own = np.array([intercept, slope]) - model.fixef().to_numpy()
    np.testing.assert_allclose(found.unshrunken["Subject"].loc["330"], own)
    d = own - model.ranef()["Subject"].loc["330"]
    distance = np.sqrt(d @ np.linalg.solve(model.VarCorr()["Subject"].cov, d))
    assert found["Subject"].loc["330", "norm"] == pytest.approx(distance)


def test_distances_do_not_depend_on_units_or_origin():
    data = load_sleepstudy()
    model = fits("sleepstudy")
    other = lmer(
        "Reaction ~ x + (x | Subject)",
        data.assign(x=(data["Days"] + 3) * 100, Reaction=data["Reaction"] / 1e3),
    )
    np.testing.assert_allclose(other.shrinkage()["Subject"], model.shrinkage()["Subject"], rtol=1e-4)


def test_table_in_long_form():
    found = fits("sleepstudy").shrinkage()
    table = found.to_frame()
    assert list(table.columns) == ["group", "term", "level", "unshrunken", "mode", "shift"]
    assert len(table) == 36
    np.testing.assert_allclose(table["mode"] - table["unshrunken"], table["shift"])
    with pytest.raises(KeyError, match="'Subject'"):
        found["Item"]


def test_terms_of_one_factor_have_distances_of_their_own():
    model = lmer("Reaction ~ Days + (1 | Subject) + (0 + Days | Subject)", load_sleepstudy())
    assert list(model.shrinkage()["Subject"].columns) == ["norm", "norm.1"]
    assert list(model.shrinkage().modes["Subject"].columns) == ["(Intercept)", "Days"]


def test_no_variance_is_infinitely_far_away():
    with pytest.warns(SingularFitWarning):
        model = lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff2())
    assert np.isinf(model.shrinkage()["Batch"]["norm"]).all()


def test_groups_that_determine_nothing_have_no_distance():
    data = load_sleepstudy()
    model = lmer("Reaction ~ Days + (Days | Subject)", data[(data["Subject"] != "308") | (data["Days"] == 0)])
    norms = model.shrinkage()["Subject"]["norm"]
    assert np.isnan(norms["308"])
    assert np.isfinite(norms.drop("308")).all()


def test_generalized_models_use_the_last_step():
    model = glmer("cbind(incidence, size - incidence) ~ period + (1 | herd)", load_cbpp(), "binomial")
    found, variance = model.shrinkage(), model.VarCorr()["herd"].cov[0, 0]
    # At the modes z'W(z b* - z b) = b / variance.
    data = load_cbpp()
    mu = model.fitted()
    weights = pd.Series(data["size"] * mu * (1 - mu)).groupby(data["herd"], observed=True).sum()
    modes = model.ranef()["herd"]["(Intercept)"]
    shift = found.unshrunken["herd"]["(Intercept)"] - modes
    np.testing.assert_allclose(weights.loc[modes.index].to_numpy() * shift, modes / variance, atol=1e-6)
