"""The package mixedlm from PyPI."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import Any

from .base import ModuleRunner


class Mixedlm(ModuleRunner):
    def fit(self, formula: str, data: Any, reml: bool) -> Any:
        return self.module.lmer(formula, data, REML=reml)

    def objective(self, model: Any, reml: bool) -> float:
        return float(model.deviance)


def make() -> Mixedlm:
    return Mixedlm(import_module("mixedlm"), f"mixedlm {version('mixedlm')}")
