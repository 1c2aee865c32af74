"""drop1 and ranova: which terms, and what is left of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mixedmodels import (
    drop1,
    glmer,
    lmer,
    load_cbpp,
    load_dyestuff,
    load_machines,
    load_penicillin,
    load_sleepstudy,
    load_sleepstudy_x,
    ranova,
)
from mixedmodels.errors import ArgumentError
from mixedmodels.inference.likelihood.boundary import mixture_p_value
from mixedmodels.inference.likelihood.reduced_fits import objective_without_random_effects
from shared_fits import fits

SLEEP = load_sleepstudy()


def frame(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    data = pd.DataFrame(
        {"f": rng.choice(list("abc"), 240), "h": rng.choice(list("uv"), 240), "x": rng.normal(size=240)}
    )
    data["g"] = np.arange(240) % 20
    effects = rng.normal(size=(20, 4))
    data["y"] = rng.normal(size=240) + effects[data["g"], 0] + data["x"] * effects[data["g"], 1]
    data["y"] += (data["f"] == "b") * effects[data["g"], 2] + (data["h"] == "v") * effects[data["g"], 3]
    data["g"] = data["g"].astype(str)
    return data


def test_drop1_fits_the_smaller_models():
    data = frame(1)
    model = lmer("y ~ f * h + x + (1 | g)", data, REML=False)
    table = drop1(model)
    assert list(table.index) == ["<none>", "x", "f:h"]
    for label in ("x", "f:h"):
        smaller = model.update(f". ~ f * h + x - {label} + (1 | g)")
        assert table.loc[label, "AIC"] == pytest.approx(smaller.AIC(), rel=1e-10)
        assert table.loc[label, "npar"] == model.df - smaller.df
    with_reml = drop1(model.refit(REML=True))
    np.testing.assert_allclose(with_reml["LRT"], table["LRT"], rtol=1e-7)
    assert "by ML (instead of REML)" in str(with_reml)


def test_drop1_without_an_intercept():
    data = frame(2)
    model = lmer("y ~ 0 + f + h + (1 | g)", data, REML=False)
    table = drop1(model)
    # Without f, h has all its levels.
    assert table.loc["f", "AIC"] == pytest.approx(lmer("y ~ h + (1 | g)", data, REML=False).AIC(), rel=1e-10)
    assert table.loc["f", "npar"] == 2


def test_drop1_keeps_the_rows():
    data = load_sleepstudy_x()
    model = lmer(
        "Reaction ~ Days + DaysNA + (1 | Subject)", data.assign(DaysNA=data["DaysNA"] ** 2), REML=False
    )
    table = drop1(model)
    complete = data[data["DaysNA"].notna()]
    wanted = lmer("Reaction ~ Days + (1 | Subject)", complete, REML=False).AIC()
    assert table.loc["DaysNA", "AIC"] == pytest.approx(wanted, rel=1e-10)


def test_drop1_of_a_generalized_model():
    model = fits("cbpp")
    table = drop1(model)
    assert table.loc["period", "AIC"] == pytest.approx(model.update(". ~ . - period").AIC(), rel=1e-9)
    with pytest.raises(ArgumentError, match="test='Chisq'"):
        drop1(model, test="F")


def test_drop1_of_nothing():
    with pytest.raises(ArgumentError, match="no fixed-effects term"):
        drop1(lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff()))
    with pytest.raises(ArgumentError, match="test='F'"):
        drop1(lmer("Reaction ~ Days + (1 | Subject)", SLEEP), ddf="inf")


def test_ranova_fits_the_smaller_models():
    data = frame(3)
    cases = {
        "(x + f | g)": {"x in (x + f | g)": "(f | g)", "f in (x + f | g)": "(x | g)"},
        "(x * h | g)": {"x:h in (x * h | g)": "(x + h | g)"},
        "(0 + f | g)": {"f in (0 + f | g)": "(1 | g)"},
        "(0 + f + h | g)": {"f in (0 + f + h | g)": "(0 + h | g)", "h in (0 + f + h | g)": "(0 + f | g)"},
        "(0 + f + x | g)": {"f in (0 + f + x | g)": "(0 + x | g)", "x in (0 + f + x | g)": "(0 + f | g)"},
        "(x || g)": {"(1 | g)": "(0 + x | g)", "x in (0 + x | g)": "(1 | g)"},
        # The constant is within the columns of f: there is no term (1 | g) to leave out.
        "(1 | g) + (0 + f | g)": {"f in (0 + f | g)": "(1 | g)"},
        "(1 | g) + (0 + f || g)": {"(1 | g)": "(0 + f || g)", "f in (0 + f | g)": "(1 | g)"},
    }
    for random, smaller in cases.items():
        model = quiet(f"y ~ f + h + x + {random}", data)
        table = ranova(model)
        assert list(table.index) == ["<none>", *smaller]
        assert table.loc["<none>", "npar"] == model.df
        for label, left in smaller.items():
            wanted = quiet(f"y ~ f + h + x + {left}", data)
            assert table.loc[label, "logLik"] == pytest.approx(float(wanted.logLik()), rel=1e-8), (
                random,
                label,
            )
            assert table.loc[label, "npar"] == wanted.df


def quiet(*arguments, **options):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return lmer(*arguments, **options)


@pytest.mark.parametrize("reml", [True, False])
def test_the_linear_model(reml):
    """At theta = 0 the mixed model is the linear one."""
    data = load_sleepstudy_x()
    options = {"weights": "w", "offset": np.linspace(0, 50, 180)}
    model = lmer("Reaction ~ Days + (1 | Subject)", data, REML=reml, **options)
    wanted = model._fitted.engine.evaluate(np.zeros(1), reml)["objective"]
    assert objective_without_random_effects(model._fitted) == pytest.approx(wanted, rel=1e-12)
    table = ranova(model)
    assert list(table.index) == ["<none>", "(1 | Subject)"]
    assert table["LRT"].iloc[1] == pytest.approx(wanted - model.objective, rel=1e-10)
    assert table["Pr(mixture)"].iloc[1] == pytest.approx(table["Pr(>Chisq)"].iloc[1] / 2, rel=1e-10)


def test_the_mixture():
    # Stram & Lee (1994): half of chi2(1), half of chi2(2).
    assert mixture_p_value(3.0, 1) == pytest.approx(0.5 * 0.08326451666 + 0.5 * np.exp(-1.5), rel=1e-8)
    assert mixture_p_value(0.0, 0) == 1.0
    table = ranova(fits("sleepstudy"))
    assert table["Pr(mixture)"].iloc[1] == pytest.approx(mixture_p_value(table["LRT"].iloc[1], 1))
    assert "50:50 mixture" in str(table)
    # More than one variance at once: no mixture that is known.
    slopes = ranova(quiet("score ~ Machine + (Machine | Worker)", load_machines()))
    assert np.isnan(slopes["Pr(mixture)"].iloc[1])
    assert slopes["Df"].iloc[1] == 5


def test_ranova_of_generalized_models():
    data = load_cbpp().assign(row=np.arange(56).astype(str))
    two = glmer("cbind(incidence, size - incidence) ~ period + (1 | herd) + (1 | row)", data, "binomial")
    table = ranova(two)
    one = glmer("cbind(incidence, size - incidence) ~ period + (1 | herd)", data, "binomial")
    assert table.loc["(1 | row)", "logLik"] == pytest.approx(float(one.logLik()), rel=1e-8)
    # R 4: logLik(glm(cbind(incidence, size - incidence) ~ period, binomial, cbpp)).
    assert one.ranova()["logLik"].iloc[1] == pytest.approx(-99.02919949, abs=1e-7)


def test_order_of_the_formula():
    model = lmer("diameter ~ 1 + (1 | sample) + (1 | plate)", load_penicillin())
    assert list(ranova(model).index) == ["<none>", "(1 | sample)", "(1 | plate)"]


def test_the_data_of_the_fit_may_be_given():
    model = lmer("Reaction ~ Days + (1 | Subject)", SLEEP)
    pd.testing.assert_frame_equal(model.drop1(SLEEP), model.drop1())
    pd.testing.assert_frame_equal(drop1(model, SLEEP, "F"), model.drop1("F"))
    with pytest.raises(ArgumentError, match="drop1: data has 10 rows, but the model was fitted to 180"):
        model.drop1(SLEEP[:10])
    with pytest.raises(ArgumentError, match="test must be one of 'F', 'Chisq', not 'wald'"):
        model.drop1("wald")
    with pytest.raises(ArgumentError, match="drop1: data must be the data of the fit, not 'F'"):
        model.drop1("F", "kenward-roger")
