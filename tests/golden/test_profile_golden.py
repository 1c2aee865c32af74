"""Profiles against constrained optima of R, and the intervals against those and lme4's splines."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import generalized_fits
import golden_fits
import inference_fits
import numpy as np
import pytest
from golden_cases import canonical, case_named, matching_group, parameters, read_cases

from mixedmodels.inference.estimates.parameter_rows import ParameterRow, parameter_rows
from mixedmodels.inference.profiles.base import base_of
from mixedmodels.inference.profiles.walks import constrained

CASES = read_cases("profile.json")
KINDS = {"sd": "sd", "cor": "cor", "sigma": "scale", "fixef": "coefficient"}
# Within this share of their width lme4's limits, which are on a spline, are ours. Its upper limit of sigma for
# the orthodontic data is missing, and the lower one at an end of its profile, which stops at a singular fit.
SPLINE = 1e-3
GAVE_UP = {("inf_orthodont", "sigma")}


@cache
def fit(name: str) -> Any:
    case = case_named(CASES, name)
    return golden_fits.fit_lme4(case) if case["kind"] == "lmer" else generalized_fits.fit_lme4(case)


@cache
def profile(name: str) -> Any:
    return fit(name).profile()


def row_of(model: Any, part: dict[str, Any]) -> ParameterRow:
    """Our name for a parameter of the file."""
    rows = [row for row in parameter_rows(model._fitted) if row.kind == KINDS[part["kind"]]]
    if part["kind"] == "fixef":
        rows = [row for row in rows if canonical(row.name) == canonical(part["name"])]
    elif part["kind"] in ("sd", "cor"):
        groups = list(dict.fromkeys(row.name.split("|")[1] for row in rows))
        group = matching_group(part["group"], groups)
        names = {canonical(name) for name in part["names"]}
        rows = [
            row
            for row in rows
            if row.name.split("|")[1] == group and {canonical(n) for n in _effects(row.name)} == names
        ]
    assert len(rows) == 1, part["lme4_name"]
    return rows[0]


def _effects(name: str) -> list[str]:
    """The effects of a standard deviation or correlation: apart by dots that are in no brackets."""
    return re.split(r"\.(?![^\[]*\])", name.split("|")[0].split("_", 1)[1])


@pytest.mark.parametrize("case", parameters(CASES))
def test_zeta_is_that_of_a_constrained_optimum(case):
    model = fit(case["id"])
    ours = profile(case["id"])
    for part in case["expected"]["parameters"]:
        name = row_of(model, part).name
        np.testing.assert_allclose(
            ours.zeta_at(name, part["points"]), part["zeta"], rtol=0, atol=1e-6, err_msg=name
        )


@pytest.mark.parametrize("case", parameters(CASES))
def test_limits_are_where_zeta_is_the_quantile(case):
    model = fit(case["id"])
    for level in ("0.95", "0.99"):
        limits = model.confint(method="profile", level=float(level))
        for part in case["expected"]["parameters"]:
            name = row_of(model, part).name
            got, wanted = limits.loc[name].to_numpy(), part[level]["limits"]
            for own, other, at_bound in zip(got, wanted, part[level]["at_bound"], strict=True):
                if at_bound:
                    assert own in (0.0, -1.0, 1.0), name
                else:
                    width = wanted[1] - wanted[0]
                    assert own == pytest.approx(other, abs=1e-4 * width), name


@pytest.mark.parametrize("case", parameters(CASES))
def test_the_other_parameters_are_at_the_constrained_optimum(case):
    model = fit(case["id"])
    base, parts = base_of(model._fitted), case["expected"]["parameters"]
    rows = [row_of(model, part) for part in parts]
    columns = [[row.name for row in parameter_rows(model._fitted)].index(row.name) for row in rows]
    units = np.array([np.ptp(part["0.95"]["limits"]) for part in parts])
    for part, row in zip(parts, rows, strict=True):
        if not part.get("others"):
            continue
        below = [i for i, zeta in enumerate(part["zeta"]) if zeta < 0][::-1]
        above = [i for i, zeta in enumerate(part["zeta"]) if zeta >= 0]
        chains = [[[part["points"][i]] for i in side] for side in (below, above)]
        for side, found in zip((below, above), constrained(base, [row], chains), strict=True):
            got = base.values(found)[:, columns]
            wanted = np.array([part["others"][i] for i in side], dtype=float).reshape(got.shape)
            # At a standard deviation near zero the criterion is flat, and a correlation with it means nothing.
            flat = (
                np.isnan(wanted)
                | np.isnan(got)
                | (np.abs(wanted) < 1e-3) & np.isclose(got, wanted, atol=1e-2)
            )
            np.testing.assert_array_less(
                np.where(flat, 0.0, np.abs(got - wanted)), np.tile(1e-4 * units, (len(got), 1)), row.name
            )


@pytest.mark.parametrize("name", inference_fits.with_table("confint", "profile"))
def test_limits_of_lme4(name):
    expected = case_named(inference_fits.CASES, name)["expected"]["confint"]["profile"]
    wanted = inference_fits.table(expected)
    got = inference_fits.fit(name).confint(method="profile")
    ours = {_plain(own): own for own in got.index}
    for label, limits in wanted.iterrows():
        own = got.loc[ours[_plain(label)]].to_numpy()
        if (name, label) in GAVE_UP:
            assert np.isfinite(own).all()
            continue
        width = np.ptp(limits)
        np.testing.assert_allclose(own, limits, rtol=0, atol=SPLINE * width, err_msg=label)


def _plain(label: Any) -> tuple[str, ...]:
    """A label with sorted factors of interactions and without the spelling of contrasts."""
    head, _, group = str(label).partition("|")
    if not group:
        return (canonical(head),)
    return head[:3], *sorted(map(canonical, _effects(head))), *sorted(group.split(":"))
