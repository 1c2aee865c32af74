"""The state of a fit, for what needs an optimum of the likelihood and the data."""

from __future__ import annotations

from typing import Any

from ..errors import ArgumentError
from ..fit.state import FittedModel, fitted_of


def with_data(results: Any, what: str) -> FittedModel:
    """
    The state of a fit that has its data.

    Raises
    ------
    ArgumentError
        After `remove_data`; the message begins with `what`.
    """
    if results._fitted is None:
        raise ArgumentError(f"{what}: remove_data() has removed the data; ask a fit that has them")
    return fitted_of(results._fitted)


def unpenalised(results: Any, what: str) -> FittedModel:
    """
    The state of a fit.

    Raises
    ------
    ArgumentError
        After `remove_data`, and for penalised fits; the message begins with `what`.
    """
    fitted = with_data(results, what)
    # Coefficients that are held without a mask are those of a lasso.
    lasso = results.freepat is None and len(fitted.estimates.held) > 0
    if lasso or results.fe_pen is not None or results.cov_pen is not None:
        raise ArgumentError(f"{what}: this fit is penalised; fit without penalties first")
    return fitted
