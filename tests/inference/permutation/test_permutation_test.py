"""Permutation tests of fixed-effects terms."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mixedmodels import (
    glmer,
    lmer,
    load_cbpp,
    load_epil,
    load_orthodont,
    load_pastes,
    load_penicillin,
    load_sleepstudy,
    load_sleepstudy_x,
    permutation_test,
)
from mixedmodels.errors import ArgumentError
from mixedmodels.inference.permutation.labels import permuted_labels
from mixedmodels.inference.permutation.residuals import permutation_within, permuted_residuals
from mixedmodels.inference.permutation.whitening import whitening
from shared_fits import fits

SLEEP = load_sleepstudy()
MODELS = {
    "one factor": ("Reaction ~ Days + (Days | Subject)", SLEEP, {}),
    "nested": ("strength ~ 1 + (1 | batch/cask)", load_pastes(), {}),
    "crossed": ("diameter ~ 1 + (1 | plate) + (1 | sample)", load_penicillin(), {}),
    "weights": ("Reaction ~ Days + (1 | Subject)", load_sleepstudy_x(), {"weights": "w"}),
    "structure": ("Reaction ~ Days + ar1(0 + factor(Days) | Subject)", SLEEP, {}),
    "no variance": ("Reaction ~ Days + (1 | Subject)", SLEEP, {"fixed": {"sd__(Intercept)": 0.0}}),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.filterwarnings("ignore::mixedmodels.errors.MixedModelsWarning")
def test_roots_of_the_covariance_matrix(name):
    formula, data, options = MODELS[name]
    fitted = lmer(formula, data, **options)._fitted
    roots, n = whitening(fitted, "test"), fitted.n_obs
    root = np.sqrt(fitted.prior_weights)
    v = np.eye(n)
    for term, part in zip(fitted.design.terms, fits_of_covariances(fitted), strict=True):
        z, codes = root[:, None] * term.z, term.group.codes
        v += np.where(codes[:, None] == codes, z @ part @ z.T, 0.0)
    half = roots.colour(np.eye(n))
    np.testing.assert_allclose(half @ half, v, atol=1e-10 * v.max())
    np.testing.assert_allclose(roots.whiten(half), np.eye(n), atol=1e-10)
    # The identical permutation gives the response.
    source = permuted_residuals(fitted, np.arange(n), "test")
    np.testing.assert_allclose(source.draw(np.random.default_rng(1), 2).T, [fitted.design.y] * 2, rtol=1e-9)


def fits_of_covariances(fitted: Any) -> list[np.ndarray]:
    """Covariance matrices of the effects relative to the residual variance."""
    from mixedmodels.inference.estimates.variance_components import variance_components

    return [part.cov / fitted.sigma**2 for part in variance_components(fitted)]


def test_permutations_within_blocks():
    labels = np.array([2, 0, 1, 0, 2, 1, 0, 3])
    seen = set()
    for seed in range(200):
        order = permutation_within(labels, np.random.default_rng(seed))
        assert sorted(order) == list(range(8))
        np.testing.assert_array_equal(labels[order], labels)
        seen.add(tuple(order))
    assert len(seen) == 6 * 2 * 2


def test_a_real_effect_and_its_table():
    model = fits("sleepstudy")
    table = permutation_test(model, "Days", 199, rng=1)
    assert table.loc["Days", "Pr(permutation)"] == pytest.approx(1 / 200)
    full = model.refitML()
    wanted = full.update(". ~ . - Days").objective - full.objective
    assert table.loc["Days", "LRT"] == pytest.approx(wanted, abs=1e-6)
    assert "199 permutations" in str(table)
    assert "white residuals" in str(table)


def test_residuals_agree_with_the_f_test_of_a_balanced_design():
    """Between groups of equal size the F test is exact; the permutations need not know the normal law."""
    data = load_orthodont()
    model = lmer("distance ~ age + Sex + (1 | Subject)", data)
    means = data.groupby(["Subject", "Sex"], observed=True)["distance"].mean().reset_index()
    halves = [part["distance"] for _, part in means.groupby("Sex", observed=True)]
    exact = stats.ttest_ind(*halves).pvalue
    n = 4000
    for kind in ("residuals", "labels"):
        p = permutation_test(model, "Sex", n, permute=kind, rng=2).loc["Sex", "Pr(permutation)"]
        assert p == pytest.approx(exact, abs=4 * np.sqrt(exact / n) + 0.002)


def test_labels_by_complete_enumeration():
    """Six units, two labels: the p-value is the share of the 20 arrangements that are as extreme."""
    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(6), 4)
    data = pd.DataFrame({"g": g, "t": np.array(list("ababab"))[g], "y": rng.normal(size=24)})
    data["y"] += rng.normal(size=6)[g] + 0.9 * (data["t"] == "b")
    model = lmer("y ~ t + (1 | g)", data, REML=False)
    # With equal sizes the ratio grows with the difference of the means of the units.
    means = data.groupby("g")["y"].mean().to_numpy()
    every = [
        abs(means[np.array(order) == "b"].mean() - means[np.array(order) == "a"].mean())
        for order in set(permutations("ababab"))
    ]
    observed = abs(means[1::2].mean() - means[::2].mean())
    exact = np.mean(np.array(every) >= observed - 1e-9)
    n = 2000
    table = permutation_test(model, "t", n, permute="labels", rng=1)
    assert table.loc["t", "Pr(permutation)"] == pytest.approx(exact, abs=4 * np.sqrt(exact / n))
    assert "only 20 different arrangements" in str(table)
    assert permuted_labels(model._fitted, "t", None, None, "test").arrangements == pytest.approx(20)


def test_units_and_strata():
    data = SLEEP.assign(half=np.arange(180) // 90, late=(SLEEP["Days"] > 4).astype(str))
    data["arm"] = np.where(pd.factorize(data["Subject"])[0] % 3 == 0, "x", "y")
    model = lmer("Reaction ~ late + arm + (1 | Subject)", data, REML=False)
    labels = permuted_labels(model._fitted, "arm", None, "half", "test")
    assert labels.units.name == "Subject"
    x = labels.permuted(model._fitted.design.x, np.random.default_rng(1))
    old = model._fitted.design.x
    assert not np.array_equal(x, old)
    np.testing.assert_array_equal(x[:, :2], old[:, :2])
    for half in (0, 1):
        rows = data["half"] == half
        assert x[rows, 2].sum() == old[rows, 2].sum()
    # Constant within units: all rows of a subject have its label.
    assert pd.Series(x[:, 2]).groupby(data["Subject"].to_numpy()).nunique().max() == 1
    table = permutation_test(model, "late", 99, permute="labels", within="Subject", rng=1)
    assert table.loc["late", "Pr(permutation)"] == pytest.approx(0.01)
    assert "180 units (rows) within 18 strata" in str(table)
    assert "within Subject" in str(permutation_test(model, "late", 9, within="Subject", rng=1))


def test_generalized_models_permute_labels():
    model = glmer("y ~ trt + base + (1 | subject)", load_epil(), "poisson")
    table = permutation_test(model, "trt", 99, rng=1)
    assert "59 units (subject)" in str(table)
    assert 0.02 < table.loc["trt", "Pr(permutation)"] < 0.4
    with pytest.raises(ArgumentError, match="residuals of a generalized model are not exchangeable"):
        permutation_test(model, "trt", permute="residuals")
    herds = glmer("cbind(incidence, size - incidence) ~ period + (1 | herd)", load_cbpp(), "binomial")
    p = permutation_test(herds, "period", 999, within="herd", rng=1).loc["period"]
    # The counts are overdispersed, which the likelihood ratio takes for an effect.
    assert p["Pr(>Chisq)"] < 1e-4
    assert 0.002 < p["Pr(permutation)"] < 0.05


@pytest.mark.parametrize("permute", ["residuals", "labels"])
def test_the_same_with_any_executor(permute):
    model = lmer("distance ~ age + Sex + (1 | Subject)", load_orthodont())
    options: dict[str, Any] = {"permute": permute, "rng": 4}
    alone = permutation_test(model, "Sex", 120, **options)
    told: list[tuple[int, int]] = []
    with ThreadPoolExecutor(2) as pool:
        options.update(executor=pool, progress=lambda done, total: told.append((done, total)))
        other = permutation_test(model, "Sex", 120, **options)
    pd.testing.assert_frame_equal(alone.to_frame(), other.to_frame())
    assert told[-1] == (120, 120)
    with ProcessPoolExecutor(2) as pool:
        other = permutation_test(model, "Sex", 120, permute=permute, rng=4, executor=pool)
    pd.testing.assert_frame_equal(alone.to_frame(), other.to_frame())


def test_models_without_terms_and_one_permutation():
    orthodont = load_orthodont()
    with pytest.raises(ArgumentError, match="the model has no fixed-effects terms that can be tested"):
        permutation_test(lmer("distance ~ 1 + (1 | Subject)", orthodont), "(Intercept)")
    one = permutation_test(lmer("distance ~ age + (1 | Subject)", orthodont), "age", 1, rng=1)
    assert "Permutation test of age, 1 permutation\n" in str(one)


def test_a_term_may_be_quoted_as_in_the_formula():
    data = load_orthodont().rename(columns={"Sex": "sex of child"})
    model = lmer("distance ~ age + `sex of child` + (1 | Subject)", data)
    quoted = permutation_test(model, "`sex of child`", 20, rng=1)
    assert quoted.index.tolist() == ["sex of child"]


@pytest.mark.filterwarnings("ignore::mixedmodels.errors.MixedModelsWarning")
@pytest.mark.parametrize("permute", ["residuals", "labels"])
def test_size(permute):
    """Uniform p-values for a treatment of eight groups without an effect, with skew errors."""
    rng, p = np.random.default_rng(6), []
    g = np.repeat(np.arange(8), 4)
    data = pd.DataFrame({"g": g, "t": np.array(list("abababab"))[g]})
    # Labels are refitted one by one.
    nsim = 99 if permute == "residuals" else 39
    for _ in range(100):
        data["y"] = rng.exponential(size=8)[g] + rng.exponential(size=32)
        model = lmer("y ~ t + (1 | g)", data, REML=False)
        p.append(permutation_test(model, "t", nsim, permute=permute, rng=rng)["Pr(permutation)"].iloc[0])
    # Ties of the 35 distinct ratios and of ratios 0 make the p-values discrete and a little too large.
    for level in (0.1, 0.2, 0.5):
        share = np.mean(np.array(p) <= level)
        assert share < level + 4 * np.sqrt(level * (1 - level) / 100)
        assert share > level - 4 * np.sqrt(level * (1 - level) / 100) - 0.05


def test_what_cannot_be_permuted():
    data = SLEEP.assign(arm=np.where(pd.factorize(SLEEP["Subject"])[0] % 3 == 0, "x", "y"))
    model = lmer("Reaction ~ Days * arm + (Days | Subject)", data)
    for term, options, message in (
        ("Days", {}, "'Days' is a part of 'Days:arm'"),
        ("day", {}, "term must be a fixed-effects term of the model, .*got 'day'; did you mean 'Days'"),
        (3, {}, "term must be a fixed-effects term"),
        ("Days:arm", {"permute": "labels"}, "is also in 'Days'"),
        ("Days:arm", {"permute": "x"}, "permute must be one of"),
        ("Days:arm", {"units": "Subject", "permute": "residuals"}, "units= are for permute='labels'"),
        ("Days:arm", {"within": "nothing"}, "nothing"),
    ):
        with pytest.raises((ArgumentError, KeyError), match=message):
            permutation_test(model, term, 9, **options)
    slopes = lmer("Reaction ~ Days + (Days | Subject)", SLEEP)
    with pytest.raises(ArgumentError, match=r"varies in .* not exchangeable"):
        permutation_test(slopes, "Days", permute="labels", within="Subject")
    simple = lmer("Reaction ~ Days + arm + (1 | Subject)", data)
    for term, options, message in (
        ("Days", {"permute": "labels"}, "within= must say"),
        ("Days", {"units": "Subject"}, "not constant within the levels of 'Subject'"),
        ("arm", {"permute": "labels", "within": "Days"}, "must lie within one level of 'Days'"),
        ("arm", {"permute": "labels", "within": "arm"}, "no permutation of the units"),
    ):
        with pytest.raises(ArgumentError, match=message):
            permutation_test(simple, term, 9, **options)
    held = lmer("Reaction ~ Days + arm + (1 | Subject)", data, fixed={"Days": 10.0})
    with pytest.raises(ArgumentError, match="not available with fixed coefficients"):
        permutation_test(held, "arm")
