"""Tests of a variance by the finite-sample distribution of the (restricted) likelihood ratio."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mixedmodels import (
    exact_lrt,
    exact_rlrt,
    glmer,
    lmer,
    load_cbpp,
    load_dyestuff,
    load_dyestuff2,
    load_orthodont,
    load_pastes,
    load_sleepstudy,
    load_sleepstudy_x,
    pb_compare,
    ranova,
)
from mixedmodels.errors import ArgumentError, MixedModelsWarning
from mixedmodels.inference.likelihood.exact_distribution import (
    ComponentDesign,
    component_design,
    likelihood_ratios,
    restricted_ratios,
)
from mixedmodels.inference.likelihood.variance_component import chosen_component
from shared_fits import fits

SLEEP = load_sleepstudy()


def design_of(model: Any, term: str | None = None) -> ComponentDesign:
    fitted = model._fitted
    return component_design(fitted, chosen_component(fitted, term, "test"), "test")


def test_balanced_one_way():
    """There the restricted likelihood ratio is an increasing function of the F statistic above 1."""
    model = fits("dyestuff")
    groups = [part["Yield"] for _, part in load_dyestuff().groupby("Batch", observed=True)]
    p = stats.f_oneway(*groups).pvalue
    n = 200_000
    got = exact_rlrt(model, nsim=n, rng=1)["Pr(>RLRT)"].iloc[0]
    assert got == pytest.approx(p, abs=4 * np.sqrt(p / n))
    # The ratio is zero for F below 1.
    simulated = restricted_ratios(design_of(model), n, np.random.default_rng(2))
    share = stats.f.cdf(1, 5, 24)
    assert np.mean(simulated < 1e-9) == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / n))


def test_maximum_of_the_simulated_criterion():
    """Against a fit: the largest value over all ratios of variances, for one draw."""
    mu, df = np.array([3.0, 8.0, 20.0, 21.0]), 30
    design = ComponentDesign(df + 2, 2, np.diag(mu), np.diag(mu))
    got = restricted_ratios(design, 50, np.random.default_rng(3))
    rng = np.random.default_rng(3)
    squares, rest = rng.chisquare(1.0, (50, 4)), rng.chisquare(26, 50)
    ratios = np.concatenate([[0], np.geomspace(1e-6, 1e3, 200_001)])
    for i in range(50):
        shrunk = np.sum(squares[i][:, None] / (1 + np.outer(mu, ratios)), axis=0) + rest[i]
        criterion = df * np.log((squares[i].sum() + rest[i]) / shrunk) - np.log1p(np.outer(mu, ratios)).sum(
            axis=0
        )
        assert got[i] == pytest.approx(criterion.max(), abs=2e-5 * (1 + criterion.max()))


def test_eigenvalues_with_weights_and_slopes():
    model = lmer("Reaction ~ Days + (0 + Days | Subject)", load_sleepstudy_x(), weights="w")
    design = model._fitted.design
    root = np.sqrt(design.weights)[:, None]
    z = np.zeros((180, 18))
    z[np.arange(180), design.terms[0].group.codes] = design.terms[0].z[:, 0]
    x, z = root * design.x, root * z
    residual = z - x @ np.linalg.lstsq(x, z, rcond=None)[0]
    wanted = np.linalg.eigvalsh(z.T @ residual)
    got = design_of(model).mu
    np.testing.assert_allclose(got, wanted[-len(got) :], rtol=1e-8)
    assert len(got) == 17


def test_no_variance_at_all():
    with pytest.warns(MixedModelsWarning):
        model = lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff2())
    table = exact_rlrt(model, nsim=100, rng=1)
    assert table["RLRT"].iloc[0] == 0
    assert table["Pr(>RLRT)"].iloc[0] == 1


def test_what_has_no_exact_test():
    with pytest.raises(ArgumentError, match="one variance and no correlations"):
        exact_rlrt(lmer("Reaction ~ Days + (Days | Subject)", SLEEP))
    with pytest.raises(ArgumentError, match="linear mixed models only"):
        exact_rlrt(glmer("cbind(incidence, size - incidence) ~ 1 + (1 | herd)", load_cbpp(), "binomial"))
    model = fits("sleepstudy", "Reaction ~ Days + (1 | Subject)", REML=False)
    assert "by REML (instead of ML)" in str(exact_rlrt(model, nsim=100, rng=1))
    n = 40_002
    data = pd.DataFrame({"y": np.random.default_rng(1).normal(size=n), "g": np.arange(n) // 2})
    data["y"] += data["g"] % 3
    with pytest.raises(ArgumentError, match="has 20001 random effects"):
        exact_rlrt(lmer("y ~ 1 + (1 | g)", data))
    for nsim in (0, 1.5, True, "many"):
        with pytest.raises(ArgumentError, match="nsim"):
            exact_rlrt(model, nsim=nsim)


def test_quantiles_of_the_null_distributions():
    """Those of 100,000 draws of RLRsim 3.1-8: RLRTSim() and LRTSim(q = 1) of the same designs."""
    model = lmer("Reaction ~ Days + (0 + Days | Subject)", SLEEP)
    draws = restricted_ratios(design_of(model), 100_000, np.random.default_rng(1))
    assert np.mean(draws > 1e-6) == pytest.approx(0.46043, abs=0.008)
    levels, wanted = [0.75, 0.9, 0.95, 0.99], [0.3373678, 1.4027396, 2.3867036, 4.9437945]
    np.testing.assert_allclose(np.quantile(draws, levels), wanted, rtol=0.03)
    model = lmer("distance ~ age + Sex + (1 | Subject)", load_orthodont())
    draws = likelihood_ratios(design_of(model), 1, 100_000, np.random.default_rng(1))
    levels, wanted = [0.5, 0.75, 0.9, 0.95, 0.99], [0.7574157, 1.9072814, 3.5798233, 4.8926271, 7.8978518]
    np.testing.assert_allclose(np.quantile(draws, levels), wanted, rtol=0.03)


def test_beside_other_variances():
    """exactRLRT(m, mA, m0) of RLRsim 3.1-8 with 100,000 simulations."""
    model = lmer("strength ~ 1 + (1 | batch) + (1 | sample)", load_pastes())
    row = exact_rlrt(model, "(1|batch)", nsim=100_000, rng=1).iloc[0]
    assert row["RLRT"] == pytest.approx(0.65766, abs=1e-5)
    assert row["Pr(>RLRT)"] == pytest.approx(0.1782, abs=0.004)
    double, apart = (
        f"Reaction ~ Days + {t}" for t in ("(Days || Subject)", "(1|Subject) + (0+Days|Subject)")
    )
    for formula in (double, apart):
        model = lmer(formula, SLEEP)
        for term, wanted in (("(0 + Days | Subject)", 42.796), ("(1 | Subject)", 22.856)):
            table = exact_rlrt(model, term, nsim=100, rng=1)
            assert table.loc[term, "RLRT"] == pytest.approx(wanted, abs=1e-3)
            assert "as if the other random effects were known" in str(table)


def test_agrees_with_the_parametric_bootstrap():
    """Its p-value, by refits, for a variance that is small beside another one."""
    rng = np.random.default_rng(5)
    g, h = np.repeat(np.arange(12), 10), np.tile(np.arange(10), 12)
    y = rng.normal(size=12)[g] + 0.28 * rng.normal(size=10)[h] + rng.normal(size=120)
    model = lmer("y ~ 1 + (1 | g) + (1 | h)", pd.DataFrame({"y": y, "g": g, "h": h}), REML=False)
    n = 400
    p = pb_compare(model, model.update("y ~ 1 + (1 | g)"), nsim=n, rng=1).loc["PBtest", "Pr(>statistic)"]
    got = exact_rlrt(model, "(1 | h)", nsim=20_000, rng=1)["Pr(>RLRT)"].iloc[0]
    assert 0.01 < p < 0.6
    assert got == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / n) + 0.01)


def test_one_variance_of_several_columns():
    """A homogeneous diagonal structure: the eigenvalues of all its columns together."""
    data = SLEEP.assign(late=(SLEEP["Days"] > 4).astype(str))
    model = lmer("Reaction ~ Days + homdiag(0 + late | Subject)", data)
    design = model._fitted.design
    term = design.terms[0]
    z = np.zeros((180, 18, 2))
    z[np.arange(180), term.group.codes] = term.z
    z = z.reshape(180, 36)
    residual = z - design.x @ np.linalg.lstsq(design.x, z, rcond=None)[0]
    got = design_of(model).mu
    np.testing.assert_allclose(got, np.linalg.eigvalsh(z.T @ residual)[-len(got) :], rtol=1e-8)
    table = exact_rlrt(model, nsim=50, rng=1)
    assert table["RLRT"].iloc[0] == pytest.approx(ranova(model)["LRT"].iloc[1], abs=1e-6)


def test_variance_and_coefficients_together():
    """The statistic by regressions, and dropping a term with all that contain it."""
    data = load_orthodont()
    model = lmer("distance ~ age * Sex + (1 | Subject)", data, REML=False)
    table = exact_lrt(model, ["Sex", "age:Sex"], nsim=100, rng=1)
    x = np.column_stack([np.ones(len(data)), data["age"]])
    y = data["distance"].to_numpy()
    squares = np.sum((y - x @ np.linalg.lstsq(x, y, rcond=None)[0]) ** 2)
    n = len(y)
    smaller = n * (1 + np.log(2 * np.pi * squares / n))
    assert table["LRT"].iloc[0] == pytest.approx(smaller - model.objective, abs=1e-6)
    with pytest.raises(ArgumentError, match="'Sex' is a part of 'age:Sex'"):
        exact_lrt(model, "Sex")
    with pytest.raises(ArgumentError, match=r"no fixed-effects term .* did you mean 'Sex'"):
        exact_lrt(model, "sex")
    with pytest.raises(ArgumentError, match="one random-effects term"):
        exact_lrt(lmer("strength ~ 1 + (1 | batch) + (1 | sample)", load_pastes()))


@pytest.mark.filterwarnings("ignore::mixedmodels.errors.MixedModelsWarning")
def test_size_with_coefficients():
    """Uniform p-values where variance and slope are zero."""
    rng, p = np.random.default_rng(8), []
    data = pd.DataFrame({"g": np.repeat(list("abcdef"), 5), "x": rng.normal(size=30)})
    for _ in range(200):
        model = lmer("y ~ x + (1 | g)", data.assign(y=rng.normal(size=30)), REML=False)
        p.append(exact_lrt(model, "x", nsim=500, rng=rng)["Pr(>LRT)"].iloc[0])
    # The ratio is positive almost surely: a coefficient is part of the hypothesis.
    assert stats.kstest(p, "uniform").pvalue > 0.001


def test_which_terms_can_be_tested():
    model = lmer("Reaction ~ Days + (Days || Subject)", SLEEP)
    for term, message in (
        (None, "term= must say which variance"),
        ("(Days|Subject)", "is not part of the model; did you mean"),
        ("(Days || Subject)", "has correlations or several variances"),
        (100, "must be the text of a random-effects term, such as"),
    ):
        with pytest.raises(ArgumentError, match=message):
            exact_rlrt(model, term)
    with pytest.warns(MixedModelsWarning):
        spanned = lmer("Reaction ~ Days + Subject + (1 | Subject)", SLEEP)
    with pytest.raises(ArgumentError, match="already contains the effects"):
        exact_rlrt(spanned)


def test_terms_that_others_determine_are_no_part_of_the_hypothesis():
    with pytest.warns(MixedModelsWarning):
        model = lmer("Reaction ~ Days + double + (1 | Subject)", SLEEP.assign(double=2 * SLEEP["Days"]))
    with pytest.raises(ArgumentError, match="is the same without 'Days', which other terms determine"):
        exact_lrt(model, drop="Days")
    assert exact_lrt(model, drop=["Days", "double"], nsim=20, rng=1).shape == (1, 2)
