"""From results under statsmodels' names to a model of ours."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ..errors import MixedModelError
from ..models.linear import LinearMixedModel
from ..models.lmer import lmer
from ..notices import silent
from .engine import with_labels
from .lme4_formula import UntranslatableError, translated
from .unpenalised import unpenalised

# Log-likelihoods of the same model agree to this, relative to their size.
_SAME = 1e-7


def to_mixedmodels(results: Any, *, arrays: bool = False) -> LinearMixedModel:
    """The same model as ours; see `MixedLMResults.to_mixedmodels`."""
    fitted = unpenalised(results, "to_mixedmodels")
    if not arrays and getattr(results.model, "formula", None) is not None:
        found = _from_formula(results)
        if found is not None:
            return found
    with silent():
        return LinearMixedModel(with_labels(results.model, fitted, results.params_object, results.freepat))


def _from_formula(results: Any) -> LinearMixedModel | None:
    """The model with lme4's formula; None unless it is the same model, by its likelihood."""
    try:
        formula, frame = translated(results.model, results.freepat)
        with silent(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = lmer(formula, frame, REML=results.reml)
    except (UntranslatableError, MixedModelError):
        return None
    size = max(1.0, abs(results.llf))
    same = abs(float(model.llf) - results.llf) <= _SAME * size and model.df_resid == results.df_resid
    return model if same and np.isfinite(model.llf) else None
