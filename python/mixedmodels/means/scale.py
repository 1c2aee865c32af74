"""The scale of results: linear predictor, response, or ratios."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import ArgumentError
from ..families.links import LINKS, Link
from ..fit.state import FittedModel
from ..formula.nodes import Call, write
from ..inference.estimates.variance_components import variance_components

# Points of the Gauss-Hermite quadrature over random effects.
_POINTS = 100
_RESPONSES = {"log": "log", "sqrt": "sqrt"}


# Abbreviated names of columns, in full beside an axis.
_IN_FULL = {"prob": "probability", "odds.ratio": "odds ratio"}


def axis_label(name: str, response: str) -> str:
    """The label of an axis of means, contrasts or predictions of a response."""
    if name == "response":
        return response
    return f"{_IN_FULL.get(name, name)} of {response}"


@dataclass(frozen=True)
class Scale:
    """
    How results are shown: a function of a linear predictor.

    Attributes
    ----------
    name : str
        The column of estimates.
    link : Link or None
        The link from the shown values back to the linear predictor; None when that itself is shown.
    spread : float or ndarray, shape (m,)
        Standard deviation of a normal variable (the random effects) in the linear predictor that is
        averaged over, of all rows or of each.
    varying : str
        What this variable consists of.
    means : tuple of float
        The least and the largest value that can be shown.
    """

    name: str
    link: Link | None = None
    spread: float | NDArray[np.float64] = 0.0
    varying: str = "random effects"
    means: tuple[float, float] = (-math.inf, math.inf)

    def shown(self, eta: NDArray[np.float64]) -> NDArray[np.float64]:
        """Linear predictors as they are shown."""
        if self.link is None:
            return eta
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            return self._averaged(self.link.inverse, eta)

    def limits(
        self, low: NDArray[np.float64], high: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Limits as they are shown."""
        if self.link is None:
            return low, high
        if not np.any(self.spread):
            return self.link.limits(low, high, *self.means)
        ends = self.shown(low), self.shown(high)
        return np.fmin(*ends), np.fmax(*ends)

    def error(self, eta: NDArray[np.float64], error: NDArray[np.float64]) -> NDArray[np.float64]:
        """Standard errors as they are shown, by the delta method."""
        return error if self.link is None else np.abs(self.slope(eta)) * error

    def slope(self, eta: NDArray[np.float64]) -> NDArray[np.float64]:
        """Derivative of the shown values in the linear predictor."""
        if self.link is None:
            return np.ones_like(eta)
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            return self._averaged(self.link.slope, eta)

    @property
    def spread_note(self) -> str:
        """The random variation averaged over, in a sentence; empty for none."""
        if not np.any(self.spread):
            return ""
        low, high = float(np.min(self.spread)), float(np.max(self.spread))
        size = f"a standard deviation of {low:.4g}"
        if f"{low:.4g}" != f"{high:.4g}":
            size = f"standard deviations from {low:.4g} to {high:.4g}"
        return f"Averaged over {self.varying} with {size}"

    def _averaged(
        self, function: Callable[[NDArray[np.float64]], NDArray[np.float64]], eta: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        if not np.any(self.spread):
            return function(eta)
        points, weights = np.polynomial.hermite_e.hermegauss(_POINTS)
        spread = np.broadcast_to(self.spread, eta.shape)
        return function(eta[:, None] + spread[:, None] * points) @ (weights / weights.sum())


def response_link(fitted: FittedModel) -> Link | None:
    """
    The link of a generalized model, or the transformation of a linear model's response; None where the
    linear predictor is on the scale of the response.
    """
    link = fitted.family.functions
    if link.name != "identity":
        return link
    node = fitted.design.formula.response_node
    if isinstance(node, Call) and node.function in _RESPONSES and len(node.arguments) == 1:
        return LINKS[_RESPONSES[node.function]]
    return None


def response_shown(fitted: FittedModel, back: bool) -> str:
    """The name of the response, `back` from its scale in a linear model: y for log(y)."""
    node = fitted.design.formula.response_node
    if back and fitted.family.functions.name == "identity" and isinstance(node, Call):
        return write(node.arguments[0]) if response_link(fitted) is not None else write(node)
    return fitted.design.response_name


def response_scale(fitted: FittedModel, link: Link, adjusted: bool) -> Scale:
    """The scale of the response; adjusted, the scale of its means over the random variation."""
    name = fitted.family.mean_name
    if not adjusted:
        return Scale(name, link, means=fitted.family.mean_range)
    medians = _medians(fitted)
    varying = "random effects and residuals" if medians else "random effects"
    return Scale("response" if medians else name, link, random_spread(fitted, link), varying)


def ratio_scale(link: Link | None) -> Scale | None:
    """The scale of ratios that differences of linear predictors are shown on; None where there is none."""
    if link is None or not link.ratio:
        return None
    return Scale(link.ratio, LINKS["log"])


def random_spread(fitted: FittedModel, link: Link) -> float:
    """
    The standard deviation of the random part of the linear predictor: root mean square over the rows.

    It includes the residuals where the link leads to medians: for a family of such a kind, or for the
    transformed response of a linear model.

    Raises
    ------
    ArgumentError
        For a link with which means over random effects do not exist.
    """
    if not link.averages:
        raise ArgumentError(
            f"with the {link.name} link the mean over normal random effects does not exist: leave out "
            "bias_adjust= (marginal= of predict_effects)"
        )
    variance = residual_variance(fitted)
    for term, part in zip(fitted.design.terms, variance_components(fitted), strict=True):
        variance += float(np.mean(np.einsum("ij,jk,ik->i", term.z, part.cov, term.z)))
    return float(np.sqrt(variance))


def residual_variance(fitted: FittedModel) -> float:
    """The variance of the residuals in the linear predictor, where the link leads to medians."""
    return fitted.dispersion if _medians(fitted) else 0.0


def _medians(fitted: FittedModel) -> bool:
    """Whether means on the scale of the link become medians on the scale of the response."""
    return fitted.exact_likelihood or fitted.family.center == "median"
