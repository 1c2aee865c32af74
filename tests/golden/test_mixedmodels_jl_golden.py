"""
Fits against what MixedModels.jl prints and tests (mixedmodels_jl.json; see README.md).

Every case carries its own tolerances; quantities without one are not compared. Quantities at
given parameters (the objective, its parts and derivatives) are in test_engine_golden.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from golden_cases import case_named, matching_group, matching_names, not_above, parameters, read_cases
from golden_fits import JULIA, TRANSFORMS, fit, fit_julia

from mixedmodels import load_dataset
from mixedmodels.errors import MixedModelError

CASES = read_cases("mixedmodels_jl.json")


@pytest.fixture(scope="module", params=parameters(JULIA))
def case(request) -> dict[str, Any]:
    return request.param


@pytest.fixture(scope="module")
def model(case: dict[str, Any]) -> Any:
    return fit_julia(case)


@pytest.fixture(scope="module")
def expected(case) -> dict[str, Any]:
    return case["expected"]


def approx(value: Any, tolerance: dict[str, float]) -> Any:
    """Within the case's tolerance; a relative one asks nothing more of an exact zero."""
    return pytest.approx(value, rel=tolerance.get("rel", 0.0), abs=tolerance.get("abs", 1e-8))


def spread_sd(model: Any) -> list[float]:
    """The standard deviations of all random effects in the order of the terms."""
    return [float(sd) for term in model.VarCorr() for sd in term["sd"]]


def test_objective(model, case, expected):
    optimum, tolerance = expected.get("optimum", {}), case["tolerance"]
    if "objective_exact_minimum" in optimum:
        # The printed fits stop above the minimum, which is known in closed form.
        assert not_above(model.objective, optimum["objective_exact_minimum"])
        assert not_above(optimum["objective_exact_minimum"], model.objective)
    elif "objective_best_known" in optimum:
        # The printed fit is a false optimum, 24 units too high.
        assert not_above(model.objective, optimum["objective_best_known"])
    elif "objective" in expected:
        assert model.objective == approx(expected["objective"], tolerance["objective"])
    if "neg2loglik" in expected:
        assert model.objective == approx(expected["neg2loglik"], tolerance["neg2loglik"])
    if "neg2loglik_rounded" in expected:
        assert round(model.objective) == expected["neg2loglik_rounded"]
    if "objective" in case.get("verified", {}):
        assert not_above(model.objective, case["verified"]["objective"])


def test_information_criteria(model, case, expected):
    tolerance = case["tolerance"]
    if "nobs" in expected:
        assert model.nobs == expected["nobs"]
    if "dof" in expected:
        assert model.df == expected["dof"]
    for key, found in {"aic": model.AIC, "aicc": model.AICc, "bic": model.BIC}.items():
        default = tolerance.get("objective", tolerance.get("neg2loglik"))
        allowed = tolerance.get("aic_aicc_bic", default)
        if key in expected and "optimum" not in expected and allowed:
            assert found() == approx(expected[key], allowed)
    if isinstance(expected.get("loglik"), float) and "optimum" not in expected:
        allowed = tolerance.get("loglik", tolerance["objective"])
        assert float(model.logLik()) == approx(expected["loglik"], allowed)


def test_more_digits(model, case, expected):
    found = {
        "objective_full": lambda: model.objective,
        "deviance_full": lambda: model.objective,
        "loglik_full": lambda: float(model.logLik()),
        "aic_full": lambda: model.AIC(),
        "bic_full": lambda: model.BIC(),
        "sigma_full": lambda: model.sigma,
        "sigma2_full": lambda: model.sigma**2,
        "stderr_full": lambda: np.sqrt(np.diag(model.vcov())),
    }
    for key in found.keys() & expected.keys():
        assert found[key]() == approx(expected[key], case["tolerance"]["*_full"])


def test_size(model, expected):
    modes = model.ranef()
    if "size" in expected:
        n_random = sum(table.size for table in modes.values())
        n_terms = len(list(model.VarCorr()))
        assert [model.nobs, len(model.fixef()), n_random, n_terms] == expected["size"]
    if "nlevels" in expected:
        assert sorted((len(table) for table in modes.values()), reverse=True) == expected["nlevels"]


def test_parameters(model, case, expected):
    tolerance = case["tolerance"]
    if "theta" in expected:
        assert list(model.theta) == approx(expected["theta"], tolerance["theta"])
    if "theta_length" in expected:
        assert len(model.theta) == expected["theta_length"]
    for key, found in {"sigma": model.sigma, "sigma2": model.sigma**2}.items():
        allowed = tolerance.get(key)
        if isinstance(allowed, dict) and key in expected:
            assert found == approx(expected[key], allowed)
    if expected.get("singular"):
        assert model.is_singular()
        assert spread_sd(model) == [0.0]
    if "cond_lambda" in expected:
        assert model.rePCA()["Subject"].condition == approx(expected["cond_lambda"], tolerance["cond_lambda"])
    optimum = expected.get("optimum", {})
    if "sd_days_1_to_9" in optimum:
        assert model.sigma == pytest.approx(optimum["sigma"], rel=1e-3)
        assert spread_sd(model) == pytest.approx(
            [optimum["sd_intercept"], *optimum["sd_days_1_to_9"]], rel=1e-3
        )


def test_standard_deviations(model, case, expected):
    tolerance = case["tolerance"].get("sd")
    if not tolerance:
        return
    if "vc" in expected:
        assert spread_sd(model) == approx([entry["sd"] for entry in expected["vc"]], tolerance)
        groups = {term["group"] for term in model.VarCorr()}
        wanted = [matching_group(entry["group_r"], groups) for entry in expected["vc"]]
        assert list(dict.fromkeys(wanted)) == list(dict.fromkeys(term["group"] for term in model.VarCorr()))
    elif isinstance(expected.get("sd"), dict):
        assert spread_sd(model) == approx(list(expected["sd"].values()), tolerance)


def test_correlations(model, case, expected):
    tolerance, terms = case["tolerance"].get("corr"), list(model.VarCorr())
    if "||" in case["formula_lme4"]:
        # Zeros by structure are no estimates: zero or undefined, never another number.
        for term in terms:
            corr = np.array(term["corr"], dtype=float)
            np.fill_diagonal(corr, 0.0)
            assert np.all(np.nan_to_num(corr) == 0.0)
    elif isinstance(tolerance, dict) and "vc" in expected and len(terms) == 1:
        corr = np.asarray(terms[0]["corr"], dtype=float)
        for row, entry in enumerate(expected["vc"]):
            assert corr[row, :row] == approx(entry["corr"], tolerance)


def test_fixed_effects(model, case, expected):
    tolerance, estimates = case["tolerance"], model.fixef()
    se = pd.Series(np.sqrt(np.diag(model.vcov())), index=model.vcov().index)
    if isinstance(expected.get("fixef"), list) and "fixef.coef" in tolerance:
        reference = pd.DataFrame(expected["fixef"]).set_index("name_r")
        names = matching_names(list(reference.index), list(estimates.index))
        allowed = tolerance["fixef.coef"]
        atol = allowed["abs"] if "abs" in allowed else allowed["abs_se_units"] * reference["se"].to_numpy()
        assert np.all(np.abs(estimates[names].to_numpy() - reference["coef"].to_numpy()) <= atol)
        optimum = expected.get("optimum", {})
        wanted_se = optimum.get("fixef_se_exact", reference["se"].tolist())
        assert se[names].tolist() == approx(wanted_se, tolerance["fixef.se"])
        if "fixef_coef_exact" in optimum:
            assert estimates[names].tolist() == pytest.approx(optimum["fixef_coef_exact"], rel=1e-6)
    elif isinstance(expected.get("fixef"), dict):
        coefficients, errors = zip(*expected["fixef"].values(), strict=True)
        assert estimates.tolist() == approx(list(coefficients), tolerance["fixef"])
        assert se.tolist() == approx(list(errors), tolerance["fixef"])
    if "se" in expected:
        assert se.tolist() == approx(expected["se"], tolerance["se"])
    if "beta" in expected:
        # Without a tolerance of its own: to the digits printed.
        assert estimates.tolist() == approx(expected["beta"], tolerance.get("beta", {"abs": 1e-4}))


def test_covariance_of_fixed_effects(model, case, expected):
    tolerance, covariance = case["tolerance"], model.vcov().to_numpy()
    if "vcov" in expected:
        np.testing.assert_allclose(covariance, expected["vcov"], rtol=tolerance["vcov"]["rel"])
    if "fixef_corr" in expected:
        correlation = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
        assert correlation == approx(expected["fixef_corr"], tolerance["fixef_corr"])
    if "wald_ci_lower" in expected:
        lower = model.fixef().to_numpy() - 1.959963984540054 * np.sqrt(np.diag(covariance))
        assert lower.tolist() == approx(expected["wald_ci_lower"], tolerance["wald_ci_lower"])


def test_random_effects(model, case, expected):
    wanted, modes = expected.get("ranef", {}), model.ranef()
    if not wanted:
        return
    tolerance = case["tolerance"]["ranef"]
    if "levels" in wanted:
        table = modes[wanted["group"]]
        found = table.loc[wanted["levels"], "(Intercept)"]
        assert found.tolist() == approx(wanted["(Intercept)"], tolerance)
    elif "u_plate_first" in wanted:
        first = modes["plate"].loc["a", "(Intercept)"]
        assert first / model.theta[0] == approx(wanted["u_plate_first"], tolerance)
        assert modes["sample"].loc["F", "(Intercept)"] == approx(wanted["sample_last"], tolerance)
    else:
        first = modes["Subject"].loc["308", "(Intercept)"]
        assert first == approx(wanted["b_first (Subject 308 intercept)"], tolerance)
        assert first / model.theta[0] == approx(wanted["u_first"], tolerance)


def test_fitted(model, case, expected):
    if "fitted_first" in expected:
        first = model.fitted()[0]
        assert first == approx(expected["fitted_first"], case["tolerance"]["fitted_first"])
        assert 5 - first == approx(expected["residual_first"], case["tolerance"]["residual_first"])


def test_every_transform_is_known():
    assert {case["id"] for case in JULIA if "transform" in case["options"]} == set(TRANSFORMS)


def test_likelihood_ratio_of_the_slopes():
    wanted = case_named(CASES, "test-sleepstudy-random-intercept-mime")["expected"]["lrt_vs_full"]
    data = load_dataset("sleepstudy")
    small = fit("Reaction ~ 1 + Days + (1|Subject)", data, REML=False)
    large = fit("Reaction ~ 1 + Days + (1 + Days|Subject)", data, REML=False)
    assert round(small.objective - large.objective) == wanted["chisq_rounded"]
    assert large.df - small.df == wanted["df"]


def test_pastes_either_way():
    # sample is batch:cask, so both formulas are the same model.
    data = load_dataset("Pastes")
    nested = fit("strength ~ 1 + (1|batch/cask)", data, REML=False)
    named = fit("strength ~ 1 + (1|sample) + (1|batch)", data, REML=False)
    assert nested.objective == pytest.approx(named.objective, rel=1e-12)


def test_missing_values_in_unused_columns_change_nothing():
    data = load_dataset("sleepstudy")
    reference = fit("Reaction ~ 1 + (1|Subject)", data, REML=False)
    holes = data.assign(Days=data["Days"].where(data["Days"] != 3))
    same = fit("Reaction ~ 1 + (1|Subject)", holes, REML=False)
    assert same.nobs == 180
    np.testing.assert_allclose(same.theta, reference.theta, rtol=1e-12)


@pytest.mark.parametrize("column", ["Reaction", "Days", "Subject"])
def test_a_missing_value_in_a_used_column_drops_its_row(column):
    data = load_dataset("sleepstudy")
    holes = data.copy()
    holes.loc[17, column] = np.nan
    formula = "Reaction ~ 1 + Days + (1|Subject)"
    dropped, without = fit(formula, holes, REML=False), fit(formula, data.drop(index=17), REML=False)
    assert dropped.nobs == 179
    np.testing.assert_allclose(dropped.theta, without.theta, rtol=1e-9)


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("Reaction ~ 1 + Days", "random"),
        ("Reaction ~ 1 + Dayz + (1|Subject)", "Dayz"),
        ("Reaction ~ 1 + Days + (1|Person)", "Person"),
        ("constant ~ 1 + Days + (1|Subject)", "constant"),
    ],
)
def test_errors_say_why(formula, message):
    data = load_dataset("sleepstudy").assign(constant=1.0)
    with pytest.raises(MixedModelError, match=message):
        fit(formula, data)
