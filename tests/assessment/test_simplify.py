"""The ladder of simpler random effects."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from mixedmodels import anova, lmer, load_dyestuff2, simplify
from mixedmodels.assessment.reductions import reductions
from mixedmodels.errors import ArgumentError, MixedModelsWarning, SingularFitWarning
from shared_fits import fits


def data(slope, seed=1):
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(40), 10)
    frame = pd.DataFrame({"g": g, "x": np.tile(np.linspace(-1, 1, 10), 40)})
    b = rng.normal(size=(40, 2)) * [1.0, slope]
    frame["y"] = 1 + frame["x"] + b[g, 0] + b[g, 1] * frame["x"] + rng.normal(0.0, 0.5, len(g))
    frame["f"] = pd.Categorical(np.array(["a", "b"])[np.arange(len(g)) % 2])
    return frame


def quiet(formula, frame):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedModelsWarning)
        return lmer(formula, frame)


def test_steps_are_likelihood_ratio_tests_of_fits():
    model = fits("sleepstudy")
    table = model.simplify()
    assert table["random effects"].tolist() == ["(Days | Subject)", "(Days || Subject)", "(1 | Subject)"]
    smaller = model.update(table.recommended)
    assert table.recommended == "Reaction ~ Days + (Days || Subject)"
    test = anova(model, smaller, refit=False)
    assert table["LRT"][1] == pytest.approx(test["Chisq"].iloc[-1])
    assert table["p.value"][1] == pytest.approx(test["Pr(>Chisq)"].iloc[-1])
    assert table["AIC"][1] == pytest.approx(smaller.aic)
    assert table["BIC"][1] == pytest.approx(smaller.bic)
    assert table["dimension"].tolist() == ["2/2", "2/2", "1/1"]
    assert table["step"].tolist() == ["0", "1 *", "2"]


def test_slopes_that_are_not_there_go_and_others_stay():
    without = simplify(quiet("y ~ x + (x | g)", data(0.0)))
    assert without.recommended == "y ~ x + (1 | g)"
    assert simplify(quiet("y ~ x + (x | g)", data(1.0))).recommended == "y ~ x + (x || g)"
    # The model itself is recommended where nothing can go.
    assert simplify(quiet("y ~ x + (1 | g)", data(1.0))).recommended == "y ~ x + (1 | g)"


def test_interactions_go_before_their_parts():
    model = quiet("y ~ x * f + (x * f | g)", data(0.0, 3))
    changes = [part.what for part in reductions(model._fitted)]
    assert changes == ["no correlations", "without x:f in (x * f | g)"]
    ladder = simplify(model)
    assert ladder.recommended == "y ~ x * f + (1 | g)"
    effects = ladder["random effects"].tolist()
    assert effects[0] == "(x * f | g)"
    npar = ladder["npar"].tolist()
    assert npar == sorted(npar, reverse=True)


def test_structures_and_whole_terms():
    sleep = fits("sleepstudy").data.assign(day=lambda d: d["Days"].astype(str))
    found = [
        part.what for part in reductions(quiet("Reaction ~ Days + cs(0 + day | Subject)", sleep)._fitted)
    ]
    assert found == ["no correlations", "(1 | Subject) for all effects"]
    two = fits("penicillin")
    assert [part.what for part in reductions(two._fitted)] == ["without (1 | plate)", "without (1 | sample)"]
    assert two.simplify().recommended == two.formula


def test_what_remains_keeps_its_structure_and_its_spelling():
    frame = data(0.0).rename(columns={"x": "two words"})
    frame["z"] = np.cos(np.arange(len(frame)))
    left = "1 + `two words` + z"
    changes = {
        bar: [part.change for part in reductions(quiet(f"y ~ z + {bar}", frame)._fitted)]
        for bar in (f"zerocorr({left} | g)", f"({left} || g)")
    }
    for bar, (first, second) in zip(("diag({} | g)", "({} || g)"), changes.values(), strict=True):
        assert first.endswith(" + " + bar.format("1 + z"))
        assert second.endswith(" + " + bar.format("1 + `two words`"))
    full = quiet("y ~ f + zerocorr(1 + z + fulldummy(f) | g)", frame)
    found = [part.change for part in reductions(full._fitted)]
    assert found[0].endswith(" + diag(1 + fulldummy(f) | g)")
    assert found[1].endswith(" + diag(1 + z | g)")


def test_alpha_decides():
    model = quiet("y ~ x + (x | g)", data(0.0))
    assert model.simplify(0.999).recommended == model.formula
    with pytest.raises(ArgumentError, match="alpha"):
        model.simplify(2)


def test_parameters_that_are_held_are_refused():
    model = quiet("y ~ x + (1 | g)", data(0.0))
    held = lmer("y ~ x + (1 | g)", data(0.0), fixed={"sd__(Intercept)": 1.0})
    with pytest.raises(ArgumentError, match="simplify"):
        held.simplify()
    assert model.simplify().recommended


def test_the_model_is_not_changed():
    model = fits("machines")
    before = model.theta.copy()
    model.simplify()
    assert model.theta.tolist() == before.tolist()


def test_effects_that_are_written_twice():
    sleep = fits("sleepstudy").data
    # The one term has taken in the other: the ladder is that of the larger one.
    twice = quiet("Reaction ~ Days + (Days | Subject) + (0 + Days | Subject)", sleep).simplify()
    once = fits("sleepstudy").simplify()
    assert twice["random effects"].tolist()[1:] == once["random effects"].tolist()[1:]
    assert twice.recommended == once.recommended
    same = quiet("Reaction ~ Days + cs(Days | Subject) + cs(Days | Subject)", sleep).simplify()
    assert same["random effects"].tolist()[1] == "cs(Days | Subject)"
    assert same.recommended == "Reaction ~ Days + diag(Days | Subject)"


def test_condition_numbers_of_covariance_factors():
    # MixedModels.jl 5.8.4 tests cond(m) of this fit; see mixedmodels_jl.json.
    assert fits("sleepstudy", REML=False).rePCA()["Subject"].condition == pytest.approx(4.1753, abs=1e-4)
    with pytest.warns(SingularFitWarning):
        singular = lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff2())
    assert singular.rePCA()["Batch"].condition == np.inf


def test_perfectly_correlated_effects_become_one():
    sleep = fits("sleepstudy").data.assign(f=np.tile(list("abcde"), 36))
    model = quiet("Reaction ~ f + cs(0 + f | Subject)", sleep)
    ladder = model.simplify()
    assert ladder.recommended == "Reaction ~ f + (1 | Subject)"
    assert ladder["LRT"][1] == pytest.approx(
        quiet(ladder.recommended, sleep).objective - model.objective, rel=1e-4
    )
    check = model.check_singularity()
    assert "(1 | Subject), with" in check.advice
    # Rounding is no variance.
    assert check.value == 0
    assert check.table["least sd"].tolist() == [0.0]
    assert model.rePCA()["Subject"].sdev[1:].tolist() == [0.0] * 4
    # Not nested: effects that no intercept has.
    apart = quiet("Reaction ~ Days + cs(0 + Days + I(Days^2) | Subject)", sleep)
    assert [part.what for part in reductions(apart._fitted)] == ["no correlations"]


def test_a_recommended_model_that_is_singular_says_so():
    frame = data(0.0)
    frame["noise"] = np.random.default_rng(3).normal(size=len(frame))
    frame["noise"] -= frame.groupby("g")["noise"].transform("mean")
    ladder = quiet("noise ~ x + (x | g)", frame).simplify()
    assert ladder.recommended == "noise ~ x + (1 | g)"
    assert "still singular: (1 | g): variance of (Intercept) estimated as zero; leave out" in str(ladder)
    assert "still singular" not in str(fits("sleepstudy").simplify())


def test_rounding_is_no_likelihood_ratio():
    sleep = fits("sleepstudy").data
    table = quiet("Reaction ~ Days + (Days | Subject) + (1 | Days)", sleep).simplify()
    ratios = table["LRT"].dropna()
    assert ((ratios == 0) | (ratios > 1e-9)).all()


def test_parameters_that_are_held_are_named_as_the_user_wrote_them():
    held = lmer("y ~ x + (x | g)", data(1.0), fixed={"sd_x|g": 1.0})
    with pytest.raises(ArgumentError, match=r"\(sd_x\|g = 1\)"):
        held.simplify()
