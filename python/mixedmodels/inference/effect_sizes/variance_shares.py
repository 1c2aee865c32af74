"""
Shares of variance: R² of Nakagawa and Schielzeth, and intraclass correlations.

Nakagawa & Schielzeth (2013); random slopes by Johnson (2014); families by Nakagawa, Johnson & Schielzeth
(2017).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...fit.state import FittedModel
from ...render.numbers import format_fixed
from ...render.page import Facts, Page
from ...render.printed import Printed
from ...render.style import Style
from ..estimates.random_effects import terms_by_group
from .observation_variance import Approximation, observation_variance, random_variances


@dataclass(frozen=True)
class VarianceParts:
    """
    Variances on the scale of the linear predictor.

    Attributes
    ----------
    fixed : float
        Variance of the fixed part over the observations.
    groups : dict of str to float
        Of each grouping factor's random effects, averaged over the observations (Johnson 2014).
    residual : float
        Of single observations, including a random effect with a level for each observation.
    """

    fixed: float
    groups: dict[str, float]
    residual: float

    @property
    def random(self) -> float:
        """Of all random effects."""
        return sum(self.groups.values())

    @property
    def total(self) -> float:
        """All together."""
        return self.fixed + self.random + self.residual


@dataclass(frozen=True, repr=False)
class RSquared(Printed):
    """
    Shares of the variance that a model explains.

    Attributes
    ----------
    marginal : float
        By the fixed effects.
    conditional : float
        By fixed and random effects.
    variances : VarianceParts
    """

    marginal: float
    conditional: float
    variances: VarianceParts

    def to_frame(self) -> pd.DataFrame:
        """
        The shares in a data frame.

        Returns
        -------
        DataFrame
            Index: ``marginal``, ``conditional``. Column ``R2``.
        """
        return pd.DataFrame({"R2": [self.marginal, self.conditional]}, index=["marginal", "conditional"])

    def _page(self, style: Style) -> Page:
        shares = (("marginal", self.marginal), ("conditional", self.conditional))
        return Page.of(Facts(tuple((name, _shown(value, style)) for name, value in shares), True), ["R²"])


@dataclass(frozen=True, repr=False)
class IntraclassCorrelation(Printed):
    """
    Shares of the variance between groups.

    Attributes
    ----------
    adjusted : float
        Random over random plus residual variance.
    unadjusted : float
        Random over total variance, including the variance of the fixed effects.
    by_group : dict of str to float
        The adjusted share of each grouping factor.
    variances : VarianceParts
    """

    adjusted: float
    unadjusted: float
    by_group: dict[str, float]
    variances: VarianceParts

    def to_frame(self) -> pd.DataFrame:
        """
        The shares in a data frame.

        Returns
        -------
        DataFrame
            Index: ``adjusted``, ``unadjusted``, and the grouping factors where there are several. Column
            ``ICC``.
        """
        shares = self._shares()
        return pd.DataFrame({"ICC": list(shares.values())}, index=list(shares))

    def _shares(self) -> dict[str, float]:
        groups = self.by_group if len(self.by_group) > 1 else {}
        return {"adjusted": self.adjusted, "unadjusted": self.unadjusted, **groups}

    def _page(self, style: Style) -> Page:
        facts = tuple((name, _shown(value, style)) for name, value in self._shares().items())
        return Page.of(Facts(facts, True), ["ICC"])


def r_squared(fitted: FittedModel, approximation: Approximation = "lognormal") -> RSquared:
    """See :func:`mixedmodels.r2`."""
    parts = variance_parts(fitted, approximation)
    return RSquared(_share(parts.fixed, parts.total), _share(parts.fixed + parts.random, parts.total), parts)


def intraclass_correlation(
    fitted: FittedModel, approximation: Approximation = "lognormal"
) -> IntraclassCorrelation:
    """See :func:`mixedmodels.icc`."""
    parts = variance_parts(fitted, approximation)
    within = parts.random + parts.residual
    by_group = {name: _share(value, within) for name, value in parts.groups.items()}
    return IntraclassCorrelation(
        _share(parts.random, within), _share(parts.random, parts.total), by_group, parts
    )


def variance_parts(fitted: FittedModel, approximation: Approximation = "lognormal") -> VarianceParts:
    """Variances of the parts of a model; a variance estimated as zero contributes zero."""
    estimates = fitted.estimates
    fixed = fitted.design.x[:, estimates.kept] @ estimates.beta[estimates.kept]
    residual = observation_variance(fitted, approximation)
    groups = {}
    for group, members in terms_by_group(fitted).items():
        value = float(np.mean(random_variances(fitted, members)))
        if _one_level_a_row(fitted, members):
            residual += value
        else:
            groups[group] = value
    return VarianceParts(float(np.var(fixed, ddof=1)), groups, residual)


def _one_level_a_row(fitted: FittedModel, members: tuple[int, ...]) -> bool:
    """Whether each observation has a random effect of its own: overdispersion, not groups."""
    levels = len(fitted.design.terms[members[0]].group.levels)
    return not fitted.exact_likelihood and levels == fitted.n_obs


def _shown(share: float, style: Style) -> str:
    return format_fixed([share], style.digits or 3)[0]


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else 0.0
