"""
The uncertainty of the variance parameters in predictions.

By the delta method (Kackar & Harville 1984, JASA 79, 853-862): the predictions change with the parameters,
whose covariance matrix is known for large samples. By parametric bootstrap (Butar & Lahiri 2003, Journal of
Statistical Planning and Inference 112, 63-76): with g(ψ) the variance given parameters ψ, the mean squared
error is

    2 g(ψ̂) - E g(ψ*) + E (prediction at ψ* - prediction at ψ̂)²

over estimates ψ* from responses drawn at ψ̂; predictions and g are those for the response observed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import one_of, whole_number
from ..errors import ArgumentError
from .errors import PredictionErrors
from .rows import PredictedRows
from .uncertainty import parameters_of, variances_given_theta

METHODS = ("none", "delta", "bootstrap")


@dataclass(frozen=True)
class Uncertainty:
    """
    How the uncertainty of the parameters enters.

    Attributes
    ----------
    method : {"none", "delta", "bootstrap"}
    n : int
        Refits of the bootstrap.
    rng, executor, progress
        See `MixedModel.predict`.
    """

    method: str = "none"
    n: int = 500
    rng: Any = None
    executor: Any = None
    progress: Any = False

    def __post_init__(self) -> None:
        one_of("parameter_uncertainty", self.method, METHODS)
        whole_number("n_boot", self.n, 2)


def with_parameters(
    rows: PredictedRows, errors: PredictionErrors, uncertainty: Uncertainty
) -> PredictionErrors:
    """The errors with the uncertainty of the parameters added."""
    if uncertainty.method == "none":
        return errors
    if uncertainty.method == "delta":
        return replace(errors, variance=_by_delta(rows, errors.variance))
    raise ArgumentError("parameter_uncertainty='bootstrap' is not available")


def _by_delta(rows: PredictedRows, variance: NDArray[np.float64]) -> NDArray[np.float64]:
    fitted = rows.fitted
    if not fitted.profiled_coefficients:
        # The coefficients are among the parameters.
        variance = variances_given_theta(rows, coefficients=False)
    parameters = parameters_of(fitted)
    return variance + parameters.spread(parameters.slopes(rows.linear_predictor))
