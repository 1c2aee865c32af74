"""A warning for powers that a formula reads as products of terms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import FormulaWarning
from ..formula.nodes import write
from ..formula.terms import SelfProduct
from ..notices import warn_user
from .evaluate import Evaluator


def warn_of_self_products(products: Sequence[SelfProduct], evaluator: Evaluator) -> None:
    """
    Say that ``x**2`` means x, as in R, where x is a number that differs from its square.

    A factor has no other power, so that nobody can mean one.
    """
    for product in products:
        value = evaluator.value(product.node)
        if not isinstance(value, np.ndarray) or np.array_equal(value, value**2):
            continue
        name = write(product.node)
        warn_user(
            f"{product.text} adds no power of {name}: a product of a variable with itself is that variable, "
            f"as in R; for the power write I({name}**{product.power})",
            FormulaWarning,
        )
