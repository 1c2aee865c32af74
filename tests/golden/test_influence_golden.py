"""Case deletion and standardised residuals against lme4 (diagnostics.json, checks.json)."""

from __future__ import annotations

import generalized_fits
import golden_fits
import numpy as np
import pytest
from golden_cases import canonical, case_named, read_cases

import mixedmodels as mm

DIAGNOSTICS = read_cases("diagnostics.json")
CHECKS = [case for case in read_cases("checks.json") if "influence" in case["expected"]]


def fit(case):
    kind = generalized_fits if case["kind"] == "glmer" else golden_fits
    return kind.fit_lme4(case)


def in_order(table, names):
    """The columns of a table in R's order."""
    own = {canonical(name): name for name in table.columns}
    return table[[own[canonical(name)] for name in names]].to_numpy()


def close(values, expected, rtol):
    """Agree within a share of the largest value of each column."""
    expected = np.array(expected)
    scale = np.abs(expected).max(axis=0)
    np.testing.assert_allclose(values / scale, expected / scale, rtol=0, atol=rtol)


def level_cases(cases):
    return [
        pytest.param(case, factor, id=f"{case['id']}-{factor}")
        for case in cases
        for factor in case["expected"].get("influence", {})
    ]


@pytest.mark.parametrize(("case", "factor"), level_cases(DIAGNOSTICS))
def test_deletion_of_levels(case, factor):
    expected = case["expected"]["influence"][factor]
    found = mm.influence(fit(case), groups=factor)
    # lme4 stops its refits of a generalized model short.
    rtol = 1e-3 if case["kind"] == "lmer" else 0.05
    change = np.array(expected["dfbeta"]["values"])
    own = in_order(found.dfbeta.loc[expected["levels"]], expected["dfbeta"]["names"])
    close(own, change, rtol)
    m, p = found.dfbeta.shape
    distances = found.cooks_distance.loc[expected["levels"]].to_numpy() * (m - p) / m
    close(distances, expected["cooks_distance"], rtol)


@pytest.mark.parametrize(("case", "factor"), level_cases(CHECKS))
def test_deletion_of_levels_with_tight_refits(case, factor):
    expected = case["expected"]["influence"][factor]
    found = mm.influence(fit(case), groups=factor)
    levels = expected["levels"]
    rtol = 1e-5 if case["kind"] == "lmer" else 1e-4
    close(in_order(found.dfbeta.loc[levels], expected["names"]), expected["dfbeta"], rtol)
    close(in_order(found.dfbetas.loc[levels], expected["names"]), expected["dfbetas"], rtol)
    close(found.cooks_distance.loc[levels].to_numpy(), expected["cooks_distance"], rtol)


@pytest.mark.parametrize("name", ["diag_dyestuff", "diag_machines"])
def test_deletion_of_rows(name):
    case = case_named(DIAGNOSTICS, name)
    expected = case["expected"]["influence_obs"]
    found = mm.influence(fit(case))
    distances = found.cooks_distance.to_numpy()
    assert len(distances) == found.n_rows.sum()
    n, p = found.dfbeta.shape
    first = np.array(expected["cooks_distance"]["first"], dtype=float)
    np.testing.assert_allclose(distances[: len(first)] * (n - p) / n, first, rtol=1e-3)


@pytest.mark.parametrize("name", [case["id"] for case in DIAGNOSTICS if case["kind"] == "lmer"])
def test_lme4s_rstudent_is_our_rstandard(name):
    # lme4 takes sigma of the whole fit; that of the other rows makes the t statistic.
    case = case_named(DIAGNOSTICS, name)
    expected = case["expected"]["rstudent"]
    values = mm.rstandard(fit(case))
    np.testing.assert_allclose(values[: len(expected["first"])], expected["first"], rtol=1e-6)
    assert np.square(values).sum() == pytest.approx(expected["sumsq"], rel=1e-6)
