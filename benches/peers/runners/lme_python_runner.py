"""The package lme-python from PyPI, for many responses to one design."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import Any

from .base import ModuleRunner, response_names


class LmePython(ModuleRunner):
    def fit(self, formula: str, data: Any, reml: bool) -> Any:
        names = response_names(data)
        # It needs a response to prepare the design, and takes the others as lists.
        prepared = self.module.prepare_lmer(f"{names[0]} {formula}", data.drop(columns=names[1:]))
        return [prepared.fit(column.tolist(), reml) for column in data[names].to_numpy().T]

    def objective(self, model: Any, reml: bool) -> float:
        return sum(fit.reml_criterion if reml else fit.deviance for fit in model)


def make() -> LmePython:
    return LmePython(import_module("lme_python"), f"lme-python {version('lme-python')}")
