"""This package."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from ..models import Glm
from .base import ModuleRunner, is_many, response_names


class Ours(ModuleRunner):
    def fit(self, formula: str, data: Any, reml: bool) -> Any:
        if is_many(formula):
            return self.module.fit_many(formula, data, response_names(data), REML=reml)
        return self.module.lmer(formula, data, REML=reml)

    def objective(self, model: Any, reml: bool) -> float:
        return float(np.sum(model.objective))

    def fit_generalized(self, formula: str, data: Any, glm: Glm) -> Any:
        model = self.module.glmer(formula, data, glm.family, nAGQ=glm.n_agq, weights=glm.weights or None)
        model.vcov()  # lme4 and glmm find the standard errors while fitting
        return model

    def generalized_objective(self, model: Any) -> float:
        return float(model.objective)


def make() -> Ours:
    module = import_module("mixedmodels")
    if not hasattr(module, "lmer"):
        raise ImportError("mixedmodels is on the path but has no lmer: build and install it first")
    return Ours(module, f"mixedmodels {getattr(module, '__version__', '')}".strip())
