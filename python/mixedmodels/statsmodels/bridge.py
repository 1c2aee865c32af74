"""From results under statsmodels' names to a model of ours."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ..errors import FormulaWarning, MixedModelError
from ..models.linear import LinearMixedModel
from ..models.lmer import lmer
from ..notices import silent
from .engine import with_labels
from .environment import warn
from .lme4_formula import UntranslatableError, translated
from .unpenalised import unpenalised

# Log-likelihoods of the same model agree to this, relative to their size.
_SAME = 1e-7


def to_mixedmodels(results: Any, *, arrays: bool = False) -> LinearMixedModel:
    """The same model as ours; see `MixedLMResults.to_mixedmodels`."""
    fitted = unpenalised(results, "to_mixedmodels")
    if not arrays and getattr(results.model, "formula", None) is not None:
        found = _from_formula(results)
        if isinstance(found, LinearMixedModel):
            return found
        warn(
            f"to_mixedmodels: the model is made from its arrays, as no formula of lme4's kind fits: {found}. "
            "Its newdata are columns of the arrays, and marginal means need factors; arrays=True accepts it",
            FormulaWarning,
        )
    with silent():
        return LinearMixedModel(with_labels(results.model, fitted, results.params_object, results.freepat))


def _from_formula(results: Any) -> LinearMixedModel | str:
    """The model with lme4's formula, or why there is none; it is the same model by its likelihood."""
    try:
        formula, frame = translated(results.model, results.freepat)
        with silent(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = lmer(formula, frame, REML=results.reml)
    except (UntranslatableError, MixedModelError) as error:
        # The lines below the first show the place in a formula that the user did not write.
        return str(error).partition("\n")[0]
    size = max(1.0, abs(results.llf))
    same = abs(float(model.llf) - results.llf) <= _SAME * size and model.df_resid == results.df_resid
    if same and np.isfinite(model.llf):
        return model
    return f"{formula} has another likelihood"
