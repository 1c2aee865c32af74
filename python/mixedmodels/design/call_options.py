"""Constants in calls of functions that remember the fit, such as the knots of a spline."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import FormulaError
from ..formula.nodes import Node, write

# What the functions call arguments that have R's names.
OPTIONS = {"Boundary.knots": "boundary"}
_SEVERAL = ("knots", "Boundary.knots")


def checked_constant(constant: Any, key: str, node: Node, text: str) -> Any:
    """
    The constant, unless it is text or several numbers where the argument is one.

    Parameters
    ----------
    constant : object
        The value of the argument.
    key : str
        The argument.
    node : Node
        Its expression.
    text : str
        The call.
    """
    if isinstance(constant, str):
        raise FormulaError(f"{text}: {key} cannot be text")
    if key not in _SEVERAL and not isinstance(constant, (bool, float, np.floating)):
        raise FormulaError(f"{text}: {key} must be a single number, not {write(node)}")
    return constant
