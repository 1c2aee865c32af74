"""Means, variances and covariances of simulated responses against simulate_facts.json."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from golden_cases import case_named, matching_group, matching_names, parameters, read_cases

from mixedmodels import glmer, lmer, load_dataset, parameter_names, simulate_formula
from mixedmodels.errors import MixedModelsWarning

CASES = read_cases("simulate_facts.json")
# Simulated responses, and the largest distance in standard errors among thousands of comparisons.
N = 4000
FAR = 5.5


def data_of(case: dict[str, Any]) -> pd.DataFrame:
    data = load_dataset(case["dataset"])
    return data.query(case["subset"]).reset_index(drop=True) if case.get("subset") else data


def options_of(case: dict[str, Any]) -> dict[str, Any]:
    return {"weights": case["weights"]} if case.get("weights") else {}


def parameters_of(case: dict[str, Any]) -> dict[Any, float]:
    """The parameters of a case under our names."""
    wanted = case["parameters"]
    data = data_of(case)
    names = parameter_names(case["formula"], data, family=case.get("family"))
    fixed = names[: len(wanted["fixef"])]
    params: dict[Any, float] = dict(
        zip(matching_names(list(wanted["fixef"]), fixed), wanted["fixef"].values(), strict=True)
    )
    groups = {"batch:cask", "batch", "plate", "sample", "Subject", "herd", "district", "subject", "site"}
    for part in wanted["varcorr"]:
        group = matching_group(part["group"], groups | {"BROOD", "LOCATION"})
        effects = ["urban[T.Y]" if name == "urbanY" else name for name in part["names"]]
        for i, name in enumerate(effects):
            params[group, f"sd__{name}"] = part["sd"][i]
            for j in range(i):
                params[group, f"cor__{effects[j]}.{name}"] = part["corr"][i][j]
    if "sigma" in wanted:
        params["sigma"] = wanted["sigma"]
    if "dispersion" in wanted:
        params["dispersion"] = wanted["dispersion"]
    return params


def values_of(drawn: pd.DataFrame) -> np.ndarray:
    """Simulations in columns: of successes and failures the successes, labels as numbers."""
    if drawn.columns.nlevels > 1:
        return drawn.xs("successes", axis=1, level=1).to_numpy()
    values = drawn.to_numpy()
    return values.astype(float) if values.dtype.kind in "fib" else (values == "Y").astype(float)


@cache
def fit(name: str) -> Any:
    case = case_named(CASES, name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedModelsWarning)
        if case["kind"] == "lmer":
            return lmer(case["formula"], data_of(case), case["REML"], **options_of(case))
        return glmer(case["formula"], data_of(case), case["family"], case["link"])


def close_moments(values: np.ndarray, wanted: dict[str, Any], tolerance: float = 0.0) -> None:
    n = values.shape[1]
    mean, variance = np.array(wanted["mean"]), np.array(wanted["variance"])
    distance = np.abs(values.mean(axis=1) - mean)
    assert (distance <= FAR * np.sqrt(variance / n) + tolerance * np.sqrt(variance)).all()
    centred = values - values.mean(axis=1, keepdims=True)
    squares = np.square(centred)
    error = squares.std(axis=1) / np.sqrt(n)
    # A sample from a long tail rarely shows all of its variance.
    assert (np.abs(squares.mean(axis=1) - variance) <= FAR * error + (0.1 + tolerance) * variance).all()
    ratios = (squares / variance[:, None]).mean(axis=0)
    assert abs(ratios.mean() - 1.0) < 4.5 * ratios.std() / np.sqrt(n) + tolerance


@pytest.mark.parametrize("case", parameters(CASES))
def test_moments_over_random_effects(case):
    params, family = parameters_of(case), case.get("family")
    options = options_of(case)
    drawn = simulate_formula(case["formula"], data_of(case), params, family=family, nsim=N, rng=20, **options)
    values, wanted = values_of(drawn), case["expected"]["marginal"]
    assert len(values) == case["expected"]["n"]
    close_moments(values, wanted)
    rows = wanted["rows"]
    some = values[rows] - values[rows].mean(axis=1, keepdims=True)
    products = some[:, None] * some[None]
    error = products.std(axis=2) / np.sqrt(N)
    scale = np.sqrt(np.outer(np.diag(wanted["covariance"]), np.diag(wanted["covariance"])))
    assert (np.abs(products.mean(axis=2) - wanted["covariance"]) <= FAR * error + 0.02 * scale).all()
    if "probability_zero_sum" in wanted:
        zeros = (values == 0).sum(axis=0)
        error = zeros.std() / np.sqrt(N)
        assert abs(zeros.mean() - wanted["probability_zero_sum"]) < 4.5 * error
    if "variance_of_mean" in wanted:
        got = values.mean(axis=0).var()
        assert got == pytest.approx(wanted["variance_of_mean"], rel=4.5 * np.sqrt(2 / N))


@pytest.mark.parametrize("case", parameters(CASES))
def test_moments_given_the_modes(case):
    values = values_of(fit(case["id"]).simulate(N, rng=21, re_form=None))
    close_moments(values, case["expected"]["conditional"], tolerance=2e-3)
