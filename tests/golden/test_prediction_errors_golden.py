"""Standard errors of predictions against closed forms and glmmTMB (predict_se.json)."""

from __future__ import annotations

import warnings
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from golden_cases import case_named, read_cases

from mixedmodels import glmer, lmer, load_dataset
from mixedmodels.errors import MixedModelsWarning

CASES = read_cases("predict_se.json")
LINEAR = {case["id"] for case in CASES if "se" in case["predictions"][0]}
WITH_COEFFICIENTS = [
    pytest.param(case["id"], wanted, id=f"{case['id']}-{i}")
    for case in CASES
    for i, wanted in enumerate(case["predictions"])
    if wanted["re_form"] != "random"
]
GENERALIZED = [case for case in WITH_COEFFICIENTS if case.values[0] not in LINEAR]
NEW_OBSERVATIONS = [case for case in WITH_COEFFICIENTS if "se_new_observation" in case.values[1]]
RANDOM = [
    pytest.param(case["id"], wanted, id=f"{case['id']}-{i}")
    for case in CASES
    for i, wanted in enumerate(case["predictions"])
    if wanted["re_form"] == "random"
]


@lru_cache
def model(name: str) -> Any:
    case = case_named(CASES, name)
    options = {key: case[key] for key in ("weights", "offset", "subset", "contrasts") if case.get(key)}
    data = load_dataset(case["dataset"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedModelsWarning)
        if name in LINEAR:
            return lmer(case["formula"], data, REML=case["REML"], **options)
        return glmer(case["formula"], data, case["family"], case["link"], **options)


def predicted(name: str, wanted: dict[str, Any], **options: Any) -> pd.DataFrame:
    re_form = {"NULL": None, "NA": "~0"}.get(wanted["re_form"], wanted["re_form"])
    new = pd.DataFrame(wanted["newdata"]) if wanted.get("newdata") else None
    out = model(name).predict(new, re_form, wanted["allow_new_levels"], se_fit=True, **options)
    return out if new is not None else out.iloc[:10]


@pytest.mark.parametrize(("name", "wanted"), WITH_COEFFICIENTS)
def test_standard_errors_given_the_variances(name, wanted):
    fit, se = ("values", "se") if name in LINEAR else ("link", "se_link")
    out = predicted(name, wanted)
    assert np.abs((out["fit"] - wanted[fit]) / wanted[se]).max() < 1e-4
    np.testing.assert_allclose(out["se_fit"], wanted[se], rtol=1e-6)


@pytest.mark.parametrize(("name", "wanted"), GENERALIZED)
def test_on_the_scale_of_the_response_by_the_delta_method(name, wanted):
    out = predicted(name, wanted, type="response")
    np.testing.assert_allclose(out["fit"], wanted["response"], rtol=1e-5)
    np.testing.assert_allclose(out["se_fit"], wanted["se_response"], rtol=1e-5)


@pytest.mark.parametrize(("name", "wanted"), GENERALIZED)
def test_with_the_uncertainty_of_the_variances(name, wanted):
    out = predicted(name, wanted, parameter_uncertainty="delta")
    # glmmTMB differentiates its gradient numerically, which leaves it four digits where columns differ in
    # size.
    np.testing.assert_allclose(out["se_fit"], wanted["se_link_full"], rtol=3e-4)


@pytest.mark.parametrize(("name", "wanted"), NEW_OBSERVATIONS)
def test_new_observations(name, wanted):
    """Limits with one normal quantile on each side give the standard error of a new observation."""
    from scipy.special import ndtr

    options: dict[str, Any] = {"level": 2 * ndtr(1.0) - 1, "ddf": "inf", "interval": "prediction"}
    case, new = case_named(CASES, name), wanted.get("newdata")
    if case.get("weights") and new:
        # The new rows are rows of the data, which have the weights.
        data = load_dataset(case["dataset"]).set_index("Reaction")
        options["weights"] = data.loc[new["Reaction"], case["weights"]].to_numpy()
    out = predicted(name, wanted, **options)
    np.testing.assert_allclose((out["upper"] - out["lower"]) / 2, wanted["se_new_observation"], rtol=1e-6)


@pytest.mark.parametrize(("name", "wanted"), RANDOM)
def test_the_random_part_alone(name, wanted):
    """The errors of z'b, with and without the uncertainty of the coefficients."""
    from mixedmodels.prediction.rows import predicted_rows
    from mixedmodels.prediction.uncertainty import variances_given_theta

    fitted = model(name)._fitted
    new = pd.DataFrame(wanted["newdata"]) if wanted.get("newdata") else None
    rows = predicted_rows(fitted, new, None, wanted["allow_new_levels"], None)
    x, terms = rows.for_engine()
    n = len(wanted["se"])
    joint = fitted.prediction_variances(np.zeros_like(x), terms) + rows.prior_variance()
    given_beta = variances_given_theta(rows, coefficients=False)
    np.testing.assert_allclose(np.sqrt(joint[:n]), wanted["se"], rtol=1e-6)
    np.testing.assert_allclose(np.sqrt(given_beta[:n]), wanted["se_given_beta"], rtol=1e-6)
