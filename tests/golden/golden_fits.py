"""The fits that the golden cases are about."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pandas as pd
from golden_cases import read_cases

from mixedmodels import lmer, load_dataset
from mixedmodels.errors import MixedModelsWarning

# These hold derivatives at given parameters only.
ENGINE_ONLY = {"test-derivatives-dyestuff2", "docs-derivatives-sleepstudy"}

LME4 = read_cases("lmm.json")
JULIA = [
    case
    for case in read_cases("mixedmodels_jl.json")
    if case["kind"] == "lmm" and case["id"] not in ENGINE_ONLY
]

FIXED_DAYS = "Reaction ~ 1 + factor(Days)"
DAYS_1_TO_9 = " + ".join(f"d{day}" for day in range(1, 10))
# The files write indicator columns as d1 + ... + d9.
FORMULAS = {
    "seed-sleepstudy-cat-separate": f"{FIXED_DAYS} + (1|Subject) + (0 + {DAYS_1_TO_9}|Subject)",
    "seed-sleepstudy-cat-fulldummy": f"{FIXED_DAYS} + (1 + d0 + {DAYS_1_TO_9}|Subject)",
    "seed-sleepstudy-cat-zerocorr": f"{FIXED_DAYS} + (1 + {DAYS_1_TO_9}||Subject)",
    "seed-sleepstudy-cat-zerocorr-separate": f"{FIXED_DAYS} + (1|Subject) + (0 + {DAYS_1_TO_9}||Subject)",
    "seed-sleepstudy-cat-zerocorr-fulldummy": f"{FIXED_DAYS} + (1 + d0 + {DAYS_1_TO_9}||Subject)",
}


def with_day_indicators(data: pd.DataFrame) -> pd.DataFrame:
    """d0 to d9: one for each day of the sleep study."""
    return data.assign(**{f"d{day}": (data["Days"] == day).astype(float) for day in range(10)})


def with_numbered_departments(data: pd.DataFrame) -> pd.DataFrame:
    """Departments in the order of their numbers, as in Julia: department 1 is the reference."""
    levels = sorted(data["dept"].cat.categories, key=int)
    return data.assign(dept=data["dept"].cat.reorder_categories(levels))


def with_numeric_service(data: pd.DataFrame) -> pd.DataFrame:
    """service_num: service as a number, 0 or 1."""
    return data.assign(service_num=data["service"].astype(int))


TRANSFORMS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    **dict.fromkeys(FORMULAS, with_day_indicators),
    "seed-sleepstudy-cat-full": with_day_indicators,
    "seed-insteval-service-dept": with_numbered_departments,
    "paper-insteval-dept-zerocorr": with_numeric_service,
}


def fit(formula: str, data: pd.DataFrame, **options: Any) -> Any:
    """A fit whose warnings (singular fits, mostly) are of no interest here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedModelsWarning)
        return lmer(formula, data, **options)


def fit_lme4(case: dict[str, Any]) -> Any:
    """The fit of a case of lmm.json."""
    options = {key: case[key] for key in ("weights", "offset", "contrasts", "subset") if case.get(key)}
    return fit(case["formula"], load_dataset(case["dataset"]), REML=case["REML"], **options)


def fit_julia(case: dict[str, Any]) -> Any:
    """The fit of a case of mixedmodels_jl.json."""
    data = load_dataset(case["dataset"])
    if "transform" in case["options"]:
        data = TRANSFORMS[case["id"]](data)
    formula = FORMULAS.get(case["id"], case["formula_lme4"])
    return fit(formula, data, REML=case["options"].get("REML", False))
