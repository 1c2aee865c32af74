"""Refits to many responses and samples of rows against single fits, for every kind of model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mixedmodels import (
    ConvergenceWarning,
    DataError,
    families,
    glmer,
    lmer,
    load_cbpp,
    load_grouseticks,
    load_sleepstudy,
)
from mixedmodels.design import Response
from mixedmodels.fit.changes import refitted, refitted_design
from mixedmodels.fit.draws import as_responses, draw, draw_many
from mixedmodels.fit.refits import refit_responses, refit_samples, refit_without_rows
from mixedmodels.fit.row_sets import RowSets
from mixedmodels.fit.sampled_design import sampled_design
from mixedmodels.inference.estimates.parameter_rows import parameter_rows
from mixedmodels.inference.estimates.refitted_values import refitted_values
from mixedmodels.resampling.cases import Cases
from shared_fits import fits

SLEEP = "Reaction ~ Days + (Days | Subject)"
COUNTS = "cbind(incidence, size - incidence) ~ period + (1 | herd)"


def gappy(seed=1):
    """The sleep study with missing values, weights, an offset, an unused level and a dependent column."""
    rng = np.random.default_rng(seed)
    data = load_sleepstudy()
    data["w"], data["o"] = rng.uniform(0.5, 2.0, len(data)), rng.normal(size=len(data))
    data.loc[[3, 50, 120], "Reaction"] = np.nan
    data.loc[7, "o"] = np.nan
    data["twice"] = 2.0 * data["Days"]
    data["Subject"] = data["Subject"].cat.add_categories(["nobody"])
    return data


def long_format(seed=1, family="poisson"):
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(30), 8)
    x = rng.normal(size=len(g))
    mean = np.exp(1.0 + 0.3 * x + rng.normal(0, 0.4, 30)[g])
    draws = {
        "poisson": rng.poisson(mean),
        "nbinom2": rng.negative_binomial(3, 3 / (3 + mean)),
        "gamma": rng.gamma(4, mean / 4),
        "beta": np.clip(rng.beta(4 * mean / (1 + mean), 4 / (1 + mean)), 1e-6, 1 - 1e-6),
        "lognormal": rng.lognormal(np.log(mean), 0.4),
    }
    return pd.DataFrame({"y": draws[family], "x": x, "g": g})


MODELS = {
    "two effects": lambda: fits("sleepstudy"),
    "by ML": lambda: fits("sleepstudy", SLEEP, REML=False),
    "one effect": lambda: fits("dyestuff"),
    "crossed": lambda: fits("penicillin"),
    "nested": lambda: fits("pastes"),
    "independent": lambda: fits("sleepstudy", "Reaction ~ Days + (Days || Subject)"),
    "structured": lambda: fits("machines", "score ~ Machine + cs(0 + Machine | Worker)"),
    "weights, offset, gaps": lambda: lmer(
        "Reaction ~ Days + twice + (1 | Subject)", gappy(), weights="w", offset="o", na_action="exclude"
    ),
    "coefficient held": lambda: fits_held({"Days": 10.0}),
    "sd held": lambda: fits_held({"sd__Days": 5.0}),
    "sigma held": lambda: fits_held({"sigma": 25.0}),
    "trials": lambda: fits("cbpp"),
    "quadrature": lambda: glmer(COUNTS, load_cbpp(), "binomial", nAGQ=5),
    "fast": lambda: glmer(COUNTS, load_cbpp(), "binomial", nAGQ=0),
    "several factors": lambda: glmer(
        "TICKS ~ YEAR + (1 | BROOD) + (1 | INDEX)", load_grouseticks(), "poisson"
    ),
    "size": lambda: glmer("y ~ x + (1 | g)", long_format(family="nbinom2"), "nbinom2"),
    "gamma": lambda: glmer("y ~ x + (1 | g)", long_format(family="gamma"), families.Gamma("log")),
    "lognormal": lambda: glmer("y ~ x + (1 | g)", long_format(family="lognormal"), "lognormal"),
    "generalized, coefficient held": lambda: glmer(
        "y ~ x + (1 | g)", long_format(), "poisson", fixed={"x": 0.3}
    ),
}


def fits_held(fixed):
    return lmer(SLEEP, load_sleepstudy(), fixed=fixed)


def estimates(fitted):
    return [row.estimate for row in parameter_rows(fitted)]


@pytest.fixture(params=MODELS, scope="module")
def fitted(request):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return MODELS[request.param]()._fitted


def test_refits_are_single_fits(fitted):
    drawn = draw_many(fitted, np.random.default_rng(5), 5)
    assert drawn.shape == (fitted.n_obs, 5)
    responses = as_responses(fitted, drawn)
    refits = refit_responses(fitted, responses)
    values = refitted_values(fitted, refits)
    assert values.shape == (5, len(parameter_rows(fitted)))
    for j in range(5):
        y = np.ascontiguousarray(responses[:, j])
        alone = refitted(fitted, response=Response(y, fitted.design.weights, fitted.design.form), quiet=True)
        assert refits.status[j] == "converged"
        assert refits.objective[j] == pytest.approx(alone.estimates.objective, abs=1e-6)
        np.testing.assert_allclose(values[j], estimates(alone), rtol=2e-4, atol=2e-4)
        assert refits.dispersion[j] == pytest.approx(alone.dispersion, rel=2e-4)
        kept = alone.estimates.kept
        expected = np.sqrt(np.diag(alone.conditional_covariance()))
        np.testing.assert_allclose(refits.std_errors[j, kept], expected, rtol=1e-3)


def test_samples_are_fits_of_their_rows(fitted):
    rng = np.random.default_rng(6)
    samples = []
    for _ in range(3):
        rows = np.sort(rng.choice(fitted.n_obs, fitted.n_obs)).astype(np.uint32)
        codes, sizes = [], []
        for term in fitted.design.terms:
            levels, own = np.unique(term.group.codes[rows], return_inverse=True)
            codes.append(own.astype(np.uint32))
            sizes.append(len(levels))
        samples.append((rows, codes, sizes))
    refits = refit_samples(fitted, samples)
    values = refitted_values(fitted, refits)
    for j, sample in enumerate(samples):
        alone = refitted_design(fitted, sampled_design(fitted.design, sample))
        assert refits.objective[j] == pytest.approx(alone.estimates.objective, abs=1e-5)
        np.testing.assert_allclose(values[j], estimates(alone), rtol=1e-3, atol=1e-3)


def test_many_draws_have_the_distribution_of_single_draws(fitted):
    """Means and standard deviations of a contrast of the rows, by 4,000 draws of each kind."""
    weights = np.random.default_rng(1).normal(size=fitted.n_obs)
    together = weights @ draw_many(fitted, np.random.default_rng(2), 4000)
    generator = np.random.default_rng(3)
    single = np.array([weights @ draw(fitted, generator) for _ in range(4000)])
    error = np.sqrt((together.var() + single.var()) / 4000)
    assert abs(together.mean() - single.mean()) < 5 * error
    assert together.std() == pytest.approx(single.std(), rel=0.15)


def test_random_effects_are_kept_on_request():
    fitted = fits("sleepstudy")._fitted
    drawn = draw_many(fitted, np.random.default_rng(2), 4000, use_u=True)
    residual = drawn - fitted.linear_predictor[:, None]
    assert residual.std() == pytest.approx(fitted.sigma, rel=0.01)
    assert abs(residual.mean(axis=1)).max() < 5 * fitted.sigma / np.sqrt(4000)


def test_a_response_without_a_fit_touches_no_other():
    fitted = fits("sleepstudy")._fitted
    good = draw_many(fitted, np.random.default_rng(1), 3)
    responses = good.copy()
    responses[:, 1] = 7.0
    refits = refit_responses(fitted, responses)
    assert refits.failed.tolist() == [False, True, False]
    assert np.isnan(refits.beta[1]).all()
    assert np.isnan(refits.theta[1]).all()
    assert refits.messages[1]
    np.testing.assert_array_equal(refits.beta[[0, 2]], refit_responses(fitted, good).beta[[0, 2]])


@pytest.mark.parametrize("constant", [0.0, "trials"])
def test_binomial_responses_without_variation_fail(constant):
    fitted = fits("cbpp")._fitted
    responses = as_responses(fitted, draw_many(fitted, np.random.default_rng(1), 2)).copy()
    responses[:, 0] = fitted.design.weights if constant == "trials" else 0.0
    refits = refit_responses(fitted, responses)
    assert refits.failed.tolist() == [True, False]
    assert "constant" in refits.messages[0]


def test_what_a_family_of_the_user_raises_is_the_failure_of_its_response():
    def refuse(y, eta, w):
        if (y == 99).any():
            raise ValueError("no 99")
        return w * (y * eta - np.exp(eta))

    family = families.user(
        refuse,
        lambda y, eta, w: w * (y - np.exp(eta)),
        lambda y, eta, w: w * np.exp(eta),
        lambda y, eta, w: w * np.exp(eta),
        draw=lambda rng, mu, w: rng.poisson(mu, size=len(mu)),
        link="log",
    )
    fitted = glmer("y ~ x + (1 | g)", long_format(), family)._fitted
    responses = draw_many(fitted, np.random.default_rng(1), 3).copy()
    responses[0, 1] = 99
    refits = refit_responses(fitted, responses)
    assert refits.failed.tolist() == [False, True, False]
    assert "no 99" in refits.messages[1]


def test_deletion_of_levels_is_the_fit_of_the_other_rows():
    model = fits("sleepstudy")
    group = model._fitted.design.terms[0].group
    refits = refit_without_rows(model._fitted, RowSets.of_levels(group.codes, len(group.levels)))
    data = load_sleepstudy()
    for j, level in enumerate(data["Subject"].cat.categories[:3]):
        alone = lmer(SLEEP, data[data["Subject"] != level])
        np.testing.assert_allclose(refits.beta[j], alone.fixef(), rtol=1e-6)
        assert refits.sigma[j] == pytest.approx(alone.sigma, rel=1e-5)


def test_singular_refits_are_known():
    fitted = fits("dyestuff")._fitted
    responses = np.column_stack([fitted.design.y, np.random.default_rng(8).normal(size=(30, 20))])
    refits = refit_responses(fitted, responses)
    np.testing.assert_array_equal(refits.singular, refits.theta[:, 0] < 1e-5)
    assert refits.singular.any()
    assert not refits.singular.all()


def test_a_residual_variance_that_vanishes_is_no_optimum():
    """With nearly as many levels as rows the random effects can reproduce a response."""
    rng = np.random.default_rng(51)
    data = pd.DataFrame({"y": rng.normal(size=60), "x": rng.normal(size=60), "g": np.arange(60)})
    data.loc[0, "g"] = 1
    with pytest.warns(ConvergenceWarning):
        fitted = lmer("y ~ x + (1 | g)", data)._fitted
    assert fitted.convergence.unbounded
    other = np.random.default_rng(1).normal(size=(60, 20))
    responses = np.column_stack([fitted.design.y, other])
    refits = refit_responses(fitted, responses)
    form = fitted.design.form
    unbounded = [
        refitted(fitted, response=Response(y.copy(), None, form), quiet=True).convergence.unbounded
        for y in responses.T
    ]
    assert unbounded[0]
    assert not all(unbounded)
    assert [status == "unbounded" for status in refits.status] == unbounded
    assert "residual variance tends to zero" in refits.messages[0]


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_samples_without_variation_fail_as_responses_do(family):
    data = pd.DataFrame({"y": np.repeat([0, 0, 0, 1, 0, 1], 5), "x": np.tile(np.arange(5.0), 6)})
    data.loc[[16, 27], "y"] = 0
    fitted = glmer("y ~ x + (1 | g)", data.assign(g=np.repeat(np.arange(6), 5)), family)._fitted
    rows = [np.arange(15), np.arange(15, 30)]
    codes = [(own // 5 - own[0] // 5).astype(np.uint32) for own in rows]
    samples = [(own.astype(np.uint32), [code], [3]) for own, code in zip(rows, codes, strict=True)]
    refits = refit_samples(fitted, samples)
    assert refits.status[0] == "failed"
    assert refits.messages[0] == "the response is constant"
    assert np.isnan(refits.beta[0]).all()
    assert refits.status[1] != "failed"
    assert np.isfinite(refits.beta[1]).all()


def verdict(fitted, sample):
    """How a fit of the sample alone ends."""
    try:
        convergence = refitted_design(fitted, sampled_design(fitted.design, sample)).convergence
    except DataError:
        return "failed"
    return "unbounded" if convergence.unbounded else "other"


def test_a_residual_variance_that_vanishes_in_a_sample_is_no_optimum():
    """Where few of the drawn levels have two rows, effects and coefficients are as many as the rows."""
    rng = np.random.default_rng(51)
    g = np.append(np.arange(40), np.arange(3))
    data = pd.DataFrame({"y": 2.0 * rng.normal(size=40)[g] + rng.normal(size=43), "x": rng.normal(size=43)})
    fitted = lmer("y ~ x + (1 | g)", data.assign(g=g))._fitted
    assert fitted.convergence.converged
    cases = Cases.of(fitted, ["g"])
    samples = cases.samples(fitted, np.random.default_rng(3), 60)
    refits = refit_samples(fitted, samples)
    verdicts = [verdict(fitted, sample) for sample in samples]
    for status, alone in zip(refits.status, verdicts, strict=True):
        assert (
            status in ("failed", "unbounded")
            if alone == "failed"
            else (status == "unbounded") == (alone == "unbounded")
        )
    assert {"converged", "unbounded"} <= set(refits.status)
    message = refits.messages[verdicts.index("unbounded")]
    assert "residual variance tends to zero" in message
