"""The package mixedlm from PyPI."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import Any

from ..models import Glm
from .base import ModuleRunner


class Mixedlm(ModuleRunner):
    def fit(self, formula: str, data: Any, reml: bool) -> Any:
        return self.module.lmer(formula, data, REML=reml)

    def objective(self, model: Any, reml: bool) -> float:
        return float(model.deviance)

    def fit_generalized(self, formula: str, data: Any, glm: Glm) -> Any:
        family = getattr(self.module.families, glm.family.capitalize())()
        model = self.module.glmer(formula, data, family, nAGQ=glm.n_agq, weights=glm.weights or None)
        model.vcov()  # lme4 and glmm find the standard errors while fitting
        return model

    def generalized_objective(self, model: Any) -> float:
        # Its deviance lacks the saturated model's part.
        return -2.0 * float(model.logLik().value)


def make() -> Mixedlm:
    return Mixedlm(import_module("mixedlm"), f"mixedlm {version('mixedlm')}")
