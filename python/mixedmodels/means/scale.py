"""The scale of results: linear predictor, response, or ratios."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..families.links import LINKS, Link
from ..fitted_generalized import FittedGeneralized
from ..fitted_model import FittedModel
from ..formula.nodes import Call

_MEAN_NAMES = {"binomial": "prob", "poisson": "rate", "nbinom1": "rate", "nbinom2": "rate"}
# Differences on these scales are logarithms of ratios.
_RATIOS = {"log": "ratio", "logit": "odds.ratio"}
_RESPONSES = {"log": "log", "sqrt": "sqrt"}


@dataclass(frozen=True)
class Scale:
    """
    How results are shown: a function of a linear predictor.

    Attributes
    ----------
    name : str
        The column of estimates.
    link : Link or None
        What leads from the shown values back to the linear predictor; None when that itself is shown.
    """

    name: str
    link: Link | None = None

    def shown(self, eta: NDArray[np.float64]) -> NDArray[np.float64]:
        """Linear predictors as they are shown."""
        if self.link is None:
            return eta
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            return self.link.inverse(eta)

    def error(self, eta: NDArray[np.float64], error: NDArray[np.float64]) -> NDArray[np.float64]:
        """Standard errors as they are shown, by the delta method."""
        if self.link is None:
            return error
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            return np.abs(self.link.slope(eta)) * error


def response_link(fitted: FittedModel) -> Link | None:
    """
    The link of a generalized model, or the transformation of a linear model's response; None where the
    linear predictor is on the scale of the response.
    """
    if isinstance(fitted, FittedGeneralized):
        link = fitted.family.functions
        return None if link.name == "identity" else link
    node = fitted.design.formula.response_node
    if isinstance(node, Call) and node.function in _RESPONSES and len(node.arguments) == 1:
        return LINKS[_RESPONSES[node.function]]
    return None


def mean_name(fitted: FittedModel) -> str:
    """What a mean on the scale of the response is called."""
    name = fitted.family.name if isinstance(fitted, FittedGeneralized) else ""
    return _MEAN_NAMES.get(name, "response")


def ratio_scale(link: Link | None) -> Scale | None:
    """The scale of ratios that differences of linear predictors are shown on; None where there is none."""
    if link is None or link.name not in _RATIOS:
        return None
    return Scale(_RATIOS[link.name], LINKS["log"])
