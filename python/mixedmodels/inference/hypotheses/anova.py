"""The two tables that go by the name of anova."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...errors import ArgumentError
from ...fit.state import FittedModel
from ..basis.choice import DdfName, Vcov
from ..likelihood.likelihood_ratio import likelihood_ratio_table
from .anova_table import AnovaTable
from .term_tests import term_table


def anova_of(
    models: Sequence[FittedModel],
    refit: bool | None = None,
    names: Any = None,
    type: Any = None,
    test: Any = None,
    ddf: DdfName | None = None,
    vcov: Vcov | None = None,
) -> AnovaTable:
    """Tests of the terms of one model, or a comparison of several, see :func:`mixedmodels.anova`."""
    if not models:
        raise ArgumentError("anova() needs a model, or two or more to compare their likelihoods")
    if len(models) == 1:
        _refuse("one model", refit=refit, names=names)
        return term_table(models[0], 3 if type is None else type, test, ddf, vcov)
    _refuse("several models", type=type, test=test, ddf=ddf, vcov=vcov)
    return likelihood_ratio_table(models, names, True if refit is None else refit)


def _refuse(given: str, **arguments: Any) -> None:
    strange = [name for name, value in arguments.items() if value is not None]
    if strange:
        raise ArgumentError(f"anova() of {given} has no argument {strange[0]}=")
