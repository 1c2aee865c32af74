"""The models whose optima are kept as files in ``optima``, as written by version 1 of the format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mixedmodels import ArrayTerm, GeneralizedLinearMixedModel, LinearMixedModel, load_dataset

FOLDER = Path(__file__).parent / "optima"


def linear(data: str, formula: str, *args: Any, **options: Any) -> Callable[[], Any]:
    return lambda: LinearMixedModel.from_formula(formula, load_dataset(data), *args, **options)


def generalized(data: str, formula: str, *args: Any, **options: Any) -> Callable[[], Any]:
    return lambda: GeneralizedLinearMixedModel.from_formula(formula, load_dataset(data), *args, **options)


def of_arrays() -> Any:
    data = load_dataset("sleepstudy")
    x = np.column_stack([np.ones(len(data)), data["Days"]])
    term = ArrayTerm(data["Subject"].to_numpy(), x, group="Subject", structure="cs")
    weights = np.linspace(0.5, 1.5, len(data))
    return LinearMixedModel.from_arrays(data["Reaction"].to_numpy(), x, term, weights=weights)


CBPP = "cbind(incidence, size - incidence) ~ period + (1 | herd)"
MODELS: dict[str, Callable[[], Any]] = {
    "sleepstudy": linear("sleepstudy", "Reaction ~ Days + (Days | Subject)"),
    "sleepstudy_ml": linear("sleepstudy", "Reaction ~ Days + (Days || Subject)", False),
    "singular": linear("dyestuff2", "Yield ~ 1 + (1 | Batch)"),
    "nested": linear("pastes", "strength ~ 1 + (1 | batch/cask)"),
    "held": linear(
        "sleepstudy", "Reaction ~ Days + (Days | Subject)", fixed={"sigma": 25.0, "sd__Days": 5.0}
    ),
    "ar1": linear("sleepstudy", "Reaction ~ Days + ar1(0 + factor(Days) | Subject)"),
    "arrays": of_arrays,
    "cbpp": generalized("cbpp", CBPP, "binomial"),
    "cbpp_agq": generalized("cbpp", CBPP, "binomial", None, 9),
    "grouseticks": generalized(
        "grouseticks", "TICKS ~ YEAR + HEIGHT + (1 | BROOD)", "nbinom2", offset=np.full(403, 0.5)
    ),
}
