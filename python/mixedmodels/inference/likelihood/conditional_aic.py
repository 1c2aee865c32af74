"""
Akaike's criterion from the likelihood given the random effects.

Vaida & Blanchard (2005); Greven & Kneib (2010), boundary components dropped as in Säfken, Rügamer, Kneib &
Greven (2021).
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...checks import one_of
from ...design.theta import interior
from ...errors import ArgumentError
from ...fit.endpoint.curvature import covariance_from
from ...fit.endpoint.singularity import boundary_directions
from ...fit.state import FittedModel
from ...render.numbers import format_fixed, format_number
from ...render.page import Facts, Page
from ...render.printed import Printed
from ...render.style import Style

Method = Literal["greven-kneib", "vaida-blanchard"]
METHODS: tuple[Method, ...] = ("greven-kneib", "vaida-blanchard")


class ConditionalAIC(Printed, float):
    """
    A conditional AIC: a number with its parts as attributes.

    Attributes
    ----------
    logLik : float
        Log-likelihood given the random effects.
    df : float
        Effective degrees of freedom, the residual variance included.
    method : str
    notes : tuple of str
    """

    logLik: float
    df: float
    method: Method
    notes: tuple[str, ...]

    def __new__(
        cls, log_likelihood: float, df: float, method: Method, notes: tuple[str, ...] = ()
    ) -> ConditionalAIC:
        self = super().__new__(cls, -2 * log_likelihood + 2 * df)
        self.logLik, self.df, self.method, self.notes = log_likelihood, df, method, notes
        return self

    def __getnewargs__(self) -> tuple[float, float, Method, tuple[str, ...]]:
        return self.logLik, self.df, self.method, self.notes

    def to_frame(self) -> pd.DataFrame:
        """
        The criterion and its parts.

        Returns
        -------
        DataFrame
            One row with the columns ``cAIC``, ``logLik``, ``df`` and ``method``.
        """
        row = {"cAIC": float(self), "logLik": self.logLik, "df": self.df, "method": self.method}
        return pd.DataFrame([row])

    def __str__(self) -> str:
        return f"{format_number(float(self), 7)} (conditional AIC by {self.method}, df = {self.df:.2f})"

    def _page(self, style: Style) -> Page:
        digits = style.digits or 7
        facts = (
            ("cAIC", format_number(float(self), digits)),
            ("logLik", format_number(self.logLik, digits)),
            ("df", format_fixed([self.df], 2)[0]),
        )
        return Page.of(Facts(facts), [f"Conditional AIC by {self.method}"], self.notes)


def conditional_aic(fitted: FittedModel, method: Method = "greven-kneib") -> ConditionalAIC:
    """See :func:`mixedmodels.cAIC`."""
    one_of("method", method, METHODS)
    if not fitted.exact_likelihood:
        raise ArgumentError(
            "cAIC is for linear mixed models: no formula for the degrees of freedom holds for all "
            "families of generalized models"
        )
    if fitted.held.variances:
        raise ArgumentError(
            "cAIC: the formula for the degrees of freedom does not allow for fixed variance parameters "
            f"({', '.join(fitted.held.texts)})"
        )
    notes: tuple[str, ...] = ()
    theta = fitted.estimates.theta
    trace, sensitivity = fitted.engine.sensitivity(theta, fitted.restricted)
    df = trace + 1.0
    if method == "greven-kneib":
        inner = interior(fitted.design, theta)
        added = _uncertainty_of_theta(fitted, sensitivity, np.flatnonzero(inner).tolist())
        if not inner.all():
            directions = boundary_directions(fitted.design, theta, fitted.term_roots)
            notes = (f"Estimated as zero and taken as known: {', '.join(directions)}",)
        if math.isfinite(added):
            df += added
        else:
            notes = ("Theta is taken as known, as the Hessian in it is not positive definite",)
    return ConditionalAIC(_conditional_log_likelihood(fitted), df, method, notes)


def _conditional_log_likelihood(fitted: FittedModel) -> float:
    sigma2 = fitted.estimates.sigma**2
    residual = fitted.design.y - fitted.estimates.fitted
    weights = np.ones(fitted.n_obs) if fitted.design.weights is None else fitted.design.weights
    constant = len(residual) * math.log(2 * math.pi * sigma2) - float(np.log(weights).sum())
    return -0.5 * (constant + float(weights @ residual**2) / sigma2)


def _uncertainty_of_theta(fitted: FittedModel, sensitivity: NDArray[np.float64], chosen: list[int]) -> float:
    """
    The increase of the trace of ∂ŷ/∂y from the estimation of theta.

    θ̂ moves with y as the implicit function theorem says: by the inverse of the Hessian times the derivatives
    of the gradient in y; `sensitivity` holds the products of these and the derivatives of ŷ in θ.
    """
    if not chosen:
        return 0.0
    inner = np.zeros(len(fitted.estimates.theta), dtype=bool)
    inner[chosen] = True
    known = fitted.structural_directions()
    found = covariance_from(fitted.hessian(), inner, fitted.coordinates(), known=known)
    block = np.ix_(chosen, chosen)
    return float(np.sum(0.5 * found.matrix[block] * sensitivity[block]))
