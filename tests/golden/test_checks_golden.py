"""Checks, principal components of random effects, R² and ICC against R (checks.json)."""

from __future__ import annotations

import generalized_fits
import golden_fits
import numpy as np
import pytest
from golden_cases import case_named, read_cases

from mixedmodels import icc, r2

CASES = read_cases("checks.json")


def with_(key):
    return [case["id"] for case in CASES if key in case["expected"]]


def fit_and_expected(name, key):
    case = case_named(CASES, name)
    fit = golden_fits.fit_lme4 if case["kind"] == "lmer" else generalized_fits.fit_lme4
    return fit(case), case["expected"][key]


@pytest.mark.parametrize("name", with_("overdispersion"))
def test_overdispersion(name):
    model, expected = fit_and_expected(name, "overdispersion")
    check = model.check_overdispersion()
    assert check.value == pytest.approx(expected["ratio"], rel=1e-5)
    assert check.p_value == pytest.approx(expected["p"], rel=1e-3)
    assert check.table["Df"].item() == expected["df"]
    assert check.table["statistic"].item() == pytest.approx(expected["chisq"], rel=1e-5)


@pytest.mark.parametrize("name", with_("zeroinflation"))
def test_zero_inflation(name):
    model, expected = fit_and_expected(name, "zeroinflation")
    check = model.check_zeroinflation()
    assert check.table["observed"].item() == expected["observed"]
    assert check.table["predicted"].item() == pytest.approx(expected["predicted"], rel=1e-5)
    assert check.value == pytest.approx(expected["predicted"] / expected["observed"], rel=1e-5)


@pytest.mark.parametrize("name", with_("heteroscedasticity"))
def test_heteroscedasticity(name):
    model, expected = fit_and_expected(name, "heteroscedasticity")
    check = model.check_heteroscedasticity()
    assert check.value == pytest.approx(expected["mean_square"]["chisq"], rel=1e-5)
    assert check.p_value == pytest.approx(expected["mean_square"]["p"], rel=1e-4)


@pytest.mark.parametrize("name", with_("collinearity"))
def test_collinearity(name):
    model, expected = fit_and_expected(name, "collinearity")
    table = model.check_collinearity().table
    # lme4 has second derivatives of generalized models by differences.
    rtol = 1e-5 if model.family.name == "gaussian" else 1e-4
    assert len(table) == len(expected)
    for key, column in (("VIF", "VIF"), ("SE_factor", "SE factor"), ("Tolerance", "tolerance")):
        np.testing.assert_allclose(table[column], [part[key] for part in expected.values()], rtol=rtol)


@pytest.mark.parametrize("name", with_("repca"))
def test_principal_components_of_random_effects(name):
    model, expected = fit_and_expected(name, "repca")
    pca = model.rePCA()
    assert {part.group for part in pca.groups} == set(expected)
    for group, whole in expected.items():
        own = pca[group]
        np.testing.assert_allclose(own.sdev, whole["sdev"], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(own.proportion, whole["prop_var"], rtol=1e-4, atol=1e-8)
        np.testing.assert_allclose(np.abs(own.rotation), np.abs(whole["rotation"]), atol=1e-3)


@pytest.mark.parametrize("name", with_("variance_parts"))
def test_parts_of_variance(name):
    model, expected = fit_and_expected(name, "variance_parts")
    parts = r2(model).variances
    assert parts.fixed == pytest.approx(expected["fixed"], rel=1e-5)
    assert parts.random == pytest.approx(expected["random_mean"], rel=1e-4)


@pytest.mark.parametrize("name", with_("icc"))
def test_shares_of_variance(name):
    model, expected = fit_and_expected(name, "r2")
    case = case_named(CASES, name)["expected"]
    shares, correlation = r2(model), icc(model)
    found = [shares.conditional, shares.marginal, correlation.adjusted, correlation.unadjusted]
    if "null_model" in case:
        # R takes the mean of counts at random effects of zero; here it is the mean over groups, as Nakagawa,
        # Johnson & Schielzeth (2017) recommend. With R's variance of an observation the shares are R's.
        parts = shares.variances
        total = parts.fixed + parts.random + case["null_model"]["distribution_variance"]
        random = parts.random / total
        found = [
            random + parts.fixed / total,
            parts.fixed / total,
            parts.random / (total - parts.fixed),
            random,
        ]
    wanted = [expected[key] for key in ("conditional", "marginal")]
    wanted += [case["icc"][key] for key in ("adjusted", "unadjusted")]
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=2e-6)
