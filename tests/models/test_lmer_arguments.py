"""Arguments of lmer: what they do, and what they refuse."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import pytest

from mixedmodels import (
    Control,
    augment,
    emmeans,
    emtrends,
    fit_many,
    glmer,
    linear_hypothesis,
    lmer,
    load_dyestuff,
    load_dyestuff2,
    load_sleepstudy,
    predict,
    update,
    vcov_cluster,
)
from mixedmodels.errors import (
    ArgumentError,
    ConvergenceWarning,
    DataError,
    FormulaError,
    MissingColumnError,
    MixedModelError,
    MixedModelsWarning,
    RankDeficiencyWarning,
    SingularFitWarning,
)

SLOPE = "Reaction ~ Days + (Days | Subject)"
DATA = load_sleepstudy()


@pytest.mark.parametrize(
    "options",
    [
        {"weights": np.ones(180)},
        {"offset": np.zeros(180)},
        {"subset": np.ones(180, dtype=bool)},
        {"contrasts": None},
        {"start": [1.0, 0.0, 1.0]},
        {"start": {"theta": [3.0, -1.0, 0.5]}},
        {"control": {"max_evaluations": 1000}},
        {"control": Control(tolerance=1e-10)},
        {"na_action": "exclude"},
    ],
    ids=lambda options: next(iter(options)),
)
def test_neutral_arguments_leave_the_fit_as_it_is(options):
    model, plain = lmer(SLOPE, DATA, **options), lmer(SLOPE, DATA)
    assert model.objective == pytest.approx(plain.objective, abs=1e-7)
    np.testing.assert_allclose(model.theta, plain.theta, atol=1e-5)


@pytest.mark.parametrize("optimizer", ["bobyqa", "newuoa", "nelder_mead", "cobyla", "sbplx"])
def test_every_optimizer_reaches_the_optimum(optimizer):
    model = lmer(SLOPE, DATA, optimizer=optimizer)
    # lme4 1.1-31 (lmm.json, sleep_slope_reml)
    assert model.objective == pytest.approx(1743.62827195849, abs=1e-6)
    assert model.convergence.checked
    assert model.convergence.converged
    assert model.convergence.predicted_fall < 1e-5


def test_without_optimising():
    model = lmer(SLOPE, DATA, optimizer=None, start=[1.0, 0.0, 1.0])
    np.testing.assert_array_equal(model.theta, [1.0, 0.0, 1.0])
    assert model.convergence.status == "not optimised"
    assert "Not optimised" in str(model.summary())


def test_the_objective_at_given_theta():
    # Published for Dyestuff: lme4's test-suite, REML(1) and REML(0).
    for theta, wanted in [(1.0, 319.792389042), (0.0, 326.023232156)]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SingularFitWarning)
            model = lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff(), optimizer=None, start=[theta])
        assert model.objective == pytest.approx(wanted, abs=1e-8)


def test_the_limit_on_evaluations_is_told():
    with pytest.warns(ConvergenceWarning, match=r"limit on evaluations.*Subject\.\(Intercept\)") as caught:
        model = lmer(SLOPE, DATA, control=Control(max_evaluations=2))
    assert caught[0].filename == __file__
    assert not model.convergence.converged
    assert model.convergence.status == "max_evaluations"
    assert "NOT CONVERGED" in str(model.summary())
    assert model.convergence.problem in str(model.summary())


def test_a_false_optimum_is_told():
    with pytest.warns(ConvergenceWarning, match="gradient is largest for|curves downwards along"):
        lmer(SLOPE, DATA, optimizer="nelder_mead", control={"tolerance": 1e-2})


def test_the_check_of_derivatives_can_be_switched_off():
    model = lmer(SLOPE, DATA, optimizer="bobyqa", control={"check_derivatives": False})
    assert not model.convergence.checked
    assert "derivatives not checked" in str(model.summary())


def test_a_singular_fit_is_told_once_at_the_line_of_the_user():
    with pytest.warns(SingularFitWarning, match=r"variance of \(Intercept\)") as caught:
        model = lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff2())
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert model.is_singular()
    assert model.theta[0] == 0.0
    assert "Singular fit" in str(model.summary())
    assert model.convergence.messages


def test_dropped_columns_are_named():
    data = DATA.assign(Twice=2 * DATA["Days"] + 1)
    with pytest.warns(RankDeficiencyWarning, match="Twice"):
        model = lmer("Reaction ~ Days + Twice + (1 | Subject)", data)
    assert model.dropped_columns == ("Twice",)
    assert np.isnan(model.fixef()["Twice"])
    assert np.isnan(model.beta[2])
    assert list(model.fixef(add_dropped=False).index) == ["(Intercept)", "Days"]
    assert model.rank == 2
    assert model.df == 4
    plain = lmer("Reaction ~ Days + (1 | Subject)", DATA)
    np.testing.assert_allclose(model.predict(data), plain.predict(), rtol=1e-9)
    assert "Dropped columns" in str(model.summary())
    assert model.vcov(complete=False).shape == (2, 2)
    assert np.isnan(model.vcov().loc["Twice"]).all()


def test_as_many_random_effects_as_observations():
    data = DATA[DATA["Days"] < 2]
    with pytest.warns(MixedModelsWarning, match=r"36 random effects .* 36 observations"):
        lmer("Reaction ~ Days + (Days | Subject)", data)
    with pytest.raises(DataError, match=r"36 random effects .* 36 observations"):
        lmer("Reaction ~ Days + (Days | Subject)", data, control={"check_effects": "error"})


def test_verbose_prints_the_evaluations(capsys):
    lmer(SLOPE, DATA)
    assert capsys.readouterr().out == ""
    lmer(SLOPE, DATA, verbose=True)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 3
    assert lines[0].startswith("evaluation    1  objective 17")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"optimizer": "bobyq"}, ArgumentError, "did you mean 'bobyqa'.*nelder_mead"),
        ({"optimizer": 3}, ArgumentError, "unknown optimizer 3"),
        ({"optimizer": None}, ArgumentError, "start="),
        ({"control": {"maxfun": 3}}, ArgumentError, "'maxfun'.*max_evaluations"),
        ({"control": {"max_evaluations": 0}}, ArgumentError, "max_evaluations"),
        ({"control": {"max_evaluations": 1.5}}, ArgumentError, "max_evaluations"),
        ({"control": {"tolerance": -1.0}}, ArgumentError, "tolerance"),
        ({"control": {"check_effects": "warnign"}}, ArgumentError, "'warnign'"),
        ({"control": {"verbose": 1}}, ArgumentError, "verbose"),
        ({"control": 5}, ArgumentError, "control"),
        ({"REML": "ML"}, ArgumentError, "REML"),
        ({"start": [1.0]}, ArgumentError, r"3 entries: Subject\.\(Intercept\), Subject\.Days\.\(Intercept\)"),
        ({"start": {"thta": [1.0]}}, ArgumentError, "'theta', got 'thta'"),
        ({"start": [-1.0, 0.0, 1.0]}, ArgumentError, "not negative"),
        ({"start": [np.nan, 0.0, 1.0]}, ArgumentError, "finite"),
        ({"start": "large"}, ArgumentError, "numbers"),
        ({"verbose": 1}, ArgumentError, "verbose"),
        ({"weights": np.ones(18)}, ArgumentError, "18 values for 180 rows"),
        ({"weights": -np.ones(180)}, DataError, "negative"),
        ({"offset": np.full(180, np.inf)}, DataError, "infinite"),
    ],
)
def test_bad_arguments(options, error, message):
    with pytest.raises(error, match=message):
        lmer(SLOPE, DATA, **options)


def test_unknown_arguments_are_refused():
    with pytest.raises(TypeError, match="weigths"):
        lmer(SLOPE, DATA, weigths="w")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("formula", "data", "error", "message"),
    [
        ("Reaction ~ Dayz + (1 | Subject)", DATA, MissingColumnError, "Days"),
        ("Reaction ~ Days + (1 | )", DATA, FormulaError, "grouping factor"),
        ("Reaction ~ Days + (1 | Subject", DATA, FormulaError, "closed"),
        ("Reaction ~ Days", DATA, FormulaError, "random-effects term"),
        ("Reaction ~ Days + (1 | Subject)", DATA.iloc[:0], DataError, "no rows"),
        ("Reaction ~ Days + (1 | Subject)", DATA.iloc[:10], DataError, "one level"),
        ("Reaction ~ 1 + (1 | Days)", DATA.iloc[:10], DataError, "as many levels"),
        ("Reaction ~ Days + (1 | Subject)", DATA.assign(Reaction=7.0), DataError, "Reaction is constant"),
        ("Reaction ~ Days + (1 | Subject)", DATA.assign(Reaction=np.nan), DataError, "Reaction"),
        ("Subject ~ Days + (1 | Subject)", DATA, DataError, "not numeric"),
        ("Reaction ~ Days + (1 | Subject)", None, DataError, "None"),
    ],
)
def test_bad_data(formula, data, error, message):
    with pytest.raises(error, match=message):
        lmer(formula, data)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d, m: lmer(d, SLOPE), r"formula comes first, then the data: lmer\('Reaction ~ Days"),
        (lambda d, m: glmer(d, SLOPE, "poisson"), r"formula comes first, then the data: glmer\("),
        (lambda d, m: glmer(SLOPE, "poisson", d), "then the data, then the family"),
        (lambda d, m: fit_many(d, "~ Days + (1 | Subject)", ["Reaction"]), "formula comes first"),
        (lambda d, m: lmer({"y": [1]}, "y ~ 1 + (1 | g)"), "the first argument is a dict"),
        (lambda d, m: emmeans("~ Days", m), "the model comes first"),
        (lambda d, m: emtrends("~ 1", m, "Days"), "the model comes first"),
        (lambda d, m: predict(d, m), "the model comes first"),
        (lambda d, m: update(". ~ . - Days", m), "the model comes first"),
        (lambda d, m: augment(d, m), "the model comes first"),
        (lambda d, m: linear_hypothesis("Days = 0", m), "the model comes first"),
        (lambda d, m: vcov_cluster("Subject", m), "the model comes first"),
        (lambda d, m: m.update(d), r"for other data write update\(data=\.\.\.\)"),
    ],
)
def test_arguments_in_the_wrong_order(call, message):
    with pytest.raises(MixedModelError, match=message):
        call(DATA, lmer(SLOPE, DATA))


def test_later_changes_to_the_arguments_do_not_reach_the_model():
    data, weights = DATA.copy(), np.ones(180)
    model = lmer(SLOPE, data, weights=weights)
    residuals, fixef = model.residuals(), model.fixef()
    data.loc[:, "Reaction"] = 0.0
    data["Days"] = 1
    weights[:] = 5.0
    np.testing.assert_array_equal(model.residuals(), residuals)
    np.testing.assert_allclose(model.update(REML=True).fixef(), fixef)


def test_a_control_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Control().tolerance = 1.0  # type: ignore[misc]
