"""Every spelling in the tables of the page on lme4 is one that works, and synonyms have the same value."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tables_of_names import cells

import mixedmodels as mm
from shared_fits import fits

PAGE = "coming-from-lme4.md"


@cache
def names() -> dict[str, Any]:
    """What the pieces of code call f, data, m, ..."""
    rng = np.random.default_rng(4)
    data = pd.DataFrame(
        {
            "g": np.repeat([f"g{i}" for i in range(15)], 12),
            "a": pd.Categorical(np.tile(["p", "q", "r"], 60)),
            "b": pd.Categorical(np.tile(np.repeat(["u", "v"], 3), 30)),
            "x": rng.normal(size=180) + 2.0,
            "w": rng.uniform(0.5, 2.0, 180),
            "ill": rng.integers(0, 2, 180),
            "count": rng.negative_binomial(2, 0.3, 180),
        }
    )
    levels = np.repeat(rng.normal(size=15), 12)
    data["y"] = data["x"] + levels + rng.normal(size=180)
    m = mm.lmer("y ~ x + a * b + (1 | g)", data)
    return {
        **{
            name: getattr(mm, name)
            for name in (
                "lmer",
                "glmer",
                "families",
                "Control",
                "anova",
                "extend",
                "simulate_formula",
                "LinearMixedModel",
            )
        },
        "f": "y ~ x + a + (1 | g)",
        "myfun": lambda objective, gradient, start, bounds: start,
        "data": data,
        "newdata": data.head(3),
        "y": data["y"].to_numpy()[::-1].copy(),
        "L": np.eye(m.rank)[1:2],
        "m": m,
        "m0": mm.lmer("y ~ x + a + b + (1 | g)", data),
        "m1": mm.lmer("y ~ x + (1 | g)", data),
        "g": fits("cbpp"),
        "e": m.emmeans("~ a"),
    }


# The response of the formula where the family needs another one.
RESPONSES = {"probit": "ill", "nbinom2": "count", "NegativeBinomial": "count"}


def value(code: str) -> Any:
    local = dict(names())
    for word, response in RESPONSES.items():
        if word in code:
            local["f"] = local["f"].replace("y", response)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mm.MixedModelsWarning)
        return eval(code, {"print": lambda *_: None}, local)


HERE = [code for table in ("fitting", "results", "tests") for code in cells(PAGE, table, 1)]
SYNONYMS = [code for table in ("results", "tests") for code in cells(PAGE, table, 2)]


@pytest.mark.parametrize("code", HERE + SYNONYMS)
def test_the_page_is_right_about(code):
    value(code)


def test_there_is_something_to_check():
    assert len(HERE) > 50
    assert len(SYNONYMS) > 15


@pytest.mark.parametrize(
    ("here", "synonym"),
    [
        ("m.fixef()", "m.params"),
        ("m.se", "m.bse"),
        ("m.coef_test()['t value']", "m.tvalues"),
        ("m.coef_test()['Pr(>|t|)']", "m.pvalues"),
        ("m.vcov()", "m.cov_params()"),
        ("m.confint().loc['x']", "m.conf_int().loc['x']"),
        ("m.fitted()", "m.fittedvalues"),
        ("m.residuals()", "m.resid"),
        ("float(m.logLik())", "m.llf"),
        ("m.AIC()", "m.aic"),
        ("m.BIC()", "m.bic"),
        ("m.nobs - m.rank", "m.df_resid"),
        ("m.convergence.converged", "m.converged"),
        ("m.convergence.n_evaluations", "m.n_evaluations"),
        ("m.linear_hypothesis(L)['F value']", "m.f_test(L)['F value']"),
    ],
)
def test_synonyms_have_the_same_value(here, synonym):
    np.testing.assert_array_equal(np.asarray(value(here)), np.asarray(value(synonym)))


SLEEP, MACHINES, CBPP = mm.load_sleepstudy(), mm.load_machines(), mm.load_cbpp()
INCIDENCE = "cbind(incidence, size - incidence) ~ period + (1 | herd)"
# Twenty groups of two rows.
PAIRS = pd.DataFrame(
    {
        "y": np.random.default_rng(1).normal(size=40),
        "g": np.repeat(range(20), 2),
        "x": np.tile([0.0, 1.0], 20),
    }
)


def test_the_optimum_of_ten_correlated_effects():
    with pytest.warns(mm.MixedModelsWarning, match="180 random effects"):
        model = mm.lmer("Reaction ~ Days + (0 + factor(Days) | Subject)", SLEEP, REML=False)
    # lme4 1.1-31 ends at 1622.89750951, after 5,882 evaluations.
    assert 1622.89750951 - model.objective == pytest.approx(3.6e-4, abs=5e-6)
    assert model.n_evaluations < 30


def test_checks_of_the_number_of_effects():
    with pytest.warns(mm.MixedModelsWarning, match="40 random effects"):
        mm.lmer("y ~ x + (x | g)", PAIRS)
    with pytest.raises(mm.DataError, match="40 random effects"):
        mm.lmer("y ~ x + (x | g)", PAIRS, control={"check_effects": "error"})
    rows = PAIRS.assign(row=range(40))
    with pytest.raises(mm.DataError, match="as many levels"):
        mm.lmer("y ~ x + (1 | row)", rows)
    mm.lmer("y ~ x + (1 | row)", rows, control={"check_effects": "ignore"})


def test_rows_with_weight_zero_are_left_out():
    weights = np.repeat([0.0, 1.0], [3, 177])
    assert mm.lmer("Reaction ~ Days + (1 | Subject)", SLEEP, weights=weights).nobs == 177


def test_the_double_bar_and_effects_written_twice():
    with pytest.warns(mm.FormulaWarning, match="3 variance parameters"):
        double = mm.lmer("score ~ Machine + (0 + Machine || Worker)", MACHINES)
    assert len(double.theta) == 3
    with pytest.warns(mm.FormulaWarning, match="3 covariance parameters where 4 were written"):
        twice = mm.lmer("Reaction ~ Days + (1 | Subject) + (Days | Subject)", SLEEP)
    assert twice.df == 6


def test_names_and_coding():
    late = SLEEP.assign(late=SLEEP["Days"] > 4)
    for term, name in (("late", "late"), ("factor(late)", "factor(late)[T.True]")):
        assert list(mm.lmer(f"Reaction ~ {term} + (1 | Subject)", late).fixef().index)[1] == name
    coded = mm.lmer("score ~ Machine + (Machine | Worker)", MACHINES, contrasts={"Machine": "sum"})
    assert list(coded.ranef()["Worker"].columns) == ["(Intercept)", "Machine[S.A]", "Machine[S.B]"]
    products = mm.lmer("y ~ b:a + (1 | g)", names()["data"])
    assert len(products.fixef()) == 6
    assert list(products.fixef().index)[1:3] == ["a[T.q]", "a[T.r]"]
    assert len(mm.lmer("y ~ 0 + b:a + (1 | g)", names()["data"]).fixef()) == 6


def test_unknown_levels_and_empty_cells():
    with pytest.raises(mm.NewLevelsError, match="Machine"):
        fits("machines").predict({"Machine": ["Z"]}, re_form="~0")
    data = names()["data"]
    with pytest.warns(mm.RankDeficiencyWarning):
        gap = mm.lmer("y ~ a * b + (1 | g)", data[(data["a"] != "q") | (data["b"] != "v")])
    with pytest.warns(mm.EstimabilityWarning, match=r"a = 'q', b = 'v'"):
        assert np.isnan(gap.predict({"a": ["q"], "b": ["v"]}, re_form="~0")).all()


def test_families_quadrature_and_deviance():
    with pytest.raises(mm.ArgumentError, match="needs a family"):
        mm.glmer(INCIDENCE, CBPP)
    assert (mm.families.Gamma().link, mm.families.InverseGaussian().link) == ("log", "log")
    quadrature = mm.glmer(INCIDENCE, CBPP, "binomial", nAGQ=9)
    assert (round(fits("cbpp").AIC(), 1), round(quadrature.AIC(), 1)) == (194.1, 194.0)
    assert fits("cbpp").deviance() == pytest.approx(-2 * fits("cbpp").llf)
    counts = mm.load_epil()
    held = mm.glmer("y ~ trt + (1 | subject)", counts, mm.families.NegativeBinomial(size=2))
    free = mm.glmer("y ~ trt + (1 | subject)", counts, "nbinom2")
    assert held.df == free.df - 1
    shares = CBPP.assign(share=CBPP["incidence"] / CBPP["size"], trials=CBPP["size"] + 0.3)
    with pytest.raises(mm.DataError, match="whole number"):
        mm.glmer("share ~ period + (1 | herd)", shares, "binomial", weights="trials")
