"""Every public function of a model that was loaded without its data: the same result, or a NoDataError."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import mixedmodels as mm
from degenerate.operations import OPERATIONS
from saved.saved_models import model

# Advice in it comes from other fits.
WITH_LESS = {"check_singularity"}


def alike(one: Any, other: Any) -> bool:
    """Whether two results show the same numbers."""
    if hasattr(one, "summary") and hasattr(one, "predict"):
        one, other = one.summary(), other.summary()
    if hasattr(one, "to_frame") and not isinstance(one, pd.Index):
        one, other = one.to_frame(), other.to_frame()
    if isinstance(one, pd.DataFrame):
        same = list(one.columns) == list(other.columns) and len(one) == len(other)
        return same and all(alike(one[c].to_numpy(), other[c].to_numpy()) for c in one.columns)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(alike, one, other))
    with contextlib.suppress(TypeError, ValueError):
        return np.allclose(np.asarray(one, float), np.asarray(other, float), 2e-6, 1e-8, equal_nan=True)
    # Objects of functions are shown by their place in memory.
    return str(one) == str(other) or " at 0x" in str(one)


def outcome(call: Any, m: Any) -> Any:
    try:
        return call(m)
    except mm.NoDataError:
        raise
    except (mm.MixedModelError, AttributeError, TypeError) as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "name", ["plain", "contrasts", "ar1", "fixed", "singular", "crossed", "trials", "nbinom2", "beta"]
)
def test_the_same_result_or_an_error_that_says_why_not(name: str, tmp_path: Path) -> None:
    m = model(name)
    m.save(tmp_path / "model")
    same = mm.load(tmp_path / "model")
    wrong, known = [], 0
    for operation, call in OPERATIONS.items():
        try:
            found = outcome(call, same)
        except mm.NoDataError:
            continue
        if operation in WITH_LESS:
            continue
        known += 1
        if not alike(outcome(call, m), found):
            wrong.append(operation)
    assert not wrong
    assert known > 60
