"""The fits that the golden cases of inference are about."""

from __future__ import annotations

from functools import cache
from typing import Any

import generalized_fits
import golden_fits
import numpy as np
import pandas as pd
from golden_cases import case_named, read_cases

CASES = read_cases("inference.json")
LINEAR = [case for case in CASES if case["kind"] == "lmer"]
GENERALIZED = [case for case in CASES if case["kind"] == "glmer"]


@cache
def fit(name: str, formula: str | None = None) -> Any:
    """The fit of the case with this id, or of another formula to its data."""
    case = case_named(CASES, name)
    if formula is not None:
        case = {**case, "formula": formula}
    return golden_fits.fit_lme4(case) if case["kind"] == "lmer" else generalized_fits.fit_lme4(case)


def table(expected: dict[str, Any]) -> pd.DataFrame:
    """A table of the file as a data frame; null is NaN."""
    columns = {name: np.array(values, dtype=float) for name, values in expected["columns"].items()}
    return pd.DataFrame(columns, index=pd.Index(expected["rows"], dtype=object))


def with_table(*keys: str, among: list[dict[str, Any]] = CASES) -> list[str]:
    """Ids of the cases whose expected results have all these keys, each inside the one before."""
    found = []
    for case in among:
        part: Any = case["expected"]
        for key in keys:
            part = part.get(key) if isinstance(part, dict) else None
        if part is not None:
            found.append(case["id"])
    return found
