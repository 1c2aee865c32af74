"""Likelihood-ratio tests whose distribution is simulated under the smaller model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...checks import random_generator, whole_number
from ...covariance.theta import factors
from ...design import Response
from ...errors import ArgumentError, MixedModelError
from ...fit.fit_generalized import refit_generalized
from ...fit.fit_linear import by_criterion, refit
from ...fit.fitted_generalized import FittedGeneralized
from ...fit.fitted_linear import FittedLinear
from ...fit.record import read_only
from ...fit.state import FittedModel
from ..basis.testable import have_optimum, notes_on_comparisons
from ..hypotheses.anova_table import AnovaTable, anova_table
from .likelihood_ratio import check_same_approximation, check_same_data
from .model_differences import described

_LABELS = ["the full model", "the reduced model"]
_ROWS: tuple[str, ...] = ("LRT", "PBtest", "Bartlett", "Gamma", "F")
_COLUMNS = ("statistic", "Df", "DenDF", "Pr(>statistic)")
_Row = tuple[float, float, float, float]


def bootstrap_comparison(
    full: FittedModel, reduced: FittedModel, nsim: Any = 1000, seed: Any = None
) -> AnovaTable:
    """Compare nested models by simulation, see :func:`mixedmodels.pb_compare`."""
    nsim = whole_number("nsim", nsim, 1)
    full, reduced, heading = _comparable(full, reduced)
    df = full.n_parameters - reduced.n_parameters
    if df <= 0:
        raise ArgumentError("pb_compare: the full model has no more parameters than the reduced one")
    statistic = max(0.0, reduced.estimates.objective - full.estimates.objective)
    about = described([full, reduced], ["full", "reduced"])
    if not have_optimum(full, reduced):
        rows: dict[str, _Row] = dict.fromkeys(_ROWS, (np.nan, np.nan, np.nan, np.nan))
        rows["LRT"] = (statistic, df, np.nan, np.nan)
        heading += ["Parametric bootstrap of the likelihood-ratio test", *about]
        return anova_table(*_table(rows), heading, notes_on_comparisons([full, reduced], _LABELS))
    simulated = _simulated_ratios(full, reduced, nsim, random_generator(seed))
    heading += [
        f"Parametric bootstrap of the likelihood-ratio test, {nsim} simulations from the reduced model",
        *about,
    ]
    failed = int(nsim) - len(simulated)
    notes = [f"{failed} of {nsim} simulations left out, as a model could not be fitted to them"]
    return anova_table(*_table(_p_values(statistic, df, simulated)), heading, notes if failed else [])


def _comparable(full: FittedModel, reduced: FittedModel) -> tuple[FittedModel, FittedModel, list[str]]:
    """The models, fitted by maximum likelihood, and what was done for that."""
    check_same_data([full, reduced], _LABELS)
    if isinstance(full, FittedLinear) and isinstance(reduced, FittedLinear):
        note = ["Refitted by ML (instead of REML) for this comparison"]
        models = by_criterion(full, reml=False), by_criterion(reduced, reml=False)
        return *models, note if full.reml or reduced.reml else []
    if isinstance(full, FittedLinear) or isinstance(reduced, FittedLinear):
        raise ArgumentError("pb_compare: both models must be linear, or both generalized")
    check_same_approximation([full, reduced], _LABELS)
    return full, reduced, []


def _table(rows: dict[str, _Row]) -> tuple[dict[str, list[float]], list[str]]:
    """Columns and labels."""
    return {name: [row[i] for row in rows.values()] for i, name in enumerate(_COLUMNS)}, list(rows)


def _p_values(statistic: float, df: int, simulated: NDArray[np.float64]) -> dict[str, _Row]:
    """The tests by χ², by the simulations, and by distributions with their moments."""
    from scipy.special import chdtrc, fdtrc, gammaincc

    n = len(simulated)
    mean = float(simulated.mean())
    variance = float(simulated.var(ddof=1)) if n > 1 else np.nan
    exceeding = (np.count_nonzero(simulated >= statistic) + 1) / (n + 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        bartlett = float(np.divide(statistic * df, mean))
        gamma = float(gammaincc(np.divide(mean**2, variance), np.divide(statistic * mean, variance)))
    # The F variable with the simulated mean; χ² when that is no larger than its own.
    ddf = 2 * mean / (mean - df) if mean > df else np.inf
    by_f = fdtrc(df, ddf, statistic / df) if np.isfinite(ddf) else chdtrc(df, statistic)
    return {
        "LRT": (statistic, df, np.nan, float(chdtrc(df, statistic))),
        "PBtest": (statistic, np.nan, np.nan, exceeding),
        "Bartlett": (bartlett, df, np.nan, float(chdtrc(df, bartlett))),
        "Gamma": (statistic, np.nan, np.nan, gamma),
        "F": (statistic / df, df, ddf, float(by_f)),
    }


def _simulated_ratios(
    full: FittedModel, reduced: FittedModel, nsim: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Likelihood ratios of responses drawn from the reduced model, where both models can be fitted."""
    ratios = []
    for _ in range(nsim):
        again = _draw(full, reduced, rng)
        try:
            fits = again()
        except MixedModelError:
            # A simulated response may be constant, or separated.
            continue
        ratios.append(max(0.0, fits[1].estimates.objective - fits[0].estimates.objective))
    if not ratios:
        raise ArgumentError("pb_compare: the models could be fitted to none of the simulated responses")
    return np.array(ratios)


def _draw(
    full: FittedModel, reduced: FittedModel, rng: np.random.Generator
) -> Callable[[], list[FittedModel]]:
    """Draw a response; what it returns fits both models to it."""
    models = full, reduced
    if isinstance(reduced, FittedLinear):
        y = read_only(_linear_response(reduced, rng))
        return lambda: [refit(model, y=y, quiet=True) for model in models if isinstance(model, FittedLinear)]
    assert isinstance(reduced, FittedGeneralized)
    response = _generalized_response(reduced, rng)
    return lambda: [
        refit_generalized(model, response=response, quiet=True)
        for model in models
        if isinstance(model, FittedGeneralized)
    ]


def _linear_response(fitted: FittedLinear, rng: np.random.Generator) -> NDArray[np.float64]:
    design, sigma = fitted.design, fitted.estimates.sigma
    noise = rng.standard_normal(fitted.n_obs)
    if design.weights is not None:
        noise /= np.sqrt(design.weights)
    return _fixed_part(fitted) + sigma * (_random_part(fitted, rng) + noise)


def _generalized_response(fitted: FittedGeneralized, rng: np.random.Generator) -> Response:
    design, family = fitted.design, fitted.family
    eta = _fixed_part(fitted) + _random_part(fitted, rng)
    drawn = family.draw(rng, family.mean(eta), design.unit_weights, fitted.dispersion)
    if design.form.binomial:
        drawn = np.round(drawn * design.unit_weights)
    return Response(read_only(drawn), design.weights, design.form)


def _fixed_part(fitted: FittedModel) -> NDArray[np.float64]:
    kept = fitted.estimates.kept
    eta = fitted.design.x[:, kept] @ fitted.estimates.beta[kept]
    return eta if fitted.design.offset is None else eta + fitted.design.offset


def _random_part(fitted: FittedModel, rng: np.random.Generator) -> NDArray[np.float64]:
    """Z Λ u with u standard normal: random effects relative to the scale."""
    total = np.zeros(fitted.n_obs)
    for term, factor in zip(fitted.design.terms, factors(fitted.design, fitted.estimates.theta), strict=True):
        effects = rng.standard_normal((len(term.group.levels), len(factor))) @ factor.T
        total += np.einsum("ij,ij->i", term.z, effects[term.group.codes])
    return total
