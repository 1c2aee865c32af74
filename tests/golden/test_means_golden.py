"""Marginal means, contrasts and trends against R's emmeans."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from golden_cases import case_named
from inference_fits import CASES, fit, with_table

from mixedmodels import emmeans, emtrends

# emmeans calls infinite degrees of freedom and its columns so.
DDF = {"asymptotic": "inf", None: None}
COLUMNS = {"asymp.LCL": "lower.CL", "asymp.UCL": "upper.CL"}
REQUESTS = [
    pytest.param(case["id"], i, id=f"{case['id']}-{i}")
    for case in CASES
    for i in range(len(case["expected"].get("emmeans", [])))
]


def wanted_of(name: str, i: int) -> dict[str, Any]:
    return case_named(CASES, name)["expected"]["emmeans"][i]


def means_of(name: str, i: int) -> Any:
    wanted = wanted_of(name, i)
    ddf = DDF.get(wanted["df"], wanted["df"])
    return emmeans(fit(name), wanted["specs"], at=wanted["at"], ddf=ddf, type=wanted["type"] or "link")


def compare(got: Any, wanted: dict[str, Any]) -> None:
    """Every column: labels exactly, statistics to 1e-6, degrees of freedom to 1e-5."""
    columns = wanted["columns"]
    for theirs, values in columns.items():
        ours = COLUMNS.get(theirs, theirs)
        if isinstance(values[0], str):
            assert got[ours].astype(str).tolist() == values
            continue
        numbers = np.array([np.inf if v is None else v for v in values], dtype=float)
        found = got[ours].to_numpy(float)
        relative: Any = 1e-5 if theirs == "df" else 1e-6
        size = np.abs(numbers)
        if theirs.endswith("CL") or theirs in ("emmean", "estimate"):
            size = np.maximum(size, np.asarray(columns["SE"], dtype=float))
        elif theirs == "p.value":
            # d log p / d log t is about 1 + t² in the tails. (R computes 1 - ptukey, good to 4e-12.)
            ratio = np.asarray(columns.get("t.ratio", columns.get("z.ratio")), dtype=float)
            relative = relative * (1.0 + np.square(ratio))
        elif theirs.endswith(".ratio") and theirs[0] in "tz":
            # Estimates are good to a share of their standard errors.
            size = np.maximum(size, 1.0)
        finite = np.isfinite(numbers)
        assert np.array_equal(found[~finite], numbers[~finite])
        error = np.abs(found[finite] - numbers[finite])
        assert np.all(error <= (relative * size + 1e-11)[finite]), (theirs, error)


@pytest.mark.parametrize(("name", "i"), REQUESTS)
def test_means(name, i):
    wanted = wanted_of(name, i)
    means = means_of(name, i)
    table = means.confint()
    tests = means.test()
    for column in tests.columns.difference(table.columns):
        table[column] = tests[column]
    compare(table, wanted["means"])


@pytest.mark.parametrize("adjust", ["none", "tukey", "holm"])
@pytest.mark.parametrize(("name", "i"), REQUESTS)
def test_pairs(name, i, adjust):
    wanted = wanted_of(name, i)
    compare(means_of(name, i).pairs(adjust=adjust).test(), wanted["pairs"][adjust])


@pytest.mark.parametrize(
    ("name", "i", "method"),
    [
        (case["id"], i, key.removeprefix("contrast_"))
        for case in CASES
        for i, request in enumerate(case["expected"].get("emmeans", []))
        for key in request
        if key.startswith("contrast_")
    ],
)
def test_contrasts(name, i, method):
    wanted = wanted_of(name, i)
    compare(means_of(name, i).contrast(method, "none").test(), wanted[f"contrast_{method}"])


@pytest.mark.parametrize("name", with_table("emtrends"))
def test_trends(name):
    for wanted in case_named(CASES, name)["expected"]["emtrends"]:
        trends = emtrends(fit(name), wanted["specs"], wanted["var"], ddf=wanted["df"])
        compare(trends.confint(), wanted["trends"])
        compare(trends.pairs().test(), wanted["pairs"])
