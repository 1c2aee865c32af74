"""
Models that many tests look at, fitted once a process.

Fitted models are immutable, so tests can share them. A test of fitting itself (its warnings, its arguments,
what it remembers) fits a model of its own.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from mixedmodels import glmer, lmer, load_dataset

# The model of a data set that most tests use: its formula and, for generalized models, its family.
USUAL = {
    "cake": ("angle ~ recipe * temperature + (1 | recipe:replicate)", None),
    "cbpp": ("cbind(incidence, size - incidence) ~ period + (1 | herd)", "binomial"),
    "dyestuff": ("Yield ~ 1 + (1 | Batch)", None),
    "machines": ("score ~ Machine + (1 | Worker)", None),
    "orthodont": ("distance ~ age * Sex + (age | Subject)", None),
    "pastes": ("strength ~ 1 + (1 | batch/cask)", None),
    "penicillin": ("diameter ~ 1 + (1 | plate) + (1 | sample)", None),
    "sleepstudy": ("Reaction ~ Days + (Days | Subject)", None),
}


def fits(data: str, formula: str | None = None, family: str | None = None, **options: Any) -> Any:
    """
    The usual model of a packaged data set, or the one with this formula.

    A family makes it a generalized model; ``options`` are other arguments of the fit, such as ``REML=False``.
    """
    if formula is None:
        formula, family = USUAL[data]
    return _fit(data, formula, family, **options)


@cache
def _fit(data: str, formula: str, family: str | None, **options: Any) -> Any:
    if family is None:
        return lmer(formula, load_dataset(data), **options)
    return glmer(formula, load_dataset(data), family, **options)
