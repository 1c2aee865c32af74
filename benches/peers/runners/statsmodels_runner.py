"""MixedLM of statsmodels, for models with one random-effects term and one plain grouping factor."""

from __future__ import annotations

import re
from importlib import import_module
from importlib.metadata import version
from typing import Any

from .base import ModuleRunner

_TERM = re.compile(r"\s*\+\s*\(([^|()]+)\|\s*(\w+)\s*\)\s*$")


class Statsmodels(ModuleRunner):
    def fit(self, formula: str, data: Any, reml: bool) -> Any:
        term = _TERM.search(formula)
        if term is None:
            raise ValueError(f"statsmodels cannot fit {formula}: it needs one term (... | g) at the end")
        fixed = formula[: term.start()]
        model = self.module.mixedlm(fixed, data, re_formula=f"~ {term[1].strip()}", groups=term[2])
        return model.fit(reml=reml)

    def objective(self, model: Any, reml: bool) -> float:
        return -2.0 * float(model.llf)


def make() -> Statsmodels:
    return Statsmodels(import_module("statsmodels.formula.api"), f"statsmodels {version('statsmodels')}")
