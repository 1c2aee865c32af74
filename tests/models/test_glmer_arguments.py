"""Arguments of glmer: what it takes, and what it says of the others."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest

from mixedmodels import (
    Control,
    GeneralizedLinearMixedModel,
    LinearMixedModel,
    families,
    glmer,
    lmer,
    load_cbpp,
    load_epil,
    load_grouseticks,
    load_sleepstudy,
)
from mixedmodels.errors import (
    ArgumentError,
    DataError,
    FormulaError,
    MissingColumnError,
    MixedModelsWarning,
    ModesError,
    RankDeficiencyWarning,
    SeparationWarning,
)
from shared_fits import USUAL, fits

CBPP = load_cbpp()
COUNTS = "cbind(incidence, size - incidence) ~ period + (1 | herd)"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, r"glmer needs a family; .*binomial \(logit, probit"),
        ({"family": "binomal"}, "did you mean 'binomial'"),
        ({"family": "binomial", "link": "sqrt"}, "links: logit, probit, cloglog, cauchit, log"),
        ({"family": "binomial", "nAGQ": 101}, "from 0 to 100, not 101"),
        ({"family": "binomial", "nAGQ": -1}, "from 0 to 100"),
        ({"family": "binomial", "nAGQ": 2.0}, "whole number"),
        ({"family": "binomial", "nAGQ": True}, "whole number"),
        ({"family": "binomial", "information": "fisher"}, "'observed', 'expected'"),
        ({"family": "binomial", "optimizer": "bobyka"}, "did you mean 'bobyqa'"),
        ({"family": "binomial", "control": {"max_evals": 3}}, "unknown option"),
        ({"family": "binomial", "verbose": 1}, "verbose"),
        ({"family": "binomial", "nb_theta": 2}, "negative binomial"),
        ({"family": "binomial", "start": {"fixef": [1]}}, "unknown entry 'fixef'"),
        ({"family": "binomial", "start": {"theta": [1, 2]}}, "theta has 1 entry"),
        ({"family": "binomial", "start": {"beta": [1, 2]}}, "there are 4 coefficients"),
        ({"family": "binomial", "start": {"beta": [1, 2, 3, np.nan]}}, r"period\[T.4\] is not finite"),
        ({"family": "binomial", "start": {"dispersion": 1}}, "no dispersion"),
        ({"family": "binomial", "optimizer": None}, "theta and beta are missing"),
        ({"family": "binomial", "optimizer": None, "start": {"theta": [1]}}, "beta is missing"),
    ],
)
def test_wrong_arguments(options, message):
    with pytest.raises(ArgumentError, match=message):
        glmer(COUNTS, CBPP, **options)


def test_unknown_arguments_and_names():
    with pytest.raises(TypeError, match="famly"):
        glmer(COUNTS, CBPP, famly="binomial")  # type: ignore[call-arg]
    with pytest.raises(MissingColumnError, match="herd"):
        glmer("cbind(incidence, size) ~ 1 + (1 | herds)", CBPP, "binomial")
    with pytest.raises(FormulaError, match="random-effects term"):
        glmer("cbind(incidence, size) ~ period", CBPP, "binomial")


@pytest.mark.parametrize(
    ("response", "family", "message"),
    [
        ("zero", "poisson", "zero is constant: every value is 0"),
        ("zero", "binomial", "zero is constant: every trial is a failure"),
        ("one", "binomial", "one is constant: every trial is a success"),
        ("one", "gamma", r"one is constant \(every value is 1\)"),
        ("cbind(size, zero)", "binomial", "every trial is a success"),
        ("name", "poisson", "text or categories .* poisson needs numbers"),
    ],
)
def test_responses_that_say_nothing(response, family, message):
    data = CBPP.assign(zero=0, one=1, name=CBPP["herd"].astype(str))
    with pytest.raises(DataError, match=message):
        glmer(f"{response} ~ period + (1 | herd)", data, family)


def test_quadrature_needs_one_small_grouping_factor():
    with pytest.raises(ArgumentError, match=r"single grouping factor.*2 \('herd:period', 'herd'\)"):
        glmer(
            "cbind(incidence, size - incidence) ~ 1 + (1 | herd/period)",
            CBPP.assign(period=CBPP["period"].astype(str)),
            "binomial",
            nAGQ=2,
        )
    with pytest.raises(ArgumentError, match="at most 3 random effects per level, but the model has 4"):
        glmer("cbind(incidence, size - incidence) ~ 1 + (period | herd)", CBPP, "binomial", nAGQ=2)


def test_a_gaussian_with_identity_link_is_a_linear_model():
    data, formula = load_sleepstudy(), "Reaction ~ Days + (Days | Subject)"
    with pytest.warns(MixedModelsWarning, match=r"lmer\(REML=False\)"):
        model = glmer(formula, data, "gaussian")
    assert isinstance(model, LinearMixedModel)
    assert model.objective == lmer(formula, data, REML=False).objective
    with pytest.warns(MixedModelsWarning, match=r"lmer\(REML=False\)"):
        held = glmer(formula, data, families.Gaussian(dispersion=400.0))
    assert held.sigma == 20.0
    assert held.objective == lmer(formula, data, REML=False, fixed={"sigma": 20.0}).objective


def test_the_same_model_in_different_words():
    """Counts, proportions with trials, and one row for each trial give the same estimates."""
    counts = glmer(COUNTS, CBPP, "binomial")
    shares = CBPP.assign(share=CBPP["incidence"] / CBPP["size"])
    by_share = glmer("share ~ period + (1 | herd)", shares, families.Binomial, weights="size")
    rows = CBPP.loc[CBPP.index.repeat(CBPP["size"])].reset_index(drop=True)
    order = np.concatenate([np.arange(size) for size in CBPP["size"]])
    rows["ill"] = np.where(order < rows["incidence"], "yes", "no")
    by_row = glmer("ill ~ period + (1 | herd)", rows, "Bernoulli")
    for other in (by_share, by_row):
        np.testing.assert_allclose(other.beta, counts.beta, atol=1e-5)
        np.testing.assert_allclose(other.theta, counts.theta, atol=1e-5)
    assert by_share.objective == pytest.approx(counts.objective, rel=1e-9)
    np.testing.assert_allclose(by_share.fitted(), counts.fitted(), atol=1e-6)
    assert by_row.nobs == CBPP["size"].sum()


def test_evaluation_at_a_start():
    start = {"theta": [0.6], "beta": [-1.4, -1.0, -1.1, -1.6]}
    model = glmer(COUNTS, CBPP, "binomial", optimizer=None, start=start)
    assert isinstance(model, GeneralizedLinearMixedModel)
    np.testing.assert_array_equal(model.beta, start["beta"])
    assert not model.convergence.converged
    assert model.objective == pytest.approx(184.20, abs=0.3)
    assert "Not optimised" in str(model.summary())


def test_dropped_columns():
    data = CBPP.assign(twice=2 * CBPP["size"])
    with pytest.warns(RankDeficiencyWarning, match="dropped column twice"):
        model = glmer("cbind(incidence, size - incidence) ~ size + twice + (1 | herd)", data, "binomial")
    assert model.rank == 2
    assert np.isnan(model.beta[2])
    assert model.vcov().shape == (3, 3)
    assert model.vcov(complete=False).shape == (2, 2)
    assert model.predict(data, re_form="~0").shape == (56,)


def test_separation_is_announced():
    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(12), 10)
    x = rng.normal(size=120)
    y = (rng.uniform(size=120) < 0.5).astype(int)
    treated = np.tile([0, 0, 0, 0, 0, 0, 0, 1, 1, 1], 12)
    data = pd.DataFrame({"y": np.where(treated == 1, 1, y), "x": x, "treated": treated, "g": g.astype(str)})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = glmer("y ~ x + treated + (1 | g)", data, "binomial")
    separation = [w for w in caught if issubclass(w.category, SeparationWarning)]
    assert len(separation) == 1
    assert "36 rows" in str(separation[0].message)
    assert "coefficient of treated" in str(separation[0].message)
    assert any("separate" in text for text in model.convergence.messages)


def test_strong_effects_are_no_separation():
    rng = np.random.default_rng(4)
    g = np.repeat(np.arange(12), 25)
    x = rng.normal(size=300)
    p = 1 / (1 + np.exp(-3 * x - rng.normal(size=12)[g]))
    data = pd.DataFrame({"y": (rng.uniform(size=300) < p).astype(int), "x": x, "g": g.astype(str)})
    with warnings.catch_warnings():
        warnings.simplefilter("error", SeparationWarning)
        glmer("y ~ x + (1 | g)", data, "binomial")


def test_the_size_of_a_negative_binomial():
    data = load_grouseticks()
    formula = "TICKS ~ YEAR + (1 | BROOD)"
    fixed = glmer(formula, data, "negative_binomial", nb_theta=0.9, control=Control(max_evaluations=200))
    same = glmer(formula, data, families.NegativeBinomial(size=0.9))
    assert fixed.objective == pytest.approx(same.objective, rel=1e-10)
    assert fixed.dispersion == fixed.sigma == 0.9
    assert fixed.df == 4
    assert "held fixed" in str(fixed.summary())


def test_expected_information_without_a_formula():
    data, formula = load_grouseticks(), "TICKS ~ YEAR + (1 | BROOD)"
    with pytest.raises(ArgumentError, match="nbinom1 has no formula"):
        glmer(formula, data, "nbinom1", information="expected")
    poisson = glmer(formula, data, "poisson", information="expected")
    with pytest.raises(ArgumentError, match="nbinom1 has no formula"):
        poisson.update(family="nbinom1")


@pytest.mark.parametrize("n_agq", [0, 1, 5])
def test_no_fixed_effects(n_agq):
    model = glmer("cbind(incidence, size - incidence) ~ 0 + (1 | herd)", CBPP, "binomial", nAGQ=n_agq)
    assert model.rank == 0
    assert len(model.fixef()) == 0
    assert model.df == 1
    assert "Fixed effects: none" in str(model.summary())
    if n_agq:
        assert list(model.vcov_parameters().index) == ["herd.(Intercept)"]


def test_modes_that_cannot_be_found_name_the_row():
    data = load_epil().set_axis([f"visit {i}" for i in range(236)])
    start = {"theta": [0.1], "beta": [-50.0, 3.0]}
    with pytest.raises(ModesError, match=r"row 'visit \d+' with subject = '\d+', y = \d+") as caught:
        glmer("y ~ lbase + (1 | subject)", data, "poisson", "identity", optimizer=None, start=start)
    assert caught.value.row is not None
    assert pickle.loads(pickle.dumps(caught.value)).row == caught.value.row


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("binomial(probit)", r"separately: 'binomial', link='probit'"),
        ("binomial(link = 'probit')", r"separately: 'binomial', link='probit'"),
        ("Gamma(log)", r"separately: 'gamma', link='log'"),
        ("poisson()", r"separately: 'poisson'$"),
        ("nonsense(log)", "unknown family"),
    ],
)
def test_a_family_with_its_link_in_one_text(text, hint):
    with pytest.raises(ArgumentError, match=hint):
        glmer("y ~ 1 + (1 | subject)", load_epil(), text)


def test_update_holds_the_size_of_the_negative_binomial():
    data = load_epil()
    free = glmer("y ~ trt + (1 | subject)", data, "nbinom2")
    held = glmer("y ~ trt + (1 | subject)", data, "nbinom2", nb_theta=3)
    poisson = glmer("y ~ trt + (1 | subject)", data, "poisson")
    for model in (free.update(nb_theta=3), poisson.update(family="nbinom2", nb_theta=3)):
        assert model.family == held.family
        assert model.objective == pytest.approx(held.objective, abs=1e-6)
    assert held.update(". ~ 1 + .").family == held.family
    assert held.update(nb_theta=None).objective == pytest.approx(free.objective, abs=1e-6)
    assert held.update(link="sqrt", nb_theta=4).family == families.NegativeBinomial("sqrt", size=4)
    assert poisson.update(nb_theta=None).family == poisson.family
    with pytest.raises(ArgumentError, match="nb_theta is the size of the negative binomial"):
        poisson.update(nb_theta=3)


@pytest.mark.parametrize("optimizer", ["bobyqa", "newuoa", "nelder_mead", "cobyla", "sbplx"])
def test_several_starts_are_for_the_trust_region(optimizer):
    control = Control(starts=3)
    linear = lmer("Reaction ~ Days + (1 | Subject)", load_sleepstudy(), control=control)
    generalized = glmer("y ~ trt + (1 | subject)", load_epil(), "poisson", control=control)
    for model in (linear, generalized):
        with pytest.raises(
            ArgumentError, match=rf"starts=3 is for optimizer='trust_region', not '{optimizer}'"
        ):
            model.update(optimizer=optimizer)
        assert model.update(optimizer=optimizer, control=Control(starts=1)).convergence.converged
        table = model.allFit(optimizers=["trust_region", optimizer], starts=1, rng=1).table
        assert table["objective"].notna().all()


def test_the_fast_fit_can_be_evaluated_at_theta():
    model = fits("cbpp", *USUAL["cbpp"], nAGQ=0)
    there = model.update(optimizer=None, start=model.theta)
    assert there.objective == pytest.approx(model.objective, abs=1e-9)
    np.testing.assert_allclose(there.fixef(), model.fixef(), rtol=1e-6)
