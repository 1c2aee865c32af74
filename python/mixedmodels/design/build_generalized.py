"""From formula and data to the arrays of a generalized linear mixed model."""

from __future__ import annotations

from ..families import Family
from .arguments import DesignArguments
from .build import CheckEffects, Design, assemble, parts_of
from .response import read_response


def build_generalized_design(
    arguments: DesignArguments, family: Family, *, check_effects: CheckEffects = "warning"
) -> Design:
    """
    Build the arrays of a generalized linear mixed model.

    Parameters
    ----------
    arguments : DesignArguments
        For the binomial family the weights are numbers of trials, and none may be zero.
    family : Family
        Determines which responses are valid.
    check_effects : {"error", "warning", "ignore"}
        As for :func:`build_design`.

    Returns
    -------
    Design

    Raises
    ------
    FormulaError, MissingColumnError, DataError, ArgumentError
        Naming the term, column, row or argument at fault.

    Examples
    --------
    >>> from mixedmodels.design import DesignArguments, build_generalized_design
    >>> from mixedmodels.families import Binomial
    >>> data = {"hits": [3, 1, 0, 2], "misses": [1, 3, 4, 2], "batch": ["a", "a", "b", "b"]}
    >>> arguments = DesignArguments(formula="cbind(hits, misses) ~ 1 + (1 | batch)", data=data)
    >>> design = build_generalized_design(arguments, Binomial())
    >>> design.y, design.weights
    (array([3., 1., 0., 2.]), array([4., 4., 4., 4.]))
    """
    _, predictors, response = assemble(
        arguments,
        lambda node, evaluator, rows: read_response(node, evaluator, rows, family),
        check_effects=check_effects,
        drop_zero_weights=not family.trials,
    )
    for array in (response.y, response.weights):
        if array is not None:
            array.flags.writeable = False
    parts = {**parts_of(predictors), "weights": response.weights}
    return Design(**parts, response_name=predictors.formula.response, y=response.y, form=response.form)
