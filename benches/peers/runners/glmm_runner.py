"""The package glmm from PyPI."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import Any

from ..models import Glm
from .base import ModuleRunner


class Glmm(ModuleRunner):
    def fit(self, formula: str, data: Any, reml: bool) -> Any:
        # Its degrees of freedom are switched off because no other peer computes them while fitting.
        return self.module.fit(data, formula, reml=reml, satterthwaite=False)

    def objective(self, model: Any, reml: bool) -> float:
        return -2.0 * float(model.loglik)

    def fit_generalized(self, formula: str, data: Any, glm: Glm) -> Any:
        weights = data[glm.weights].to_numpy() if glm.weights else None
        return self.module.fit(data, formula, family=glm.family, nagq=glm.n_agq, weights=weights)

    def generalized_objective(self, model: Any) -> float:
        return -2.0 * float(model.loglik)


def make() -> Glmm:
    return Glmm(import_module("glmm"), f"glmm {version('glmm')}")
