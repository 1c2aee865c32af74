"""Models with structured covariance matrices against glmmTMB, nlme and closed forms."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from covariance_fits import STRUCTURED, fit_structured, is_linear, parameter_values
from golden_cases import case_named, matching_group, matching_names, parameters

from mixedmodels import tidy


@pytest.fixture(scope="module", params=parameters(STRUCTURED))
def case(request) -> dict[str, Any]:
    return request.param


@pytest.fixture(scope="module")
def model(case: dict[str, Any]) -> Any:
    return fit_structured(case)


@pytest.fixture(scope="module")
def expected(case: dict[str, Any]) -> dict[str, Any]:
    return case["expected"]


def components(model: Any, expected: dict[str, Any]) -> list[tuple[dict[str, Any], Any]]:
    """The reference's terms with ours: of one grouping factor in the order of the formula."""
    left, pairs = list(model.VarCorr()), []
    for wanted in expected["varcorr"]:
        group = matching_group(wanted["group"], dict.fromkeys(part.group for part in left))
        same = [part for part in left if part.group == group and len(part.names) == len(wanted["names"])]
        left.remove(same[0])
        pairs.append((wanted, same[0]))
    assert not left
    return pairs


def test_objective(model, case, expected):
    assert model.objective == pytest.approx(expected["objective"], rel=1e-7 if not is_linear(case) else 1e-8)
    assert model.convergence.converged
    assert model.df == expected["df"]
    assert model.nobs == expected["nobs"]
    assert float(model.logLik()) == pytest.approx(expected["logLik"], rel=1e-7)
    assert model.AIC() == pytest.approx(expected["AIC"], rel=1e-7)


def test_fixed_effects(model, expected):
    estimates = model.fixef()
    names = matching_names(list(expected["fixef"]), list(estimates.index))
    se = model.se[names].to_numpy()
    wanted = np.array(list(expected["fixef"].values()))
    np.testing.assert_allclose((estimates[names].to_numpy() - wanted) / se, 0, atol=1e-4)
    if "se" in expected:
        np.testing.assert_allclose(se, list(expected["se"].values()), rtol=1e-3)


def test_natural_parameters(model, case, expected):
    tolerance = 2e-4 if is_linear(case) else 1e-3
    if is_linear(case):
        assert model.sigma == pytest.approx(expected["sigma"], rel=tolerance)
    for wanted, got in components(model, expected):
        sds, correlations = parameter_values(wanted)
        np.testing.assert_allclose(got.sd, wanted["sd"], rtol=tolerance, atol=1e-5 * max(sds))
        own = [part.value for part in got.parameters if part.kind == "sd"]
        np.testing.assert_allclose(own, sds, rtol=tolerance, atol=1e-5 * max(sds))
        if got.structure != "us":
            assert got.structure == wanted["structure"].replace("exp", "ou")
            rho = [part.value for part in got.parameters if part.kind == "cor"]
            np.testing.assert_allclose(rho, correlations, rtol=tolerance, atol=tolerance)


def test_modes(model, case, expected):
    if "ranef" not in expected:
        return
    for wanted in expected["ranef"]:
        group = matching_group(wanted["group"], list(model.ranef()))
        table = model.ranef()[group]
        ours = np.sort(np.square(table.to_numpy()).sum(axis=0))
        terms = [part for part in expected["ranef"] if part["group"] == wanted["group"]]
        reference = np.sort(np.concatenate([part["sumsq"] for part in terms]))
        np.testing.assert_allclose(ours, reference, rtol=5e-3, atol=1e-5 * max(1.0, reference.max()))


def test_fitted_values(model, expected):
    if "fitted_first" in expected:
        size = np.ptp(model.fitted())
        wanted = expected["fitted_first"]
        np.testing.assert_allclose(model.fitted()[: len(wanted)], wanted, rtol=0, atol=2e-4 * size)
    if "population_linear_predictor_first" in expected:
        wanted = expected["population_linear_predictor_first"]
        got = model.predict(re_form="~0")[: len(wanted)]
        np.testing.assert_allclose(got, wanted, rtol=0, atol=2e-4 * np.ptp(model.predict(re_form="~0")))


def test_what_is_printed(model):
    """Every term says its structure, and the tables hold its parameters once."""
    text, table = str(model.VarCorr()), tidy(model, "ran_pars")
    values = []
    for part in model.VarCorr():
        values += [own.value for own in part.parameters]
        if part.structure not in ("us", "diag"):
            assert f"({part.structure}" in text
    assert table["estimate"].to_numpy()[: len(values)] == pytest.approx(values)
    assert len(model.theta) == len(values)


@pytest.mark.filterwarnings("ignore::mixedmodels.errors.SingularFitWarning")
def test_start_at_the_estimates_is_the_optimum(model):
    again = model.update(start=model.theta)
    assert again.objective == pytest.approx(model.objective, rel=1e-9)


def test_pickled(model):
    again = pickle.loads(pickle.dumps(model))
    assert str(again.VarCorr()) == str(model.VarCorr())
    np.testing.assert_array_equal(again.getME("theta"), model.getME("theta"))


SAME = [case for case in STRUCTURED if "same_as" in case]


@pytest.mark.parametrize("case", parameters(SAME))
def test_two_spellings_of_a_model(case):
    """Terms in another order, and equal structures by another name, keep their own parameters."""
    other = fit_structured(case_named(STRUCTURED, case["same_as"]))
    model = fit_structured(case)
    assert model.objective == pytest.approx(other.objective, rel=1e-9)
    mine, others = (
        sorted((part.group, round(own.value, 4)) for part in m.VarCorr() for own in part.parameters)
        for m in (model, other)
    )
    assert [group for group, _ in mine] == [group for group, _ in others]
    np.testing.assert_allclose([v for _, v in mine], [v for _, v in others], rtol=1e-3, atol=1e-4)
