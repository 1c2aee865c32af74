"""This package."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .base import ModuleRunner


class Ours(ModuleRunner):
    def fit(self, formula: str, data: Any, reml: bool) -> Any:
        return self.module.lmer(formula, data, REML=reml)

    def objective(self, model: Any, reml: bool) -> float:
        return float(model.objective)


def make() -> Ours:
    module = import_module("mixedmodels")
    if not hasattr(module, "lmer"):
        raise ImportError("mixedmodels is on the path but has no lmer: build and install it first")
    return Ours(module, f"mixedmodels {getattr(module, '__version__', '')}".strip())
