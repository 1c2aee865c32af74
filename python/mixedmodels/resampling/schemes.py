"""
Ways to make new responses: each draws a block of them from one generator.

A scheme holds what all draws share; it depends on the fitted model alone and can be pickled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..design.theta import factors
from ..fit.draws import as_responses, draw_many, fixed_part
from ..fit.state import FittedModel
from ..inference.basis.clusters import Clusters

Values = NDArray[np.float64]

# Directions of the conditional modes with a smaller share of their variance are rounding.
_NO_VARIANCE = 1e-12


class Scheme(Protocol):
    """Draws responses for a fitted model."""

    def responses(self, fitted: FittedModel, generator: np.random.Generator, m: int) -> Values:
        """m responses as `refit_responses` takes them, shape (n, m), column-major."""
        ...


@dataclass(frozen=True)
class Parametric:
    """
    Responses drawn from the fitted distributions.

    Attributes
    ----------
    use_u : bool
        Keep the random effects at their conditional modes.
    """

    use_u: bool

    def responses(self, fitted: FittedModel, generator: np.random.Generator, m: int) -> Values:
        return as_responses(fitted, draw_many(fitted, generator, m, self.use_u))


@dataclass(frozen=True, eq=False)
class Semiparametric:
    """
    Residuals and conditional modes drawn from those of the fit, centred and with the estimated variances.

    Shrinkage makes the modes vary less than the random effects do. A linear map gives them the estimated
    covariance matrix again (Carpenter, Goldstein & Rasbash 2003); residuals likewise.

    Attributes
    ----------
    use_u : bool
        Keep the random effects at their conditional modes.
    residuals : ndarray, shape (n,)
        Centred, with mean square σ², for observations of weight 1.
    effects : tuple of ndarray, shape (n_levels, k) each
    """

    use_u: bool
    residuals: Values
    effects: tuple[Values, ...]

    @classmethod
    def of(cls, fitted: FittedModel, use_u: bool) -> Semiparametric:
        """The scheme of a linear model."""
        residuals = (fitted.observed - fitted.linear_predictor) * np.sqrt(fitted.prior_weights)
        residuals -= residuals.mean()
        size = np.sqrt(np.mean(np.square(residuals)))
        residuals *= fitted.sigma / size if size > 0.0 else 0.0
        parts = factors(fitted.design, fitted.estimates.theta)
        effects = [
            fitted.scale * _whitened(u) @ factor.T
            for u, factor in zip(fitted.estimates.u, parts, strict=True)
        ]
        return cls(use_u, residuals, tuple(effects))

    def responses(self, fitted: FittedModel, generator: np.random.Generator, m: int) -> Values:
        n = fitted.n_obs
        result = generator.choice(self.residuals, (m, n)) / np.sqrt(fitted.prior_weights)
        if self.use_u:
            return (result + fitted.linear_predictor).T
        for term, effects in zip(fitted.design.terms, self.effects, strict=True):
            levels = generator.integers(len(effects), size=(m, len(effects)))
            rows = levels[:, term.group.codes]
            for j, effect in enumerate(effects.T):
                result += effect[rows] * term.z[:, j]
        return (result + fixed_part(fitted)).T


def _whitened(u: Values) -> Values:
    """Spherical effects centred and with the identity as their covariance matrix, where they vary at all."""
    u = u - u.mean(axis=0)
    values, vectors = np.linalg.eigh(u.T @ u / len(u))
    used = values > _NO_VARIANCE * max(float(values.max(initial=0.0)), np.finfo(float).tiny)
    part = vectors[:, used]
    return u @ (part / np.sqrt(values[used])) @ part.T


@dataclass(frozen=True, eq=False)
class Wild:
    """
    Residuals of each cluster times one random number of mean 0 and variance 1 (Modugno & Giannerini 2015).

    The residuals are y - Xβ, so that they contain the random effects, divided by √(1 - h) with the leverage h
    of the regression on X (HC2). Nothing is assumed about the distributions, and variances may differ
    between clusters.

    Attributes
    ----------
    residuals : ndarray, shape (n,)
    codes : ndarray of int, shape (n,)
        The cluster of each row.
    n_clusters : int
    multipliers : {"mammen", "rademacher"}
    label : str
        Of the factor whose levels are the clusters.
    """

    residuals: Values
    codes: NDArray[np.intp]
    n_clusters: int
    multipliers: str
    label: str

    @classmethod
    def of(cls, fitted: FittedModel, clusters: Clusters, multipliers: str) -> Wild:
        """The scheme of a linear model with these clusters."""
        codes = np.empty(fitted.n_obs, dtype=np.intp)
        for i, rows in enumerate(clusters.rows):
            codes[rows] = i
        root = np.sqrt(fitted.prior_weights)
        basis = np.linalg.qr(root[:, None] * fitted.design.x[:, fitted.estimates.free], mode="reduced")[0]
        leverage = np.minimum(np.sum(np.square(basis), axis=1), 1.0)
        residuals = fitted.observed - fixed_part(fitted)
        with np.errstate(divide="ignore"):
            # A row that determines a coefficient alone has no residual.
            factor = np.where(leverage < 1.0 - 1e-10, 1.0 / np.sqrt(1.0 - leverage), 0.0)
        return cls(residuals * factor, codes, len(clusters.rows), multipliers, clusters.label)

    def responses(self, fitted: FittedModel, generator: np.random.Generator, m: int) -> Values:
        shape = (m, self.n_clusters)
        if self.multipliers == "rademacher":
            drawn = np.where(generator.random(shape) < 0.5, -1.0, 1.0)
        else:
            root = np.sqrt(5.0)
            first = generator.random(shape) < (root + 1.0) / (2.0 * root)
            drawn = np.where(first, (1.0 - root) / 2.0, (1.0 + root) / 2.0)
        return (drawn[:, self.codes] * self.residuals + fixed_part(fitted)).T
