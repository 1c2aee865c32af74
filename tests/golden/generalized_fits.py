"""The fits that the golden cases of generalized models are about."""

from __future__ import annotations

import re
import warnings
from typing import Any

from golden_cases import read_cases

from mixedmodels import families, glmer, load_dataset
from mixedmodels.errors import MixedModelsWarning

LME4 = read_cases("glmm.json")
LME4_NEGATIVE_BINOMIAL = read_cases("nb.json")
GLMMTMB = read_cases("glmmtmb.json")

# lme4's objective is no marginal likelihood for these: glmmTMB has it (cases with `alt_for`).
DISPERSION_FAMILIES = "dispersion-family"


def lme4_cases() -> list[dict[str, Any]]:
    """The cases for which lme4's objective is the one that is minimised here."""
    return [case for case in LME4 if DISPERSION_FAMILIES not in case["tags"]]


def fit_lme4(case: dict[str, Any]) -> Any:
    """The fit of a case of glmm.json or nb.json, with the weights of lme4 in the log-determinant."""
    options = {key: case[key] for key in ("weights", "offset", "contrasts", "subset") if case.get(key)}
    family: Any = case["family"]
    if case.get("nb_theta"):
        family, link = families.NegativeBinomial(case["link"], size=case["nb_theta"]), None
    else:
        link = case["link"]
    return fit(case, family, link, nAGQ=case["nAGQ"], information="expected", **options)


def fit_glmmtmb(case: dict[str, Any]) -> Any:
    """The fit of a case of glmmtmb.json."""
    name, link = re.fullmatch(r"(\w+)(?:\((?:link = '(\w+)')?\))?", case["family"]).groups()
    return fit(case, name, link)


def fit(case: dict[str, Any], family: Any, link: str | None, **options: Any) -> Any:
    """A fit whose warnings (singular fits, mostly) are of no interest here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedModelsWarning)
        return glmer(case["formula"], load_dataset(case["dataset"]), family, link, **options)
