"""The response of a linear model: one column of numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..formula.nodes import Call, Node, write
from ..frame import Factor
from .chosen_rows import ChosenRows
from .column_checks import numbers_as_text
from .evaluate import Evaluator
from .values import Basis, Coded


def numeric_response(node: Node, evaluator: Evaluator, rows: ChosenRows) -> NDArray[np.float64]:
    """
    A response that is one column of numbers (True counts as 1), shape (n,).

    Raises
    ------
    DataError
        For a factor, several columns, or values that are not finite.
    """
    text = write(node)
    if isinstance(node, Call) and node.function == "cbind":
        raise DataError(
            f"the response {text} is a matrix: a linear mixed model has one response; "
            "fit one column and refit() the model to the others; successes and failures suit glmer with "
            "family='binomial'"
        )
    value = evaluator.value(node)
    if isinstance(value, (Factor, Coded)):
        factor = value.factor if isinstance(value, Coded) else value
        hint = numbers_as_text(factor)
        if hint:
            raise DataError(f"the response {text} {hint}")
        levels = ", ".join(map(repr, factor.labels()[:5]))
        raise DataError(
            f"the response {text} is not numeric but a factor with levels {levels}"
            f"{', ...' if len(factor.levels) > 5 else ''}; a linear mixed model needs numbers "
            f"(as.numeric({text}) gives the codes 1, 2, ...), two levels suit a binomial model"
        )
    if isinstance(value, Basis):
        raise DataError(
            f"the response {text} has {value.values.shape[1]} columns; a linear mixed model has one"
        )
    evaluator.finite(node, value, None)
    return np.array(value, dtype=np.float64)
