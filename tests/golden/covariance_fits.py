"""The fits of the cases of covariance.json."""

from __future__ import annotations

import warnings
from typing import Any

from golden_cases import read_cases

from mixedmodels import glmer, lmer, load_dataset
from mixedmodels.errors import MixedModelsWarning

STRUCTURED = read_cases("covariance.json")


def fit_structured(case: dict[str, Any], formula: str | None = None) -> Any:
    """The fit of a case, or of another formula on its data and by its criterion."""
    data, formula = load_dataset(case["dataset"]), formula or case["formula"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedModelsWarning)
        if case["family"] == "gaussian":
            return lmer(formula, data, REML=case["REML"])
        return glmer(formula, data, family=case["family"], link=case["link"])


def is_linear(case: dict[str, Any]) -> bool:
    return case["family"] == "gaussian"


def parameter_values(varcorr: dict[str, Any]) -> tuple[list[float], list[float]]:
    """Standard deviations and correlations of a term's structure, in order."""
    parameters = varcorr["parameters"]
    found = []
    for names in (("sd",), ("rho", "rho_unit")):
        value = next((parameters[name] for name in names if name in parameters), [])
        found.append(value if isinstance(value, list) else [value])
    return found[0], found[1]
