"""Formula and data to the arrays of a generalized linear mixed model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..families import Family
from .build import Design, DesignArguments, assemble, parts_of
from .generalized_response import ResponseForm, read_response


@dataclass(frozen=True, eq=False, kw_only=True)
class GeneralizedDesign(Design):
    """
    The arrays of a generalized linear mixed model.

    For the binomial family `y` holds numbers of successes and `weights` numbers of trials (None: one
    each).

    Attributes
    ----------
    form : ResponseForm
        How the response was written.
    """

    form: ResponseForm

    @property
    def unit_weights(self) -> NDArray[np.float64]:
        """Trials or prior weights, ones where there are none, shape (n,)."""
        return np.ones(len(self.y)) if self.weights is None else self.weights

    @property
    def observed(self) -> NDArray[np.float64]:
        """The response on the scale of its mean, shape (n,): proportions for the binomial family."""
        return self.y / self.unit_weights if self.form.binomial else self.y


def build_generalized_design(
    formula: str,
    data: Any,
    family: Family,
    *,
    weights: Any = None,
    offset: Any = None,
    contrasts: Any = None,
    na_action: str = "omit",
    subset: Any = None,
    functions: Mapping[str, Callable[..., Any]] | None = None,
    check_effects: str = "warning",
) -> GeneralizedDesign:
    """
    Build the arrays of a generalized linear mixed model.

    Parameters
    ----------
    formula, data, weights, offset, contrasts, na_action, subset, functions, check_effects
        As for :func:`build_design`. For the binomial family the weights are numbers of trials, and none
        may be zero.
    family : Family
        Decides what the response may be.

    Returns
    -------
    GeneralizedDesign

    Raises
    ------
    FormulaError, MissingColumnError, DataError, ArgumentError
        Naming the term, column, row or argument at fault.

    Examples
    --------
    >>> from mixedmodels.design import build_generalized_design
    >>> from mixedmodels.families import Binomial
    >>> data = {"hits": [3, 1, 0, 2], "misses": [1, 3, 4, 2], "batch": ["a", "a", "b", "b"]}
    >>> design = build_generalized_design("cbind(hits, misses) ~ 1 + (1 | batch)", data, Binomial())
    >>> design.y, design.weights
    (array([3., 1., 0., 2.]), array([4., 4., 4., 4.]))
    """
    arguments = DesignArguments(
        weights,
        offset,
        contrasts,
        na_action,
        subset,
        functions,
        check_effects,
        drop_zero_weights=not family.trials,
    )
    _, predictors, response = assemble(
        formula, data, arguments, lambda node, evaluator, rows: read_response(node, evaluator, rows, family)
    )
    for array in (response.y, response.weights):
        if array is not None:
            array.flags.writeable = False
    parts = {**parts_of(predictors), "weights": response.weights}
    return GeneralizedDesign(
        **parts, response_name=predictors.formula.response, y=response.y, form=response.form
    )
