"""Likelihood-ratio tests whose distribution is simulated under the smaller model."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...checks import random_generator, whole_number
from ...errors import ArgumentError, MixedModelError
from ...fit.changes import by_ml, refitted
from ...fit.draws import draw_response
from ...fit.state import FittedModel
from ...render.anova_table import AnovaTable, anova_table
from ..basis.testable import have_optimum, notes_on_comparisons
from .likelihood_ratio import check_same_approximation, check_same_data
from .model_differences import described
from .nesting import refuse_not_nested

_LABELS = ["the full model", "the reduced model"]
_ROWS: tuple[str, ...] = ("LRT", "PBtest", "Bartlett", "Gamma", "F")
_COLUMNS = ("statistic", "Df", "DenDF", "Pr(>statistic)")
_Row = tuple[float, float, float, float]


def bootstrap_comparison(
    full: FittedModel, reduced: FittedModel, nsim: Any = 1000, rng: Any = None
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
    simulated = _simulated_ratios(full, reduced, nsim, random_generator(rng))
    heading += [
        f"Parametric bootstrap of the likelihood-ratio test, {nsim} simulations from the reduced model",
        *about,
    ]
    failed = int(nsim) - len(simulated)
    notes = [f"{failed} of {nsim} simulations left out because a model could not be fitted to them"]
    return anova_table(*_table(_p_values(statistic, df, simulated)), heading, notes if failed else [])


def _comparable(full: FittedModel, reduced: FittedModel) -> tuple[FittedModel, FittedModel, list[str]]:
    """The models, fitted by maximum likelihood, and what was done for that."""
    check_same_data([full, reduced], _LABELS)
    if full.exact_likelihood != reduced.exact_likelihood:
        raise ArgumentError("pb_compare: both models must be linear, or both generalized")
    if not full.exact_likelihood:
        check_same_approximation([full, reduced], _LABELS)
    refuse_not_nested(reduced, full, "pb_compare")
    note = ["Refitted by ML (instead of REML) for this comparison"]
    return by_ml(full), by_ml(reduced), note if full.restricted or reduced.restricted else []


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
        response = draw_response(reduced, rng)
        try:
            fits = [refitted(model, response=response, quiet=True) for model in (full, reduced)]
        except MixedModelError:
            # A simulated response may be constant, or separated.
            continue
        ratios.append(max(0.0, fits[1].estimates.objective - fits[0].estimates.objective))
    if not ratios:
        raise ArgumentError("pb_compare: the models could not be fitted to any simulated response")
    return np.array(ratios)
