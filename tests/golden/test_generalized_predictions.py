"""Predictions and residuals of generalized fits against lme4 1.1-31 (generalized_predictions.json)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from generalized_fits import fit_lme4
from golden_cases import case_named, read_cases

CASES = read_cases("generalized_predictions.json")
PREDICTIONS = [
    pytest.param(case["id"], wanted, id=f"{case['id']}-{i}")
    for case in CASES
    for i, wanted in enumerate(case.get("predictions", []))
]
RESIDUALS = [
    pytest.param(case["id"], kind, wanted, id=f"{case['id']}-{kind}")
    for case in CASES
    for kind, wanted in case.get("expected", {}).get("residuals", {}).items()
]


@lru_cache
def model(name: str) -> Any:
    return fit_lme4(case_named(CASES, name))


@pytest.mark.parametrize(("name", "wanted"), PREDICTIONS)
def test_predictions(name, wanted):
    re_form = {"NULL": None, "NA": "~0"}.get(wanted["re_form"], wanted["re_form"])
    new = None if wanted["newdata"] is None else pd.DataFrame(wanted["newdata"])
    got = model(name).predict(new, re_form, wanted["allow_new_levels"], type=wanted["type"])
    values = np.array(wanted["values"], dtype=float)
    assert len(got) == wanted["n"]
    np.testing.assert_allclose(got[: len(values)], values, rtol=1e-4, atol=1e-4)
    assert got.sum() == pytest.approx(wanted["sum"], rel=1e-4)
    assert np.square(got).sum() == pytest.approx(wanted["sumsq"], rel=1e-4)


@pytest.mark.parametrize(("name", "kind", "wanted"), RESIDUALS)
def test_residuals(name, kind, wanted):
    got = model(name).residuals(kind)
    np.testing.assert_allclose(got[:10], wanted["first"], rtol=1e-4, atol=1e-4)
    assert got.sum() == pytest.approx(wanted["sum"], rel=1e-3, abs=1e-3)
    assert np.square(got).sum() == pytest.approx(wanted["sumsq"], rel=1e-4)
