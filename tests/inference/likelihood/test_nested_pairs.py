"""Likelihood-ratio tests of nested pairs of any kind, and pairs that are not nested."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest

import mixedmodels as mm
from shared_fits import fits

sm = pytest.importorskip("statsmodels.api")
smf = pytest.importorskip("statsmodels.formula.api")


def sleep() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    data = mm.load_sleepstudy()
    return data.assign(z=rng.normal(size=180), w=rng.uniform(0.5, 2.0, 180), c=rng.poisson(3, 180))


def p_of(one: Any, other: Any) -> float:
    return float(mm.anova(one, other)["Pr(>Chisq)"].iloc[1])


def heading(one: Any, other: Any) -> str:
    return "\n".join(mm.anova(one, other).heading)


SLEEP = sleep()


def lmer(formula: str, **options: Any) -> Any:
    return mm.lmer(f"Reaction ~ {formula}", SLEEP, REML=False, **options)


@pytest.mark.parametrize(
    ("smaller", "larger", "part"),
    [
        ("z + (1 | Subject)", "Days + (Days | Subject)", "fixed effects"),
        ("z + (1 | Subject)", "Days + I(Days^2) + (1 | Subject)", "fixed effects"),
        ("Days + (0 + Days | Subject)", "Days + I(Days^2) + (1 | Subject)", "random effects"),
        ("1 + (1 | Subject)", "0 + Days + (Days | Subject)", "fixed effects"),
    ],
)
@pytest.mark.filterwarnings("ignore::mixedmodels.MixedModelsWarning")
def test_pairs_that_are_not_nested_have_no_p_value(smaller: str, larger: str, part: str) -> None:
    one, other = lmer(smaller), lmer(larger)
    assert np.isnan(p_of(one, other))
    assert f"differ in {part}" in heading(other, one)


@pytest.mark.parametrize(
    ("smaller", "larger"),
    [
        # Other columns that span the same space.
        ("Days + I(Days^2) + (1 | Subject)", "poly(Days, 2) + z + (1 | Subject)"),
        ("scale(Days) + (1 | Subject)", "Days + z + (1 | Subject)"),
        # Covariance families.
        ("Days + (Days || Subject)", "Days + (Days | Subject)"),
        ("Days + (scale(Days, scale = FALSE) | Subject)", "Days + z + (Days | Subject)"),
        ("Days + (0 + Days | Subject)", "Days + (Days | Subject)"),
        ("Days + (1 | Subject)", "Days + (1 | Subject) + (0 + z | Subject)"),
    ],
)
@pytest.mark.filterwarnings("ignore::mixedmodels.MixedModelsWarning")
def test_nested_pairs_have_a_p_value_whatever_their_columns(smaller: str, larger: str) -> None:
    one, other = lmer(smaller), lmer(larger)
    assert 0.0 <= p_of(one, other) <= 1.0
    assert "not nested" not in heading(one, other)


@pytest.mark.filterwarnings("ignore::mixedmodels.MixedModelsWarning")
def test_an_interaction_of_groups_is_within_the_effects_of_its_factor() -> None:
    data = mm.load_machines()
    one = mm.lmer("score ~ Machine + (1 | Worker) + (1 | Worker:Machine)", data)
    other = mm.lmer("score ~ Machine + (0 + Machine | Worker)", data)
    assert "not nested" not in heading(one, other)
    crossed = fits("penicillin")
    both = mm.lmer("diameter ~ plate + (1 | sample)", mm.load_penicillin())
    assert "random effects" in heading(crossed, both)


def nearly_the_same() -> pd.DataFrame:
    """Factors and predictors that differ in few of 3000 rows."""
    rng = np.random.default_rng(2)
    data = pd.DataFrame(
        {"g": np.repeat(np.arange(100), 30), "h": rng.integers(0, 50, 3000), "x": rng.normal(size=3000)}
    )
    a = data["g"].astype(str)
    return data.assign(
        a=a,
        moved=a.mask(data.index.isin([17, 777]), "50"),
        merged=a.mask(data["g"] == 70, "71"),
        split=a.mask((data["g"] == 70) & (data.index % 2 == 0), "new"),
        x2=data["x"].mask(data.index.isin([100, 1000]), 5.0),
        y=rng.normal(size=100)[data["g"]] + rng.normal(size=3000),
    )


@pytest.mark.filterwarnings("ignore::mixedmodels.MixedModelsWarning")
@pytest.mark.parametrize(
    ("smaller", "larger"),
    [
        *[("(1 | a)", f"(1 | {name}) + (1 | h)") for name in ("moved", "merged", "split")],
        *[(f"(1 | {name})", "(1 | a) + (1 | h)") for name in ("moved", "merged", "split")],
        ("(x || a)", "(x2 | a)"),
        ("(x2 || a)", "(x | a)"),
        ("(0 + x | a)", "(0 + x2 | a) + (1 | h)"),
    ],
)
def test_random_effects_that_differ_in_few_rows(smaller: str, larger: str) -> None:
    data = nearly_the_same()
    one, other = (mm.lmer(f"y ~ {term}", data, REML=False) for term in (smaller, larger))
    assert "not nested" in heading(one, other)
    assert np.isnan(p_of(one, other))


@pytest.mark.filterwarnings("ignore::mixedmodels.MixedModelsWarning")
def test_a_regression_does_not_contain_random_effects() -> None:
    assert "random effects" in heading(lmer("Days + (1 | Subject)"), "Reaction ~ poly(Days, 4) + z")


def repeated() -> pd.DataFrame:
    """Twelve rows of four times for each of 20 groups."""
    rng = np.random.default_rng(5)
    data = pd.DataFrame(np.indices((20, 4, 3)).reshape(3, -1).T, columns=["g", "t", "r"])
    return data.assign(
        g=data["g"].astype(str),
        f=data["t"].map(lambda t: "abcd"[t]),
        x=rng.normal(size=len(data)),
        y=rng.normal(size=(20, 4))[data["g"], data["t"]] + rng.normal(size=len(data)),
    )


REPEATED = repeated()


@pytest.mark.filterwarnings("ignore::mixedmodels.MixedModelsWarning")
@pytest.mark.parametrize(
    ("smaller", "larger", "nested"),
    [
        ("diag(0 + f | g)", "cs(0 + f | g)", True),
        ("homdiag(0 + f | g)", "cs(0 + f | g)", True),
        ("homcs(0 + f | g)", "cs(0 + f | g)", True),
        ("(1 | g) + (1 | g:f)", "cs(0 + f | g)", True),
        ("(1 | g)", "cs(0 + f | g)", True),
        ("(1 | g)", "cs(1 + x | g)", True),
        ("(1 | g:f)", "ar1(0 + f | g)", True),
        ("ar1(0 + f | g)", "toep(0 + f | g)", True),
        ("ar1(0 + f | g)", "hetar1(0 + f | g)", True),
        ("cs(0 + f | g)", "toep(0 + f | g)", True),
        ("hetar1(0 + f | g)", "ante(0 + f | g)", True),
        ("homcs(0 + f | g)", "hetar1(0 + f | g)", False),
        ("ar1(0 + f | g)", "cs(0 + f | g)", False),
        ("(0 + x | g)", "cs(0 + f | g)", False),
        ("(x | g)", "toep(0 + f | g)", False),
        ("(1 | r)", "ar1(0 + f | g)", False),
    ],
)
def test_covariance_structures(smaller: str, larger: str, nested: bool) -> None:
    one, other = (mm.lmer(f"y ~ 1 + {term}", REPEATED, REML=False) for term in (smaller, larger))
    text = heading(one, other)
    assert ("not nested" in text, "not decided" in text) == (not nested, False)
    assert np.isnan(p_of(one, other)) != nested


@pytest.mark.filterwarnings("ignore::mixedmodels.MixedModelsWarning")
def test_what_a_model_holds() -> None:
    held = {"sd_z|Subject": 2.0}
    one = lmer("Days + (1 | Subject) + (0 + z | Subject)", fixed=held)
    assert p_of(one, lmer("Days + (1 | Subject) + (0 + z | Subject)")) >= 0.0
    # Of held values it would depend whether the other model has the covariance matrices.
    assert "was not decided" in heading(one, lmer("Days + (Days | Subject)"))


def test_a_formula_without_random_effects_is_the_regression_of_statsmodels() -> None:
    m = lmer("Days + (1 | Subject)")
    table, result = m.anova("Reaction ~ Days"), smf.ols("Reaction ~ Days", SLEEP).fit()
    assert table["logLik"].iloc[0] == pytest.approx(result.llf, rel=1e-10)
    assert table["npar"].tolist() == [3, 4]
    for same in (result, smf.glm("Reaction ~ Days", SLEEP).fit()):
        pd.testing.assert_frame_equal(pd.DataFrame(m.anova(same)), pd.DataFrame(table), rtol=1e-9)
    assert "50:50 mixture of χ² with 0 and 1" in "\n".join(table.heading)


def test_weights_of_the_model_are_those_of_the_regression() -> None:
    m = lmer("Days + (1 | Subject)", weights="w")
    result = smf.wls("Reaction ~ Days", SLEEP, weights=SLEEP["w"]).fit()
    table = m.anova("Reaction ~ Days")
    assert table["logLik"].iloc[0] == pytest.approx(result.llf, rel=1e-10)
    assert m.anova(result)["Chisq"].iloc[1] == pytest.approx(table["Chisq"].iloc[1], rel=1e-9)
    # Without the weights it is another likelihood.
    assert np.isnan(m.anova(smf.ols("Reaction ~ Days", SLEEP).fit())["Pr(>Chisq)"].iloc[1])


def test_a_regression_uses_the_rows_of_the_model() -> None:
    data = SLEEP.copy()
    data.loc[data.index[:20], "z"] = np.nan
    m = mm.lmer("Reaction ~ Days + z + (1 | Subject)", data, REML=False)
    table = m.anova("Reaction ~ Days")
    result = smf.ols("Reaction ~ Days", data.dropna()).fit()
    assert table["logLik"].iloc[0] == pytest.approx(result.llf, rel=1e-10)
    again = m.refit(data["Reaction"].dropna().to_numpy()[20:] ** 0.5)
    with pytest.raises(mm.DataError, match="different responses"):
        again.anova(result)
    assert again.anova("Reaction ~ Days")["logLik"].iloc[0] == pytest.approx(
        smf.ols("np.sqrt(Reaction) ~ Days", data.iloc[20:]).fit().llf, rel=1e-10
    )


def test_generalized_models_and_their_regressions() -> None:
    cbpp, m = mm.load_cbpp(), fits("cbpp")
    table = m.anova("cbind(incidence, size - incidence) ~ period")
    result = smf.glm("incidence + I(size - incidence) ~ period", cbpp, family=sm.families.Binomial()).fit()
    assert table["logLik"].iloc[0] == pytest.approx(result.llf, rel=1e-9)
    assert m.anova(result)["Chisq"].iloc[1] == pytest.approx(table["Chisq"].iloc[1], rel=1e-7)


@pytest.mark.parametrize("options", [{}, {"nAGQ": 5}, {"fixed": {"period[T.2]": -1.0}}])
def test_ranova_of_the_only_random_effect_of_a_generalized_model(options: dict[str, Any]) -> None:
    formula = "cbind(incidence, size - incidence) ~ period"
    m = mm.glmer(f"{formula} + (1 | herd)", mm.load_cbpp(), "binomial", **options)
    table, pair = m.ranova(), m.anova(formula)
    assert table.loc["(1 | herd)", "LRT"] == pytest.approx(pair["Chisq"].iloc[1], rel=1e-9)
    assert table.loc["(1 | herd)", "npar"] == pair["npar"].iloc[0]
    assert 0.0 < table.loc["(1 | herd)", "Pr(mixture)"] < 1e-3


@pytest.mark.filterwarnings("ignore::mixedmodels.MixedModelsWarning")
@pytest.mark.parametrize("family", ["poisson", "nbinom2"])
def test_counts(family: str) -> None:
    rng = np.random.default_rng(3)
    mean = np.exp(1 + rng.normal(size=18)[SLEEP["Subject"].astype("category").cat.codes] * 0.5)
    data = SLEEP.assign(c=rng.poisson(mean * rng.gamma(2, 0.5, 180)))
    m = mm.glmer("c ~ Days + (1 | Subject)", data, family)
    result = (smf.poisson if family == "poisson" else smf.negativebinomial)("c ~ Days", data).fit(disp=0)
    assert m.anova("c ~ Days")["logLik"].iloc[0] == pytest.approx(result.llf, rel=1e-6)
    if family == "poisson":
        assert m.anova(result)["logLik"].iloc[0] == pytest.approx(result.llf, rel=1e-12)
    else:
        with pytest.raises(mm.ArgumentError, match="as text"):
            m.anova(result)


def counts_model() -> Any:
    return mm.glmer("c ~ Days + (1 | Subject)", SLEEP, "poisson", offset="z")


@pytest.mark.filterwarnings("ignore::mixedmodels.MixedModelsWarning")
def test_an_exposure_is_an_offset() -> None:
    m, half, rest = counts_model(), np.exp(SLEEP["z"] / 2), SLEEP["z"] / 2
    expected = m.anova("c ~ Days")
    for result in (
        smf.glm("c ~ Days", SLEEP, family=sm.families.Poisson(), exposure=half, offset=rest).fit(),
        smf.poisson("c ~ Days", SLEEP, exposure=half, offset=rest).fit(disp=0),
    ):
        table = m.anova(result)
        np.testing.assert_allclose(table["Pr(>Chisq)"], expected["Pr(>Chisq)"], 1e-6)


@pytest.mark.filterwarnings("ignore::mixedmodels.MixedModelsWarning", "ignore")
def test_regressions_that_are_not_at_their_maximum_are_refused() -> None:
    m, linear = mm.glmer("c ~ Days + (1 | Subject)", SLEEP, "poisson"), lmer("Days + (1 | Subject)")
    glm, poisson = smf.glm("c ~ Days", SLEEP, family=sm.families.Poisson()), smf.poisson("c ~ Days", SLEEP)
    for result in (
        glm.fit_constrained("Days = 0.5"),
        poisson.fit_constrained("Days = 0.5", disp=0),
        poisson.fit_regularized(alpha=50.0, disp=0),
        poisson.fit(maxiter=0, disp=0),
    ):
        with pytest.raises(mm.ArgumentError, match="not at the maximum"):
            m.anova(result)
    with pytest.raises(mm.ArgumentError, match="not at the maximum"):
        linear.anova(smf.ols("Reaction ~ Days", SLEEP).fit_regularized(alpha=5.0))
    with pytest.raises(mm.ArgumentError, match="RLM"):
        linear.anova(smf.rlm("Reaction ~ Days", SLEEP).fit())


@pytest.mark.parametrize(("fixed", "npar"), [({"Days": 5.0}, 2), ({"sigma": 30.0}, 2)])
def test_a_regression_holds_what_the_model_holds(fixed: dict[str, float], npar: int) -> None:
    m = lmer("Days + (1 | Subject)", fixed=fixed)
    table = m.anova("Reaction ~ Days")
    assert table["npar"].tolist() == [npar, npar + 1]
    y, x = SLEEP["Reaction"].to_numpy(), SLEEP["Days"].to_numpy(dtype=float)
    slope = fixed.get("Days", np.polyfit(x, y, 1)[0])
    rest = y - slope * x
    rss = float(np.sum(np.square(rest - rest.mean())))
    variance = fixed.get("sigma", np.sqrt(rss / 180)) ** 2
    expected = -90 * np.log(2 * np.pi * variance) - rss / (2 * variance)
    assert table["logLik"].iloc[0] == pytest.approx(expected, rel=1e-12)
    # Without the held coefficient it is no special case.
    assert np.isnan(p_of(m, "Reaction ~ 1")) == ("Days" in fixed)


def test_results_of_our_mixedlm_are_models() -> None:
    from mixedmodels.statsmodels import mixedlm

    m = lmer("Days + (1 | Subject)")
    result = mixedlm("Reaction ~ Days + z", SLEEP, groups="Subject").fit(reml=False)
    expected = mm.anova(m, lmer("Days + z + (1 | Subject)"))
    np.testing.assert_allclose(m.anova(result)["Chisq"], expected["Chisq"], 1e-7)
    with pytest.raises(mm.ArgumentError, match=r"to_mixedmodels\(\) of these results gives one"):
        mm.anova(result, m)
    with pytest.raises(mm.ArgumentError, match="the model comes first"):
        mm.anova(smf.ols("Reaction ~ Days", SLEEP).fit(), m)


def test_mixed_formulas_are_fitted_too() -> None:
    m = lmer("Days + (1 | Subject)")
    table = m.anova("Reaction ~ Days + (Days | Subject)")
    assert table["Chisq"].iloc[1] == pytest.approx(42.1393, abs=1e-3)


@pytest.mark.filterwarnings("ignore::mixedmodels.MixedModelsWarning")
def test_remarks_are_about_the_tests_there_are() -> None:
    """Neither of p-values of pairs without one, nor of lower likelihoods of pairs that are not nested."""
    same = heading(lmer("Days + (1 | Subject)"), lmer("Days + (0 + Days | Subject)"))
    other = heading(lmer("Days + (1 | Subject)"), lmer("0 + z + I(z^2) + I(z^3) + (0 + z | Subject)"))
    for text in (same, other):
        assert "p-value is too large" not in text
        assert "lower likelihood" not in text


def test_what_is_refused() -> None:
    m = lmer("Days + (1 | Subject)")
    with pytest.raises(mm.ArgumentError, match="OLS, WLS and GLM"):
        m.anova(smf.glm("c ~ Days", SLEEP, family=sm.families.Poisson()).fit())
    with pytest.raises(mm.DataError, match="100 rows"):
        m.anova(smf.ols("Reaction ~ Days", SLEEP.iloc[:100]).fit())
    with pytest.raises(mm.DataError, match="different responses"):
        m.anova(smf.ols("z ~ Days", SLEEP).fit())
    with pytest.raises(
        mm.DataError, match="the response of the formula is z, and that of the model is Reaction"
    ):
        m.anova("z ~ Days")
    with pytest.raises(mm.ArgumentError):
        m.anova(3)
    with pytest.raises(mm.FormulaError):
        m.anova("Reaction Days")


def test_statsmodels_is_not_imported() -> None:
    import subprocess

    code = (
        "import sys, mixedmodels as mm; "
        "m = mm.lmer('Reaction ~ Days + (1 | Subject)', mm.load_sleepstudy()); m.anova('Reaction ~ Days'); "
        "assert 'statsmodels' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
