"""What users of lme4 rely on in inference; the numbers are those of a list of its behaviours."""

from __future__ import annotations

import numpy as np
import pytest

from mixedmodels import (
    ArgumentError,
    DataError,
    anova,
    glmer,
    lmer,
    load_cake,
    load_cbpp,
    load_dyestuff,
    load_pastes,
    load_sleepstudy,
)

SLEEP = load_sleepstudy()
SLOPES = "Reaction ~ Days + (Days | Subject)"


@pytest.fixture(scope="module")
def slopes():
    return lmer(SLOPES, SLEEP)


@pytest.fixture(scope="module")
def cbpp():
    return glmer("cbind(incidence, size - incidence) ~ period + (1 | herd)", load_cbpp(), "binomial")


def test_74_columns_of_anova_and_what_it_refuses(slopes, cbpp):
    smaller = slopes.update(". ~ . - Days")
    table = anova(smaller, slopes)
    columns = ["npar", "AIC", "BIC", "logLik", "-2*log(L)", "Chisq", "Df", "Pr(>Chisq)"]
    assert list(table.columns) == columns
    same = anova(slopes, lmer("Reaction ~ I(Days + 1) + (Days | Subject)", SLEEP))
    assert np.isnan(same["Pr(>Chisq)"].iloc[1])
    with pytest.raises((ArgumentError, DataError), match=r"rows|observations|response"):
        anova(slopes, lmer(SLOPES, SLEEP.iloc[:-10]))
    with pytest.raises(ArgumentError, match="nAGQ"):
        anova(cbpp, cbpp.update(". ~ . - period", nAGQ=9))


def test_75_wald_intervals():
    limits = lmer("Reaction ~ Days + (1 | Subject)", SLEEP).confint(ddf="inf")
    at = ["(Intercept)", "Days"]
    expected = [[232.301892, 270.508318], [8.891041, 12.043531]]
    np.testing.assert_allclose(limits.loc[at].to_numpy(), expected, rtol=1e-6)
    others = limits.drop(index=at)
    assert len(others) == 2
    assert others.isna().all(axis=None)


def test_76_row_names_of_intervals_are_those_of_every_method(slopes):
    expected = [
        "sd_(Intercept)|Subject",
        "sd_Days|Subject",
        "cor_Days.(Intercept)|Subject",
        "sigma",
        "(Intercept)",
        "Days",
    ]
    for ddf in ("inf", "satterthwaite", "kenward-roger"):
        assert list(slopes.confint(method="wald", ddf=ddf).index) == expected


def test_81_conditional_variances(slopes, cbpp):
    (blocks,) = slopes.ranef(condVar=True).condvar["Subject"]
    np.testing.assert_allclose(blocks[0].ravel(), [145.71273, -21.440414, -21.440414, 5.310927], rtol=3e-4)
    dyestuff = lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff(), REML=False)
    (blocks,) = dyestuff.ranef(condVar=True).condvar["Batch"]
    # lme4 gives 362.3583 where it stops. At the optimum, in closed form for balanced data:
    residual, batch = 2451.25, 1388.0 + 1.0 / 3.0
    np.testing.assert_allclose(blocks.ravel(), residual * batch / (residual + 5 * batch), rtol=1e-6)
    (blocks,) = cbpp.ranef(condVar=True).condvar["herd"]
    assert blocks.shape == (15, 1, 1)
    np.testing.assert_allclose([blocks.min(), blocks.max()], [0.0884, 0.2129], atol=1e-3)
    separate = lmer("Reaction ~ Days + (1 | Subject) + (0 + Days | Subject)", SLEEP)
    assert len(separate.ranef(condVar=True).condvar["Subject"]) == 2


def test_82_long_frame_of_random_effects(slopes):
    frame = slopes.ranef(condVar=True).to_frame()
    assert list(frame.columns) == ["grpvar", "term", "grp", "condval", "condsd"]
    assert len(frame) == 36


def test_86_summary_names_formula_groups_and_optimizer(slopes):
    text = str(slopes.summary())
    for part in (SLOPES, "groups: Subject 18", "trust_region: converged", "Correlation of fixed effects"):
        assert part in text
    wide = lmer("angle ~ recipe * temperature + (1 | recipe:replicate)", load_cake())
    assert wide.rank > 12
    assert "Correlation of fixed effects" not in str(wide.summary())
    assert "Correlation of fixed effects" in str(wide.summary(correlation=True))


def test_87_internal_scaling_is_invisible(slopes):
    scaled = lmer("Reaction ~ Big + (Big | Subject)", SLEEP.assign(Big=1e6 * SLEEP["Days"]))
    assert scaled.fixef()["Big"] * 1e6 == pytest.approx(slopes.fixef()["Days"], rel=1e-8)
    assert scaled.objective == pytest.approx(slopes.objective + 2 * np.log(1e6), abs=1e-6)
    np.testing.assert_allclose(
        scaled.vcov().to_numpy() * np.outer([1, 1e6], [1, 1e6]), slopes.vcov().to_numpy(), rtol=1e-6
    )
    assert scaled.model_matrix["Big"].iloc[1] == 1e6 * slopes.model_matrix["Days"].iloc[1]


def test_88_comparing_optimizers_leaves_the_fit_alone(slopes):
    before = slopes.theta.copy()
    assert len(slopes.allFit().fits) == 6
    np.testing.assert_array_equal(slopes.theta, before)


def test_89_degrees_of_freedom_of_the_likelihood(slopes, cbpp):
    assert slopes.logLik().df == 6
    assert cbpp.logLik().df == 5
    nested = lmer("strength ~ 1 + (1 | batch/cask)", load_pastes())
    assert nested.logLik().df == 4
