"""Names of parameters in `fixed`, and the errors for those that do not fit."""

import re

import numpy as np
import pytest

from mixedmodels import ArgumentError, glmer, lmer, load_cbpp, load_penicillin, load_sleepstudy, tidy
from mixedmodels.fit.fixed import resolve

SLEEP = "Reaction ~ Days + (Days | Subject)"
CBPP = "cbind(incidence, size - incidence) ~ period + (1 | herd)"


@pytest.fixture(scope="module")
def design():
    return lmer(SLEEP, load_sleepstudy(), optimizer=None, start=[1, 0, 1])._fitted.design


@pytest.mark.parametrize(
    ("key", "place"),
    [
        ("sd__(Intercept)", (0, 0)),
        ("Subject.sd__Days", (0, 1)),
        (("Subject", "sd__Days"), (0, 1)),
        ("cor__(Intercept).Days", (0, 2)),
    ],
)
def test_standard_deviations_and_correlations(design, key, place):
    held = resolve({key: 0.5}, design)
    assert held.natural == ((*place, 0.5),)
    assert held.n_variances == 1


def test_every_name_of_tidy_is_understood(design):
    model = lmer(SLEEP, load_sleepstudy())
    table = tidy(model, ["fixed", "ran_pars"])
    for group, term, value in zip(table["group"], table["term"], table["estimate"], strict=True):
        held = resolve({term if group is None else (group, term): value}, design)
        assert len(held.texts) == 1


@pytest.mark.parametrize(
    ("fixed", "theta"),
    [
        ({"theta": [None, 0.2, None]}, ((1, 0.2),)),
        ({"theta": np.array([1.0, 0.2, 0.3])}, ((0, 1.0), (1, 0.2), (2, 0.3))),
        ({"theta[2]": 0.2}, ((2, 0.2),)),
    ],
)
def test_entries_of_theta(design, fixed, theta):
    assert resolve(fixed, design).theta == theta


def test_coefficients_and_sigma(design):
    held = resolve({"Days": 10, ("fixed", "(Intercept)"): 250, "Residual.sigma": 20}, design)
    assert held.coefficients == ((0, 250.0), (1, 10.0))
    assert held.sigma == 20.0
    assert set(held.texts) == {"Days = 10", "(Intercept) = 250", "sigma = 20"}


@pytest.mark.parametrize(
    ("fixed", "message"),
    [
        ({"sigm": 1.0}, "no parameter 'sigm'; did you mean 'sigma'? These can be held: sigma"),
        ({"sd__Dayz": 1.0}, "did you mean 'sd__Days'?"),
        ({("Item", "sd__Days"): 1.0}, "no parameter ('Item', 'sd__Days')"),
        ({3: 1.0}, "no parameter of type int"),
        ({"sd__Days": -1.0}, "sd__Days must be zero or positive, not -1"),
        ({"cor__(Intercept).Days": 1.5}, "must be between -1 and 1, not 1.5"),
        ({"sigma": 0.0}, "sigma must be positive, not 0"),
        ({"sigma": np.nan}, "sigma must be a finite number"),
        ({"Days": np.inf}, "Days must be a finite number"),
        ({"Days": "10"}, "Days must be a finite number, not '10'"),
        ({"Days": True}, "Days must be a finite number"),
        ({"theta": [1.0]}, "theta must be a list of 3 values"),
        ({"theta[0]": -1.0}, "theta[0] must be zero or positive"),
        ({"theta[3]": 1.0}, "theta has 3 entries, from theta[0] on"),
        ({"sigma": 1.0, "sd__Observation": 1.0}, "names sigma again"),
        ({"theta[0]": 1.0, "sd__Days": 3.0}, "entries of theta or standard deviations"),
        ([("sigma", 1.0)], "fixed must map names of parameters to values"),
    ],
)
def test_what_does_not_fit_is_refused(fixed, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        lmer(SLEEP, load_sleepstudy(), fixed=fixed)


def test_ambiguous_names_are_told_apart_by_their_group():
    data = load_penicillin()
    formula = "diameter ~ 1 + (1 | plate) + (1 | sample)"
    with pytest.raises(ArgumentError, match="names 2 parameters; say which: \\('plate', 'sd__"):
        lmer(formula, data, fixed={"sd__(Intercept)": 1.0})
    for key in ("sample.sd__(Intercept)", ("sample", "sd__(Intercept)")):
        model = lmer(formula, data, fixed={key: 1.5})
        assert model.VarCorr()["sample"].sd[0] == pytest.approx(1.5, rel=1e-12)
        assert model.VarCorr()["plate"].sd[0] != pytest.approx(1.5, rel=1e-2)
        assert "sample.sd__(Intercept) = 1.5" in str(model.summary())


def test_a_second_term_of_a_group_goes_by_the_name_that_tidy_gives_it():
    data = load_sleepstudy()
    formula = "Reaction ~ Days + (1 | Subject) + (0 + Days | Subject)"
    by_name = lmer(formula, data, fixed={"sd__Days": 5.0})
    by_group = lmer(formula, data, fixed={("Subject.1", "sd__Days"): 5.0})
    assert by_name.objective == by_group.objective
    assert by_name.VarCorr()["Subject.1"].sd[0] == pytest.approx(5.0, rel=1e-12)


def test_families_without_a_dispersion_say_so():
    with pytest.raises(ArgumentError, match="family binomial has no dispersion parameter"):
        glmer(CBPP, load_cbpp(), "binomial", fixed={"dispersion": 2.0})
